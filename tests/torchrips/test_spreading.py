import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, generic_clouds, normal

from torchrips.distances import bottleneck
from torchrips.persistence import batched_rips_diagrams, pad_diagrams, rips_diagrams
from torchrips.spreading import random_subsets, spread_gradient


def field_of(points, gradient, sigma):
    start = points.clone().requires_grad_()
    spread_gradient(start, sigma).backward(gradient)
    return start.grad


def sparse_gradient(seed, points, moved):
    gradient = torch.zeros_like(points)
    gradient[:moved] = normal(seed, moved, points.shape[1])
    return gradient


@given(points=generic_clouds(), sigma=st.sampled_from([0.1, 1.0, 10.0]))
def test_the_cloud_is_not_changed(points, sigma):
    assert torch.equal(spread_gradient(points, sigma), points)


@given(points=generic_clouds(min_size=3, gap=0.05), seed=SEEDS, moved=st.integers(1, 3))
def test_where_points_moved_the_gradient_stays(points, seed, moved):
    gradient = sparse_gradient(seed, points, moved)
    field = field_of(points, gradient, sigma=0.3)
    torch.testing.assert_close(field[:moved], gradient[:moved], rtol=0, atol=2e-3)


def test_the_field_of_one_point_falls_like_the_kernel():
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]])
    field = field_of(points, torch.tensor([[2.0, -1.0], [0, 0], [0, 0]]), sigma=2.0)
    factors = torch.exp(-torch.tensor([0.0, 1.0, 9.0]) / 8)
    torch.testing.assert_close(field, factors[:, None] * torch.tensor([2.0, -1.0]), rtol=1e-5, atol=0)


@given(
    points=generic_clouds(min_size=2),
    seed=SEEDS,
    moved=st.integers(1, 2),
    sigma=st.sampled_from([0.01, 0.5, 100.0]),
)
def test_the_field_is_a_direction_of_descent(points, seed, moved, sigma):
    gradient = sparse_gradient(seed, points, moved)
    assert (field_of(points, gradient, sigma) * gradient).sum() > 0


@given(points=generic_clouds(min_size=3, max_size=5, gap=0.05), seed=SEEDS)
def test_the_field_has_the_derivatives_of_finite_differences(points, seed):
    """By points and by the gradient that arrives, as a gradient penalty asks for them."""
    weights = normal(seed, *points.shape).requires_grad_()

    def field(points, weights):
        spread = spread_gradient(points, sigma=0.3)
        return torch.autograd.grad((spread * weights).sum(), points, create_graph=True)[0]

    torch.autograd.gradcheck(field, (points.clone().requires_grad_(), weights))
    by_transform = torch.func.grad(lambda x: (spread_gradient(x, 0.3) * weights.detach()).sum())(points)
    torch.testing.assert_close(by_transform, field_of(points, weights.detach(), sigma=0.3))


@pytest.mark.parametrize("n", [0, 1, 4])
def test_no_gradient_stays_none(n):
    assert not field_of(torch.ones(n, 2), torch.zeros(n, 2), sigma=1.0).any()


def test_points_that_coincide_share_the_mean_of_their_gradients():
    field = field_of(torch.zeros(3, 2), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), sigma=1.0)
    torch.testing.assert_close(field, torch.full((3, 2), 0.5), rtol=1e-5, atol=0)


def test_a_bottleneck_step_moves_the_whole_cloud():
    points = normal(0, 30, 2).requires_grad_()
    (target,) = rips_diagrams(normal(1, 30, 2) / 4, (0,))  # smaller: what is far apart must come nearer
    moved = []
    for cloud in (points, spread_gradient(points, sigma=1.0)):
        (gradient,) = torch.autograd.grad(bottleneck(rips_diagrams(cloud, (0,))[0], target), points)
        moved.append(int(gradient.any(dim=1).sum()))
    assert moved == [2, 30]


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan")])
def test_a_width_that_is_not_positive_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma must be > 0"):
        spread_gradient(torch.zeros(3, 2), sigma)


def test_a_stack_of_clouds_is_refused():
    with pytest.raises(ValueError, match=r"one cloud of shape \(n, d\)"):
        spread_gradient(torch.zeros(2, 3, 2), sigma=1.0)


@pytest.mark.parametrize("points", [np.zeros((3, 2)), [[0.0, 1.0]], None])
def test_points_are_a_tensor(points):
    with pytest.raises(TypeError, match=r"expected a torch\.Tensor"):
        spread_gradient(points, sigma=1.0)
    with pytest.raises(TypeError, match=r"expected a torch\.Tensor"):
        random_subsets(points, 1, 1, torch.Generator())


def test_a_default_device_changes_nothing():
    points = normal(0, 9, 2).requires_grad_()
    found = []
    for device in ("cpu", "meta"):
        with torch.device(device):
            subsets = random_subsets(points, 5, 3, torch.Generator("cpu").manual_seed(0))
            batch = batched_rips_diagrams(spread_gradient(points, 0.5)[None])
            bars, mask = pad_diagrams([diagram for diagrams in batch for diagram in diagrams])
            loss = bars[mask].square().sum() + sum(d.sum() for d in rips_diagrams(subsets[0]))
            found.append((subsets, loss, *torch.autograd.grad(loss, points)))
    for value, other in zip(*found, strict=True):
        assert torch.equal(value, other)


@given(seed=SEEDS, n=st.integers(1, 9), count=st.integers(1, 4), data=st.data())
def test_subsets_are_distinct_points_of_the_cloud(seed, n, count, data):
    size = data.draw(st.integers(1, n))
    points = torch.arange(n, dtype=torch.float64)[:, None].requires_grad_()
    subsets = random_subsets(points, size, count, torch.Generator().manual_seed(seed))
    assert subsets.shape == (count, size, 1)
    for subset in subsets.detach():
        assert len(set(subset.flatten().tolist())) == size
    again = random_subsets(points, size, count, torch.Generator().manual_seed(seed))
    assert torch.equal(subsets, again)
    torch.set_default_dtype(torch.float64)
    try:
        again = random_subsets(points, size, count, torch.Generator().manual_seed(seed))
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(subsets, again)
    subsets.sum().backward()
    counts = np.bincount(subsets.detach().flatten().long().numpy(), minlength=n)
    np.testing.assert_array_equal(points.grad.flatten(), counts)


def test_every_point_is_in_some_subset():
    points = torch.arange(20.0)[:, None]
    subsets = random_subsets(points, 5, 200, torch.Generator().manual_seed(0))
    counts = np.bincount(subsets.flatten().long().numpy(), minlength=20)
    assert counts.min() > 25  # 50 expected
    assert counts.max() < 80


def test_the_mean_over_subsets_moves_more_points():
    points = normal(0, 60, 2).requires_grad_()
    (target,) = rips_diagrams(normal(1, 20, 2) / 4, (0,))
    batch = batched_rips_diagrams(random_subsets(points, 20, 10, torch.Generator().manual_seed(0)), (0,))
    torch.stack([bottleneck(deaths, target) for (deaths,) in batch]).mean().backward()
    assert points.grad.any(dim=1).sum() > 6


@pytest.mark.parametrize(("size", "count"), [(0, 1), (4, 1), (2, 0)])
def test_subsets_out_of_range_are_refused(size, count):
    with pytest.raises(ValueError, match="got size"):
        random_subsets(torch.zeros(3, 2), size, count, torch.Generator())
