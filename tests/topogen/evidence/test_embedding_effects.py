"""Embeddings over seeds: means beside what is published, and models that are better than their baselines."""

import re
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from topogen.evidence.embedding import embedding_effects, means_beside_published, published_values
from topogen.tables.embedding import embedding_table

SEEDS = range(8)
# KL_1 is an error, continuity is at best 1: Better is better in both, and Same is the baseline.
VALUES = pd.DataFrame(
    [
        {"model": model, "seed": seed, "measure": measure, "value": value + 0.01 * seed}
        for model, values in {
            "Plain": {"KL_1": 0.5, "continuity": 0.6},
            "Better": {"KL_1": 0.3, "continuity": 0.7},
            "Same": {"KL_1": 0.5, "continuity": 0.6},
        }.items()
        for measure, value in values.items()
        for seed in SEEDS
    ]
)
MEASURES = [
    {"measure": "KL_1", "margin": 0.05, "rank": "primary"},
    {"measure": "continuity", "margin": 0.05, "rank": "secondary"},
]


def test_effects_are_positive_where_a_model_is_better():
    baselines = {"Better": "Plain", "Same": "Plain"}
    effects = embedding_effects(VALUES, baselines, MEASURES, confidence=0.95, power=0.8)
    found = effects.set_index(["model", "measure"])
    np.testing.assert_allclose(found["mean"].loc["Better"], [0.2, 0.1])
    np.testing.assert_allclose(found["mean"].loc["Same"], 0, atol=1e-15)
    assert found["rank"].to_dict()["Better", "KL_1"] == "primary"
    assert (found["verdict"].loc["Better"] != found["verdict"].loc["Same"]).all()


@pytest.fixture
def published(tmp_path):
    """Values of the dataset "one" of a file of published ones, from its lines."""

    def read(*lines, header="dataset,model,measure,value,runs"):
        file = tmp_path / "published.csv"
        file.write_text("\n".join(["# a comment", header, "two,Same,KL_1,9,1", *lines]))
        return published_values([file], "one")

    return read


def summary(values):
    return means_beside_published(VALUES, values, confidence=0.95)


def test_a_table_has_what_is_published_under_what_was_measured(published):
    found = summary(
        published("one,Better,KL_1,.25,5", "one,Unknown,KL_1,1,1", "one,Same,continuity,0.6962,1")
    )
    row = found.set_index(["model", "measure"]).loc[("Better", "KL_1")]
    np.testing.assert_allclose([row["mean"], row["seeds"], row["published"]], [0.335, 8, 0.25])
    table = embedding_table(pd.read_csv(StringIO(found.to_csv(index=False))))
    better, same = ([name, f"{name}, published", "compatible"] for name in ("Better", "Same"))
    assert table["model"].tolist() == ["Plain", *better, *same]
    assert table["KL_1"].tolist() == ["0.535 ± 0.02", "0.335 ± 0.02", "0.25", "no", "0.535 ± 0.02", "", ""]
    assert table["continuity"].tolist()[-3:] == ["0.635 ± 0.02", "0.696", "yes"]
    assert table["seeds"].tolist() == ["8", "8", "5", "", "8", "1", ""]


@pytest.mark.parametrize(
    ("value", "runs", "compatible"),
    [
        ("0.5964", 1, "yes"),
        ("0.5966", 1, "no"),
        ("0.597", 1, "no"),  # h is 0.0005 now, and t sd sqrt(1/8 + 1) + h still too little
        ("0.60", 1, "yes"),
        ("0.5679", 5, "yes"),
        ("0.5681", 5, "no"),
        ("0.00003", 1, "no"),
    ],
)
def test_a_published_value_may_lie_as_far_away_as_its_runs_and_its_digits_say(
    published, value, runs, compatible
):
    """From the mean, 0.535, up to t sd sqrt(1/8 + 1/runs) + h: 0.0614 + h for one run, 0.0330 + h for 5."""
    found = summary(published(f"one,Plain,KL_1,{value},{runs}"))
    assert found["compatible"].tolist()[0] == compatible


def test_without_a_spread_or_a_published_value_nothing_is_compatible(published):
    constant = VALUES.assign(value=0.5)
    found = means_beside_published(constant, published("one,Same,KL_1,0.6,1"), confidence=0.95)
    assert set(found["compatible"]) == {""}
    assert embedding_table(found)["model"].tolist() == [
        "Plain",
        "Better",
        "Same",
        "Same, published",
        "compatible",
    ]
    nothing = summary(published_values([], "one"))
    assert set(nothing["compatible"]) == {""}
    assert embedding_table(nothing)["model"].tolist() == ["Plain", "Better", "Same"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("one,Same,KL_2,0.5,1", "published.csv: unknown measure 'KL_2'; choose from KL_0.01"),
        ("one,Same,KL_1,about 1,1", "published.csv: Same has the value 'about 1' of KL_1 and '1' runs"),
        ("one,Same,KL_1,0.5,0", "published.csv: Same has the value '0.5' of KL_1 and '0' runs"),
        ("one,Same,KL_1,0.5,", "published.csv: Same has the value '0.5' of KL_1 and '' runs"),
        ("one,Same,KL_1,0.5,1\none,Same,KL_1,0.6,1", "Same has two values of KL_1 on one; leave one"),
    ],
)
def test_published_values_that_cannot_be_compared_are_refused(published, line, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        published(line)


def test_a_file_without_the_number_of_runs_is_refused(published):
    with pytest.raises(ValueError, match="it has no column runs; it needs dataset, model"):
        published(header="dataset,model,measure,value,times")
