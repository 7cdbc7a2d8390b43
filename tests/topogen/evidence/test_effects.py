"""Effects against their definitions, and in simulation: do intervals cover, do tests keep their level?"""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from topogen.evidence.effects import (
    effects,
    paired_effect,
    seeds_needed,
    simultaneous_band,
    stochastic_order,
    verdict,
)

SETTINGS = {"confidence": 0.95, "margin": 0.2}
SEEDS, TRIALS = 10, 1000
# Differences of ten seeds with mean 0: normal, skewed, and heavy-tailed.
DISTRIBUTIONS = {
    "normal": lambda stream, size: stream.normal(size=size),
    "skewed": lambda stream, size: stream.gamma(4, size=size) / 2 - 2,
    "heavy": lambda stream, size: stream.standard_t(5, size=size),
}


def test_an_effect_agrees_with_its_definitions():
    differences = np.random.default_rng(0).normal(0.5, 1, SEEDS)
    effect = paired_effect(differences, **SETTINGS)
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (effect["low"], effect["high"]) == pytest.approx((interval.low, interval.high))
    flips = np.array([[1 - 2 * (k >> i & 1) for i in range(SEEDS)] for k in range(2**SEEDS)])
    means = np.abs(flips @ differences) / SEEDS
    assert effect["p"] == pytest.approx(np.mean(means >= abs(effect["mean"]) - 1e-12))
    test = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=2**SEEDS)
    assert effect["p"] == pytest.approx(test.pvalue)
    wins = int((differences > 0).sum())
    exact = stats.binomtest(wins, SEEDS).proportion_ci(0.95)
    assert (effect["better_low"], effect["better_high"]) == pytest.approx((exact.low, exact.high))
    one_sided = [
        stats.ttest_1samp(differences, sign * 0.2, alternative=way).pvalue
        for sign, way in ((-1, "greater"), (1, "less"))
    ]
    assert effect["p_equivalence"] == pytest.approx(max(one_sided))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_difference_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="NaN or infinite"):
        paired_effect(np.array([1.0, value]), **SETTINGS)


def test_ten_seeds_that_agree_have_the_smallest_p_there_is():
    assert paired_effect(np.linspace(1, 2, SEEDS), **SETTINGS)["p"] == pytest.approx(2 / 2**SEEDS)


@pytest.mark.parametrize(("constant", "p_equivalence"), [(0.0, 0), (0.1, 0), (0.3, 1)])
def test_seeds_without_spread_are_what_they_are(constant, p_equivalence):
    effect = paired_effect(np.full(SEEDS, constant), **SETTINGS)
    assert (effect["low"], effect["high"]) == pytest.approx((constant, constant))
    assert effect["p_equivalence"] == p_equivalence
    assert effect["p"] == pytest.approx(1 if constant == 0 else 2 / 2**SEEDS)
    assert effect["better"] == (0.5 if constant == 0 else 1)


def test_seeds_needed_find_the_margin_as_often_as_promised():
    n = int(seeds_needed(0.2, 0.3, level=0.05, power=0.8))
    samples = np.random.default_rng(2).normal(0.2, 0.3, (20_000, n))
    assert (stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.03)
    assert seeds_needed(0.2, 0, level=0.05, power=0.8) == 2
    assert seeds_needed(0.2, 0.03, level=0.05, power=0.8) == 3  # too few for a solver


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_intervals_cover_and_tests_keep_their_level_at_ten_seeds(name):
    stream = np.random.default_rng(3)
    samples = DISTRIBUTIONS[name](stream, (TRIALS, SEEDS))
    found = pd.DataFrame([paired_effect(sample, **SETTINGS) for sample in samples])
    error = 3 * math.sqrt(0.05 * 0.95 / TRIALS)  # of a rate of 5 %, seen in that many trials
    slack = {"normal": 0, "skewed": 0.02, "heavy": 0}[name]  # t intervals lose a little to skewness
    assert ((found["low"] > 0) | (found["high"] < 0)).mean() <= 0.05 + error + slack
    assert (found["p"] < 0.05).mean() <= 0.05 + error + slack
    assert ((found["better_low"] > 0.57) | (found["better_high"] < 0.43)).mean() <= 0.05 + error
    at_the_margin = pd.DataFrame([paired_effect(sample + 0.2, **SETTINGS) for sample in samples / 10])
    assert (at_the_margin["p_equivalence"] < 0.05).mean() <= 0.05 + error + slack


@pytest.mark.slow
def test_holm_keeps_the_level_over_a_family(monkeypatch):
    # Slow, and not asked here.
    monkeypatch.setattr("topogen.evidence.effects.seeds_needed", lambda *_, **__: 2.0)
    stream = np.random.default_rng(4)
    families = 100
    table = pd.DataFrame({"r": stream.normal(size=6 * SEEDS), "step": np.repeat(np.arange(6), SEEDS)})
    found = 0
    for _ in range(families):
        table["r"] = stream.normal(size=len(table))
        effect = effects(table, ["step"], "r", power=0.8, **SETTINGS)
        assert (effect["p_holm"] >= effect["p"]).all()
        found += (effect["p_holm"] < 0.05).any()
    assert found / families <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / families)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_band_holds_whole_curves(name):
    """Curves over 60 steps, neighbours correlated, as those of r(s) are."""
    stream = np.random.default_rng(5)
    trials, held, pointwise = 300, 0, 0
    for _ in range(trials):
        steps = DISTRIBUTIONS[name](stream, (SEEDS, 80))
        curves = np.array([np.convolve(row, np.ones(21) / 21, "valid") for row in steps])
        low, high = simultaneous_band(curves, 0.95)
        held += bool(((low <= 0) & (high >= 0)).all())
        half = stats.t.ppf(0.975, SEEDS - 1) * stats.sem(curves)
        pointwise += bool((np.abs(curves.mean(axis=0)) <= half).all())
    assert held / trials >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / trials)
    assert pointwise < held  # the interval of each step by itself would not do


def test_a_band_has_no_width_where_all_seeds_agree():
    curves = np.random.default_rng(6).normal(size=(SEEDS, 5))
    curves[:, 0] = 0
    low, high = simultaneous_band(curves, 0.95)
    assert low[0] == high[0] == 0
    assert (low[1:] < high[1:]).all()
    assert (np.array(simultaneous_band(0 * curves, 0.95)) == 0).all()


def test_stochastic_order_sees_dominance_and_its_reverse():
    scores = np.random.default_rng(7).normal(size=SEEDS)
    assert stochastic_order(scores + 9, scores, confidence=0.95, seed=1) == 0
    assert stochastic_order(scores - 9, scores, confidence=0.95, seed=1) == 1
    assert stochastic_order(scores, scores, confidence=0.95, seed=1) > 0.5
    assert stochastic_order(scores + 9, scores[:4], confidence=0.95, seed=1) == 0


@pytest.mark.parametrize(
    ("differences", "published", "expected"),
    [
        (np.linspace(0.5, 1.5, SEEDS), 1.2, "replicated"),
        (np.linspace(0.5, 1.5, SEEDS), None, "replicated"),
        (np.linspace(0.5, 1.5, SEEDS), 9.0, "partly"),
        (np.linspace(-1.5, -0.5, SEEDS), 1.2, "contradicted"),
        (np.linspace(-0.1, 0.1, SEEDS), 1.2, "equivalent to nothing"),
        (np.linspace(-9, 9, SEEDS), 1.2, "undecided"),
    ],
)
def test_verdicts_follow_the_rule(differences, published, expected):
    table = pd.DataFrame({"claim": "c", "seed": range(SEEDS), "r": differences})
    effect = effects(table, ["claim"], "r", power=0.8, **SETTINGS).iloc[0]
    assert verdict(effect, published, 0.95) == expected
