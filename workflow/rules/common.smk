# Lookups that the rules share: what is run, and with which parameters.

import ast
import json
from pathlib import Path

from snakemake.exceptions import WorkflowError

DATASET = config["dataset"]
MODELS = config["models"]
BASELINES = {
    model: entry["baseline"] for model, entry in MODELS.items() if "baseline" in entry
}
IMAGES = config["figures"]["images"]
COMPARISON = config["figures"]["comparison"]
LATENTS = config["figures"]["latents"]
FIGURES = [
    *(
        f"results/{DATASET}/figures/images_{model}_{step}.{kind}"
        for model, entry in IMAGES.items()
        for step in entry["steps"]
        for kind in ("svg", "png")
    ),
    *(
        f"results/{DATASET}/figures/{figure}.{kind}"
        for figure in (
            "bce_one_seed",
            "bce_mean",
            "improvement",
            "latent_curves",
            "latent_scatter",
        )
        for kind in ("svg", "png")
    ),
]
TABLES = [f"results/{DATASET}/tables/table1.{kind}" for kind in ("csv", "md", "tex")]

BATCH = config["theory"]["batch"]
THEORY = [
    *(
        f"results/{folder}/figures/{figure}.{kind}"
        for folder, figures in (
            (DATASET, ("working_principle", "densities_of_batch")),
            (
                "theory",
                (
                    "geometric_complex",
                    "rips_filtration",
                    "persistence_diagram",
                    "densities_of_clusters",
                    "delta_selection",
                    "stability",
                    "gradients",
                    "entropy_near_diagonal",
                ),
            ),
        )
        for figure in figures
        for kind in ("svg", "png")
    ),
    *(
        f"results/theory/tables/{table}.{kind}"
        for table in ("stability", "gradients", "exceptions")
        for kind in ("csv", "md", "tex")
    ),
]


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    model="|".join(MODELS),
    seed="[0-9]+",
    step="[0-9]+",


def check_references():
    """Stop before any job where one part of the configuration names what another does not have."""
    shown = dict.fromkeys(IMAGES, "figures.images")
    shown |= dict.fromkeys(COMPARISON["models"], "figures.comparison.models")
    shown[LATENTS["model"]] = "figures.latents.model"
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
    for model, key in shown.items():
        if model not in BASELINES:
            raise WorkflowError(
                f"config: {key}: {model} is no model with a baseline: {', '.join(BASELINES)}"
            )
    for model, entry in IMAGES.items():
        if missing := set(entry["steps"]) - set(config["training"]["snapshot_steps"]):
            raise WorkflowError(
                f"config: figures.images.{model}.steps: {sorted(missing)} not in training.snapshot_steps"
            )
    if BATCH["model"] not in MODELS:
        raise WorkflowError(f"config: theory.batch.model: {BATCH['model']} is no model")
    if BATCH["step"] not in config["training"]["snapshot_steps"]:
        raise WorkflowError(
            f"config: theory.batch.step: {BATCH['step']} not in training.snapshot_steps"
        )
    clouds = {
        term.get("cloud", "output") for term in MODELS[BATCH["model"]]["regularizers"]
    }
    if clouds != {"output"}:
        raise WorkflowError(
            f"config: theory.batch.model: {BATCH['model']} has no regularizers of its output alone"
        )
    for model, entry in MODELS.items():
        terms = [(term["name"], term["degree"]) for term in entry["regularizers"]]
        if len(terms) != len(set(terms)):
            raise WorkflowError(
                f"config: models.{model}.regularizers: the same name and degree twice"
            )


check_references()


def code_inputs(*modules):
    """Source files of modules of topogen and of all that these import: a change of one reruns the rule."""
    files, waiting = set(), list(modules)
    while waiting:
        name = waiting.pop()
        path = Path("src", *name.split(".")).with_suffix(".py")
        if str(path) in files or not path.is_file():
            continue
        files.add(str(path))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                waiting += [
                    node.module,
                    *(f"{node.module}.{part.name}" for part in node.names),
                ]
            elif isinstance(node, ast.Import):
                waiting += [part.name for part in node.names]
    return sorted(files)


def canonical(value):
    """One JSON string per meaning: keys sorted, 5.0 written as 5. Snakemake compares parameters as text."""

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return json.dumps(plain(value), sort_keys=True)


def trainer_arguments(model, seed):
    """Arguments of topogen.training.Trainer."""
    shared = {
        key: config["training"][key]
        for key in ("batch_size", "learning_rate", "device")
    }
    entry = MODELS[model]
    return shared | {
        "latent_dim": entry["latent_dim"],
        "regularizers": entry["regularizers"],
        "seed": int(seed),
    }


def with_baselines(models):
    """Models and the baselines they are compared with, baselines first, each once."""
    return list(dict.fromkeys([*(BASELINES[model] for model in models), *models]))


def all_cores(wildcards):
    """Every core of the run: the job is alone on the machine."""
    return workflow.cores or 1


def gpus_per_run(wildcards):
    return 0 if config["training"]["device"] == "cpu" else 1


def dataset_spec(wildcards):
    return canonical(config["datasets"][wildcards.dataset])


def training_spec(wildcards):
    own = {
        key: config["training"][key] for key in ("epochs", "snapshot_steps", "threads")
    }
    return canonical(trainer_arguments(wildcards.model, wildcards.seed) | own)


def timing_spec(wildcards):
    models = {model: trainer_arguments(model, config["seeds"][0]) for model in MODELS}
    return canonical(
        {"models": models, "threads": config["training"]["threads"], **config["timing"]}
    )


def improvement_spec(wildcards):
    runs = [
        [model, seed] for model in with_baselines(BASELINES) for seed in config["seeds"]
    ]
    return canonical({"runs": runs, "baselines": BASELINES, **config["statistics"]})


def snapshots_of_pair(wildcards):
    seed = IMAGES[wildcards.model]["seed"]
    return [
        f"results/{wildcards.dataset}/runs/{model}/{seed}/snapshots.npz"
        for model in with_baselines([wildcards.model])
    ]


def row_of_images(wildcards):
    return IMAGES[wildcards.model]["row"]


def image_parameters(wildcards):
    return canonical(
        {"models": with_baselines([wildcards.model]), "step": int(wildcards.step)}
    )
