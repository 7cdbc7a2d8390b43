# What the rules share: the plan of the configuration, wildcards, inputs and parameters that depend on them, resources.

import itertools
import json
import os
import re
import shlex
import sys
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# The jobs get the packages of the clone by the shell: with --sdm conda, Snakemake takes PYTHONPATH away from them.
os.environ.update(TOPOGEN_SOURCE=SOURCE)
shell.prefix('export PYTHONPATH="$TOPOGEN_SOURCE${{PYTHONPATH:+:$PYTHONPATH}}"; ')
# Snakemake writes the path of Python into shell commands as it stands: without quotes, a space would end it.
(PYTHON,) = [sys.executable] if Path(sys.executable).exists() else shlex.split(sys.executable)
sys.executable = shlex.quote(PYTHON)
# glibc gives the memory of each training step back to the system and asks for it again, which takes a sixth of the step.
# With these settings it keeps the memory. Jobs inherit them; other C libraries ignore them.
for threshold in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
    os.environ.setdefault(threshold, str(2**30))

from topogen.checks import check_each, check_results_folder, in_words
from topogen.imports import source_files
from topogen.plan import Plan, canonical, claims_by_dataset
from topogen.provenance import times_by_rule, training_times
from topogen.variants import of_each_dataset, without_nulls

config = without_nulls(config)
# All configuration files together, as somebody wrote them: with `like` and sweeps.
CONFIGURATION = yaml.safe_dump(config, sort_keys=False, width=120)
try:
    validate(config, "../schemas/config.schema.yaml")
    # Dataset of the run -> its plan.
    PLANS = {name: Plan(entry) for name, entry in of_each_dataset(config).items()}
    # For what is the same on every dataset: models, comparisons, seeds. What belongs to no dataset is made once, with the
    # sections of the first.
    PLAN, *_ = PLANS.values()
    config = PLAN.config | {"dataset": config["dataset"]}
    # Once more, because a sweep may give a model a value that the schema does not allow.
    validate(config, "../schemas/config.schema.yaml")
    check_each(PLANS)
except ValueError as error:
    raise WorkflowError(f"config: {error}")
except WorkflowError as error:
    raise WorkflowError(f"config: {in_words(error.__context__)}")
try:
    check_results_folder(Path("results"))
except ValueError as error:
    raise WorkflowError(error)

EXPERIMENTS = config["synthetic"]["pointclouds"]["experiments"]
BATCH = config["theory"]["batch"]
LATENTS = config["figures"]["latents"]
# What every page of this run says first: a column in the report, and a line on the pages.
NOTICE = {"notice": config["notice"]} if "notice" in config else {}


def label_of_dataset(dataset):
    """What the report says of the dataset of a figure, if the run has several."""
    return {"dataset": dataset} if len(PLANS) > 1 else {}


def any_of(names):
    """Pattern of a wildcard that is one of some names, which may hold dots."""
    return "|".join(map(re.escape, names))


wildcard_constraints:
    dataset=any_of(config["datasets"]),
    experiment=any_of(EXPERIMENTS),
    model=any_of(PLAN.models),
    method=any_of(PLAN.embedding_methods),
    comparison=any_of(PLAN.comparisons),
    order=any_of(config.get("orders", {})),
    kind="other_batch|one_class|normal",
    sweep=any_of(PLAN.sweeps_of("sweeps")),
    study="[A-Za-z0-9._-]+",
    seed="[0-9]+",
    step="[0-9]+",
    size="[0-9]+",
    variant=any_of(PLAN.gan_variants()),
    strength="[0-9.]+",
    full="(_full)?",


# How a run names the clone: inside of it relatively, so that a clone can be moved with its results.
HERE = Path() if Path.cwd() == CLONE else CLONE


def in_clone(path):
    """The path of a file of the clone."""
    return str(Path(HERE, path))


@cache
def code_of(*files):
    """Source files that a script or notebook imports: a change of one of them reruns its rule and no others.

    Each file is parsed for that, and thousands of trainings ask for the same ones.
    """
    try:
        return source_files(*map(in_clone, files), root=in_clone("src"))
    except ValueError as error:
        raise WorkflowError(f"code_of: {error}")


def code_of_families(models):
    """The modules of the families of some models, which jobs find by name, and the source files that they import."""
    names = dict.fromkeys(PLAN.models[model].get("architecture", "vae") for model in models)
    modules = [f"src/topogen/models/{name}.py" for name in names]
    return [*map(in_clone, modules), *code_of(*modules)]


def code_of_family(wildcards):
    return code_of_families([wildcards.model])


def products(rule, **wildcards):
    """Outputs of a rule for the datasets of the run and every combination of the other wildcards' values."""
    paths = expand([str(path) for path in rule.output], dataset=PLANS, **wildcards)
    return list(dict.fromkeys(paths))  # what belongs to no dataset, once


def images_of_training(rule):
    """Outputs of the image comparison, for every model and step that figures.images lists."""
    return [
        path
        for model, entry in config["figures"]["images"].items()
        for path in products(rule, model=model, step=entry["at_steps"])
    ]


def plan(wildcards):
    """The plan of a job's dataset; stops if that is not a dataset of the run."""
    if wildcards.dataset not in PLANS:
        raise WorkflowError(
            f"results/{wildcards.dataset}: this run makes results of {', '.join(PLANS)} only; for the others write "
            f"`dataset: {wildcards.dataset}`, or a list, in config.yaml or in a file for --configfile"
        )
    return PLANS[wildcards.dataset]


def dataset_of_the_run(wildcards):
    """No files; stops if that is not a dataset of the run."""
    plan(wildcards)
    return []


def by_dataset(arguments):
    """A parameter of a rule: what this method of the plan returns on the job's dataset."""

    def of_job(wildcards):
        return canonical(arguments(plan(wildcards)))

    return of_job


def batch_size(wildcards):
    return plan(wildcards).config["training"]["batch_size"]


def dataset_spec(wildcards):
    return canonical(PLAN.download(wildcards.dataset))


def preparation_spec(wildcards):
    return canonical(PLAN.preparation(wildcards.dataset))


def training_spec(wildcards):
    return canonical(plan(wildcards).training(wildcards.model, int(wildcards.seed)))


def seed_of_order(wildcards):
    return config["orders"][wildcards.order]


def references_of_training(wildcards):
    """D0 of every batch, in the order in which the model sees the images."""
    order = PLAN.order(wildcards.model)
    folder = f"orders/{order}/" if order else ""
    return f"results/{wildcards.dataset}/{folder}diagrams.npz"


def wrong_references_of_training(wildcards):
    """What a control's regularizers compare with instead; nothing for other models."""
    kind = PLAN.wrong_reference(wildcards.model)
    return [f"results/{wildcards.dataset}/wrong_references/{kind}.npz"] if kind else []


def evaluation_spec(wildcards):
    return canonical(plan(wildcards).evaluation(full=bool(wildcards.full)))


def improvement_spec(wildcards):
    return canonical(plan(wildcards).improvement(wildcards.comparison))


def sweep_arguments(wildcards):
    return canonical(plan(wildcards).sweep(wildcards.sweep))


def image_arguments(wildcards):
    return canonical(plan(wildcards).images(wildcards.model, int(wildcards.step)))


def gan_tuning_spec(wildcards):
    return canonical(PLAN.gan_tuning(wildcards.variant, wildcards.strength))


def gan_study_spec(wildcards):
    return canonical(PLAN.gan_study(wildcards.variant))


def tunings(variant):
    """Measures of the GANs of a variant at each of its strengths; none where there is nothing to choose."""
    strengths = PLAN.gan_strengths(variant)
    return [
        f"results/synthetic/gan/tuning/{variant}/{strength}.parquet"
        for strength in strengths
        if len(strengths) > 1
    ]


def tunings_of_gan(wildcards):
    return tunings(wildcards.variant)


def of_comparison(wildcards, file):
    """One file of every training that a comparison needs."""
    return [
        f"results/{wildcards.dataset}/runs/{model}/{seed}/{file}"
        for model, seed in PLAN.runs(wildcards.comparison)
    ]


def histories_of_comparison(wildcards):
    return of_comparison(wildcards, "history.parquet")


def monitored_of_comparison(wildcards):
    return of_comparison(wildcards, "monitored_bce.parquet")


def effects_beside_headline(key):
    """Effects of the comparison, if there is one, that Table 1 shows beside the headline."""
    return [f"results/{{dataset}}/statistics/{name}/effects.parquet" for name in PLAN.beside_headline(key)]


def snapshots_of_pair(wildcards):
    seed = config["figures"]["images"][wildcards.model]["seed"]
    return [
        f"results/{wildcards.dataset}/runs/{model}/{seed}/snapshots.npz"
        for model in PLAN.with_baselines([wildcards.model])
    ]


def stored_controls(wildcards):
    """Results of `controls` and `confirmation` that were made once and are kept with the code, if there are any."""
    files = {"controls": ("effects", "noise"), "confirmation": ("effects", "decay")}
    names = [f"{target}/{{}}/{name}.csv" for target, names in files.items() for name in names]
    return kept_with_the_code(wildcards.dataset, names)


def stored_improvement(wildcards):
    """r(s) per seed of `controls`."""
    return kept_with_the_code(wildcards.dataset, ["controls/{}/improvement.csv"])


def kept_with_the_code(dataset, names):
    """Those files of docs that are there."""
    paths = [Path(in_clone("docs"), name.format(dataset)) for name in names]
    return [str(path) for path in paths if path.is_file()]


def stored_gans(wildcards):
    """Results of the target `mode_collapse` that were made once and are kept with the code, if there are any."""
    return [str(path) for path in sorted(Path(in_clone("docs/mode_collapse")).glob("*.csv"))]


def labels_of_images(wildcards):
    return {
        "row": config["figures"]["images"][wildcards.model]["row"],
        "figure": f"images at step {wildcards.step}",
        "model": wildcards.model,
        **label_of_dataset(wildcards.dataset),
    } | NOTICE


def labels_of_notebook(wildcards):
    labels = labels_of_images(wildcards)
    return labels | {"figure": f"executed notebook: {labels['figure']}"}
