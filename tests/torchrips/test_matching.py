"""Bottleneck matchings, against maximum matchings by scipy of every pair of points and places."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from strategies import SEEDS, slow_bottleneck

from torchrips.matching import Matcher

KINDS = {
    "off the diagonal": lambda rng, k: (1 + 0.1 * rng.random(k), 1 + 0.1 * rng.random(k)),
    "near the diagonal": lambda rng, k: (rng.random(k), 0.1 * rng.random(k)),
    "ties": lambda rng, k: (rng.integers(0, 5, k) / 2, rng.integers(0, 7, k) / 4),
    "one birth": lambda rng, k: (np.full(k, 0.5), rng.random(k)),
    "clusters": lambda rng, k: (rng.integers(0, 3, k) + 1e-9 * rng.random(k), 1 + rng.integers(0, 2, k)),
}


@st.composite
def pairs(draw, max_size):
    rng, kind = np.random.default_rng(draw(SEEDS)), KINDS[draw(st.sampled_from(sorted(KINDS)))]
    k = draw(st.integers(0, max_size))
    m = draw(st.one_of(st.just(k), st.integers(0, max_size)))
    first, second = (kind(rng, size) for size in (k, m))
    return [np.stack([births, births + lifetimes], axis=1) for births, lifetimes in (first, second)]


@given(pair=pairs(max_size=50))
def test_value_is_the_smallest_limit_with_a_matching(pair):
    assert Matcher(*pair).value() == slow_bottleneck(*pair)
    assert Matcher(*pair[::-1]).value() == slow_bottleneck(*pair)


@given(pair=pairs(max_size=12), norm=st.sampled_from([1, 1.5, 2, 7]))
def test_value_in_another_norm(pair, norm):
    costs = costs_of_places(*pair, norm)
    value = Matcher(*pair, norm).value()
    assert matching_exists(costs <= value * (1 + 1e-12))
    assert value == 0 or not matching_exists(costs <= value * (1 - 1e-12))


@given(pair=pairs(max_size=12))
def test_without_the_critical_place_there_is_no_matching(pair):
    value = Matcher(*pair).value()
    assume(value > 0)
    i, j = Matcher(*pair).critical_place(value)
    costs = costs_of_places(*pair, math.inf)
    assert costs[i, j] == value
    earlier = (costs == value) & (np.arange(costs.size).reshape(costs.shape) < i * costs.shape[1] + j)
    allowed = (costs <= value) & ~earlier
    assert matching_exists(allowed)
    allowed[i, j] = False
    assert not matching_exists(allowed)


@pytest.mark.parametrize(("size", "seed"), [(400, 70955540), (1000, 417601199)])
def test_many_points_off_the_diagonal(size, seed):
    # Nearly every graph of costs is nearly enough: scipy's maximum matchings take minutes for some seeds.
    generator = torch.Generator().manual_seed(seed)
    births_and_lifetimes = 1 + 0.1 * torch.rand(2, 2, size, generator=generator, dtype=torch.float64)
    first, second = births_and_lifetimes.cumsum(dim=1).transpose(1, 2).numpy()
    value = Matcher(first, second).value()
    assert value == Matcher(second[::-1], first).value()
    costs = costs_of_places(first, second, math.inf)
    nearest = max(costs[:-1].min(axis=1).max(), costs[:, :-1].min(axis=0).max())
    assert nearest <= value <= 3 * nearest


def costs_of_places(first, second, norm):
    """Costs of all pairs, shape (k + 1, m + 1); the last row and column stand for the diagonal."""
    costs = np.full((len(first) + 1, len(second) + 1), np.inf)
    costs[:-1, :-1] = np.linalg.norm(first[:, None] - second[None, :], ord=norm, axis=2)
    for points, places in ((first, costs[:-1, -1]), (second, costs[-1, :-1])):
        places[:] = (points[:, 1] - points[:, 0]) * 2 ** (1 / norm - 1)
    return costs


def matching_exists(allowed):
    """Whether all points can be matched, each to a point or to a place on the diagonal of its own."""
    k, m = (size - 1 for size in allowed.shape)
    square = np.ones((k + m, k + m), np.int8)
    square[:k, :m] = allowed[:-1, :-1]
    square[:k, m:], square[k:, :m] = allowed[:-1, -1:], allowed[-1:, :-1]
    return bool((maximum_bipartite_matching(csr_array(square)) >= 0).all())
