# Lookups that the rules share: what is run, and with which parameters.

import itertools
import json
import math
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# Found beside the Snakefile, as by the jobs: Snakemake's own environment needs neither topogen nor torch.
sys.path.insert(0, str(Path(workflow.basedir, "src")))

from topogen.imports import source_files

DATASET = config["dataset"]
MODELS = config["models"]
BASELINES = {model: entry["baseline"] for model, entry in MODELS.items() if "baseline" in entry}


def with_baselines(models):
    """Models and the baselines they are compared with, baselines first, each once."""
    known = (BASELINES[model] for model in models if model in BASELINES)
    return list(dict.fromkeys([*known, *models]))


IMAGES = config["figures"]["images"]
COMPARISONS = {
    name: {"seeds": config["seeds"], "target": "all", **entry}
    for name, entry in config["comparisons"].items()
}
CONTROLS = [name for name, entry in COMPARISONS.items() if entry["target"] == "controls"]
TUNING = [name for name, entry in COMPARISONS.items() if entry["target"] == "tuning"]
NOISE = config["controls"]["noise"]
SIGNIFICANCE = config["controls"]["significance"]
REPLICATES = {model: entry.get("replicates", [model]) for model, entry in MODELS.items()}
COMPARISON = config["figures"]["comparison"]
COMPARED = COMPARISONS.get(COMPARISON["name"], {}).get("models", [])
LATENTS = config["figures"]["latents"]
# Compared in `all` and trained to the end: what is evaluated on held-out images and timed.
COMPARED_IN_ALL = [
    model for entry in COMPARISONS.values() if entry["target"] == "all" for model in entry["models"]
]
WHOLE = [model for model in with_baselines(COMPARED_IN_ALL) if "steps" not in MODELS.get(model, {})]
WHOLE_RUNS = [[model, seed] for model in WHOLE for seed in config["seeds"]]
WHOLE_BASELINES = {model: BASELINES[model] for model in WHOLE if model in BASELINES}
BATCH = config["theory"]["batch"]
EXPERIMENTS = config["synthetic"]["pointclouds"]["experiments"]


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    experiment="|".join(EXPERIMENTS),
    model="|".join(MODELS),
    comparison="|".join(COMPARISONS),
    seed="[0-9]+",
    step="[0-9]+",
    full="(_full)?",


def steps_of(model):
    """Steps after which a model's training ends, infinite where its epochs decide."""
    return MODELS[model].get("steps", math.inf)


def check_references():
    """Stop before any job where one part of the configuration names what another does not have."""
    shown = dict.fromkeys(IMAGES, "figures.images")
    shown[LATENTS["model"]] = "figures.latents.model"
    for name, entry in COMPARISONS.items():
        shown |= dict.fromkeys(entry["models"], f"comparisons.{name}.models")
    if DATASET not in config["datasets"]:
        raise WorkflowError(
            f"config: dataset: {DATASET} is none of datasets: {', '.join(config['datasets'])}"
        )
    for model, baseline in BASELINES.items():
        if baseline not in MODELS or baseline in BASELINES:
            raise WorkflowError(
                f"config: models.{model}.baseline: {baseline} is no model without a baseline of its own"
            )
        if MODELS[model]["latent_dim"] != MODELS[baseline]["latent_dim"]:
            raise WorkflowError(
                f"config: models.{model}.latent_dim differs from that of its baseline {baseline}"
            )
        if steps_of(model) > steps_of(baseline):
            raise WorkflowError(
                f"config: models.{model} is trained for more steps than its baseline {baseline}"
            )
    for model, key in shown.items():
        if model not in BASELINES:
            raise WorkflowError(f"config: {key}: {model} is no model with a baseline: {', '.join(BASELINES)}")
    for model, entry in IMAGES.items():
        if missing := set(entry["steps"]) - set(config["training"]["snapshot_steps"]):
            raise WorkflowError(
                f"config: figures.images.{model}.steps: {sorted(missing)} not in training.snapshot_steps"
            )
        if late := [step for step in entry["steps"] if step >= steps_of(model)]:
            raise WorkflowError(
                f"config: figures.images.{model}.steps: {late}, but its training ends after {steps_of(model)} steps"
            )
    if BATCH["model"] not in MODELS:
        raise WorkflowError(f"config: theory.batch.model: {BATCH['model']} is no model")
    if BATCH["step"] not in config["training"]["snapshot_steps"]:
        raise WorkflowError(f"config: theory.batch.step: {BATCH['step']} not in training.snapshot_steps")
    clouds = {term.get("cloud", "output") for term in MODELS[BATCH["model"]]["regularizers"]}
    if clouds != {"output"}:
        raise WorkflowError(
            f"config: theory.batch.model: {BATCH['model']} has no regularizers of its output alone"
        )
    for model, entry in MODELS.items():
        terms = [(term["name"], term["degree"]) for term in entry["regularizers"]]
        if len(terms) != len(set(terms)):
            raise WorkflowError(f"config: models.{model}.regularizers: the same name and degree twice")
        for term in entry["regularizers"]:
            grid = term.get("parameters", {})
            if "start" in grid and grid["start"] >= grid["stop"]:
                raise WorkflowError(
                    f"config: models.{model}.regularizers: 4sgde: start {grid['start']} is not below stop {grid['stop']}"
                )
    for name, entry in COMPARISONS.items():
        last = min(steps_of(model) for model in with_baselines(entry["models"]))
        if late := [step for step in config["statistics"]["steps"] if step >= last]:
            raise WorkflowError(
                f"config: statistics.steps: {late}, but comparisons.{name} ends after {last} steps"
            )
    if unknown := set(config["published"]) - set(MODELS):
        raise WorkflowError(
            f"config: published: {', '.join(sorted(unknown))} is none of models: {', '.join(MODELS)}"
        )
    for model in config["published"]:
        if BASELINES.get(model, model) not in config["published"]:
            raise WorkflowError(
                f"config: published: {model} is there, but not its baseline {BASELINES[model]}"
            )


def check_numbers(value, key):
    """Stop at a number that is none, or infinite where only ground_norm may be: the schema cannot say so."""
    if isinstance(value, dict):
        for name, item in value.items():
            check_numbers(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_numbers(item, f"{key}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value) or not key.endswith(".ground_norm"):
            raise WorkflowError(f"config: {key}: {value} is not a finite number")


def check_results_folder():
    """Stop before any job where results/ cannot be written."""
    folder = Path("results").absolute()
    while not folder.exists() and not folder.is_symlink():
        folder = folder.parent
    if not folder.is_dir():
        raise WorkflowError(f"{folder} is no folder: the results go there")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WorkflowError(f"{folder} cannot be written: the results go there")


check_numbers(config, "")
check_references()
check_results_folder()


def code_of(*files):
    """Source files that a script or notebook imports: a change of one of them reruns its rule and no others."""
    try:
        return source_files(*files)
    except ValueError as error:
        raise WorkflowError(f"code_of: {error}")


def canonical(value):
    """One JSON string per meaning: keys sorted, 5.0 written as 5. Snakemake compares parameters as text."""

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        # Beyond 2^53 a whole float is no better known as an integer, and torch takes none that large.
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
        return int(value) if whole else value

    return json.dumps(plain(value), sort_keys=True)


def trainer_arguments(model, seed):
    """Arguments of topogen.training.trainer.Trainer."""
    shared = {key: config["training"][key] for key in ("batch_size", "learning_rate", "device")}
    entry = MODELS[model]
    return shared | {
        "latent_dim": entry["latent_dim"],
        "regularizers": [
            term | {"weight": term["weight"] * entry.get("strength", 1)} for term in entry["regularizers"]
        ],
        "seed": int(seed),
        **{key: entry[key] for key in ("learning_rate", "kld_weight", "noise", "direction") if key in entry},
    }


def products(rule, **wildcards):
    """Outputs of a rule for the dataset of the run and every combination of the other wildcards' values."""
    return expand([str(path) for path in rule.output], dataset=DATASET, **wildcards)


def images_of_training(rule):
    """Outputs of the image comparison, for every model and step that figures.images lists."""
    return [
        path for model, entry in IMAGES.items() for path in products(rule, model=model, step=entry["steps"])
    ]


def all_cores(wildcards):
    """Every core of the run: the job is alone on the machine. On a cluster it asks for a node by itself."""
    return 1 if workflow.non_local_exec else workflow.cores


def more_on_retry(amount):
    """A resource that grows with each attempt: the amount, then twice, then three times as much."""

    def of_attempt(wildcards, attempt):
        return amount * attempt

    return of_attempt


@cache
def output_of(*command):
    """What a command prints; nothing if it fails or does not exist."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def gpus():
    """CUDA devices that a run here may use, or 1 where the jobs go to a cluster that has some."""
    if workflow.non_local_exec:
        return int("gpu" in output_of("sinfo", "--noheader", "--format", "%G"))
    listed = output_of("nvidia-smi", "--list-gpus").splitlines()
    # Lines of another beginning are parts of a card.
    cards = sum(line.startswith("GPU") for line in listed)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return cards
    return min(cards, len(visible.split(","))) if visible else 0


def gpus_per_run(wildcards):
    device = config["training"]["device"]
    return min(1, gpus()) if device == "auto" else int(device == "cuda")


def limit_gpus():
    """As many trainings at a time as this machine has GPUs, unless --resources says otherwise."""
    if "gpu" not in workflow.global_resources and gpus() > 0:
        workflow.register_resource("gpu", gpus())


def dataset_spec(wildcards):
    return canonical(config["datasets"][wildcards.dataset])


def training_spec(wildcards):
    own = {key: config["training"][key] for key in ("epochs", "threads")}
    last = steps_of(wildcards.model)
    own["snapshot_steps"] = [step for step in config["training"]["snapshot_steps"] if step < last]
    if last < math.inf:
        own["steps"] = last
    return canonical(trainer_arguments(wildcards.model, wildcards.seed) | own)


def timing_spec(wildcards):
    models = {model: trainer_arguments(model, config["seeds"][0]) for model in WHOLE}
    return canonical({"models": models, "threads": config["training"]["threads"], **config["timing"]})


def runs_of_comparison(name):
    """(model, seed) of every training that a comparison needs."""
    entry = COMPARISONS[name]
    return [(model, seed) for model in with_baselines(entry["models"]) for seed in entry["seeds"]]


def histories_of_comparison(wildcards):
    return [
        f"results/{wildcards.dataset}/runs/{model}/{seed}/history.parquet"
        for model, seed in runs_of_comparison(wildcards.comparison)
    ]


def terms_on_output(model):
    """Columns of the history that hold a model's terms on its output."""
    return [
        f"{term['name']}_{term['degree']}"
        for term in MODELS[model]["regularizers"]
        if term.get("cloud", "output") == "output"
    ]


def improvement_spec(wildcards):
    models = COMPARISONS[wildcards.comparison]["models"]
    return canonical(
        {
            "runs": runs_of_comparison(wildcards.comparison),
            "baselines": {model: BASELINES[model] for model in models},
            "terms": {model: terms_on_output(model) for model in models},
            **config["statistics"],
        }
    )


def check_evaluation():
    """Stop before any job where the evaluation asks for what no training keeps."""
    settings, training = config["evaluation"], config["training"]
    if missing := set(settings["steps"]) - set(training["snapshot_steps"]):
        raise WorkflowError(f"config: evaluation.steps: {sorted(missing)} not in training.snapshot_steps")
    if settings["images"] < 2 * training["batch_size"]:
        raise WorkflowError(f"config: evaluation.images: {settings['images']} are less than two batches")
    for key, number in (
        ("neighbours", settings["neighbours"] + 1),
        ("kernel.subset_size", settings["kernel"]["subset_size"]),
    ):
        if number > settings["images"]:
            raise WorkflowError(
                f"config: evaluation.{key}: more than evaluation.images, {settings['images']}"
            )


check_evaluation()


def check_claims():
    """Stop before any job where a claim names what is not measured."""
    parts = {f"controls.{key}": name for key, name in config["controls"].items()}
    parts |= {f"claims.comparisons.{name}": name for name in config["claims"]["comparisons"]}
    parts |= {
        f"claims.held_out[{place}].comparison": claim["comparison"]
        for place, claim in enumerate(config["claims"]["held_out"])
    }
    parts["figures.comparison.name"] = COMPARISON["name"]
    for key, name in parts.items():
        if name not in COMPARISONS:
            raise WorkflowError(f"config: {key}: {name} is none of comparisons: {', '.join(COMPARISONS)}")
    for place, claim in enumerate(config["claims"]["held_out"]):
        if claim["step"] not in (-1, *config["evaluation"]["steps"]):
            raise WorkflowError(
                f"config: claims.held_out[{place}].step: {claim['step']} is no step of evaluation.steps, nor -1"
            )
        if early := set(COMPARISONS[claim["comparison"]]["models"]) - set(WHOLE):
            raise WorkflowError(
                f"config: claims.held_out[{place}].comparison: {', '.join(sorted(early))} ends early and is not evaluated"
            )


check_claims()


def classifier_spec(wildcards):
    return canonical(config["evaluation"]["classifier"] | {"threads": config["training"]["threads"]})


def evaluation_spec(wildcards):
    """What is evaluated and how; the full evaluation takes all images, and the end alone."""
    settings = config["evaluation"]
    return canonical(
        {
            "images": None if wildcards.full else settings["images"],
            "steps": [] if wildcards.full else settings["steps"],
            "threads": config["training"]["threads"],
            "settings": {
                "batch_size": config["training"]["batch_size"],
                "neighbours": settings["neighbours"],
                "covered_share": settings["covered_share"],
                **settings["kernel"],
                **settings["diagrams"],
            },
        }
    )


def cost_spec(wildcards):
    published = config["published"].items()
    return canonical(
        {
            "runs": WHOLE_RUNS,
            "baselines": WHOLE_BASELINES,
            "published": {model: entry["seconds"] for model, entry in published},
        }
    )


def inference_rules():
    """Confidence, margin and power of topogen.evidence.effects."""
    return {key: value for key, value in config["statistics"].items() if key != "steps"}


def verdicts_spec(wildcards):
    claims = config["claims"]
    held_out = [
        {
            "claim": claim["claim"],
            "source": claim["comparison"],
            "baselines": {model: BASELINES[model] for model in COMPARISONS[claim["comparison"]]["models"]},
            "step": claim["step"],
            "metrics": claim["metrics"],
        }
        for claim in claims["held_out"]
    ]
    return canonical(
        {
            "rules": inference_rules(),
            "margins": claims["margins"],
            "comparisons": list(claims["comparisons"]),
            "stored": list(claims["stored"]),
            "replicates": REPLICATES,
            "published": config["published"],
            "decay_steps": claims["decay_steps"],
            "held_out": held_out,
            "runs": WHOLE_RUNS,
            "timed": {model: BASELINES[model] for model in config["published"] if model in WHOLE_BASELINES},
            "differentiable": claims["differentiable"],
        }
    )


def verdict_headings(wildcards):
    claims = config["claims"]
    headings = claims["comparisons"] | claims["stored"]
    return canonical({"headings": list(headings.items())})  # pairs: their order is that of the columns


def controls_spec(wildcards):
    return canonical(
        {
            "comparisons": CONTROLS,
            "published": config["published"],
            "steps": config["statistics"]["steps"],
            "seeds": len(config["seeds"]),
            "confidence": config["statistics"]["confidence"],
        }
    )


def stored_controls(wildcards):
    """The result of the target `controls` that was run once and is kept with the code, where there is one."""
    folder = Path("docs/controls", wildcards.dataset)
    return [str(path) for path in (folder / "effects.csv", folder / "noise.csv") if path.is_file()]


def snapshots_of_pair(wildcards):
    seed = IMAGES[wildcards.model]["seed"]
    return [
        f"results/{wildcards.dataset}/runs/{model}/{seed}/snapshots.npz"
        for model in with_baselines([wildcards.model])
    ]


def labels_of_images(wildcards):
    return {
        "row": IMAGES[wildcards.model]["row"],
        "figure": f"images at step {wildcards.step}",
        "model": wildcards.model,
    }


def labels_of_notebook(wildcards):
    labels = labels_of_images(wildcards)
    return labels | {"figure": f"executed notebook: {labels['figure']}"}


def image_parameters(wildcards):
    return canonical({"models": with_baselines([wildcards.model]), "step": int(wildcards.step)})
