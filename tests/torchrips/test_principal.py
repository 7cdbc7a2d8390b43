import itertools
import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import SEEDS, at_most, clouds, generic_clouds, normal, slow_rips, smallest_gap

from torchrips.principal import PrincipalPersistence, principal_bars


@pytest.mark.parametrize("degree", [0, 1, 2])
@given(seed=SEEDS, dimension=st.integers(1, 3), ties=st.booleans())
def test_a_smallest_cloud_has_the_bar_of_its_rips_filtration(degree, seed, dimension, ties):
    points = normal(seed, 2 * degree + 2, dimension)
    points = points.round() if ties else points
    bars = slow_rips(torch.cdist(points, points), degree)
    (found,) = principal_bars(points[None])
    assert len(bars) == int(found[1] > found[0])
    if len(bars):
        torch.testing.assert_close(found, torch.from_numpy(bars)[0])


def slow_measure(points, degree, subsets):
    """Bars by gudhi, of subsets that are drawn as documented."""
    draws = torch.rand(subsets, len(points), generator=torch.Generator().manual_seed(0))
    for chosen in draws.argsort(dim=1)[:, : 2 * degree + 2]:
        part = points[chosen]
        yield from slow_rips(torch.cdist(part, part), degree).tolist()


def slow_product(bars, others, sigma):
    return sum(
        (d - b) * (e - c) * math.exp(-((b - c) ** 2 + (d - e) ** 2) / (2 * sigma**2))
        for (b, d), (c, e) in itertools.product(bars, others)
    )


@pytest.mark.parametrize("degree", [0, 1])
@at_most(20)
@given(points=generic_clouds(min_size=4), reference=generic_clouds(min_size=4))
def test_value_is_the_definition(degree, points, reference):
    bars, others = (list(slow_measure(x, degree, 5)) for x in (points, reference))
    expected = slow_product(bars, bars, 0.8) + slow_product(others, others, 0.8)
    expected = (expected - 2 * slow_product(bars, others, 0.8)) / 25
    value = PrincipalPersistence(degree, subsets=5, sigma=0.8)(points, reference)
    assert value.item() == pytest.approx(expected, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("degree", [0, 1])
@at_most(15)
@given(points=generic_clouds(min_size=4, max_size=6, dimensions=(2, 3)), reference=generic_clouds(min_size=4))
def test_gradient_agrees_with_finite_differences(degree, points, reference):
    assume(smallest_gap(points) > 1e-4)
    loss = PrincipalPersistence(degree, subsets=5, sigma=0.8)
    torch.autograd.gradcheck(lambda x: loss(x, reference), points.requires_grad_(), atol=1e-4)


@given(points=clouds(scales=(1.0,)), degree=st.integers(0, 2))
def test_any_cloud_has_a_finite_gradient(points, degree):
    loss = PrincipalPersistence(degree, subsets=3, sigma=1.0)
    value = loss(points.requires_grad_(), torch.eye(6, dtype=torch.float64))
    assert torch.isfinite(value)
    (gradient,) = torch.autograd.grad(value, points, allow_unused=True, materialize_grads=True)
    assert torch.isfinite(gradient).all()


def test_autocast_changes_nothing():
    loss, (points, reference) = PrincipalPersistence(0, subsets=20, sigma=0.8), normal(0, 2, 12, 3).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(points, reference)
    assert torch.equal(value, loss(points, reference))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_clouds_of_two_dtypes_are_compared_in_the_higher_one(dtype):
    loss, (points, reference) = PrincipalPersistence(0, subsets=20, sigma=0.8), normal(0, 2, 12, 3).to(dtype)
    for pair in ((points, reference), (points, reference.float()), (points.float(), reference)):
        value = loss(*pair)
        assert value.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        torch.testing.assert_close(value, loss(*(x.to(value.dtype) for x in pair)))


@pytest.mark.parametrize(
    "arguments",
    [{"degree": -1}, {"degree": 0.5}, {"subsets": 0}, {"sigma": 0.0}],
    ids=str,
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="got"):
        PrincipalPersistence(**{"degree": 1, "subsets": 3, "sigma": 1.0} | arguments)


def test_a_cloud_of_an_odd_number_of_points_is_refused():
    with pytest.raises(ValueError, match=r"2q \+ 2 points"):
        principal_bars(torch.zeros(1, 3, 2))
