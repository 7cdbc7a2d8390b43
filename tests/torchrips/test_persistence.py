from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    SEEDS,
    circles,
    clouds,
    collinear_clouds,
    equal_clouds,
    generic_clouds,
    grid_clouds,
    normal,
    octahedra,
    ordered,
    slow_bottleneck,
    slow_rips,
    smallest_gap,
    synthetic_images,
)

from torchrips import persistence
from torchrips.distances import bottleneck
from torchrips.persistence import batched_rips_diagrams, pad_diagrams, rips_diagrams

DEGREES = (0, 1, 2)


def all_distances(cloud):
    return (cloud[:, None] - cloud[None, :]).norm(dim=2)


def diameter(cloud):
    return float(all_distances(cloud).max()) if len(cloud) else 0.0


def squared_lifetimes(diagrams):
    return sum((diagram[:, 1] - diagram[:, 0]).square().sum() for diagram in diagrams)


@given(cloud=clouds(), degrees=st.permutations(DEGREES))
def test_diagrams_of_distances_are_those_of_the_simplex_tree(cloud, degrees):
    distances = all_distances(cloud)
    for degree, diagram in zip(degrees, rips_diagrams(distances, degrees, metric="precomputed"), strict=True):
        np.testing.assert_array_equal(ordered(diagram), slow_rips(distances, degree))


@given(seed=SEEDS, n=st.integers(2, 10), levels=st.sampled_from([3, 10**6]))
def test_diagrams_of_distances_need_no_triangle_inequality(seed, n, levels):
    upper = np.triu(np.random.default_rng(seed).integers(0, levels, (n, n)), 1)
    distances = torch.from_numpy((upper + upper.T).astype(float))
    for degree, diagram in enumerate(rips_diagrams(distances, DEGREES, metric="precomputed")):
        np.testing.assert_array_equal(ordered(diagram), slow_rips(distances, degree))


def test_coefficients_are_those_of_two_elements():
    """The projective plane has a loop and a void with coefficients in Z/2, and with no other field."""
    triangles = ["abe", "abf", "acd", "acf", "ade", "bcd", "bce", "bdf", "cef", "def"]
    faces = sorted({"".join(face) for t in triangles for k in (1, 2, 3) for face in combinations(t, k)})
    nested = [[set(x) <= set(y) or set(y) <= set(x) for y in faces] for x in faces]  # barycentric subdivision
    distances = 2.0 - torch.tensor(nested).double() - torch.eye(len(faces))
    _, loops, voids = rips_diagrams(distances, DEGREES, metric="precomputed")
    assert loops.tolist() == voids.tolist() == [[1, 2]]


@given(cloud=clouds())
def test_diagrams_of_points_are_those_of_the_simplex_tree(cloud):
    for degree, diagram in enumerate(rips_diagrams(cloud, DEGREES)):
        slow = slow_rips(all_distances(cloud), degree)
        assert slow_bottleneck(diagram, slow) <= 1e-14 * diameter(cloud)


@given(cloud=st.one_of(generic_clouds(gap=1e-9), grid_clouds()))
def test_diagrams_of_points_have_the_same_number_of_bars_as_the_simplex_tree(cloud):
    for degree, diagram in enumerate(rips_diagrams(cloud, DEGREES)):
        slow = slow_rips(all_distances(cloud), degree)
        np.testing.assert_allclose(ordered(diagram), slow, rtol=1e-14)


@pytest.mark.parametrize("spread", [1.0, 1e-3], ids=["images", "nearly equal images"])
def test_diagrams_of_image_clouds_are_those_of_the_simplex_tree(spread):
    images = torch.from_numpy(synthetic_images(36)).flatten(1) / 255
    cloud = (0.5 + spread * (images - 0.5)).float()
    exact = all_distances(cloud.double())
    for degree, diagram in enumerate(rips_diagrams(cloud, DEGREES)):
        slow = slow_rips(exact, degree)
        assert degree == 2 or len(slow) > 0
        assert diagram.dtype == torch.float32
        np.testing.assert_allclose(ordered(diagram), slow, rtol=2e-7)


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("entry", ["points", "distances"])
@given(data=st.data())
def test_gradient_agrees_with_finite_differences(entry, degree, data):
    cloud = data.draw([generic_clouds(min_size=2, max_size=8), circles(), octahedra()][degree])
    distances = torch.pdist(cloud)
    assume(smallest_gap(cloud) > 1e-5)  # no derivative at a tie
    if degree > 0:
        assert len(rips_diagrams(cloud, (degree,))[0]) > 0
    i, j = torch.triu_indices(len(cloud), len(cloud), 1)

    def of_points(points):
        return squared_lifetimes(rips_diagrams(points, (degree,)))

    def of_edges(lengths):  # a matrix stays symmetric when an edge is perturbed
        matrix = lengths.new_zeros(len(cloud), len(cloud)).index_put((i, j), lengths)
        return squared_lifetimes(rips_diagrams(matrix + matrix.T, (degree,), metric="precomputed"))

    function, start = (of_points, cloud) if entry == "points" else (of_edges, distances)
    torch.autograd.gradcheck(function, start.clone().requires_grad_())


@given(cloud=clouds(scales=(1.0,)))
def test_both_entries_of_a_distance_share_its_gradient(cloud):
    distances = all_distances(cloud).requires_grad_()
    squared_lifetimes(rips_diagrams(distances, metric="precomputed")).backward()
    np.testing.assert_array_equal(distances.grad, distances.grad.T)


@given(cloud=clouds(), seed=SEEDS)
def test_order_of_the_points_does_not_matter(cloud, seed):
    shuffled = cloud[torch.from_numpy(np.random.default_rng(seed).permutation(len(cloud)))]
    for diagram, other in zip(rips_diagrams(cloud, DEGREES), rips_diagrams(shuffled, DEGREES), strict=True):
        assert slow_bottleneck(diagram, other) <= 1e-14 * diameter(cloud)


@given(cloud=clouds(scales=(1.0,)), seed=SEEDS)
def test_isometries_do_not_matter(cloud, seed):
    d = cloud.shape[1]
    moved = cloud @ torch.linalg.qr(normal(seed, d, d)).Q + normal(seed, 1, d)
    for diagram, other in zip(rips_diagrams(cloud, DEGREES), rips_diagrams(moved, DEGREES), strict=True):
        assert slow_bottleneck(diagram, other) <= 1e-13 * (1 + diameter(cloud))


@given(cloud=clouds(), exponent=st.integers(-40, 40))
def test_scaling_the_cloud_scales_the_diagrams(cloud, exponent):
    factor = 2.0**exponent  # exact in floating point
    for diagram, other in zip(rips_diagrams(cloud), rips_diagrams(factor * cloud), strict=True):
        np.testing.assert_array_equal(factor * diagram, other)


@given(cloud=clouds(scales=(1.0,)), seed=SEEDS, size=st.sampled_from([1e-6, 0.01, 0.3, 3.0]))
def test_stability(cloud, seed, size):
    displacement = size * normal(seed, *cloud.shape)
    moved = cloud + displacement
    bound = 2 * displacement.norm(dim=1).amax() if len(cloud) else 0.0  # at most 2 ||P - P'||
    for diagram, other in zip(rips_diagrams(cloud, DEGREES), rips_diagrams(moved, DEGREES), strict=True):
        assert bottleneck(diagram, other) <= bound + 1e-12


@given(
    cloud=st.one_of(generic_clouds(min_size=2, gap=1e-4), circles()),
    offset=st.sampled_from([0.0, 100.0]),
    scale=st.sampled_from([1.0, 2.0**-80, 2.0**80]),
)
def test_float32_agrees_with_float64(cloud, offset, scale):
    single = ((cloud + offset) * scale).float().requires_grad_()
    double = single.detach().double().requires_grad_()
    diagrams = rips_diagrams(single), rips_diagrams(double)
    for diagram, exact in zip(*diagrams, strict=True):
        assert slow_bottleneck(diagram.detach(), exact.detach()) <= 1e-7 * diameter(double.detach())
    for result in diagrams:
        sum((bars[:, 1] - 2 * bars[:, 0]).sum() for bars in result).backward()
    if offset == 0 and scale == 1:
        torch.testing.assert_close(single.grad.double(), double.grad, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(cloud=clouds(scales=(1.0, 1e-12, 1e12)))
def test_gradient_is_at_most_one_per_edge_end(dtype, cloud):
    """The length of an edge has slope 1: no cloud, however degenerate, has a large gradient."""
    cloud = cloud.to(dtype).requires_grad_()
    diagram, _ = rips_diagrams(cloud)
    diagram[:, 1].sum().backward()
    assert torch.isfinite(diagram).all()
    assert (cloud.grad.norm(dim=1) <= len(diagram) * (1 + 1e-4)).all()


@pytest.mark.parametrize("gap", [1e-12, 1e-20])
def test_two_nearly_equal_points_do_not_spoil_the_gradient(gap):
    cloud = normal(0, 8, 784).float()
    cloud[:2] = 0
    cloud[1, 0] = gap  # all other points are joined to point 0, point 1 as well
    cloud.requires_grad_()
    rips_diagrams(cloud)[0][:, 1].sum().backward()
    plain = cloud.detach().double().requires_grad_()
    (plain[1:] - plain[0]).norm(dim=1).sum().backward()
    torch.testing.assert_close(cloud.grad, plain.grad.float(), rtol=0, atol=1e-5)


@given(cloud=st.one_of(equal_clouds(), collinear_clouds(), generic_clouds(max_size=2)))
def test_clouds_without_a_loop_have_no_bar_of_degree_one(cloud):
    cloud.requires_grad_()
    deaths, loops = rips_diagrams(cloud)
    (squared_lifetimes([deaths, loops]) + deaths.sum()).backward()
    lifetimes = (loops[:, 1] - loops[:, 0]).detach()  # collinear up to rounding
    assert (lifetimes <= 1e-14 * diameter(cloud.detach())).all()
    assert torch.isfinite(deaths).all()
    assert torch.isfinite(cloud.grad).all()


@pytest.mark.parametrize("n", [0, 1])
def test_less_than_two_points_have_empty_diagrams_and_gradient_zero(n):
    cloud = torch.ones(n, 3, requires_grad=True)
    distances = torch.zeros(n, n, requires_grad=True)
    for start, result in [
        (cloud, rips_diagrams(cloud, DEGREES)),
        (distances, rips_diagrams(distances, DEGREES, metric="precomputed")),
    ]:
        assert [tuple(diagram.shape) for diagram in result] == [(0, 2)] * 3
        squared_lifetimes(result).backward()
        assert not start.grad.any()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_what_is_not_finite_is_refused(metric, bad):
    matrix = all_distances(normal(0, 5, 2))
    matrix[2, 3] = matrix[3, 2] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        rips_diagrams(matrix, metric=metric)


@pytest.mark.parametrize(("largest", "dtype"), [(3e38, torch.float32), (60_000, torch.float16)])
def test_distances_that_overflow_are_refused(largest, dtype):
    with pytest.raises(ValueError, match="overflow"):
        rips_diagrams(torch.tensor([[largest], [-largest]], dtype=dtype))


def test_too_many_points_are_refused(monkeypatch):
    monkeypatch.setattr(persistence, "MOST_POINTS", 4)
    with pytest.raises(ValueError, match="at most 4 points"):
        rips_diagrams(torch.zeros(5, 2))


def test_points_without_coordinates_are_equal():
    cloud = torch.zeros(4, 0, requires_grad=True)
    deaths, loops = rips_diagrams(cloud)
    assert deaths.shape == loops.shape == (0, 2)
    (deaths.sum() + loops.sum()).backward()
    assert cloud.grad.shape == (4, 0)


def test_diagrams_may_be_changed_in_place():
    cloud = normal(0, 12, 2).requires_grad_()
    expected = torch.autograd.grad(2 * rips_diagrams(cloud)[0].sum(), cloud)[0]
    deaths = rips_diagrams(cloud)[0]
    deaths *= 2
    gradient = torch.autograd.grad(deaths.sum(), cloud, retain_graph=True)[0]
    torch.testing.assert_close(gradient, expected)
    deaths.detach().numpy()[:] = 0  # what backward needs is kept elsewhere
    assert torch.equal(torch.autograd.grad(deaths.sum(), cloud)[0], gradient)


def test_strides_do_not_matter():
    cloud = normal(0, 30, 6)[:, ::2]
    assert not cloud.is_contiguous()
    for diagram, other in zip(rips_diagrams(cloud), rips_diagrams(cloud.contiguous()), strict=True):
        assert torch.equal(diagram, other)


def test_a_stack_of_images_is_refused_with_advice():
    with pytest.raises(ValueError, match=r"a batch of b vectors or images is ONE cloud"):
        rips_diagrams(torch.zeros(8, 28, 28))


@pytest.mark.parametrize(
    "matrix",
    [
        torch.zeros(2, 3),
        torch.tensor([[0.0, 1.0], [2.0, 0.0]]),
        torch.tensor([[0.0, 1e-9], [5e-9, 0.0]]),
        torch.tensor([[0.0, -1.0], [-1.0, 0.0]]),
        torch.tensor([[1.0, 2.0], [2.0, 1.0]]),
    ],
    ids=["not square", "not symmetric", "not symmetric, tiny", "negative", "diagonal"],
)
def test_what_is_no_matrix_of_distances_is_refused(matrix):
    with pytest.raises(ValueError, match="matrix"):
        rips_diagrams(matrix, metric="precomputed")


def test_negative_degrees_are_refused():
    with pytest.raises(ValueError, match="degrees >= 0"):
        rips_diagrams(torch.zeros(3, 2), (0, -1))


def test_degrees_are_wanted():
    with pytest.raises(ValueError, match="one or more homology degrees"):
        rips_diagrams(torch.zeros(3, 2), ())


def test_whole_numbers_are_refused():
    with pytest.raises(ValueError, match=r"floating-point numbers, got torch\.int64"):
        rips_diagrams(torch.zeros(3, 2, dtype=torch.int64))


def test_other_metrics_are_refused():
    with pytest.raises(ValueError, match="euclidean or precomputed, got 'cosine'"):
        rips_diagrams(torch.zeros(3, 2), metric="cosine")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_half_precision_has_the_diagrams_of_its_points_rounded(dtype, metric):
    angles = torch.tensor([0.1, 1.0, 1.8, 2.9, 4.2, 5.1])  # no two distances are near in half precision
    cloud = torch.stack([2 * angles.cos(), 3 * angles.sin()], dim=1).to(dtype)
    points = (cloud if metric == "euclidean" else all_distances(cloud.float()).to(dtype)).requires_grad_()
    exact = points.detach().double().requires_grad_()
    for diagram, other in zip(
        rips_diagrams(points, metric=metric), rips_diagrams(exact, metric=metric), strict=True
    ):
        assert len(other) > 0
        torch.testing.assert_close(diagram.double(), other, rtol=torch.finfo(dtype).eps, atol=0)
        diagram.sum().backward(retain_graph=True)
        other.sum().backward(retain_graph=True)
    assert points.grad.dtype == dtype
    torch.testing.assert_close(points.grad.double(), exact.grad, rtol=0, atol=8 * torch.finfo(dtype).eps)


# Batches of clouds.


@pytest.mark.parametrize("threads", [1, 2, 5, None])
@given(several=st.lists(clouds(scales=(1.0,)), max_size=6))
def test_a_batch_is_its_clouds_whatever_the_threads(threads, several):
    ours = [cloud.clone().requires_grad_() for cloud in several]
    theirs = [cloud.clone().requires_grad_() for cloud in several]
    batch = batched_rips_diagrams(ours, DEGREES, threads=threads)
    assert len(batch) == len(several)
    for diagrams, cloud in zip(batch, theirs, strict=True):
        for diagram, other in zip(diagrams, rips_diagrams(cloud, DEGREES), strict=True):
            assert torch.equal(diagram, other)
            diagram.square().sum().backward(retain_graph=True)
            other.square().sum().backward(retain_graph=True)
    for cloud, other in zip(ours, theirs, strict=True):
        assert torch.equal(cloud.grad, other.grad)


def test_a_batch_may_be_one_tensor():
    clouds = normal(0, 5, 9, 2).requires_grad_()
    batch = batched_rips_diagrams(clouds)
    for diagrams, cloud in zip(batch, clouds, strict=True):
        assert all(map(torch.equal, diagrams, rips_diagrams(cloud)))
    squared_lifetimes([diagram for diagrams in batch for diagram in diagrams]).backward()
    assert (clouds.grad.norm(dim=2).sum(dim=1) > 0).all()
    distances = torch.cdist(clouds, clouds).detach()
    for diagrams, cloud in zip(batched_rips_diagrams(distances, metric="precomputed"), clouds, strict=True):
        torch.testing.assert_close(list(diagrams), list(rips_diagrams(cloud)))


def test_a_padded_batch_holds_every_bar():
    clouds = [normal(seed, 4 + 3 * seed, 2) for seed in range(4)]
    diagrams = [diagram for (diagram,) in batched_rips_diagrams(clouds, (1,))]
    assert len({len(diagram) for diagram in diagrams}) > 1
    bars, mask = pad_diagrams(diagrams)
    assert bars.shape == (4, max(map(len, diagrams)), 2)
    for row, present, diagram in zip(bars, mask, diagrams, strict=True):
        assert torch.equal(row[present], diagram)
        assert not row[~present].any()


def test_one_cloud_is_no_batch():
    with pytest.raises(ValueError, match=r"a batch of b vectors is ONE cloud"):
        batched_rips_diagrams(torch.zeros(8, 784))


def test_a_number_of_threads_is_positive():
    with pytest.raises(ValueError, match="threads >= 1"):
        batched_rips_diagrams(torch.zeros(2, 3, 2), threads=0)


def test_nothing_cannot_be_padded():
    with pytest.raises(ValueError, match="at least one diagram"):
        pad_diagrams([])


def test_a_single_point_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        rips_diagrams(torch.tensor([[1.0, float("nan")]]))
