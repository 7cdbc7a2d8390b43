"""Regularizers of points: their formulas written out pair by pair, and their gradients."""

import math
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import SEEDS, at_most, isometries, normal, smallest_gap

from topogen.training.opponents import OPPONENTS, SlicedWasserstein
from topogen.training.published import PUBLISHED, Connectivity, RandomSignature, Signature
from topogen.training.terms import OF_POINTS

PARAMETERS = {
    "sliced_wasserstein_points": {"directions": 4},
    "principal_persistence": {"degree": 0, "subsets": 6, "sigma": 0.7},
    "connectivity": {"eta": 0.9},
    "signature": {"relative": False},
    "random_signature": {"relative": False},
}
# e of a value that is multiplied by c^e if both clouds are multiplied by c.
EXPONENTS = {
    "energy_distance": 1,
    "sliced_wasserstein_points": 2,
    "mean_distance": 2,
    "nearest_distance": 2,
    "total_variance": 4,
    "principal_persistence": 2,
    "connectivity": 1,
    "signature": 2,
    "random_signature": 2,
    "rtd_lite": 0,
}
UNITS = {
    "principal_persistence": "sigma",
    "connectivity": "eta",
}  # the parameter in the unit of the distances
members = pytest.mark.parametrize("name", OF_POINTS)


def opponent(name, **changes):
    return OF_POINTS[name](**PARAMETERS.get(name, {}) | changes)


@st.composite
def pairs_of_clouds(draw, min_size=1, max_size=6):
    size, dimension = draw(st.integers(min_size, max_size)), draw(st.sampled_from([1, 2, 5]))
    first, second = normal(draw(SEEDS), 2, size, dimension)
    return first, 1.5 * second + 0.2


def lengths(points, others, different=False):
    """Distances of all pairs; of different points only, if asked."""
    return [
        math.dist(x, y)
        for i, x in enumerate(points.tolist())
        for j, y in enumerate(others.tolist())
        if not (different and i == j)
    ]


def mean(values):
    return sum(values) / len(values) if values else 0.0


def nearest(points):
    rows = points.tolist()
    others = [[math.dist(x, y) for j, y in enumerate(rows) if i != j] for i, x in enumerate(rows)]
    return mean([min(row) for row in others if row])


def variance(points):
    centre = points.mean(dim=0).tolist()
    return mean([math.dist(x, centre) ** 2 for x in points.tolist()])


def sliced(points, others):
    directions = torch.randn(points.shape[1], 4, generator=torch.Generator().manual_seed(0)).double()
    total = []
    for line in (directions / directions.norm(dim=0)).T:
        first, second = (sorted(float(line @ x) for x in cloud) for cloud in (points, others))
        total += [(a - b) ** 2 for a, b in zip(first, second, strict=True)]
    return mean(total)


def matrix(points):
    return np.array([[math.dist(x, y) for y in points.tolist()] for x in points.tolist()])


def spanning_tree(weights):
    """The edges of the lightest of all spanning trees, each of which is tried."""

    def joins_all(edges):
        reached = {0}
        for _ in edges:
            reached |= {end for edge in edges if reached & {*edge} for end in edge}
        return len(reached) == len(weights)

    pairs = combinations(range(len(weights)), 2)
    trees = [edges for edges in combinations(pairs, len(weights) - 1) if joins_all(edges)]
    return list(min(trees, key=lambda edges: sum(weights[edge] for edge in edges)))


def spanning_length(weights):
    return sum(weights[edge] for edge in spanning_tree(weights))


def connectivity(x, _):
    lengths = matrix(x)
    return sum(abs(lengths[edge] - 0.9) for edge in spanning_tree(lengths))


def signature(x, y):
    here, there = matrix(x), matrix(y)
    return sum((here[e] - there[e]) ** 2 for e in spanning_tree(here) + spanning_tree(there))


def rtd_lite(x, y):
    here, there = (lengths / (np.quantile(lengths, 0.9) or 1) for lengths in (matrix(x), matrix(y)))
    both = np.minimum(here, there)
    return (spanning_length(here) + spanning_length(there)) / 2 - spanning_length(both)


DEFINITIONS = {
    "energy_distance": lambda x, y: 2 * mean(lengths(x, y)) - mean(lengths(x, x)) - mean(lengths(y, y)),
    "sliced_wasserstein_points": sliced,
    "mean_distance": lambda x, y: (mean(lengths(x, x, True)) - mean(lengths(y, y, True))) ** 2,
    "nearest_distance": lambda x, y: (nearest(x) - nearest(y)) ** 2,
    "total_variance": lambda x, y: (variance(x) - variance(y)) ** 2,
    "connectivity": connectivity,
    "signature": signature,
    "rtd_lite": rtd_lite,
}


def test_the_conventions_have_a_row_for_each():
    conventions = (Path(__file__).parents[3] / "docs/conventions.md").read_text()
    _, of_points, *_ = conventions.split("\n## ")
    assert re.findall(r"^\| `(\w+)` \|", of_points, re.MULTILINE) == list(OF_POINTS) == list(EXPONENTS)


@pytest.mark.parametrize("name", DEFINITIONS)
@at_most(20)
@given(pair=pairs_of_clouds(max_size=5))
def test_value_is_the_definition(name, pair):
    value = opponent(name)(*pair)
    assert value.shape == ()
    assert float(value) == pytest.approx(DEFINITIONS[name](*pair), rel=1e-9, abs=1e-12)


@members
@at_most(15)
@given(pair=pairs_of_clouds(min_size=2))
def test_gradient_agrees_with_finite_differences(name, pair):
    assume(smallest_gap(pair[0]) > 1e-4)  # the nearest point, or the order on a line, changes at a tie
    torch.autograd.gradcheck(opponent(name), tuple(x.requires_grad_() for x in pair), atol=1e-4)


@pytest.mark.parametrize("name", sorted(OF_POINTS.keys() - {"connectivity"}))
@given(pair=pairs_of_clouds())
def test_equal_clouds_are_a_minimum(name, pair):
    points, reference = pair[0].clone().requires_grad_(), pair[0]
    value = opponent(name)(points, reference)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert points.grad.abs().max() <= 1e-7
    assert opponent(name)(*pair) >= 0


@members
@at_most(20)
@given(pair=pairs_of_clouds(), scale=st.sampled_from([0.25, 8.0]))
def test_value_scales_by_a_power(name, pair, scale):
    changes = {key: scale * PARAMETERS[name][key] for key in [UNITS[name]]} if name in UNITS else {}
    scaled = opponent(name, **changes)(*(scale * x for x in pair))
    expected = scale ** EXPONENTS[name] * opponent(name)(*pair)
    torch.testing.assert_close(scaled, expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", sorted(OPPONENTS.keys() - {"sliced_wasserstein_points"}))
@at_most(20)
@given(data=st.data())
def test_value_follows_isometries_and_the_order_of_the_points(name, data):
    points, reference = data.draw(pairs_of_clouds())
    order, orthogonal, shift = data.draw(isometries(*points.shape))
    moved = [x @ orthogonal + shift for x in (points[order], reference)]
    torch.testing.assert_close(
        opponent(name)(*moved), opponent(name)(points, reference), rtol=1e-7, atol=1e-9
    )


@members
@pytest.mark.parametrize("n", [1, 2, 7])
def test_collapsed_clouds_have_finite_values_and_gradients(name, n):
    points = torch.full((n, 3), 0.1, requires_grad=True)
    value = opponent(name)(points, normal(0, n, 3).float())
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(points.grad).all()


@pytest.mark.parametrize("name", OPPONENTS)
@pytest.mark.parametrize("sizes", [(0, 0), (0, 3), (3, 0)])
def test_a_mean_over_no_points_is_zero(name, sizes):
    if name == "sliced_wasserstein_points" and sizes != (0, 0):
        return
    points, reference = (torch.ones(size, 2, requires_grad=True) for size in sizes)
    value = opponent(name)(points, reference)
    value.backward()
    assert value == 0
    assert not points.grad.any()


def test_random_lines_do_not_depend_on_the_default_dtype():
    loss, clouds = SlicedWasserstein(directions=3), normal(0, 2, 6, 2)
    expected = loss(*clouds)
    torch.set_default_dtype(torch.float64)
    try:
        assert loss(*clouds) == expected
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", ["energy_distance", "sliced_wasserstein_points"])
def test_points_of_two_spaces_are_refused(name):
    with pytest.raises(ValueError, match="3 coordinates and those of the reference 2"):
        opponent(name)(torch.zeros(4, 3), torch.zeros(4, 2))


@pytest.mark.parametrize("name", sorted(PUBLISHED.keys() - {"random_signature"}))
@at_most(20)
@given(data=st.data())
def test_losses_of_other_papers_follow_isometries_and_an_order_of_all_points(name, data):
    points, reference = data.draw(pairs_of_clouds())
    order, orthogonal, shift = data.draw(isometries(*points.shape))
    moved = opponent(name)(points[order] @ orthogonal + shift, reference[order])
    torch.testing.assert_close(moved, opponent(name)(points, reference), rtol=1e-7, atol=1e-9)


def test_a_relative_signature_does_not_know_the_unit_of_the_reference():
    points, reference = normal(0, 2, 6, 3)
    value, of_larger = (Signature(relative=True)(points, factor * reference) for factor in (1, 7))
    torch.testing.assert_close(value, of_larger)
    longest = torch.pdist(reference).max()
    torch.testing.assert_close(value, Signature(relative=False)(points, reference / longest))


@pytest.mark.parametrize("name", ["signature", "random_signature"])
def test_second_derivatives_agree_with_finite_differences(name):
    """Random edges join some points to themselves; an edge of the other cloud may join coincident points."""
    points, reference = normal(3, 2, 6, 2)
    torch.autograd.gradgradcheck(opponent(name), (points.requires_grad_(), reference.requires_grad_()))
    points = points.detach().clone()
    points[1:] = points[0]
    (gradient,) = torch.autograd.grad(
        opponent(name)(points.requires_grad_(), normal(4, 6, 2)), points, create_graph=True
    )
    (second,) = torch.autograd.grad(gradient.square().sum(), points)
    assert (gradient == 0).all()
    assert (second == 0).all()


def test_random_edges_are_as_many_and_always_the_same():
    points, reference = normal(0, 2, 6, 3)
    edges = [loss(relative=False).edges(points, reference) for loss in (Signature, RandomSignature)]
    assert edges[0].shape == edges[1].shape == (10, 2)
    assert torch.equal(edges[1], RandomSignature(relative=False).edges(reference, points))


@pytest.mark.parametrize("name", ["signature", "random_signature", "rtd_lite"])
def test_clouds_of_two_sizes_that_are_compared_point_by_point_are_refused(name):
    with pytest.raises(ValueError, match="the cloud has 4 points and the reference 5"):
        opponent(name)(torch.zeros(4, 3), torch.zeros(5, 3))


def test_a_length_of_no_size_is_refused():
    with pytest.raises(ValueError, match="eta must be > 0, got 0"):
        Connectivity(eta=0)


def test_sliced_clouds_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="one size, got 4 and 5"):
        SlicedWasserstein(directions=2)(torch.zeros(4, 3), torch.zeros(5, 3))
