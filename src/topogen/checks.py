"""What the schema of the configuration cannot say: one function per section; messages say what to do."""

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

from topogen.offered import CLOUDS, OPTIONS, PRODUCTS, WITH_ADVERSARY, needed_for
from topogen.plan import OF_ONE_SPACE, REPLAYED, WITHOUT_REFERENCE, Plan, asked_by
from topogen.steps import demand_reached, steps_of_training
from topogen.variants import Config, column_of

# Folders of results/ that hold more than one dataset's.
SHARED_FOLDERS = ("benchmarks", "datasets", "logs", "synthetic", "theory")
OTHER_STUDIES = ("detection", "information")  # targets that keep their results where a study does
LAST_STEP = -1  # as a step of a measure: the end of the training
# Keys of models that only a study may compare, and what r(s) needs instead.
ONLY_IN_STUDIES = {"stop_early": "all must have the same steps", "shuffle": "all must see the same batches"}
# Keys that change regularizers, and the values that change nothing.
OF_REGULARIZERS = {"direction": "gradient", "strength": 1}
# The noise of a model that says nothing about it.
NOISE: Config = {"stream": 0, "offset": 0, "stride": 1, "loader": False, "pictures": []}


def check_each(plans: Mapping[str, Plan]) -> None:
    """Stop before any job if parts of the configuration disagree on any dataset of the run.

    Args:
        plans: dataset -> its plan.

    Raises:
        ValueError: that of :func:`check`; if there are several datasets, the message names the one.

    """
    for name, plan in plans.items():
        try:
            check(plan)
        except ValueError as error:
            raise ValueError(f"on {name}: {error}" if len(plans) > 1 else f"{error}") from error


def check(plan: Plan) -> None:
    """Stop before any job if parts of the configuration disagree.

    Raises:
        ValueError: the message names the key, says what is wrong and what to write instead.

    """
    check_numbers(plan.config, "")
    check_names(plan)
    check_dataset(plan)
    check_models(plan)
    check_comparisons(plan)
    check_timing(plan)
    check_orders(plan)
    check_figures(plan)
    check_theory(plan)
    check_gans(plan)
    check_evaluation(plan)
    check_distances(plan)
    check_controls(plan)
    check_replay(plan)
    check_claims(plan)
    check_published(plan)
    check_alignment(plan)
    check_study(plan)
    check_information(plan)
    check_embedding(plan)


def check_numbers(value: object, key: str) -> None:
    """Refuse what is not a number, and infinity except as ground_norm."""
    if isinstance(value, dict):
        for name, item in value.items():
            check_numbers(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_numbers(item, f"{key}[{index}]")
    elif isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{key}: {value} is not a number")
    elif value in (math.inf, -math.inf) and not key.endswith(".ground_norm"):
        raise ValueError(f"{key}: {value} must be finite")


def check_known(key: str, kind: str, name: str, known: Collection[str]) -> None:
    """Refuse a name that another section does not have."""
    if name not in known:
        names = ", ".join(known)
        raise ValueError(f"{key}: unknown {kind} {name}; {nearest(name, known)}choose one of: {names}")


def nearest(name: str, known: Collection[str]) -> str:
    """Ask whether a known name was meant, if one is spelt much like it.

    >>> nearest("batchsize", ["epochs", "batch_size"])
    'did you mean batch_size? Or '
    """
    return "".join(f"did you mean {other}? Or " for other in get_close_matches(name, known, n=1))


def repeated(names: Sequence[Any]) -> list[Any]:
    """Those that stand there more than once.

    >>> repeated(["push_0", "push_1", "push_0"])
    ['push_0']
    """
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def key_of(plan: Plan, comparison: str) -> str:
    """Where a comparison stands in the configuration: a sweep is one too."""
    section = "sweeps" if comparison in plan.config.get("sweeps", {}) else "comparisons"
    return f"{section}.{comparison}"


def in_words(error: Any) -> str:
    """What a violation of the schema means: one sentence, where the library prints the whole schema.

    Args:
        error: a ``ValidationError`` of jsonschema.

    """
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    place = f"{key.removeprefix('.')}: " if key else ""
    if error.validator == "additionalProperties" and error.validator_value is False:
        known = error.schema.get("properties", {})
        name = next(str(name) for name in error.instance if name not in known)
        return f"{place}unknown key {name}; {nearest(name, known)}choose one of: {', '.join(known)}"
    if error.validator in ("required", "dependentRequired"):
        return f"{place}{error.message}; there are only: {', '.join(map(str, error.instance))}"
    if error.validator == "pattern" and "title" in error.schema:
        return f"{place}{error.instance!r} is not {error.schema['title']}"
    text = error.validator == "type" and "number" in error.validator_value and isinstance(error.instance, str)
    return f"{place}{error.message}{'; YAML reads 1e-3 as text, write 0.001' if text else ''}"


def check_names(plan: Plan) -> None:
    """Refuse names of which files would overwrite one another."""
    named = {
        "datasets": plan.config["datasets"],
        "models": plan.models,
        "comparisons": plan.comparisons,
        "orders": plan.config.get("orders", {}),
        "synthetic.pointclouds.experiments": plan.config["synthetic"]["pointclouds"]["experiments"],
        "synthetic.gan.variants": plan.config["synthetic"]["gan"]["variants"],
    }
    for key, names in named.items():
        alike: dict[str, str] = {}
        for name in names:
            if (other := alike.setdefault(name.casefold(), name)) != name:
                raise ValueError(
                    f"{key}: {other} and {name} are one name on a disk that ignores capitals; rename one"
                )
    if taken := [name for name in plan.config["datasets"] if name.casefold() in SHARED_FOLDERS]:
        raise ValueError(f"datasets: results/{taken[0]}/ holds other results; give the dataset another name")


def check_with_baseline(plan: Plan, key: str, model: str) -> None:
    """Refuse a model that is compared with none."""
    check_known(key, "model", model, plan.models)
    if model not in plan.baselines:
        raise ValueError(f"{key}: {model} has no baseline; models that have one: {', '.join(plan.baselines)}")


def check_offered(plan: Plan, key: str, models: Iterable[str], product: str) -> None:
    """Refuse to ask models for what their family does not offer; one that nobody listed may offer all."""
    for model in models:
        family = plan.family(model)
        if product not in PRODUCTS.get(family, {product}):
            able = [name for name, offered in PRODUCTS.items() if product in offered]
            raise ValueError(
                f"{key}: {model} has no {product}, because it is of the family {family}; "
                f"these families have it: {', '.join(able)}"
            )


def check_snapshots(plan: Plan, key: str, steps: Collection[int]) -> None:
    """Refuse steps whose images and weights no training keeps."""
    if missing := set(steps) - set(plan.config["training"]["snapshot_steps"]):
        raise ValueError(f"{key}: {sorted(missing)} must also be in training.snapshot_steps")


def check_dataset(plan: Plan) -> None:
    """Refuse a dataset that is not described."""
    check_known("dataset", "dataset", plan.dataset, plan.config["datasets"])


def check_models(plan: Plan) -> None:
    """Refuse models that cannot be compared with their baselines, and contradictory regularizers."""
    for model, baseline in plan.baselines.items():
        check_known(f"models.{model}.baseline", "model", baseline, plan.models)
        if baseline in plan.baselines:
            raise ValueError(
                f"models.{model}.baseline: {baseline} must be a model that has no baseline itself"
            )
        check_pair(plan, f"models.{model}", model, baseline)
    for model in plan.models:
        check_options(plan, model)
        if plan.models[model].get("stop_early"):
            check_offered(plan, f"models.{model}.stop_early", [model], "bce")
        check_keys_of_regularizers(plan, model)
        check_regularizers(plan, model)
        check_reference(plan, model)


def check_pair(plan: Plan, key: str, model: str, baseline: str) -> None:
    """Refuse a baseline with another latent space or order, and one whose training ends first."""
    if plan.models[model].get("latent_dim") != plan.models[baseline].get("latent_dim"):
        raise ValueError(f"{key}: {model} and its baseline {baseline} differ in latent_dim")
    if plan.last_step(model) > plan.last_step(baseline):
        raise ValueError(f"{key}: {model} is trained for more steps than its baseline {baseline}")
    if plan.order(model) != plan.order(baseline):
        raise ValueError(f"{key}: {model} and its baseline {baseline} differ in order")
    for name in ONLY_IN_STUDIES:
        ours, theirs = (plan.models[one].get(name) or None for one in (model, baseline))
        if ours != theirs:
            raise ValueError(f"{key}: {model} and its baseline {baseline} differ in {name}")


def check_options(plan: Plan, model: str) -> None:
    """Refuse an option of another family; one that nobody listed may have any."""
    family = plan.family(model)
    of_families = set().union(*OPTIONS.values())
    taken = OPTIONS.get(family, of_families)
    if strange := sorted(plan.models[model].keys() & of_families - taken):
        raise ValueError(
            f"models.{model}.{strange[0]}: it is no option of the family {family}, whose are: "
            f"{', '.join(sorted(taken))}; leave it out, also in the model that it is like"
        )


def check_keys_of_regularizers(plan: Plan, model: str) -> None:
    """Refuse what would change the regularizers of a model that has none."""
    entry = plan.models[model]
    for name, without_effect in OF_REGULARIZERS.items():
        if not entry["regularizers"] and entry.get(name, without_effect) != without_effect:
            raise ValueError(
                f"models.{model}.{name}: {entry[name]} changes nothing, because the model has no "
                "regularizers; leave it out, or take a model that has some"
            )


def check_regularizers(plan: Plan, model: str) -> None:
    """Refuse two terms of one name and degree, an empty interval of 4sgde, and a scale of what is ignored."""
    key = f"models.{model}.regularizers"
    terms = plan.models[model]["regularizers"]
    if twice := repeated([column_of(term) for term in terms]):
        raise ValueError(f"{key}: {', '.join(twice)} stands there twice")
    for term in terms:
        check_cloud(plan, model, term)
        check_space(plan, model, term)
        grid = term.get("parameters", {})
        if "start" in grid and grid["start"] >= grid["stop"]:
            raise ValueError(
                f"{key}: {term['name']}: start {grid['start']} must be less than stop {grid['stop']}"
            )
        if "reference_scale" in term and term["name"] in WITHOUT_REFERENCE:
            raise ValueError(
                f"{key}: {term['name']}: reference_scale changes nothing, because this term has no "
                "reference; leave it out"
            )


def check_cloud(plan: Plan, model: str, term: Config) -> None:
    """Refuse a term on a cloud that the model's family does not offer."""
    family, cloud = plan.family(model), term.get("cloud", "output")
    if cloud not in (offered := CLOUDS.get(family, {cloud})):
        raise ValueError(
            f"models.{model}.regularizers: {column_of(term)}: {family} has no cloud {cloud}; choose one of: "
            f"{', '.join(sorted(offered))}"
        )


def check_space(plan: Plan, model: str, term: Config) -> None:
    """Refuse to compare points of a latent space with images as if they were of one space."""
    of_space = ("latent",) if plan.reference(model) == "prior" else ("output", "prior")
    if term["name"] in OF_ONE_SPACE and term.get("cloud", "output") not in of_space:
        raise ValueError(
            f"models.{model}.regularizers: {term['name']} compares points of one space: images (cloud: "
            "output or prior), or latent vectors (cloud: latent) with reference: prior"
        )


def check_reference(plan: Plan, model: str) -> None:
    """Refuse a reference that nothing is compared with, or not as it must be."""
    key, kind, terms = f"models.{model}.reference", plan.reference(model), plan.models[model]["regularizers"]
    if kind is None:
        return
    if all(term["name"] in WITHOUT_REFERENCE for term in terms):
        raise ValueError(
            f"{key}: {kind} changes nothing, because the model has no regularizer that compares with a "
            f"reference ({', '.join(sorted(WITHOUT_REFERENCE))} do not); leave it out"
        )
    if kind == "prior":
        check_prior(key, terms)
        check_offered(plan, key, [model], "latent samples")


def check_prior(key: str, terms: Sequence[Config]) -> None:
    """Refuse to compare with draws of the prior what is not latent vectors, or has no size of its own."""
    for term in terms:
        if term.get("cloud", "output") != "latent" or "share" not in term:
            raise ValueError(
                f"{key}: prior is for terms on the latent vectors that have a share; give {column_of(term)} "
                "`cloud: latent` and a `share`, or leave the reference out"
            )


def check_comparisons(plan: Plan) -> None:
    """Refuse comparisons of models without baseline, and reported steps that a training does not reach."""
    for name, entry in plan.comparisons.items():
        for model in entry["models"]:
            check_with_baseline(plan, f"comparisons.{name}.models", model)
        if "baseline" in entry:
            check_shared_baseline(plan, name)
        if entry["target"] == "sweeps" and name not in plan.config.get("sweeps", {}):
            raise ValueError(f"comparisons.{name}.target: sweeps makes what stands in `sweeps` only")
        check_reached(plan, "statistics.at_steps", plan.config["statistics"]["at_steps"], name)
        if entry["target"] != "study":
            check_step_by_step(plan, name)


def check_step_by_step(plan: Plan, comparison: str) -> None:
    """Refuse models that r(s) cannot compare, which looks at equal steps of all trainings."""
    for model, (key, need) in product(plan.trained_in(comparison), ONLY_IN_STUDIES.items()):
        if plan.models[model].get(key):
            raise ValueError(
                f"models.{model}.{key}: {key_of(plan, comparison)} compares trainings step by step, so "
                f"{need}; leave it out, or give the comparison the target study"
            )
    key = f"{key_of(plan, comparison)}: it compares BCE step by step, unless its target is study"
    check_offered(plan, key, plan.trained_in(comparison), "bce")


def check_timing(plan: Plan) -> None:
    """Refuse models whose steps would be timed with other diagrams than those they are trained with."""
    for model in plan.trained_fully:
        if kind := plan.wrong_reference(model):
            raise ValueError(
                f"models.{model}.reference: the steps of models of `all` that are trained to the end are "
                f"timed with the diagrams of the batch, not with {kind}; set `steps`"
            )


def check_reached(plan: Plan, key: str, steps: Collection[int], comparison: str) -> None:
    """Refuse steps that a training of a comparison does not reach."""
    last = min(plan.last_step(model) for model in plan.trained_in(comparison))
    if late := [step for step in steps if step >= last]:
        raise ValueError(
            f"{key}: {late} cannot be reported: {key_of(plan, comparison)} ends after {last} steps; "
            "list earlier steps, or train for more"
        )


def check_shared_baseline(plan: Plan, comparison: str) -> None:
    """Refuse a baseline of a whole comparison that one of its models cannot be compared with."""
    key = f"comparisons.{comparison}.baseline"
    if {"with", "against"} & plan.comparisons[comparison].keys():
        raise ValueError(f"{key}: leave it out, because `with` and `against` decide on the baselines")
    baselines = plan.baselines_in(comparison)
    for model, baseline in baselines.items():
        check_known(key, "model", baseline, plan.models)
        if baseline in baselines:
            raise ValueError(f"{key}: {baseline} is one of the models; take it out of them")
        check_pair(plan, key, model, baseline)


def check_orders(plan: Plan) -> None:
    """Refuse unknown orders of the images, and those whose reference diagrams are not made."""
    for model, entry in plan.models.items():
        if "batch_size" in entry and not entry.get("shuffle"):
            raise ValueError(
                f"models.{model}.batch_size: the diagrams of batches are stored for training.batch_size; "
                "change that one, or, in a study, add shuffle: true"
            )
        if entry.get("shuffle") and "order" in entry:
            raise ValueError(
                f"models.{model}.shuffle: a model with an order sees the same batches in every epoch; leave "
                "one of the two out"
            )
        order, key = plan.order(model), f"models.{model}.order"
        if order is None:
            continue
        check_known(key, "order", order, plan.config.get("orders", {}))
        if model in plan.trained_fully:
            raise ValueError(
                f"{key}: models of `all` that are trained to the end see the data as they come; set `steps`"
            )
        if plan.wrong_reference(model):
            raise ValueError(f"{key}: with another `reference` it must be left out")


def check_figures(plan: Plan) -> None:
    """Refuse figures of models, comparisons or steps that there are not."""
    figures = plan.config["figures"]
    for key in ("name", "run", "scaled"):
        if key in figures["comparison"]:
            name = figures["comparison"][key]
            check_known(f"figures.comparison.{key}", "comparison", name, plan.comparisons)
    shown = figures["latents"]["model"]
    check_with_baseline(plan, "figures.latents.model", shown)
    check_offered(plan, "figures.latents.model", plan.with_baselines([shown]), "latent samples")
    for model, entry in figures["images"].items():
        check_with_baseline(plan, "figures.images", model)
        check_offered(plan, "figures.images", plan.with_baselines([model]), "reconstructions")
        if "batch_size" in differing_in_steps(plan, model, plan.baselines[model]):
            raise ValueError(
                f"figures.images: {model} and its baseline {plan.baselines[model]} differ in batch_size, so "
                "their pictures are of other images; show another model"
            )
        key = f"figures.images.{model}.at_steps"
        check_snapshots(plan, key, entry["at_steps"])
        last = plan.last_step(model)
        if late := [step for step in entry["at_steps"] if step >= last]:
            raise ValueError(
                f"{key}: {late} cannot be shown: the training of {model} ends after {last} steps"
            )


def check_theory(plan: Plan) -> None:
    """Refuse a batch under a model that cannot be drawn."""
    batch = plan.config["theory"]["batch"]
    check_known("theory.batch.model", "model", batch["model"], plan.models)
    check_offered(plan, "theory.batch.model", [batch["model"]], "kld")
    check_snapshots(plan, "theory.batch.step", [batch["step"]])
    if plan.order(batch["model"]) or plan.models[batch["model"]].get("shuffle"):
        raise ValueError(f"theory.batch.model: {batch['model']} must see the data as they come")
    terms = plan.models[batch["model"]]["regularizers"]
    if not terms or any(term.get("cloud", "output") != "output" or not plan.stored(term) for term in terms):
        raise ValueError(
            f"theory.batch.model: {batch['model']} must have regularizers, and all of them on Euclidean "
            "diagrams of the whole output, in degree 0 or 1"
        )


def check_gans(plan: Plan) -> None:
    """Refuse unknown variants of the GAN, batches that cannot be packed, and tuning on the study's seeds."""
    settings = plan.config["synthetic"]["gan"]
    for name in settings["in_all"]:
        check_known("synthetic.gan.in_all", "variant", name, settings["variants"])
    tuning, size = settings["study"]["tuning"], settings["batch_size"]
    numbers = [entry["packed"] for entry in settings["variants"].values() if "packed" in entry]
    if odd := [number for number in numbers + tuning["packed"] if size % number]:
        raise ValueError(f"synthetic.gan: packed: {odd} must divide batch_size, {size}")
    if both := set(tuning["seeds"]) & set(settings["study"]["seeds"]):
        raise ValueError(
            f"synthetic.gan.study.tuning.seeds: {sorted(both)} are also in study.seeds; tune on other seeds"
        )


def check_evaluation(plan: Plan) -> None:
    """Refuse an evaluation of steps that no training keeps, or of too few images."""
    settings, batch_size = plan.config["evaluation"], plan.config["training"]["batch_size"]
    check_snapshots(plan, "evaluation.at_steps", settings["at_steps"])
    images = settings["images"]
    if images < 2 * batch_size:
        raise ValueError(f"evaluation.images: {images} is less than two batches, {2 * batch_size}")
    needed = {
        "neighbours": settings["neighbours"] + 1,
        # Reconstructions of one half of the images are compared with the other half.
        "kernel.subset_size": 2 * settings["kernel"]["subset_size"],
    }
    for key, number in needed.items():
        if number > images:
            raise ValueError(f"evaluation.{key}: needs {number} images, but evaluation.images is {images}")


def check_distances(plan: Plan) -> None:
    """Refuse distances of detection and regularizers of damage that have one name."""
    detection = plan.config.get("detection", {}).get("distances", [])
    damage = plan.config["synthetic"]["damage"]["regularizers"]
    for key, entries in {"detection.distances": detection, "synthetic.damage.regularizers": damage}.items():
        if twice := repeated(
            [(entry["name"], entry.get("degree"), entry.get("metric")) for entry in entries]
        ):
            raise ValueError(f"{key}: {twice[0][0]} stands there twice with the same degree and metric")


def check_controls(plan: Plan) -> None:
    """Refuse controls of unknown comparisons, and steps that their trainings do not reach."""
    controls = plan.config["controls"]
    for key in ("noise_comparison", "significance_comparison"):
        check_known(f"controls.{key}", "comparison", controls[key], plan.comparisons)
        check_reached(plan, "controls.significance_steps", controls["significance_steps"], controls[key])
    noise = controls["noise_comparison"]
    if plan.significance_seeds > (pairs := len(plan.comparisons[noise]["seeds"])):
        raise ValueError(
            f"controls.noise_comparison: {noise} has {pairs} seeds, but groups of "
            f"{plan.significance_seeds}, as many as significance_comparison has, are drawn of it; add seeds"
        )


def check_replay(plan: Plan) -> None:
    """Refuse a replay of unknown comparisons, of several lists of seeds as one, or of nothing in `all`."""
    lists = plan.config["replay"]
    for name, entry in lists.items():
        for column in REPLAYED:
            check_known(f"replay.{name}.{column}", "comparison", entry[column], plan.comparisons)
        seeds = [plan.comparisons[entry[column]]["seeds"] for column in REPLAYED]
        if any(other != seeds[0] for other in seeds):
            raise ValueError(f"replay.{name}: its comparisons must have the same seeds")
    made = set(plan.replayed("all"))
    if not any(made.issuperset(entry[column] for column in REPLAYED) for entry in lists.values()):
        raise ValueError("replay: the comparisons of one list at least must have the target all")


def check_claims(plan: Plan) -> None:
    """Refuse claims about what is not measured."""
    claims = plan.config["claims"]
    for name in claims["comparisons"]:
        check_known(f"claims.comparisons.{name}", "comparison", name, plan.comparisons)
    for name in plan.config["calibration"]["comparisons"]:
        check_known("calibration.comparisons", "comparison", name, plan.comparisons)
    for place, claim in enumerate(claims["held_out"]):
        key = f"claims.held_out[{place}]"
        check_known(f"{key}.comparison", "comparison", claim["comparison"], plan.comparisons)
        if claim["step"] not in (-1, *plan.config["evaluation"]["at_steps"]):
            raise ValueError(
                f"{key}.step: {claim['step']} is not in evaluation.at_steps (use -1 for the end of training)"
            )
        if claim["primary"] in claim["metrics"]:
            raise ValueError(f"{key}.metrics: {claim['primary']} is the primary metric; list the others only")
        models = plan.comparisons[claim["comparison"]]["models"]
        if early := [model for model in models if model not in plan.trained_fully]:
            raise ValueError(
                f"{key}.comparison: {', '.join(early)} ends early or is not in `all`, and so is not evaluated"
            )


def check_published(plan: Plan) -> None:
    """Refuse published rows of unknown models, or without the row of the baseline."""
    published = plan.config["published"]
    for model in published:
        check_known("published", "model", model, plan.models)
        baseline = plan.baselines.get(model, model)
        if baseline not in published:
            raise ValueError(f"published: the row of {model} needs that of its baseline {baseline}; add it")


def check_alignment(plan: Plan) -> None:
    """Refuse gradients of models that cannot be compared along one training."""
    models = plan.config.get("alignment", {}).get("models", [])
    for model in models:
        check_with_baseline(plan, "alignment.models", model)
        if plan.family(model) in WITH_ADVERSARY:
            raise ValueError(
                f"alignment.models: the adversary of {model} is updated before the gradients of a step are "
                "taken, so they are not those of one loss; leave it out"
            )
        if not plan.models[model]["regularizers"] or plan.order(model):
            raise ValueError(
                f"alignment.models: {model} must have regularizers, and see the data as they come"
            )
        if keys := differing_in_steps(plan, model, plan.baselines[model]):
            raise ValueError(
                f"alignment.models: {model} and its baseline {plan.baselines[model]} differ in "
                f"{', '.join(keys)}, so their gradients are not of one batch and one noise; make that equal"
            )
    if len({plan.baselines[model] for model in models}) > 1:
        raise ValueError("alignment.models: they must have one baseline, which is the model that is trained")


def differing_in_steps(plan: Plan, model: str, baseline: str) -> list[str]:
    """Keys by which a step of a model has other images or other noise than that of its baseline."""

    def in_full(name: str) -> Config:
        entry = plan.models[name]
        return {
            "noise": NOISE | entry.get("noise", {}),
            "shuffle": entry.get("shuffle", False),
            "batch_size": entry.get("batch_size", plan.config["training"]["batch_size"]),
        }

    ours, theirs = in_full(model), in_full(baseline)
    return [key for key in ours if ours[key] != theirs[key]]


def check_study(plan: Plan) -> None:
    """Refuse a study without trainings or of what is not measured, and trainings without a study."""
    names = plan.comparisons_of("study")
    if plan.study is None:
        if names:
            raise ValueError(f"comparisons.{names[0]}.target: study needs the section `study`")
        return
    if not names:
        raise ValueError("study: no comparison or sweep has the target study")
    if plan.study in OTHER_STUDIES:
        raise ValueError(f"study.name: {plan.study} is another target; choose another name")
    for name in plan.sampled_in_study:
        check_known("study.samples", "model", name, plan.models)
    check_offered(plan, "study.samples", plan.sampled_in_study, "prior samples")
    for name in plan.study_fronts:
        check_known("study.measures.beyond.sweep", "sweep of the study", name, names)
    for name in names:
        if plan.comparisons[name]["seeds"] != plan.comparisons[names[0]]["seeds"]:
            raise ValueError(
                f"{key_of(plan, name)}.seeds: models of a study are paired by seed, "
                "so all of its comparisons must have the same seeds"
            )
    check_measures(plan)


def check_measures(plan: Plan) -> None:
    """Refuse measures of a study that its trainings do not have, and one that stands there twice."""
    measured = {LAST_STEP, *plan.config["evaluation"]["at_steps"]}
    monitored = {LAST_STEP, *plan.config["statistics"]["at_steps"]}
    known = set()
    for place, entry in enumerate(plan.config["study"]["measures"]):
        key, measure, beyond = f"study.measures[{place}]", entry["measure"], entry.get("beyond", {})
        if measure == "holes" and plan.holes() is None:
            raise ValueError(f"{key}: nobody knows the holes of {plan.dataset}; see datasets.NAME.holes")
        if beyond.get("price") == measure:
            raise ValueError(f"{key}.beyond.price: {measure} cannot be its own price")
        for name in asked_by(entry):
            steps = {"holes": {LAST_STEP}, "bce_test": monitored}.get(name, measured)
            if entry["step"] not in steps:
                raise ValueError(f"{key}.step: {name} is measured at the steps {sorted(steps)} only")
            check_offered(plan, f"{key}: {name}", (model for model, _ in plan.study_runs), needed_for(name))
        if (row := (measure, entry["step"], beyond.get("sweep"))) in known:
            raise ValueError(f"{key}: {measure} at step {entry['step']} stands there twice; leave one out")
        known.add(row)
    at_steps = plan.config["evaluation"]["at_steps"]
    for model, _ in plan.study_runs if plan.study_evaluates else []:
        if late := [step for step in at_steps if step > plan.last_step(model)]:
            raise ValueError(
                f"evaluation.at_steps: {late} cannot be evaluated: the training of {model} ends after "
                f"{plan.last_step(model)} steps; list earlier steps, or train for more"
            )


def check_information(plan: Plan) -> None:
    """Refuse predictions of what is not measured, and of a metric from itself."""
    settings = plan.config.get("information")
    if settings is None:
        return
    measured = [LAST_STEP, *plan.config["evaluation"]["at_steps"]]
    if late := set(settings["steps"]) - set(measured):
        raise ValueError(f"information.steps: {sorted(late)} must also be in evaluation.at_steps")
    predictors = {*settings["known"], *(name for names in settings["added"].values() for name in names)}
    if both := sorted(predictors & set(settings["targets"])):
        raise ValueError(f"information.targets: {', '.join(both)} cannot be predicted from itself")


def check_embedding(plan: Plan) -> None:
    """Refuse embeddings of unknown models, and more neighbours than measures of neighbours allow."""
    settings = plan.config.get("embedding", {"models": [], "neighbours": [0], "points": 8})
    for model in settings["models"]:
        check_known("embedding.models", "model", model, plan.models)
    check_offered(plan, "embedding.models", plan.with_baselines(settings["models"]), "latent means")
    if both := set(plan.embedding_methods) & set(plan.models):
        raise ValueError(f"embedding.methods: {sorted(both)} are names of models too; rename those")
    if 2 * max(settings["neighbours"]) >= settings["points"]:
        most, points = max(settings["neighbours"]), settings["points"]
        raise ValueError(f"embedding.neighbours: {most} must be less than half of embedding.points, {points}")


def check_length(plan: Plan, model: str, images: int | None) -> None:
    """Stop if a training ends before a step that is asked for.

    Args:
        plan: of one dataset.
        model: name.
        images: of the dataset for training; None if nobody knows their number yet.

    Raises:
        ValueError: the message names the model, the dataset and the steps.

    """
    if images is None:
        return
    training = plan.training(model, plan.seeds[0])
    batches = math.ceil(images / training["batch_size"])
    last = steps_of_training(batches, training["epochs"], training.get("steps"))
    try:
        demand_reached(last, **{key: training[key] for key in ("snapshot_steps", "monitored_steps")})
    except ValueError as error:
        raise ValueError(f"models.{model}: on {plan.dataset}, {error}") from error


def check_results_folder(folder: Path) -> None:
    """Stop before any job if the folder of the results cannot be written.

    Raises:
        ValueError: the message names the folder that is in the way.

    """
    existing = folder.absolute()
    while not existing.exists() and not existing.is_symlink():
        existing = existing.parent
    if not existing.is_dir():
        raise ValueError(f"{folder}/ cannot be created: {existing} is not a directory")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{folder}/ cannot be written: no permission to write in {existing}")
