"""Embeddings over seeds: means beside what is published, and models that are better than their baselines."""

import numpy as np
import pandas as pd

from topogen.evidence.embedding import embedding_effects, means_beside_published
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
        {"model": ["Better", "Unknown"], "measure": ["KL_1", "KL_1"], "value": [0.25, 1]}
    )
    summary = means_beside_published(VALUES, published)
    row = summary.set_index(["model", "measure"]).loc[("Better", "KL_1")]
    np.testing.assert_allclose([row["mean"], row["seeds"], row["published"]], [0.335, 8, 0.25])
    table = embedding_table(summary)
    assert table["model"].tolist() == ["Plain", "Better", "Better, published", "Same"]
    assert table["KL_1"].tolist() == ["0.535 ± 0.02", "0.335 ± 0.02", "0.25", "0.535 ± 0.02"]
    assert table["continuity"].tolist()[2] == ""
