"""Other metrics, a limit of the edges, bars that never die, and the edges of bars."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import (
    SEEDS,
    circles,
    clouds,
    generic_clouds,
    normal,
    octahedra,
    ordered,
    slow_rips,
)

from torchrips import RipsDiagrams
from torchrips.persistence import batched_rips_diagrams, rips_diagrams

DEGREES = (0, 1, 2)
METRICS = ["euclidean", "manhattan", "chebyshev", "cosine", 1.5, 3, 40]
ORDERS = {"euclidean": 2, "manhattan": 1, "chebyshev": math.inf}


def distances_of(points, metric):
    """All distances, by the formulas as they stand."""
    if metric == "cosine":
        return 1 - torch.nn.functional.cosine_similarity(points[:, None], points, dim=2)
    return torch.linalg.vector_norm(points[:, None] - points, ord=ORDERS.get(metric, metric), dim=2)


@st.composite
def limits(draw, distances):
    """A distance that occurs, or one that does not."""
    lengths = distances.flatten().tolist() or [1.0]
    return draw(st.sampled_from(lengths)) * draw(st.sampled_from([1.0, 1.0, 0.9, 1.1]))


@given(cloud=clouds(), essential=st.booleans(), data=st.data())
def test_bars_up_to_a_limit_are_those_of_the_simplex_tree(cloud, essential, data):
    distances = distances_of(cloud, "euclidean")
    options = {"max_edge_length": data.draw(limits(distances)), "essential": essential}
    for degree, bars in enumerate(rips_diagrams(distances, DEGREES, metric="precomputed", **options)):
        np.testing.assert_array_equal(ordered(bars), slow_rips(distances, degree, *options.values()))


@given(cloud=clouds(scales=(1.0,)), share=st.sampled_from([0.2, 0.6]), seed=SEEDS)
def test_what_never_dies_for_want_of_edges_is_essential(cloud, share, seed):
    missing = torch.from_numpy(np.random.default_rng(seed).random((len(cloud), len(cloud))) < share).triu(1)
    matrix = distances_of(cloud, "euclidean").masked_fill(missing | missing.T, math.inf)
    for degree, bars in enumerate(rips_diagrams(matrix, DEGREES, metric="precomputed", essential=True)):
        np.testing.assert_array_equal(ordered(bars), slow_rips(matrix, degree, essential=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@given(cloud=generic_clouds(min_size=3), seed=SEEDS)
def test_a_limit_cuts_the_bars_of_all_edges(dtype, cloud, seed):
    """What is born by then is there, and dies as before or not at all; lengths equal to the limit count."""
    cloud = cloud.to(dtype)
    everything = rips_diagrams(cloud, DEGREES, essential=True)
    deaths = torch.cat([bars[bars[:, 1] < math.inf, 1] for bars in everything])
    limit = deaths[seed % len(deaths)].item()
    for bars, cut in zip(
        everything, rips_diagrams(cloud, DEGREES, max_edge_length=limit, essential=True), strict=True
    ):
        expected = bars[bars[:, 0] <= limit]
        torch.testing.assert_close(cut, expected.masked_fill(expected > limit, math.inf), rtol=0, atol=0)
    for cut, bars in zip(rips_diagrams(cloud, DEGREES, max_edge_length=limit), everything, strict=True):
        assert torch.equal(cut, bars[bars[:, 1] <= limit])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_one_component_never_dies(n):
    for metric in ("euclidean", "precomputed", "cosine"):
        points = torch.zeros(n, n) if metric == "precomputed" else torch.ones(n, 3)
        components, *others = rips_diagrams(points, DEGREES, metric=metric, essential=True)
        assert components.tolist() == [[0, math.inf]] * min(n, 1)
        assert [len(bars) for bars in others] == [0, 0]


@pytest.mark.parametrize("metric", ["euclidean", "precomputed", "manhattan"])
def test_infinite_deaths_have_no_gradient_and_disturb_none(metric):
    angles = torch.arange(12.0, dtype=torch.float64) * torch.pi / 6
    cloud = torch.stack([angles.cos(), angles.sin()], dim=1) + 0.05 * normal(0, 12, 2)

    def bars(points):
        matrix = distances_of(points, "euclidean") if metric == "precomputed" else points
        return torch.cat(rips_diagrams(matrix, metric=metric, max_edge_length=1.0, essential=True))

    infinite = bars(cloud).isinf()
    assert infinite.sum() == 2  # one component, and the loop, whose birth has a gradient

    def loss(points):
        return torch.where(infinite, 0, bars(points)).pow(3).sum()

    leaf = cloud.clone().requires_grad_()
    torch.autograd.gradcheck(loss, leaf)
    if metric != "precomputed":  # whose diagonal, a norm of 0, has no second derivative
        torch.autograd.gradgradcheck(loss, leaf)
        torch.testing.assert_close(
            torch.func.hessian(loss)(cloud), torch.autograd.functional.hessian(loss, cloud)
        )
    (gradient,) = torch.autograd.grad(bars(leaf).sum(), leaf)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
@pytest.mark.parametrize("metric", ["euclidean", "precomputed", "chebyshev", "cosine", 3])
def test_constants_have_no_gradient_whatever_weight_comes_in(metric, dtype):
    """A loss that leaves infinite lifetimes out sends NaN to the two ends of such a bar."""
    cloud = torch.tensor([[1.0, 0.0], [2.0, 1.0], [4.0, -1.0]], dtype=torch.float64)
    points = (distances_of(cloud, "euclidean") if metric == "precomputed" else cloud).to(dtype)
    (bars,) = rips_diagrams(points.requires_grad_(), 0, metric=metric, essential=True)
    assert bars.tolist()[-1] == [0, math.inf]
    for bad in (math.nan, math.inf, -math.inf):
        for create_graph in (False, True):
            right, wrong = (
                torch.autograd.grad(bars, points, weights, retain_graph=True, create_graph=create_graph)[0]
                for weights in torch.tensor(
                    [[[0, 1], [0, 2], [0, 0]], [[bad, 1], [bad, 2], [bad, bad]]], dtype=dtype
                )
            )
            assert right.any()
            assert torch.equal(wrong, right)


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=30)
@given(cloud=generic_clouds(min_size=1), scale=st.sampled_from([1.0, 1e-30, 1e30]), data=st.data())
def test_diagrams_in_a_metric_are_those_of_its_distances(metric, cloud, scale, data):
    assume(cloud.shape[1] > 1 or metric != "cosine")
    exact = distances_of(cloud, metric)
    scale = 1.0 if metric == "cosine" else scale
    limit = data.draw(limits(exact)) * (1 + 1e-6)  # not within rounding of a distance
    for degree, bars in enumerate(
        rips_diagrams(cloud * (scale if metric != "cosine" else 1e-200), DEGREES, metric=metric)
    ):
        np.testing.assert_allclose(ordered(bars) / scale, slow_rips(exact, degree), rtol=1e-9, atol=1e-12)
    options = {"max_edge_length": limit * scale, "essential": True}
    for degree, bars in enumerate(rips_diagrams(cloud * scale, DEGREES, metric=metric, **options)):
        slow = slow_rips(exact, degree, limit, essential=True)
        np.testing.assert_allclose(ordered(bars) / scale, slow, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("degree", "metric"),
    [*((1, metric) for metric in METRICS), *((k, m) for k in (0, 2) for m in ("cosine", 3))],
)
@settings(max_examples=3)
@given(data=st.data())
def test_derivatives_in_a_metric_agree_with_finite_differences(metric, degree, data):
    cloud = data.draw([generic_clouds(min_size=2, max_size=6), circles(points=6), octahedra()][degree])
    cloud = cloud + torch.tensor([3.0, 0.1, 0.2])[: cloud.shape[1]]  # angles from the origin differ
    pairs = tuple(torch.triu_indices(len(cloud), len(cloud), 1))
    differences = (cloud[:, None] - cloud)[pairs].abs()
    assume((distances_of(cloud, metric)[pairs].sort().values.diff() > 1e-5).all())
    assume((differences > 1e-4).all() and (differences.sort().values.diff() > 1e-4).all())

    def loss(points):
        bars = torch.cat(rips_diagrams(points, degree, metric=metric))
        return bars.pow(2).sum() + bars.diff().sum()

    start = cloud.clone().requires_grad_()
    torch.autograd.gradcheck(loss, start)
    torch.autograd.gradgradcheck(loss, start)
    hessian = torch.autograd.functional.hessian(loss, cloud)
    torch.testing.assert_close(torch.func.hessian(loss)(cloud), hessian)


@pytest.mark.parametrize("metric", METRICS)
def test_derivatives_in_a_metric_are_finite_at_ties(metric):
    grid = torch.cartesian_prod(torch.arange(1.0, 4), torch.arange(1.0, 4))
    cloud = torch.cat([grid, grid[:2]])

    def loss(points):
        return torch.cat(rips_diagrams(points, metric=metric)).square().sum()

    assert torch.isfinite(torch.func.hessian(loss)(cloud)).all()
    assert torch.isfinite(torch.func.grad(loss)(cloud.half())).all()
    everywhere_equal = torch.ones(4, 2, requires_grad=True)
    loss(everywhere_equal).backward()
    assert not everywhere_equal.grad.any()


@pytest.mark.parametrize(
    ("dtype", "order"),
    [(torch.bfloat16, 1000), (torch.bfloat16, 30_000), (torch.float16, 1e8), (torch.float32, 1e12)],
)
def test_a_high_order_is_nearly_the_largest_difference_in_every_precision(dtype, order):
    cloud = normal(0, 50, 3).to(dtype).requires_grad_()
    found = []
    for metric in (order, "chebyshev"):
        bars = torch.cat(rips_diagrams(cloud, metric=metric))
        found.append((bars, *torch.autograd.grad(bars.square().sum(), cloud)))
    for value, expected in zip(*found, strict=True):
        torch.testing.assert_close(value, expected, rtol=0.02, atol=0.02)


def test_a_batch_has_the_options_of_its_clouds():
    several = [normal(seed, 8 + seed, 2) for seed in range(3)]
    options = {"metric": 1, "max_edge_length": 1.5, "essential": True, "return_edges": True}
    bars, edges = batched_rips_diagrams(several, threads=2, **options)
    for cloud, *found in zip(several, bars, edges, strict=True):
        for ours, single in zip(found, rips_diagrams(cloud, **options), strict=True):
            assert all(map(torch.equal, ours, single))


@given(
    cloud=clouds(scales=(1.0,)), essential=st.booleans(), metric=st.sampled_from(["euclidean", "chebyshev"])
)
def test_edges_are_those_whose_lengths_the_bars_are(cloud, essential, metric):
    diagrams, edges = rips_diagrams(
        cloud, DEGREES, metric=metric, max_edge_length=1.5, essential=essential, return_edges=True
    )
    lengths = distances_of(cloud, metric)
    for degree, (bars, pairs) in enumerate(zip(diagrams, edges, strict=True)):
        assert pairs.shape == (len(bars), 2, 2)
        absent = bars.isinf()
        absent[:, 0] |= degree == 0
        assert torch.equal((pairs == -1).all(dim=2), absent)
        i, j = pairs[~absent].unbind(dim=1)
        assert (i < j).all()
        torch.testing.assert_close(lengths[i, j], bars[~absent], rtol=1e-12, atol=0)


@pytest.mark.parametrize("metric", [0.5, math.nan, -1, True, "cos", "minkowski", None])
def test_other_metrics_are_refused(metric):
    with pytest.raises(ValueError, match=r"metric is one of manhattan, .* or the order p >= 1"):
        rips_diagrams(torch.zeros(3, 2), metric=metric)


def test_the_origin_has_no_cosine_distance():
    with pytest.raises(ValueError, match="point 1 is the origin"):
        rips_diagrams(torch.tensor([[1.0], [0.0]]), metric="cosine")


@pytest.mark.parametrize("limit", [-1, math.nan, None, "1"])
def test_a_limit_is_not_negative(limit):
    with pytest.raises(ValueError, match="max_edge_length must be >= 0, got"):
        rips_diagrams(torch.zeros(3, 2), max_edge_length=limit)


@pytest.mark.parametrize("metric", METRICS)
def test_what_is_not_finite_is_refused_in_every_metric(metric):
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="NaN or infinite"):
            rips_diagrams(torch.tensor([[1.0, 2.0], [bad, 1.0]]), metric=metric)
    if metric != "cosine":
        with pytest.raises(ValueError, match="overflow"):
            rips_diagrams(torch.tensor([[3e38, 0], [-3e38, 0]]), metric=metric)


@given(
    several=st.lists(clouds(scales=(1.0,)), max_size=3),
    degrees=st.sampled_from([0, 1, (0, 1), (1, 0)]),
    metric=st.sampled_from(["euclidean", "manhattan", 3]),
    limit=st.sampled_from([math.inf, 2.0, 0.5]),
    essential=st.booleans(),
)
def test_the_module_is_both_functions(several, degrees, metric, limit, essential):
    options = {"metric": metric, "max_edge_length": limit, "essential": essential}
    layer = RipsDiagrams(degrees, **options)
    expected = [rips_diagrams(cloud, degrees, **options) for cloud in several]
    for found in (layer(several), [layer(cloud) for cloud in several]):
        for diagrams, others in zip(found, expected, strict=True):
            assert len(diagrams) == len(others)
            assert all(map(torch.equal, diagrams, others))


def test_the_module_shows_and_checks_its_options():
    layer = RipsDiagrams(1, metric="manhattan", max_edge_length=2.0, essential=True)
    clouds = normal(0, 3, 8, 2)
    assert len(layer(clouds)) == 3
    assert "degrees=(1,), metric='manhattan', max_edge_length=2.0, essential=True" in repr(layer)
    with pytest.raises(ValueError, match="metric is one of"):
        RipsDiagrams(metric="cos")
