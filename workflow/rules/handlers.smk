# What is checked and said when a run starts, and what is said and noted when it ends.

import shutil
import subprocess
from collections import Counter

from snakemake_interface_logger_plugins.common import LogEvent

from topogen.checks import check_length
from topogen.forecast import disk, other_jobs
from topogen.steps import training_images


onstart:
    check_device()
    check_cluster_gets_the_configuration()
    check_cluster_says_how_jobs_end()
    look_for_jobs_only_when_one_ends()


onsuccess:
    report_products(failed=False)
    report_processor_time()
    write_provenance(failed=False)


onerror:
    report_products(failed=True)
    report_processor_time()
    write_provenance(failed=True)


def check_device():
    """Stop before any job if the configuration asks for a GPU that is not there."""
    if "cuda" in devices() and gpus() == 0:
        raise WorkflowError(
            "config: training.device: cuda, but this machine has no NVIDIA GPU that torch can use; write auto or cpu"
        )


def check_cluster_gets_the_configuration():
    """Stop before any job if its process would read another configuration than this one."""
    if workflow.non_local_exec and workflow.config_settings.replace_workflow_config:
        raise WorkflowError(
            "--replace-workflow-config: Snakemake does not tell the jobs of a cluster; make the file the clone's config.yaml"
        )


def check_cluster_says_how_jobs_end():
    """Stop before any job if Slurm keeps no accounts: its plugin would ask them in vain, and wait without a word."""
    asked = getattr(workflow.executor_settings, "status_command", None)
    if asked == "sacct" and shutil.which("sacct"):
        answer = subprocess.run(
            ["sacct", "--noheader", "--allocations"], capture_output=True, text=True, check=False
        )
        if answer.returncode:
            raise WorkflowError(
                f"sacct: {answer.stderr.strip()}: Snakemake would not notice the end of a job; "
                "add --slurm-status-command squeue"
            )


def announce_with_the_count_of_jobs():
    """Say what the run will take when Snakemake counts its jobs: a dry run does that too, and has no onstart."""

    def announces(record):
        if getattr(record, "event", None) == LogEvent.RUN_INFO:
            logger.removeFilter(announces)
            announce_run()
            announce_sweeps()
            announce_too_few_seeds()
            check_trainings_are_long_enough()
            check_published_embeddings()
        return True

    logger.addFilter(announces)


def announce_run():
    """Say how many trainings and other jobs there are, about how long they take, and how much disk."""
    jobs = list(workflow.dag.needrun_jobs())
    others = Counter(job.rule.name for job in jobs if job.rule.benchmark and not histories(job))
    parts = []
    for dataset, trainings in trainings_of_this_run(jobs).items():
        models = [model for model, _ in trainings]
        if models:
            times = training_times("results/benchmarks", dataset)
            parts += [named(dataset) + PLANS[dataset].effort(models, times)]
            parts += [disk(len(models), Path("results", dataset, "runs"))]
    if others:
        parts += [other_jobs(others, times_by_rule("results/benchmarks"))]
    if parts:
        logger.info(f"This run: {'; '.join(parts)}.")


def announce_sweeps():
    """Say how many trainings each sweep adds to this run, and about how long they take."""
    trainings_of = trainings_of_this_run(workflow.dag.needrun_jobs())
    for sweep, (dataset, trainings) in itertools.product(PLAN.sweeps_of("sweeps"), trainings_of.items()):
        # Sweeps may share models, but train them from seeds of their own.
        runs = [run for run in PLAN.runs(sweep) if run[0] in PLAN.models_in(sweep)]
        variants = [model for model, seed in trainings if (model, seed) in runs]
        if variants:
            times = training_times("results/benchmarks", dataset)
            logger.info(f"Sweep {sweep}: {named(dataset)}{PLANS[dataset].effort(variants, times)}.")


def announce_too_few_seeds():
    """Warn of a study or embeddings with too few seeds for their rows: whatever comes out, they have no direction."""
    rules = {job.rule.name for job in workflow.dag.needrun_jobs()}
    if "study_effects" in rules:
        for sentence in PLAN.study_cannot_decide():
            logger.warning(f"Study {PLAN.study}: {sentence}.")
    if "embedding_summary" in rules:
        for sentence in PLAN.embedding_cannot_decide():
            logger.warning(f"Embeddings: {sentence}.")


def check_trainings_are_long_enough():
    """Stop before any job if a training ends before a step that is asked for, and its images are already known."""
    jobs = list(workflow.dag.needrun_jobs())
    to_be_made = {str(file) for job in jobs for file in job.output}
    for dataset, trainings in trainings_of_this_run(jobs).items():
        images = f"results/{dataset}/images.npy"
        kind = PLANS[dataset].preparation(dataset)["kind"]
        known = training_images(kind, None if images in to_be_made else Path(images))
        for model in dict.fromkeys(model for model, _ in trainings):
            try:
                check_length(PLANS[dataset], model, known)
            except ValueError as error:
                raise WorkflowError(f"config: {error}")


def check_published_embeddings():
    """Stop before any job if the last one of the embeddings could not use the file of published values."""
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "embedding_summary":
            from topogen.evidence.embedding import published_values

            try:
                published_values(job.input.published, job.wildcards.dataset)
            except ValueError as error:
                raise WorkflowError(f"config: embedding.published: {error}")


def trainings_of_this_run(jobs):
    """Dataset of the run -> model and seed of each of its trainings."""
    made = [Path(path).parts for job in jobs for path in histories(job)]
    return {
        name: [(model, int(seed)) for _, dataset, _, model, seed, _ in made if dataset == name]
        for name in PLANS
    }


def histories(job):
    """Of a job that trains what it makes of each seed, results/DATASET/runs/MODEL/SEED/history.parquet."""
    return [path for path in job.output if Path(path).name == "history.parquet"]


def named(dataset):
    """What a sentence about a dataset begins with, if the run has several."""
    return f"{dataset}: " if len(PLANS) > 1 else ""


def look_for_jobs_only_when_one_ends():
    """Lift the limit of jobs per second in a run on this machine, where the cores are the limit.

    For that limit Snakemake 9.27.1 looks for jobs once more a second later, each time it has looked, and once more for
    every job that has ended: at the end of a long run that takes a fifth of a core.
    """
    if not workflow.non_local_exec:
        workflow.scheduler.job_rate_limiter = None


def report_products(failed):
    """Say how much of what was asked for exists; after a failure, what is missing and which trainings diverged."""
    asked = {job.rule.name for job in workflow.dag.jobs} & set(TARGETS) or {"all"}
    products = dict.fromkeys(file for target in sorted(asked) for file in TARGETS[target])
    missing = [path for path in products if not Path(path).is_file()]
    to_be_made = {str(file) for job in workflow.dag.needrun_jobs() for file in job.output}
    earlier = [path for path in products if path in to_be_made and path not in missing]
    of_earlier = f", {len(earlier)} of them of an earlier run and to be made again" if earlier else ""
    made = len(products) - len(missing)
    logger.info(f"{made} of {len(products)} figures, tables and pages are in results/{of_earlier}.")
    if failed:
        histories = [Path("results/logs/train").glob(f"{dataset}-*.diverged.csv") for dataset in PLANS]
        diverged = sorted(map(str, itertools.chain(*histories)))
        for heading, paths in {"Missing": missing, "Losses of trainings that diverged": diverged}.items():
            if paths:
                logger.info("\n  ".join([f"{heading}:", *paths]))


def report_processor_time():
    """Say how many seconds of the processor the run took here; its benchmarks miss the end of what takes more than 15 s."""
    spent = os.times()
    jobs, own = spent.children_user + spent.children_system, spent.user + spent.system
    logger.info(f"Seconds of the processor: {jobs:.0f} in jobs, {own:.0f} in Snakemake.")


def write_provenance(failed):
    """Note beside the results what made them: code, packages, configuration, seeds, machine and datasets."""
    try:
        from topogen.files import save_json
        from topogen.provenance import provenance

        files = [
            Path("resources", dataset, "raw", name)
            for dataset in PLANS
            for name in sorted(config["datasets"][dataset].get("md5", {}))
        ]
        run = {
            "failed": failed,
            "config": config,
            "seeds": PLAN.seeds,
            "cores": workflow.resource_settings.cores,  # none if the jobs go to a cluster
            "rules": times_by_rule("results/benchmarks"),
        }
        save_json("results/provenance.json", provenance(CLONE, files) | run)
    except (ImportError, OSError, ValueError, KeyError) as error:
        logger.warning(f"results/provenance.json could not be written: {error}")
