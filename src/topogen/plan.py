"""What a configuration asks to be run: which models and comparisons, and with which arguments each job."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from topogen.forecast import counted
from topogen.offered import NOT_STACKABLE
from topogen.seeds import seeds_for_a_direction
from topogen.stored import is_stored
from topogen.variants import Config, column_of, compared, opponents, variants

Run = tuple[str, int]  # model and seed of a training
REPLAYED = ("without", "run", "paired")  # comparisons of a list of seeds in the section `replay`
# Keys of a model that are used here, or by its rule, and not by the trainer.
NOT_OF_THE_TRAINER = {
    "baseline",
    "order",
    "reference",
    "replicates",
    "shuffle",
    "steps",
    "stop_early",
    "strength",
}

# Regularizers that compare points of one space, of those that compare points instead of diagrams.
OF_ONE_SPACE = {"energy_distance", "sliced_wasserstein_points"}
# Regularizers that compare with nothing: whatever the reference is, their gradient is the same.
WITHOUT_REFERENCE = {"push", "total_persistence", "connectivity"}
OF_SUBSETS = "principal_persistence"  # takes points, and yet has a degree: it draws the diagrams itself

STUDY_MEASURES = ("holes", "bce_test")  # measures of a study that no evaluation is needed for

PLAIN_GAN = "plain"


def asked_by(entry: Config) -> list[str]:
    """Metrics that a measure of a study needs: itself, and the price if it is asked beyond a front.

    >>> asked_by({"measure": "kernel_prior", "beyond": {"sweep": "energy", "price": "elbo"}})
    ['kernel_prior', 'elbo']
    """
    return [entry["measure"], *([entry["beyond"]["price"]] if "beyond" in entry else [])]


def canonical(value: object) -> str:
    """One JSON text per meaning: keys sorted, 5.0 written as 5. Snakemake compares parameters as text.

    >>> canonical({"b": 5.0, "a": (0.5,)})
    '{"a": [0.5], "b": 5}'
    """

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        # Beyond 2^53 a whole float is not known more exactly as an integer, and torch takes none that large.
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
        return int(value) if isinstance(value, float) and whole else value

    return json.dumps(plain(value), sort_keys=True)


def strengthened(entry: Config, strength: float) -> Config:
    """Entry of a GAN with all weights multiplied.

    >>> strengthened({"repulsions": {"nearest": 0.5}}, 4)
    {'repulsions': {'nearest': 2.0}}
    """

    def multiplied(value: Any) -> Any:
        if isinstance(value, list):
            return [strengthened_term(term, strength) for term in value]
        if isinstance(value, dict):
            return {name: strength * weight for name, weight in value.items()}
        return strength * value

    return {key: multiplied(value) for key, value in entry.items()}


def strengthened_term(term: Config, strength: float) -> Config:
    """Entry of a regularizer with its weight, or its share, multiplied.

    >>> strengthened_term({"name": "push", "share": 0.25}, 2)["share"]
    0.5
    """
    key = "share" if "share" in term else "weight"
    return term | {key: strength * term[key]}


@dataclass(frozen=True)
class Plan:
    """What is run, and with which arguments.

    Attributes:
        config: the configuration, written out (:func:`topogen.variants.written_out`).

    """

    config: Config

    @property
    def dataset(self) -> str:
        """Name of the dataset of the run."""
        name: str = self.config["dataset"]
        return name

    @property
    def models(self) -> dict[str, Config]:
        """Model name -> its keys."""
        models: dict[str, Config] = self.config["models"]
        return models

    @property
    def seeds(self) -> list[int]:
        """Seeds of the comparisons that name none."""
        seeds: list[int] = self.config["seeds"]
        return seeds

    @cached_property
    def baselines(self) -> dict[str, str]:
        """Model -> the model that it is compared with; baselines themselves are not keys."""
        return {model: entry["baseline"] for model, entry in self.models.items() if "baseline" in entry}

    @cached_property
    def replicates(self) -> dict[str, list[str]]:
        """Model -> models of the thesis whose published rows it is compared with."""
        return {model: entry.get("replicates", [model]) for model, entry in self.models.items()}

    @cached_property
    def comparisons(self) -> dict[str, Config]:
        """Comparison -> its models (variants, if it changes keys), seeds, target and, maybe, baseline."""
        defaults = {"seeds": self.seeds, "target": "all"}
        return {
            name: defaults | entry | {"models": [variant.name for variant in compared(entry)]}
            for name, entry in self.config["comparisons"].items()
        }

    def comparisons_of(self, target: str) -> list[str]:
        """Names of the comparisons that a target makes."""
        return [name for name, entry in self.comparisons.items() if entry["target"] == target]

    def compared_in(self, target: str) -> list[str]:
        """Models of these comparisons."""
        return [model for name in self.comparisons_of(target) for model in self.comparisons[name]["models"]]

    def models_in(self, comparison: str) -> list[str]:
        """Models of a comparison, without their baselines."""
        models: list[str] = self.comparisons[comparison]["models"]
        return models

    @property
    def headline(self) -> str:
        """Comparison that is drawn over all steps and shown in Table 1."""
        name: str = self.config["figures"]["comparison"]["name"]
        return name

    def with_baselines(self, models: Iterable[str]) -> list[str]:
        """Models and the baselines they are compared with, baselines first, each once."""
        models = list(models)
        known = (self.baselines[model] for model in models if model in self.baselines)
        return list(dict.fromkeys([*known, *models]))

    def last_step(self, model: str) -> float:
        """Number of steps after which a model's training ends; infinite if its epochs decide."""
        steps: float = self.models[model].get("steps", math.inf)
        return steps

    @cached_property
    def trained_fully(self) -> list[str]:
        """Models of `all` that are trained to the end: they are evaluated on held-out images and timed."""
        names = self.comparisons_of("all")
        baselines = [model for name in names for model in self.baselines_in(name).values()]
        models = dict.fromkeys([*baselines, *self.compared_in("all")])
        return [model for model in models if self.last_step(model) == math.inf]

    @property
    def full_runs(self) -> list[Run]:
        """Model and seed of every full training."""
        return [(model, seed) for model in self.trained_fully for seed in self.seeds]

    @property
    def full_baselines(self) -> dict[str, str]:
        """Fully trained model -> its baseline."""
        return {model: self.baselines[model] for model in self.trained_fully if model in self.baselines}

    def trained_in(self, comparison: str) -> list[str]:
        """Models of a comparison and their baselines, baselines first, each once."""
        return list(dict.fromkeys([*self.baselines_in(comparison).values(), *self.models_in(comparison)]))

    def runs(self, comparison: str) -> list[Run]:
        """Model and seed of every training that a comparison needs."""
        seeds = self.comparisons[comparison]["seeds"]
        return [(model, seed) for model in self.trained_in(comparison) for seed in seeds]

    def baselines_in(self, comparison: str) -> dict[str, str]:
        """Compared model -> its baseline, that of the comparison, or the variant that it is put against."""
        models, entry = self.models_in(comparison), self.comparisons[comparison]
        if variants_of_itself := opponents(entry):
            return {model: other.name for model, other in zip(models, variants_of_itself, strict=True)}
        return {model: entry.get("baseline") or self.baselines[model] for model in models}

    def families(self, comparison: str) -> list[tuple[str, int, str, int]]:
        """Model, step, family and number of rows of every effect of a comparison that a question is asked of.

        A family answers one question: that of the published rows, or that of the models that have none. A
        model counts as many rows as there are published ones that it is compared with. The last step of a
        training is reported besides, so it is in no family unless it is listed.
        """
        published = self.config["published"]
        found = []
        for model in self.models_in(comparison):
            for step in self.config["statistics"]["at_steps"]:
                rows = [published.get(name, {}).get("rbar", {}) for name in self.replicates[model]]
                beside = sum(str(step) in rbar for rbar in rows)
                found.append((model, step, "published" if beside else "further", beside or 1))
        return found

    def terms_on_output(self, model: str) -> list[str]:
        """Columns of the history that hold a model's terms on its output."""
        return [
            column_of(term)
            for term in self.models[model]["regularizers"]
            if term.get("cloud", "output") == "output"
        ]

    def stored(self, term: Config) -> bool:
        """Whether D0 of a regularizer is stored."""
        degree = None if term["name"] == OF_SUBSETS else term.get("degree")
        return is_stored(degree, metric=term.get("metric", "euclidean"), subset=term.get("subset"))

    def order(self, model: str) -> str | None:
        """Name of the order in which a model sees the images; None: the order of the data."""
        name: str | None = self.models[model].get("order")
        return name

    def reference(self, model: str) -> str | None:
        """What a model's regularizers are compared with, if not with the diagrams of the batch."""
        name = self.models[model].get("reference", "batch")
        return None if name == "batch" else name

    def wrong_reference(self, model: str) -> str | None:
        """The same, if it is one whose diagrams are stored: the prior's are drawn in every step."""
        name = self.reference(model)
        return None if name == "prior" else name

    def download(self, dataset: str) -> Config:
        """Arguments of the download: of the dataset's entry what says where its files come from."""
        entry: Config = self.config["datasets"][dataset]
        return {key: entry[key] for key in ("kind", "debian_package", "md5") if key in entry}

    def preparation(self, dataset: str) -> Config:
        """Arguments of the unpacking: of the dataset's entry what says what its files hold."""
        entry = self.config["datasets"][dataset]
        return {"kind": entry.get("kind", "idx"), "shape": entry["shape"], "classes": entry["classes"]}

    def trainer(self, model: str, seed: int) -> Config:
        """Arguments of :class:`topogen.training.trainer.Trainer`: a model's keys that are not used here."""
        shared = {key: self.config["training"][key] for key in ("batch_size", "learning_rate", "device")}
        entry = self.models[model]
        terms = [strengthened_term(term, entry.get("strength", 1)) for term in entry["regularizers"]]
        rest = {key: value for key, value in entry.items() if key not in NOT_OF_THE_TRAINER}
        order = {"order": self.config["orders"][entry["order"]]} if "order" in entry else {}
        # The diagrams of other references are stored; what they are of is needed for those that are not.
        shuffle = {"shuffle": self.config["training"]["epochs"]} if entry.get("shuffle") else {}
        computed = shuffle or self.reference(model) == "prior" or not all(map(self.stored, terms))
        reference = {"reference": self.reference(model)} if computed and self.reference(model) else {}
        return shared | rest | order | shuffle | reference | {"regularizers": terms, "seed": seed}

    def training(self, model: str, seed: int) -> Config:
        """Arguments of one training."""
        training, last = self.config["training"], self.last_step(model)
        ends = {} if last == math.inf else {"steps": last}
        evaluation = self.config["evaluation"]
        if stop := self.models[model].get("stop_early"):
            ends["stop_early"] = stop | {"evaluated": self.judging_images(model)}
        return (
            self.trainer(model, seed)
            | ends
            | ({"keep_epochs": True} if evaluation.get("each_epoch") else {})
            | {
                "epochs": training["epochs"],
                "threads": training["threads"],
                "snapshot_steps": [step for step in training["snapshot_steps"] if step < last],
                "monitored": evaluation["monitored"],
                "monitored_steps": [step for step in self.config["statistics"]["at_steps"] if step < last],
            }
        )

    def stacked_training(self, model: str, seeds: Sequence[int]) -> Config:
        """Arguments of the trainings of several seeds, in one stack."""
        arguments = self.training(model, seeds[0])
        del arguments["seed"]
        return arguments | {"seeds": [*seeds]}

    def stacks(self) -> list[tuple[str, list[int]]]:
        """Model and seeds of every job that trains several of them, `training.stack` at most.

        A job trains seeds of one comparison only, so that no comparison trains those of another one. Models
        that may end early, or whose family cannot be stacked, are trained seed by seed.
        """
        size = self.config["training"].get("stack", 1)
        asked = [self.runs(comparison) for comparison in self.comparisons] + [self.embedded]
        seen: set[Run] = set()
        found = []
        for runs in asked if size > 1 else []:
            new = [run for run in dict.fromkeys(runs) if run not in seen]
            seen.update(new)
            for model in dict.fromkeys(model for model, _ in new if model in self.models):
                seeds = [seed for name, seed in new if name == model]
                if self.stackable(model):
                    found += [(model, seeds[i : i + size]) for i in range(0, len(seeds), size)]
        return [(model, seeds) for model, seeds in found if len(seeds) > 1]

    def family(self, model: str) -> str:
        """Name of a model's family."""
        name: str = self.models[model].get("architecture", "vae")
        return name

    def stackable(self, model: str) -> bool:
        """Whether several seeds of a model can take their steps together."""
        entry = self.models[model]
        return not entry.get("stop_early") and self.family(model) not in NOT_STACKABLE

    def judging_images(self, model: str) -> int:
        """Number of test images, the first ones, on which a model of a study or an embedding is judged."""
        evaluation, embedding = self.config["evaluation"], self.config.get("embedding", {})
        numbers: list[int] = [evaluation["monitored"]]
        if model in self.evaluated_in_study:
            numbers.append(evaluation["images"])
        if model in self.with_baselines(embedding.get("models", [])):
            numbers.append(embedding["points"])
        return max(numbers)

    def timing(self) -> Config:
        """Arguments of the measurement of step times."""
        models = {model: self.trainer(model, self.seeds[0]) for model in self.trained_fully}
        return {"models": models, "threads": self.config["training"]["threads"], **self.config["timing"]}

    def improvement(self, comparison: str) -> Config:
        """Arguments of r(s), its means, intervals and tests."""
        baselines = self.baselines_in(comparison)
        trained = self.trained_in(comparison)
        orders = {model: self.config["orders"][name] for model in trained if (name := self.order(model))}
        return {
            **({"orders": orders} if orders else {}),
            "runs": self.runs(comparison),
            "baselines": baselines,
            "terms": {model: self.terms_on_output(model) for model in baselines},
            "families": self.families(comparison),
            "batch_size": self.config["training"]["batch_size"],
            "monitored": self.config["evaluation"]["monitored"],
            **self.config["statistics"],
        }

    def improvement_curves(self) -> Config:
        """What the figure of r(s) over all steps needs to know."""
        return {"models": self.models_in(self.headline), "steps": self.config["statistics"]["at_steps"]}

    def replication(self) -> Config:
        """What the figure and the table of all effects need to know; headings of the comparisons in order."""
        return {
            "headings": list(self.config["claims"]["comparisons"].values()),
            "replicates": self.replicates,
            "published": self.config["published"],
            **{key: self.config["statistics"][key] for key in ("margin", "confidence")},
        }

    def classifier(self) -> Config:
        """Arguments of the two spaces in which images are compared."""
        settings = self.config["evaluation"]
        return {
            **settings["classifier"],
            "components": settings["components"],
            "threads": self.config["training"]["threads"],
        }

    def evaluation(self, full: bool) -> Config:
        """What is evaluated and how; the full evaluation: all images, only at the end."""
        settings, training = self.config["evaluation"], self.config["training"]
        return {
            "images": None if full else settings["images"],
            "at_steps": [] if full else settings["at_steps"],
            **({"each_epoch": True} if settings.get("each_epoch") and not full else {}),
            "threads": training["threads"],
            "settings": {
                "batch_size": training["batch_size"],
                "neighbours": settings["neighbours"],
                "covered_share": settings["covered_share"],
                **settings["kernel"],
                **settings["diagrams"],
            },
        }

    def held_out_table(self) -> Config:
        """What the table and the figures of held-out metrics need to know."""
        settings = self.config["evaluation"]
        return {"models": list(self.full_baselines)} | {key: settings[key] for key in ("shown", "trade_off")}

    def held_out_means(self) -> Config:
        """Arguments of the means of held-out metrics."""
        return {
            "runs": self.full_runs,
            "baselines": self.full_baselines,
            "confidence": self.config["statistics"]["confidence"],
        }

    def step_costs(self) -> Config:
        """Arguments of the costs of steps."""
        published = self.config["published"]
        return {
            "runs": self.full_runs,
            "baselines": self.full_baselines,
            "published": {model: entry["seconds"] for model, entry in published.items()},
        }

    def verdicts(self) -> Config:
        """Arguments of the verdicts on the claims."""
        claims, published = self.config["claims"], self.config["published"]
        statistics = self.config["statistics"]
        full = self.full_baselines
        return {
            "confidence": statistics["confidence"],
            "margin": statistics["margin"],
            "power": statistics["power"],
            "held_out_margins": claims["margins"]["held_out"],
            "images": self.config["evaluation"]["images"],
            "published_seeds": claims["published_seeds"],
            "comparisons": list(claims["comparisons"]),
            "stored": list(claims["stored"]),
            "replicates": self.replicates,
            "published": published,
            "decay_steps": claims["decay_steps"],
            "held_out": [
                {
                    "claim": claim["claim"],
                    "source": claim["comparison"],
                    "baselines": self.baselines_in(claim["comparison"]),
                    "step": claim["step"],
                    "primary": claim["primary"],
                    "metrics": claim["metrics"],
                }
                for claim in claims["held_out"]
            ],
            "runs": self.full_runs,
            "timed": {model: full[model] for model in published if model in full},
            "differentiable": claims["differentiable"],
        }

    def calibration(self) -> Config:
        """Arguments of the chances of each verdict on known effects."""
        calibration, statistics = self.config["calibration"], self.config["statistics"]
        return {
            **calibration,
            "families": {name: self.families(name) for name in calibration["comparisons"]},
            **{key: statistics[key] for key in ("at_steps", "margin", "confidence")},
        }

    def calibration_arguments(self) -> Config:
        """What the figure of the calibration needs to know."""
        statistics = self.config["statistics"]
        return {"margin": statistics["margin"], "power": statistics["power"]}

    def verdict_headings(self) -> Config:
        """Comparison and heading of each column of the table of verdicts, as pairs: their order counts."""
        claims = self.config["claims"]
        return {
            "headings": list((claims["comparisons"] | claims["stored"]).items()),
            "confidence": self.config["statistics"]["confidence"],
        }

    @property
    def significance_seeds(self) -> int:
        """Number of seeds of the comparison that is judged by almost stochastic order."""
        return len(self.comparisons[self.config["controls"]["significance_comparison"]]["seeds"])

    def controls(self) -> Config:
        """Arguments of the summary of the controls."""
        return {
            "comparisons": self.comparisons_of("controls"),
            "published": self.config["published"],
            "at_steps": self.config["statistics"]["at_steps"],
            "significance_steps": self.config["controls"]["significance_steps"],
            "significance_seeds": self.significance_seeds,
            "published_seeds": self.config["claims"]["published_seeds"],
            "confidence": self.config["statistics"]["confidence"],
        }

    def controls_summary(self) -> Config:
        """What the page of the controls needs to know."""
        return {
            "published": self.config["published"],
            "steps": self.config["statistics"]["at_steps"],
            "seeds": self.config["claims"]["published_seeds"],
        }

    def table_1(self) -> Config:
        """Arguments of Table 1; names: model -> the model of the thesis whose row it belongs to."""
        others = [name for key in ("run", "scaled") for name in self.beside_headline(key)]
        return {
            "models": self.trained_in(self.headline),
            "timed_steps": self.config["timing"]["steps"],
            "published": self.config["published"],
            "names": {model: self.replicates[model][0] for name in others for model in self.models_in(name)},
        }

    def beside_headline(self, key: str) -> list[str]:
        """The comparison, if there is one, that Table 1 shows beside the headline: run or scaled."""
        comparison = self.config["figures"]["comparison"]
        return [comparison[key]] if key in comparison else []

    def confirmation(self) -> Config:
        """Arguments of the results of the confirmation."""
        return {
            "comparisons": self.comparisons_of("confirmation"),
            "at_steps": self.config["statistics"]["at_steps"],
            "decay_steps": self.config["claims"]["decay_steps"],
        }

    @property
    def detection_sizes(self) -> list[int]:
        """Sizes of the sets of images in the study of detection; none if it is not configured."""
        sizes: list[int] = self.config.get("detection", {}).get("sizes", [])
        return sizes

    def detection(self) -> Config:
        """Arguments of the study of detection for one size."""
        settings = self.config.get("detection", {})
        rest = {key: value for key, value in settings.items() if key != "sizes"}
        return rest | {"confidence": self.config["statistics"]["confidence"]}

    @property
    def alignment_seeds(self) -> list[int]:
        """Seeds of the trainings along which gradients are compared; none if that is not configured."""
        return self.seeds if "alignment" in self.config else []

    def alignment(self, seed: int) -> Config:
        """Arguments of the comparison of gradients along one training."""
        settings = self.config["alignment"]
        models = settings["models"]
        return {
            "baseline": self.trainer(self.baselines[models[0]], seed),
            "models": {model: self.trainer(model, seed) for model in models},
            "wrong": {model: kind for model in models if (kind := self.wrong_reference(model))},
            "steps": settings["steps"],
            "threads": self.config["training"]["threads"],
        }

    def wrong_references_of_alignment(self) -> list[str]:
        """Kinds of wrong diagrams that the comparison of gradients needs."""
        models = self.config.get("alignment", {}).get("models", [])
        return list(dict.fromkeys(kind for model in models if (kind := self.wrong_reference(model))))

    def alignment_effects(self) -> Config:
        """Arguments of the mean cosines of gradients."""
        settings = self.config.get("alignment", {})
        models = settings.get("models", [])
        return {
            "seeds": self.alignment_seeds,
            "baselines": {model: self.baselines[model] for model in models},
            "margin": settings.get("margin"),
            **{key: self.config["statistics"][key] for key in ("confidence", "power")},
        }

    @property
    def study(self) -> str | None:
        """Name of the study of this run, if there is one."""
        name: str | None = self.config.get("study", {}).get("name")
        return name

    @cached_property
    def study_runs(self) -> list[Run]:
        """Model and seed of every training of the study."""
        return list(dict.fromkeys(run for name in self.comparisons_of("study") for run in self.runs(name)))

    @property
    def study_evaluates(self) -> bool:
        """Whether the study has a metric of the held-out evaluation, or pays with one."""
        measures = self.config["study"]["measures"]
        return any(name not in STUDY_MEASURES for entry in measures for name in asked_by(entry))

    @property
    def sampled_in_study(self) -> list[str]:
        """Models whose samples the study shows."""
        models: list[str] = self.config.get("study", {}).get("samples", [])
        return models

    @cached_property
    def evaluated_in_study(self) -> set[str]:
        """Models that are evaluated on held-out images, because the study measures or shows them."""
        evaluated = self.study is not None and self.study_evaluates
        return {*(model for model, _ in self.study_runs if evaluated), *self.sampled_in_study}

    @property
    def study_fronts(self) -> list[str]:
        """Sweeps that the study's measures have to get beyond."""
        measures = self.config["study"]["measures"]
        return list(dict.fromkeys(entry["beyond"]["sweep"] for entry in measures if "beyond" in entry))

    def information(self) -> Config:
        """Arguments of the predictions of metrics from others; nothing if they are not configured."""
        settings: Config = self.config.get("information", {})
        statistics = {key: self.config["statistics"][key] for key in ("confidence", "power")}
        return settings and {"runs": self.full_runs} | settings | statistics

    def holes(self) -> Config | None:
        """What the latent vectors of this dataset should show: {degree, number} of holes."""
        holes: Config | None = self.config["datasets"][self.dataset].get("holes")
        return holes

    def study_effects(self) -> Config:
        """Arguments of the effects of the study."""
        return {
            "runs": self.study_runs,
            "holes": self.holes(),
            "monitored": self.config["evaluation"]["monitored"],
            "comparisons": {name: self.baselines_in(name) for name in self.comparisons_of("study")},
            "measures": self.config["study"]["measures"],
            "fronts": {name: self.trained_in(name) for name in self.study_fronts},
            **{key: self.config["statistics"][key] for key in ("confidence", "power")},
        }

    def study_cannot_decide(self) -> list[str]:
        """What to say of the ranks whose rows cannot have a direction, because there are too few seeds."""
        level, measures = 1 - self.config["statistics"]["confidence"], self.config["study"]["measures"]
        compared = {name: len(self.baselines_in(name)) for name in self.comparisons_of("study")}
        seeds = min(len(self.comparisons[name]["seeds"]) for name in compared)
        rows: dict[str, int] = {}
        for entry in measures:
            front = entry.get("beyond", {}).get("sweep")
            counting = sum(compared.values()) - compared.get(front, 0)
            rows[entry["rank"]] = rows.get(entry["rank"], 0) + counting
        return _too_few(seeds, rows, level)

    def study_arguments(self) -> Config:
        """What the figure of the study needs to know."""
        return {"confidence": self.config["statistics"]["confidence"]}

    def embedding(self) -> Config:
        """How the test is embedded and what is measured of it; nothing if it is not configured."""
        settings: Config = self.config.get("embedding", {})
        keys = ("points", "neighbours", "methods")
        return settings and {key: settings[key] for key in keys} | {
            "threads": self.config["training"]["threads"]
        }

    @property
    def embedding_methods(self) -> list[str]:
        """Methods that are not trained."""
        return list(self.config.get("embedding", {}).get("methods", {}))

    @property
    def embedded(self) -> list[Run]:
        """Model or method and seed of every embedding of the test."""
        models = self.with_baselines(self.config.get("embedding", {}).get("models", []))
        return [(name, seed) for name in [*models, *self.embedding_methods] for seed in self.seeds]

    @property
    def embedded_first(self) -> list[Run]:
        """Of these the ones from the first seed, which are drawn."""
        return [(name, seed) for name, seed in self.embedded if seed == self.seeds[0]]

    def embedding_summary(self) -> Config:
        """Arguments of the table of embeddings."""
        settings = self.config.get("embedding", {})
        models = settings.get("models", [])
        return settings and {
            "runs": self.embedded,
            "baselines": {model: self.baselines[model] for model in models if model in self.baselines},
            "measures": settings["measures"],
            **{key: self.config["statistics"][key] for key in ("confidence", "power")},
        }

    def embedding_cannot_decide(self) -> list[str]:
        """The same of the embeddings, in whose tables all models are compared in each measure."""
        settings, level = self.embedding_summary(), 1 - self.config["statistics"]["confidence"]
        ranks = [entry["rank"] for entry in settings["measures"]]
        rows = {rank: ranks.count(rank) * len(settings["baselines"]) for rank in dict.fromkeys(ranks)}
        return _too_few(len(self.seeds), rows, level)

    def orders(self) -> Config:
        """Arguments of the table by order: order of each comparison, and what it varies."""
        tables = [
            {
                "comparison": name,
                "order": self.config["comparisons"][name].get("with", {}).get("order", "as the data come"),
                "varied": {
                    variant.name: variant.varied for variant in compared(self.config["comparisons"][name])
                },
            }
            for target in ("confirmation", "confirmation_orders")
            for name in self.comparisons_of(target)
        ]
        return {"tables": tables, "at_steps": self.config["statistics"]["at_steps"]}

    def replayed(self, target: str) -> list[str]:
        """Names of the comparisons of the replay that a target makes."""
        named = [entry[column] for entry in self.config["replay"].values() for column in REPLAYED]
        return [name for name in dict.fromkeys(named) if self.comparisons[name]["target"] == target]

    def replay(self) -> Config:
        """Arguments of the replay of the author's loop."""
        lists = self.config["replay"]
        names = [entry[column] for entry in lists.values() for column in REPLAYED]
        return {
            "comparisons": self.replayed("all"),
            "lists": list(lists.items()),
            "replicates": {model: self.replicates[model] for name in names for model in self.models_in(name)},
            "published": {
                model: entry["rbar"] for model, entry in self.config["published"].items() if "rbar" in entry
            },
            "at_steps": self.config["statistics"]["at_steps"],
            "confidence": self.config["statistics"]["confidence"],
        }

    def forward_pass(self) -> Config:
        """Arguments of the diagrams of one batch and of what a trained model makes of it."""
        batch = self.config["theory"]["batch"]
        return {
            "seed": self.config["theory"]["seed"],
            "step": batch["step"],
            "batch_size": self.config["training"]["batch_size"],
            "regularizers": self.models[batch["model"]]["regularizers"],
        }

    def damage(self) -> Config:
        """Arguments of the responses to damaged batches."""
        settings = self.config["synthetic"]
        return {
            "seed": settings["seed"],
            "batch_size": self.config["training"]["batch_size"],
            **settings["damage"],
        }

    def images(self, model: str, step: int) -> Config:
        """Arguments of the comparison of images."""
        return {"models": self.with_baselines([model]), "step": step}

    def gan_variants(self) -> list[str]:
        """Names of the GANs of the study; the first is the plain one, without a remedy."""
        return [PLAIN_GAN, *self.config["synthetic"]["gan"]["variants"]]

    def gan_strengths(self, variant: str) -> dict[str, Config]:
        """Strength -> entry of a GAN, whose weights are multiplied by it or which packs as many points."""
        settings = self.config["synthetic"]["gan"]
        entry, tuning = settings["variants"].get(variant, {}), settings["study"]["tuning"]
        if not entry:
            return {"1": {}}
        if "packed" in entry:
            return {f"{number}": {"packed": number} for number in tuning["packed"]}
        return {f"{strength:g}": strengthened(entry, strength) for strength in tuning["strengths"]}

    def gans(self) -> Config:
        """Arguments of the GANs of `all`; the variants as pairs: their order counts."""
        settings = self.config["synthetic"]["gan"]
        variants = [(name, settings["variants"][name]) for name in settings["in_all"]]
        rest = {key: value for key, value in settings.items() if key not in ("in_all", "study")}
        return rest | {"variants": variants, "confidence": self.config["statistics"]["confidence"]}

    def gan_study(self, variant: str) -> Config:
        """Arguments of the GANs of one variant in the study; its strengths, of which one is chosen."""
        settings = self.config["synthetic"]["gan"]
        rest = {key: value for key, value in settings.items() if key not in ("in_all", "study", "variants")}
        study = {key: settings["study"][key] for key in ("seeds", "steps", "every")}
        return rest | study | {"strengths": self.gan_strengths(variant)}

    def gan_tuning(self, variant: str, strength: str) -> Config:
        """Arguments of the GANs of one variant and strength, from the seeds of the tuning."""
        study = self.gan_study(variant)
        seeds = self.config["synthetic"]["gan"]["study"]["tuning"]["seeds"]
        return study | {"strengths": {strength: study["strengths"][strength]}, "seeds": seeds}

    def sweeps_of(self, target: str) -> list[str]:
        """Names of the sweeps that a target makes; `sweeps` makes all of them."""
        sweeps = self.config.get("sweeps", {})
        return [name for name in sweeps if target in ("sweeps", self.comparisons[name]["target"])]

    def sweep(self, name: str) -> Config:
        """Arguments of the figure of a sweep: of each variant, the model that it varies and its values."""
        return {
            "variants": [
                {"model": variant.name, "varied": variant.varied, "values": variant.values}
                for variant in variants(self.config["sweeps"][name])
            ],
            "confidence": self.config["statistics"]["confidence"],
        }

    def effort(self, models: Sequence[str], times: Mapping[str, Sequence[float]]) -> str:
        """How many trainings there are, and about how long they take.

        Args:
            models: the model of each training.
            times: model -> seconds of its earlier trainings. Those that end after as many steps count; if
                there are none, those that end after another number do, in proportion.
        """
        known = [
            (self.last_step(model), seconds)
            for model in times
            if model in self.models
            for seconds in times[model]
        ]

        def earlier(last: float) -> list[float]:
            alike = [seconds for steps, seconds in known if steps == last]
            return alike or [
                seconds * last / steps for steps, seconds in known if max(steps, last) < math.inf
            ]

        ends = [self.last_step(model) for model in models]
        trainings = counted(len(models), "training")
        if all(earlier(last) for last in set(ends)):
            minutes = math.ceil(sum(fmean(earlier(last)) for last in ends) / 60)
            return f"{trainings}, about {counted(minutes, 'minute')} one after another"
        lengths = ["all epochs" if last == math.inf else f"{last} steps" for last in sorted(set(ends))]
        return f"{trainings} of {' or '.join(lengths)}; no earlier one tells how long they take"


def _too_few(seeds: int, rows: Mapping[str, int], level: float) -> list[str]:
    """What to say of each rank, with so many rows that count, for which there are too few seeds."""
    enough = {rank: seeds_for_a_direction(number, level) for rank, number in rows.items() if number}
    return [
        f"with {counted(seeds, 'seed')} and {counted(rows[rank], 'row')} that count, no {rank} row can have "
        f"a direction: the smallest p is 1/{2 ** (seeds - 1)}; {needed} seeds are enough"
        for rank, needed in enough.items()
        if seeds < needed
    ]


def claims_by_dataset(plans: Mapping[str, Plan]) -> Config:
    """What the table of all claims by dataset needs to know; pairs, because their order counts.

    Args:
        plans: dataset -> its plan, in the order of the columns.
    """
    intervals = [(name, plan.config["statistics"]["confidence"]) for name, plan in plans.items()]
    first = next(iter(plans.values()))
    return {"datasets": intervals, "headings": first.verdict_headings()["headings"]}
