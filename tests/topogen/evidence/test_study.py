"""Effects of a study: paired, better upwards, and corrected within the rank of the measure."""

import numpy as np
import pandas as pd
import pytest

from topogen.evidence.study import measured, study_effects

SEEDS = range(8)


def values(measure, step, means):
    """A measure that differs from seed to seed by the same in every model."""
    rows = [
        {"model": model, "seed": seed, "step": step, "measure": measure, "value": mean + seed}
        for model, mean in means.items()
        for seed in SEEDS
    ]
    return pd.DataFrame(rows)


def test_better_is_upwards_and_the_ranks_are_families():
    table = pd.concat(
        [
            values("holes", -1, {"plain": 0.0, "good": 0.2, "bad": -0.3}),
            values("bce_test", 50, {"plain": 0.0, "good": 0.0, "bad": 0.0}),
            values("bce_test", 99, {"plain": 5.0, "good": 4.0, "bad": 7.0}),
        ]
    )
    measures = [
        {"measure": "holes", "step": -1, "margin": 0.05, "rank": "primary"},
        {"measure": "bce_test", "step": -1, "margin": 0.1, "rank": "secondary"},
    ]
    comparisons = {"one": {"good": "plain", "bad": "plain"}}
    effect = study_effects(table, comparisons, measures, confidence=0.95, power=0.8)
    found = effect.set_index(["measure", "model"])
    assert found["mean"].to_dict() == pytest.approx(
        {("holes", "good"): 0.2, ("holes", "bad"): -0.3, ("bce_test", "good"): 1, ("bce_test", "bad"): -2}
    )
    assert found["family"].to_dict() == {
        ("holes", "good"): "primary",
        ("holes", "bad"): "primary",
        ("bce_test", "good"): "secondary",
        ("bce_test", "bad"): "secondary",
    }
    np.testing.assert_allclose(found["p_holm"], 2 * 2 / 2**8)
    assert found["verdict"].tolist() == ["positive", "negative", "positive", "negative"]


def test_the_last_step_is_that_of_each_training():
    table = pd.concat([values("bce_test", 9, {"long": 1, "short": 2}), values("bce_test", 19, {"long": 3})])
    assert measured(table, "bce_test", -1).loc["long"].iloc[0] == 3
    assert measured(table, "bce_test", -1).loc["short"].iloc[0] == 2
    assert measured(table, "bce_test", 9).loc["long"].iloc[0] == 1


def test_other_seeds_than_the_baseline_are_refused():
    table = values("holes", -1, {"plain": 0.0, "good": 0.2}).iloc[:-1]
    measures = [{"measure": "holes", "step": -1, "margin": 0.05, "rank": "primary"}]
    with pytest.raises(ValueError, match="good and its baseline plain differ in seeds"):
        study_effects(table, {"one": {"good": "plain"}}, measures, confidence=0.95, power=0.8)
