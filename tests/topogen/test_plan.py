"""What is run, and with which arguments; the jobs of whole configurations are listed in tests/workflow."""

import json
import math
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topogen import models
from topogen.offered import NOT_STACKABLE
from topogen.plan import Plan, canonical

LATENT = {"name": "push", "degree": 1, "weight": 2, "cloud": "latent"}
ENTROPY = {"name": "entropy", "degree": 0, "weight": 3.5, "parameters": {"delta": 0.1}}
CONFIG = {
    "dataset": "digits",
    "training": {
        "batch_size": 8,
        "epochs": 2,
        "learning_rate": 0.001,
        "snapshot_steps": [1, 50],
        "threads": 1,
        "device": "cpu",
    },
    "evaluation": {"monitored": 30},
    "statistics": {"at_steps": [10, 25]},
    "timing": {"steps": 3, "rounds": 4},
    "seeds": [1, 2],
    "models": {
        "plain": {"latent_dim": 10, "regularizers": []},
        "short": {"latent_dim": 10, "baseline": "plain", "steps": 20, "regularizers": [ENTROPY]},
        "whole": {"latent_dim": 10, "baseline": "plain", "regularizers": [ENTROPY, LATENT]},
    },
    "comparisons": {
        "drawn": {"models": ["whole", "short"]},
        "control": {"models": ["short"], "target": "controls", "seeds": [7]},
    },
}
PLAN = Plan(CONFIG)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(documents)
def test_canonical_text_says_the_same_once(document):
    text = canonical(document)
    assert json.loads(text) == document
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers(-(2**52), 2**52)), st.randoms())
def test_canonical_text_knows_neither_order_nor_kind_of_number(numbers, random):
    items = [(key, float(value)) for key, value in numbers.items()]
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(numbers)


def test_a_training_gets_what_its_model_says_and_no_defaults():
    assert PLAN.training("plain", 5) == {
        "batch_size": 8,
        "device": "cpu",
        "epochs": 2,
        "latent_dim": 10,
        "learning_rate": 0.001,
        "monitored": 30,
        "monitored_steps": [10, 25],
        "regularizers": [],
        "seed": 5,
        "snapshot_steps": [1, 50],
        "threads": 1,
    }


def test_a_training_that_ends_early_keeps_what_it_reaches():
    spec = PLAN.training("short", 5)
    assert (spec["steps"], spec["snapshot_steps"], spec["monitored_steps"]) == (20, [1], [10])
    assert PLAN.last_step("whole") == math.inf


def test_strength_multiplies_weights_and_further_keys_reach_the_trainer():
    changes = {"strength": 0.1, "learning_rate": 0.5, "architecture": "other", "replicates": ["plain"]}
    models = CONFIG["models"] | {"varied": CONFIG["models"]["whole"] | changes}
    spec = Plan(CONFIG | {"models": models}).training("varied", 5)
    assert [term["weight"] for term in spec["regularizers"]] == [3.5 * 0.1, 2 * 0.1]
    assert spec["regularizers"][0]["parameters"] == {"delta": 0.1}
    assert (spec["learning_rate"], spec["architecture"]) == (0.5, "other")
    assert not {"strength", "replicates", "baseline"} & spec.keys()


def test_shuffled_epochs_reach_the_trainer_as_a_number_and_with_what_they_compare_with():
    changes = {"shuffle": True, "batch_size": 3, "reference": "normal"}
    models = CONFIG["models"] | {"shuffled": CONFIG["models"]["whole"] | changes}
    spec = Plan(CONFIG | {"models": models}).training("shuffled", 5)
    assert (spec["shuffle"], spec["batch_size"], spec["reference"]) == (2, 3, "normal")


def test_epochs_and_an_early_end_reach_the_training_if_they_are_asked_for():
    stop = {"patience": 2, "images": 5}
    models = CONFIG["models"] | {"stopped": CONFIG["models"]["plain"] | {"stop_early": stop}}
    evaluation = {"monitored": 30, "images": 40, "each_epoch": True}
    spec = Plan(CONFIG | {"models": models, "evaluation": evaluation}).training("stopped", 5)
    added = {"keep_epochs": True, "stop_early": stop | {"evaluated": 30}}
    assert spec == PLAN.training("plain", 5) | added


@pytest.mark.parametrize(
    ("sections", "evaluated"),
    [
        ({}, 30),
        ({"study": {"measures": [{"measure": "bce_test"}]}}, 30),
        ({"study": {"measures": [{"measure": "kernel_prior"}]}}, 40),
        ({"study": {"measures": [{"measure": "bce_test"}], "samples": ["plain"]}}, 40),
        ({"embedding": {"models": ["whole"], "points": 50}}, 50),
        ({"embedding": {"models": ["short"], "points": 20}}, 30),
    ],
)
def test_what_a_model_is_judged_on_does_not_end_its_training(sections, evaluated):
    """Monitored images always; those of an evaluation or an embedding if there is one, of baselines too."""
    stop = {"stop_early": {"patience": 2, "images": 5}}
    models = {name: entry | stop for name, entry in CONFIG["models"].items()}
    comparisons = {"drawn": {"models": ["whole"], "target": "study"}}
    evaluation = {"monitored": 30, "images": 40}
    if "study" in sections:
        sections["study"]["name"] = "mine"
    plan = Plan(CONFIG | {"models": models, "comparisons": comparisons, "evaluation": evaluation} | sections)
    assert plan.training("plain", 1)["stop_early"]["evaluated"] == evaluated


def test_chances_are_of_published_means_and_null_rates_of_the_seeds_that_are_judged():
    sections = {
        "controls": {"significance_comparison": "control", "significance_steps": [10]},
        "claims": {"published_seeds": 10},
        "published": {},
        "statistics": CONFIG["statistics"] | {"confidence": 0.95},
    }
    plan = Plan(CONFIG | sections)
    assert (plan.controls()["published_seeds"], plan.controls()["significance_seeds"]) == (10, 1)
    assert plan.controls_summary()["seeds"] == 10


def test_strength_multiplies_a_share():
    term = {"name": "push", "degree": 1, "share": -0.2}
    models = {"shared": CONFIG["models"]["plain"] | {"regularizers": [term], "strength": 2}}
    assert Plan(CONFIG | {"models": models}).training("shared", 5)["regularizers"] == [term | {"share": -0.4}]


def test_an_order_reaches_the_trainer_as_a_seed_and_a_wrong_reference_does_not():
    models = CONFIG["models"] | {"other": CONFIG["models"]["short"] | {"order": "B", "reference": "normal"}}
    plan = Plan(CONFIG | {"models": models, "orders": {"A": 7, "B": 9}})
    assert plan.training("other", 5) == PLAN.training("short", 5) | {"order": 9}
    assert (plan.order("other"), plan.wrong_reference("other")) == ("B", "normal")
    assert (plan.order("short"), plan.wrong_reference("short")) == (None, None)


def test_what_a_reference_is_of_reaches_the_trainer_if_its_diagrams_are_not_stored():
    def training(reference, **term):
        model = CONFIG["models"]["plain"] | {"regularizers": [ENTROPY | term], "reference": reference}
        return Plan(CONFIG | {"models": {"model": model}})

    assert "reference" not in training("normal").training("model", 5)
    for plan in (training("normal", subset=5), training("normal", metric="cosine"), training("prior")):
        assert plan.training("model", 5)["reference"] == plan.reference("model")
    assert training("normal", subset=5).wrong_reference("model") == "normal"
    assert training("prior").wrong_reference("model") is None


def test_a_comparison_trains_its_models_and_their_baselines():
    assert PLAN.runs("control") == [("plain", 7), ("short", 7)]
    assert PLAN.runs("drawn") == [(model, seed) for model in ("plain", "whole", "short") for seed in (1, 2)]
    assert PLAN.compared_in("all") == ["whole", "short"]
    assert PLAN.comparisons_of("controls") == ["control"]


def test_a_comparison_may_have_a_baseline_of_its_own():
    models = CONFIG["models"] | {"twin": CONFIG["models"]["plain"] | {"baseline": "plain"}}
    comparisons = {"paired": {"models": ["whole", "short"], "baseline": "twin"}}
    plan = Plan(CONFIG | {"models": models, "comparisons": CONFIG["comparisons"] | comparisons})
    assert plan.baselines_in("paired") == {"whole": "twin", "short": "twin"}
    assert plan.runs("paired") == [(model, seed) for model in ("twin", "whole", "short") for seed in (1, 2)]
    assert plan.baselines_in("drawn") == {"whole": "plain", "short": "plain"}
    assert plan.trained_fully == ["plain", "twin", "whole"]


def test_what_is_trained_fully_is_timed():
    assert PLAN.trained_fully == ["plain", "whole"]
    assert PLAN.full_baselines == {"whole": "plain"}
    timing = PLAN.timing()
    assert {key: timing[key] for key in ("steps", "rounds", "threads")} == {
        "steps": 3,
        "rounds": 4,
        "threads": 1,
    }
    assert timing["models"] == {model: PLAN.trainer(model, 1) for model in ("plain", "whole")}


def test_terms_on_the_output_are_columns_of_the_history():
    assert PLAN.terms_on_output("whole") == ["entropy_0"]


def test_a_family_is_the_published_rows_of_a_comparison_whatever_other_models_it_has():
    published = {"whole": {"rbar": {"25": 0.3, "50": 1.2}}, "other": {"rbar": {"50": 1.1}}}
    config = CONFIG | {"published": published, "statistics": {"at_steps": [25, 50, 75]}}
    found = Plan(config).families("drawn")
    assert [row for row in found if row[0] == "whole"] == [
        ("whole", 25, "published", 1),
        ("whole", 50, "published", 1),
        ("whole", 75, "further", 1),
    ]
    assert {family for model, _, family, _ in found if model == "short"} == {"further"}
    # A control that is compared with two published rows counts twice, as in the table of what it controls.
    control = CONFIG["models"]["short"] | {"replicates": ["whole", "other"]}
    of_control = Plan(config | {"models": CONFIG["models"] | {"short": control}}).families("control")
    assert of_control == [
        ("short", 25, "published", 1),
        ("short", 50, "published", 2),
        ("short", 75, "further", 1),
    ]


def test_earlier_trainings_of_as_many_steps_tell_the_time_of_a_sweep():
    short = CONFIG["models"]["short"]
    models = CONFIG["models"] | {"variant": short, "longer": short | {"steps": 40}}
    plan = Plan(CONFIG | {"models": models})
    times = {"short": [50, 70], "whole": [600], "gone": [9]}
    assert plan.effort(["variant"] * 3, times) == "3 trainings, about 3 minutes one after another"
    assert plan.effort(["variant", "whole"], times) == "2 trainings, about 11 minutes one after another"
    assert plan.effort(["longer"] * 3, times) == "3 trainings, about 6 minutes one after another"
    unknown = plan.effort(["variant", "whole"], {"short": [50]})
    assert unknown.startswith("2 trainings of 20 steps or all epochs")


@pytest.mark.parametrize("models", [["whole"], ["plain", "whole"], ["whole", "plain"]])
def test_baselines_come_first_and_once(models):
    assert PLAN.with_baselines(models) == ["plain", "whole"]


def test_a_stack_holds_seeds_of_one_comparison_and_one_model():
    stacked = CONFIG | {"training": CONFIG["training"] | {"stack": 2}, "seeds": [1, 2, 3]}
    control = {"models": ["short"], "seeds": [7, 2, 8, 9]}
    stacked["comparisons"] = {"drawn": {"models": ["whole", "short"]}, "control": control}
    assert Plan(stacked).stacks() == [
        ("plain", [1, 2]),  # 3 is trained by itself
        ("whole", [1, 2]),
        ("short", [1, 2]),
        ("plain", [7, 8]),
        ("short", [7, 8]),
    ]
    assert PLAN.stacks() == []
    stacked["models"] = stacked["models"] | {
        "plain": stacked["models"]["plain"] | {"stop_early": {"patience": 3, "images": 10}}
    }
    assert {model for model, _ in Plan(stacked).stacks()} == {"whole", "short"}
    stacked["models"]["whole"] = stacked["models"]["whole"] | {"architecture": "diffusion"}
    assert {model for model, _ in Plan(stacked).stacks()} == {"short"}


def test_the_families_that_cannot_be_stacked_say_so():
    families = Path(models.__file__).parent.glob("*.py")
    names = {path.stem for path in families if path.stem not in ("__init__", "families", "trained")}
    refuse = {name for name in names if not import_module(f"topogen.models.{name}").Model.stackable}
    assert refuse == NOT_STACKABLE


def test_the_trainings_of_a_stack_are_those_of_its_seeds():
    arguments = PLAN.stacked_training("whole", [7, 8])
    assert arguments.pop("seeds") == [7, 8]
    assert arguments == {key: value for key, value in PLAN.training("whole", 8).items() if key != "seed"}


def test_a_study_with_too_few_seeds_for_its_rows_is_named():
    """2 / 2^10 times 40 rows is above 0.05, and 2 / 2^11 times 40 is not; models of a front do not count."""
    measures = [{"measure": "bce", "step": -1, "rank": "secondary"}] * 8
    measures += [{"measure": "bce", "step": -1, "rank": "primary", "beyond": {"sweep": "control"}}]
    drawn = {"models": ["whole", "short"], "target": "study"}
    comparisons = {"drawn": drawn, "again": drawn, "control": {"models": ["short"], "target": "study"}}
    statistics = {"confidence": 0.95}

    def said(seeds, measures):
        sections = {"comparisons": comparisons, "study": {"measures": measures}, "statistics": statistics}
        return Plan(CONFIG | sections | {"seeds": list(range(seeds))}).study_cannot_decide()

    assert said(11, measures) == []
    (sentence,) = said(10, measures)
    assert sentence == (
        "with 10 seeds and 40 rows that count, no secondary row can have a direction: "
        "the smallest p is 1/512; 11 seeds are enough"
    )
    assert said(10, measures[3:]) == []


def test_embeddings_with_too_few_seeds_for_their_rows_are_named():
    """Of two rows, 2 / 2^6 each is above 0.05, and 2 / 2^7 is not."""
    measures = [{"measure": "KL_1", "margin": 1, "rank": "primary"}]

    def said(seeds):
        sections = {"embedding": {"models": ["whole", "short"], "measures": measures}}
        settings = {"seeds": list(range(seeds)), "statistics": {"confidence": 0.95, "power": 0.8}}
        return Plan(CONFIG | sections | settings).embedding_cannot_decide()

    assert said(7) == []
    assert said(6) == [
        "with 6 seeds and 2 rows that count, no primary row can have a direction: the smallest p is 1/32; "
        "7 seeds are enough"
    ]
