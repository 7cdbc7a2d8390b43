# What a job asks for, and what this machine has: cores, memory, GPUs.

from topogen.provenance import memory, output_of

# Of a GPU's memory for one training. Twelve VAEs at a time took 1,100 MB each on an H100, most of it CUDA itself.
TRAINING_MB = 2000
# For each further one in a stack: its weights, their gradients, Adam's means and what layers keep, computed for a VAE.
STACKED_MB = 100


def all_cores(wildcards):
    """Every core of the run, so that the job is alone on the machine. On a cluster the profile asks for a whole node."""
    return 1 if workflow.non_local_exec else workflow.cores


def threads_of_torch(wildcards):
    """Torch's threads in one job, those of training.threads on the job's dataset."""
    return plan(wildcards).config["training"]["threads"]


def more_on_retry(amount):
    """A resource that grows with each attempt: the amount, then twice, then three times as much."""

    def of_attempt(wildcards, attempt):
        return amount * attempt

    return of_attempt


def number_of_attempt(wildcards, attempt):
    """1, and one more for each retry: a resource, because Snakemake tells a script nothing else about attempts."""
    return attempt


@cache
def gpus():
    """CUDA devices that a run here may use, or 1 if the jobs go to a cluster that has some."""
    if workflow.non_local_exec:
        return int("gpu" in (output_of("sinfo", "--noheader", "--format", "%G") or ""))
    listed = (output_of("nvidia-smi", "--list-gpus") or "").splitlines()
    # Lines that begin otherwise are parts of a card.
    cards = sum(line.startswith("GPU") for line in listed)
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return usable_gpus(cards) if cards and not hidden else 0


def usable_gpus(cards):
    """How many of the cards torch can use: the jobs' Python is asked once. The others are hidden from the jobs."""
    answer = output_of(PYTHON, str(CLONE / "src/topogen/training/devices.py"))
    if answer is None:  # only the jobs' environment has torch
        return cards
    works = json.loads(answer)
    names = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(len(works))))).split(",")
    usable = [name for name, good in zip(names, works) if good]
    if len(usable) < len(works) or not usable:
        logger.warning(
            f"torch can use {len(usable)} of the {cards} GPUs that nvidia-smi lists; without one, trainings run on the "
            "CPU. To see why: python src/topogen/training/devices.py"
        )
        os.environ.update(CUDA_VISIBLE_DEVICES=",".join(usable))
    return len(usable)


def gpus_per_run(wildcards):
    device = plan(wildcards).config["training"]["device"]
    return min(1, gpus()) if device == "auto" else int(device == "cuda")


def devices():
    """What the trainings may use, on all datasets: auto, cpu, cuda."""
    return {each.config["training"]["device"] for each in PLANS.values()}


def limit_by_this_machine():
    """Run only jobs at a time that fit into this machine's GPUs and memory together, unless --resources says otherwise.

    Called while the rules are read. Snakemake does not know its executor then, so that `workflow.non_local_exec` is False
    on a cluster too: the number of nodes, which --jobs gives, tells. `gpus` must not be asked so early on a cluster,
    because it remembers its answer.
    """
    if workflow.nodes is None:
        limit_gpus()
        limit_memory()


def limit_gpus():
    if devices() != {"cpu"} and "gpu" not in workflow.global_resources and gpus() > 0:
        workflow.register_resource("gpu", gpus() * trainings_per_gpu())


def trainings_per_gpu():
    """How many jobs fit into the GPU with the least free memory; 1 if nvidia-smi does not say."""
    free = output_of("nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits") or ""
    megabytes = [int(line) for line in free.splitlines() if line.isdigit()]
    largest = max(each.config["training"].get("stack", 1) for each in PLANS.values())
    return max(1, min(megabytes, default=0) // (TRAINING_MB + STACKED_MB * (largest - 1)))


def limit_memory():
    if "mem_mb" not in workflow.global_resources and memory():
        workflow.register_resource("mem_mb", memory() // 10**6)
