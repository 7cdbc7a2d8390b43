"""Effects against their definitions, and in simulation: do intervals cover, do tests keep their level?"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from topogen.evidence.effects import (
    paired_effect,
    sign_flip_interval,
    sign_flip_p,
    simultaneous_band,
    stochastic_order,
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


@given(
    seed=st.integers(0, 100),
    seeds=st.sampled_from([6, 9, 20]),
    mean=st.floats(-2, 2),
)
def test_the_interval_holds_exactly_the_means_that_the_test_does_not_reject(seed, seeds, mean):
    differences = np.random.default_rng(seed).normal(size=seeds)
    low, high = sign_flip_interval(differences, 0.05)
    (p,) = sign_flip_p((differences - mean)[:, np.newaxis])
    assert (p >= 0.05) == (low <= mean <= high)


def test_beyond_the_ends_of_the_interval_everything_is_rejected():
    differences = np.random.default_rng(0).normal(size=SEEDS)
    low, high = sign_flip_interval(differences, 0.05)
    ends = np.array([low - 1e-9, low + 1e-9, high - 1e-9, high + 1e-9])
    p = sign_flip_p(differences[:, np.newaxis] - ends)
    assert (p < 0.05).tolist() == [True, False, False, True]


@pytest.mark.parametrize("seeds", [1, 5])
def test_seeds_too_few_to_reject_anything_have_an_infinite_interval(seeds):
    effect = paired_effect(np.linspace(1, 2, seeds), **SETTINGS)
    assert (effect["low"], effect["high"]) == (-math.inf, math.inf)
    assert effect["p"] == pytest.approx(2 / 2**seeds)
    assert effect["p_equivalence"] > 0.05


@pytest.mark.parametrize(("constant", "p_equivalence"), [(0.0, 0), (0.1, 0), (0.3, 1)])
def test_seeds_without_spread_are_what_they_are(constant, p_equivalence):
    effect = paired_effect(np.full(SEEDS, constant), **SETTINGS)
    assert (effect["low"], effect["high"]) == pytest.approx((constant, constant))
    assert effect["p_equivalence"] == p_equivalence
    assert effect["p"] == pytest.approx(1 if constant == 0 else 2 / 2**SEEDS)
    assert effect["better"] == (0.5 if constant == 0 else 1)


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
