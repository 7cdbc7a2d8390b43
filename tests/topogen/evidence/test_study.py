"""Effects of a study: paired, better upwards, and corrected within the rank of the measure."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topogen.evidence.front import beyond_front
from topogen.evidence.information import information
from topogen.evidence.study import cosine_effects, measured, study_effects

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
    effect = study_effects(table, comparisons, measures, {}, confidence=0.95, power=0.8)
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
        study_effects(table, {"one": {"good": "plain"}}, measures, {}, confidence=0.95, power=0.8)


def test_a_measure_that_is_no_number_for_one_seed_is_named():
    table = values("holes", -1, {"plain": 0.0, "good": 0.2})
    table.loc[(table["model"] == "good") & (table["seed"] == SEEDS[1]), "value"] = np.nan
    measures = [{"measure": "holes", "step": -1, "margin": 0.05, "rank": "primary"}]
    with pytest.raises(ValueError, match=f"holes at step -1 of good .* for seed {SEEDS[1]}; look at"):
        study_effects(table, {"one": {"good": "plain"}}, measures, {}, confidence=0.95, power=0.8)


def test_the_cosine_of_a_training_is_the_mean_of_its_steps_with_a_gradient():
    rows = [
        {"model": model, "seed": seed, "step": step, "cosine": cosine}
        for seed in SEEDS
        for model, cosines in {"along": [0.2, np.nan, 0.4], "silent": [np.nan] * 3}.items()
        for step, cosine in enumerate(cosines)
    ]
    baselines = {"along": "plain", "silent": "plain"}
    effect = cosine_effects(pd.DataFrame(rows), baselines, margin=0.01, confidence=0.95, power=0.8)
    found = effect.set_index("model")
    assert found["mean"].to_dict() == pytest.approx({"along": 0.3, "silent": 0})
    assert found.loc["along", "verdict"] == "positive"
    assert found.loc["silent", "verdict"] != "positive"


def of_one_seed(metric):
    index = pd.MultiIndex.from_product([metric, [1]], names=["model", "seed"])
    return pd.Series(list(metric.values()), index=index, dtype=float)


def test_the_front_joins_what_is_not_beaten():
    #          cost:   1          2               3                4
    gain = {"cheap": 0.0, "beaten": -5.0, "middle": 2.0, "dear": 4.0, "mine": 2.0, "free": 0.5, "lavish": 5.0}
    cost = {"cheap": 1.0, "beaten": 2.0, "middle": 3.0, "dear": 4.0, "mine": 2.0, "free": 0.0, "lavish": 9.0}
    price = of_one_seed({model: -value for model, value in cost.items()})
    found = beyond_front(of_one_seed(gain), price, ["cheap", "beaten", "middle", "dear"]).droplevel("seed")
    assert found.to_dict() == pytest.approx(
        {"cheap": 0, "beaten": -6, "middle": 0, "dear": 0, "mine": 1, "free": 0.5, "lavish": 1}
    )


def test_a_front_without_a_model_or_a_metric_is_refused():
    gain, price = of_one_seed({"swept": 1, "mine": 2}), of_one_seed({"swept": 3})
    with pytest.raises(ValueError, match="mine, seed 1 lacks one"):
        beyond_front(gain, price, ["swept"])
    with pytest.raises(ValueError, match=r"same seeds; train \['other'\] from all"):
        beyond_front(gain, gain, ["swept", "other"])
    twice = pd.concat([gain, gain.loc[["mine"]].rename({1: 2}, level="seed")])
    with pytest.raises(ValueError, match=r"same seeds; train \['swept'\] from all"):
        beyond_front(twice, twice, ["swept"])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6))
def test_nothing_of_a_sweep_is_beyond_its_front_and_what_is_beaten_does_not_move_it(points):
    gains, prices = ({f"m{place}": point[k] for place, point in enumerate(points)} for k in (0, 1))
    found = beyond_front(of_one_seed(gains), of_one_seed(prices), list(gains))
    assert found.max() <= 1e-12
    assert found.max() >= -1e-12  # at least the best one is on it
    gains, prices = gains | {"beaten": gains["m0"] - 1}, prices | {"beaten": prices["m0"] - 1}
    again = beyond_front(of_one_seed(gains), of_one_seed(prices), list(gains))
    assert again.drop("beaten", level="model").to_dict() == pytest.approx(found.to_dict())


def test_noise_in_the_price_moves_no_model_from_the_front():
    """Replicates of what is on the front, and of its middle, are about 0 from it: no best of noisy ones."""
    stream = np.random.default_rng(4)
    cost = {"cheap": 0.0, "dear": 1.0, "again": 1.0, "middle": 0.5}
    cells = pd.MultiIndex.from_product([cost, range(400)], names=["model", "seed"])
    costs = pd.Series([cost[model] for model, _ in cells], cells)
    price = -costs + stream.normal(0, 2, len(cells))
    gain = 10 * costs + stream.normal(0, 1, len(cells))
    found = beyond_front(gain, price, ["cheap", "dear"])
    means = pd.DataFrame({"gain": gain, "cost": -price}).groupby("model").mean()
    ends = means.loc[["cheap", "dear"]]
    reached = np.interp(means["cost"], ends["cost"], ends["gain"])
    assert found.groupby("model").mean().to_dict() == pytest.approx(dict(means["gain"] - reached))
    errors = found.groupby("model").std() / 20
    assert (found.groupby("model").mean().abs() <= 4 * errors + 1e-9).all()
    assert errors["middle"] > 10 * 2 / 20  # the noise of the price counts, at the slope of the front


def test_a_measure_beyond_a_front_is_not_compared_with_the_baseline():
    gains = values("kernel_prior", -1, {"plain": -1.0, "swept": -2.0, "mine": -4.0})
    prices = values("bce", -1, {"plain": 1.0, "swept": 0.0, "mine": 0.0})
    entry = {"measure": "kernel_prior", "step": -1, "margin": 0.1, "rank": "primary"}
    beyond = entry | {"beyond": {"sweep": "knob", "price": "bce"}}
    comparisons = {"knob": {"swept": "plain"}, "one": {"mine": "plain"}}
    effect = study_effects(
        pd.concat([gains, prices]),
        comparisons,
        [entry, beyond],
        {"knob": ["plain", "swept"]},
        confidence=0.95,
        power=0.8,
    )
    found = effect.set_index(["measure", "model"])["mean"].to_dict()
    # Lower kernel distances are better: at the price of `mine` the front has -2.
    assert found == pytest.approx(
        {
            ("kernel_prior", "swept"): 1,
            ("kernel_prior", "mine"): 3,
            ("kernel_prior beyond knob", "mine"): 2,
        }
    )


def test_what_tells_of_a_metric_is_told_from_noise():
    stream = np.random.default_rng(0)
    cells = [(f"m{model}", seed) for model in range(8) for seed in SEEDS]
    known, telling, noise = stream.standard_normal((3, len(cells)))
    metrics = {"bce": known, "kernel_prior": known + telling**2, "told": telling, "noise": noise}
    table = pd.DataFrame(
        [
            {"model": model, "seed": seed, "step": 469, "measure": name, "value": column[place]}
            for name, column in metrics.items()
            for place, (model, seed) in enumerate(cells)
        ]
    )
    effect = information(
        table,
        known=["bce"],
        added={"good": ["told"], "useless": ["noise"]},
        targets=["kernel_prior"],
        steps=[-1],
        margin=0.02,
        confidence=0.95,
        power=0.8,
    )
    found = effect.set_index("model")
    assert found.loc["bce + good", "mean"] > 0.3
    assert found.loc["bce + good", "verdict"] == "positive"
    assert found.loc["bce + useless", "mean"] < 0.05
