"""Embeddings over seeds: means beside what is published, and models that are better than their baselines."""

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


def test_a_table_has_what_is_published_under_what_was_measured():
    published = pd.DataFrame(
        {
            "model": ["Better", "Unknown", "Same"],
            "measure": ["KL_1", "KL_1", "continuity"],
            "value": [0.25, 1, 0.6962],
            "runs": [5, 1, 1],
        }
    )
    summary = means_beside_published(VALUES, published, confidence=0.95)
    row = summary.set_index(["model", "measure"]).loc[("Better", "KL_1")]
    np.testing.assert_allclose([row["mean"], row["seeds"], row["published"]], [0.335, 8, 0.25])
    table = embedding_table(pd.read_csv(StringIO(summary.to_csv(index=False))))
    better, same = ([name, f"{name}, published", "compatible"] for name in ("Better", "Same"))
    assert table["model"].tolist() == ["Plain", *better, *same]
    assert table["KL_1"].tolist() == ["0.535 ± 0.02", "0.335 ± 0.02", "0.25", "no", "0.535 ± 0.02", "", ""]
    assert table["continuity"].tolist()[-3:] == ["0.635 ± 0.02", "0.696", "yes"]
    assert table["seeds"].tolist() == ["8", "8", "5", "", "8", "1", ""]


def test_a_published_value_of_one_run_may_lie_further_away():
    """From the mean, 0.535, up to t sd sqrt(1/8 + 1/runs): 0.0614 for one run, 0.0330 for five."""
    close = {
        runs: [
            means_beside_published(
                VALUES,
                pd.DataFrame({"model": ["Plain"], "measure": ["KL_1"], "value": [value], "runs": [runs]}),
                confidence=0.95,
            )["compatible"].iloc[0]
            for value in (0.5679, 0.5681, 0.5964, 0.5966)
        ]
        for runs in (1, 5)
    }
    assert close == {1: ["yes", "yes", "yes", "no"], 5: ["yes", "no", "no", "no"]}


def test_published_values_are_read_of_one_dataset(tmp_path):
    file = tmp_path / "published.csv"
    file.write_text("# a comment\ndataset,model,measure,value,runs\none,Same,KL_1,0.5,1\ntwo,Same,KL_1,9,1\n")
    published = published_values([file], "one")
    assert published.to_dict("records") == [{"model": "Same", "measure": "KL_1", "value": 0.5, "runs": 1}]
    assert "yes" in set(means_beside_published(VALUES, published, confidence=0.95)["compatible"])


def test_without_published_values_nothing_is_compared():
    summary = means_beside_published(VALUES, published_values([], "one"), confidence=0.95)
    assert set(summary["compatible"]) == {""}
    assert embedding_table(summary)["model"].tolist() == ["Plain", "Better", "Same"]


def test_a_file_without_the_number_of_runs_is_refused(tmp_path):
    file = tmp_path / "published.csv"
    file.write_text("dataset,model,measure,value\none,Same,KL_1,0.5\n")
    with pytest.raises(ValueError, match="it has no column runs; it needs dataset, model"):
        published_values([file], "one")
