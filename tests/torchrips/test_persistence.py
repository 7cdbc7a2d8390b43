import math
import signal
import sys
import threading
import time
import warnings
from itertools import combinations

import numpy as np
import pytest
import strategies
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    SEEDS,
    at_most,
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
from torch.autograd.forward_ad import dual_level, make_dual, unpack_dual

from torchrips import engine, persistence
from torchrips.distances import bottleneck
from torchrips.persistence import batched_rips_diagrams, pad_diagrams, rips_diagrams

DEGREES = (0, 1, 2)
TWICE = [
    lambda f, outer=outer, inner=inner: outer(inner(f))
    for outer in (torch.func.jacrev, torch.func.jacfwd)
    for inner in (torch.func.jacrev, torch.func.jacfwd)
]


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
@at_most(12)
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


# Derivatives of higher order, and by transforms.


def losses(diagrams):
    return sum((d[:, 1] - d[:, 0]).square().sum() + d.pow(3).sum() for d in diagrams)


def triangle_of_push():
    return torch.tensor([[0.0, 0.0], [3.0, 4.0], [4.0, 4.0]], dtype=torch.float64)


def push(points):
    return -rips_diagrams(points, 0)[0][:, 1].sum()


@pytest.mark.parametrize(("power", "entry", "norm"), [(1, 1.0720, 57.4670), (2, 14.144, 632.0434)])
def test_second_derivatives_are_right_on_every_way_through_the_graph(power, entry, norm):
    cloud = triangle_of_push()

    def loss(points):
        return push(points) ** power

    hessian = torch.autograd.functional.hessian(loss, cloud)
    assert hessian.abs().max().item() == pytest.approx(entry, rel=1e-4)
    for transform in (torch.func.hessian, *TWICE):
        torch.testing.assert_close(transform(loss)(cloud), hessian)

    by_grad = cloud.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(by_grad) + by_grad.square().sum(), by_grad, create_graph=True)
    (penalty,) = torch.autograd.grad(gradient.square().sum(), by_grad)
    assert penalty.norm().item() == pytest.approx(norm, rel=1e-6)

    by_backward = cloud.clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a cycle that create_graph makes
        (loss(by_backward) + by_backward.square().sum()).backward(create_graph=True)
    gradient, by_backward.grad = by_backward.grad, None
    gradient.square().sum().backward()
    torch.testing.assert_close(by_backward.grad, penalty)


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("entry", ["points", "distances"])
@at_most(8)
@given(data=st.data())
def test_second_derivatives_agree_with_finite_differences(entry, degree, data):
    cloud = data.draw([generic_clouds(min_size=2, max_size=6), circles(points=6), octahedra()][degree])
    assume(smallest_gap(cloud) > 1e-5)
    i, j = torch.triu_indices(len(cloud), len(cloud), 1)

    def of_points(points):
        return losses(rips_diagrams(points, degree))

    def of_edges(lengths):
        matrix = lengths.new_zeros(len(cloud), len(cloud)).index_put((i, j), lengths)
        return losses(rips_diagrams(matrix + matrix.T, degree, metric="precomputed"))

    function, start = (of_points, cloud) if entry == "points" else (of_edges, torch.pdist(cloud))
    torch.autograd.gradgradcheck(function, start.clone().requires_grad_())


def test_derivatives_of_a_batch_are_those_of_its_clouds():
    clouds = normal(0, 2, 8, 2)

    def of_batch(batch):
        return sum(losses(diagrams) for diagrams in batched_rips_diagrams(batch, threads=2))

    hessians = torch.autograd.functional.hessian(of_batch, clouds)
    torch.testing.assert_close(torch.func.hessian(of_batch)(clouds), hessians)
    for k, cloud in enumerate(clouds):
        single = torch.autograd.functional.hessian(lambda points: losses(rips_diagrams(points)), cloud)
        torch.testing.assert_close(hessians[k, :, :, k], single)
    assert not hessians[0, :, :, 1].any()


@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_transforms_agree_with_backward(metric):
    points = normal(0, 9, 2) if metric == "euclidean" else all_distances(normal(0, 9, 2))

    def diagrams(x):
        return torch.cat(rips_diagrams(x, metric=metric))

    jacobian = torch.autograd.functional.jacobian(diagrams, points)
    motion = torch.ones_like(points).triu(1)
    motion = motion if metric == "euclidean" else motion + motion.T
    for transform in (torch.func.jacrev, torch.func.jacfwd):
        torch.testing.assert_close(transform(diagrams)(points), jacobian)
    for strategy in ("reverse-mode", "forward-mode"):
        vectorized = torch.autograd.functional.jacobian(diagrams, points, vectorize=True, strategy=strategy)
        torch.testing.assert_close(vectorized, jacobian)
    values, speeds = torch.func.jvp(diagrams, (points,), (motion,))
    assert torch.equal(values, diagrams(points))
    torch.testing.assert_close(speeds, (jacobian * motion).sum(dim=(2, 3)))
    with dual_level():
        dual = unpack_dual(diagrams(make_dual(points, motion)))
        torch.testing.assert_close(dual.tangent, speeds)
    gradient = torch.func.grad(lambda x: losses(rips_diagrams(x, metric=metric)))(points)
    leaf = points.clone().requires_grad_()
    torch.testing.assert_close(
        gradient, torch.autograd.grad(losses(rips_diagrams(leaf, metric=metric)), leaf)[0]
    )


def test_a_transform_of_something_else_lets_the_cloud_be():
    cloud = normal(0, 9, 2)
    gradient = torch.func.grad(lambda scale: (scale * rips_diagrams(cloud)[0]).sum())(
        torch.tensor(2.0).double()
    )
    assert gradient == rips_diagrams(cloud)[0].sum()


@pytest.mark.parametrize("function", [rips_diagrams, lambda cloud: batched_rips_diagrams([cloud])[0]])
def test_mapping_over_clouds_is_refused_with_advice(function):
    with pytest.raises(RuntimeError, match=r"vmap cannot map over clouds.* batched_rips_diagrams takes"):
        torch.func.vmap(lambda cloud: function(cloud)[0])(normal(0, 3, 5, 2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_gradient_that_is_differentiated_has_the_same_bits(dtype):
    cloud = normal(0, 40, 5).to(dtype).requires_grad_()
    plain, followed = (
        torch.autograd.grad(losses(rips_diagrams(cloud)), cloud, create_graph=create)[0]
        for create in (False, True)
    )
    assert torch.equal(plain, followed)
    assert followed.requires_grad


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_second_derivatives_neither_overflow_nor_vanish(scale):
    """Those of a length fall like the inverse of the scale; duplicate points have none."""
    cloud = torch.cat([scale * normal(0, 7, 3).float(), torch.zeros(2, 3)])
    v = normal(1, 9, 3)
    product = [
        torch.autograd.functional.hvp(lambda x: sum(d.sum() for d in rips_diagrams(x)), x, v.to(x))[1]
        for x in (cloud, cloud.double())
    ]
    torch.testing.assert_close(product[0].double() * scale, product[1] * scale, rtol=1e-4, atol=1e-4)


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
def test_points_that_are_not_finite_are_refused(bad):
    cloud = normal(0, 5, 2)
    cloud[2, 1] = bad
    with pytest.raises(ValueError, match=r"NaN or infinite coordinates, first at point 2"):
        rips_diagrams(cloud)
    with pytest.raises(ValueError, match=r"cloud 2 of the batch: .* NaN or infinite"):
        batched_rips_diagrams([normal(0, 5, 2), normal(0, 1, 2), cloud])


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
    ("rows", "fault"),
    [
        ([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]], "square matrix"),
        ([[0.0, 1.0], [2.0, 0.0]], r"entry \(0, 1\), 1, differs from its mirror image"),
        ([[0.0, 1e-9], [5e-9, 0.0]], "mirror image"),
        ([[0.0, math.inf], [1.0, 0.0]], "mirror image"),
        ([[0.0, -1.0], [-1.0, 0.0]], r"entry \(0, 1\), -1, is negative"),
        ([[0.0, -math.inf], [-math.inf, 0.0]], "is negative"),
        ([[0.0, 2.0], [2.0, 1.0]], r"entry \(1, 1\), 1, stands on the diagonal"),
        ([[0.0, 2.0], [2.0, math.inf]], "on the diagonal"),
        ([[0.0, math.nan], [math.nan, 0.0]], r"entry \(0, 1\), nan, is NaN"),
        ([[math.nan]], "is NaN"),
    ],
)
def test_a_matrix_that_is_not_one_of_distances_is_refused(rows, fault):
    with pytest.raises(ValueError, match=fault):
        rips_diagrams(torch.tensor(rows), metric="precomputed")


def test_a_matrix_of_distances_that_is_taken_for_a_cloud_is_noticed():
    """It is a legal cloud, whose diagrams are wrong ones if the metric was forgotten."""
    points = normal(3, 60, 2).float()
    matrix = torch.cdist(points, points)  # wrong by rounding, its diagonal as well
    with pytest.warns(UserWarning, match="could be a matrix of distances"):
        rips_diagrams(matrix)
    with pytest.warns(UserWarning, match="could be a matrix of distances"):
        batched_rips_diagrams([points, matrix], metric="manhattan")
    rips_diagrams(matrix, metric="precomputed")
    rips_diagrams(torch.zeros(4, 4))
    rips_diagrams(torch.ones(4, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(seed=SEEDS)
def test_distances_may_be_wrong_by_rounding(dtype, seed):
    """As angles and cosines come: diagonals of 1e-4, entries below 0, halves that differ in the last bit."""
    vectors = torch.nn.functional.normalize(normal(seed, 9, 3), dim=1)
    vectors[4] = vectors[3]
    for distance in (lambda s: 1 - s, lambda s: s.clamp(-1, 1).arccos()):
        exact = distance(vectors @ vectors.T)
        exact[range(9), range(9)] = 0
        exact[3, 4] = exact[4, 3] = 0
        rounded = distance(vectors.to(dtype) @ vectors.T.to(dtype))
        for diagram, other in zip(
            rips_diagrams(rounded, metric="precomputed"),
            rips_diagrams(exact, metric="precomputed"),
            strict=True,
        ):
            tolerance = 4 * torch.finfo(dtype).eps ** 0.5
            assert slow_bottleneck(diagram, other) <= tolerance


@pytest.mark.parametrize("epsilons", [1, 8, 15])
def test_entries_below_zero_by_rounding_are_zero_without_a_gradient(epsilons):
    low = -epsilons * torch.finfo(torch.float64).eps
    matrix = torch.tensor([[1e-9, low, 1.0], [low, -1e-9, 1.0], [1.0, 1.0, 0.0]], dtype=torch.float64)
    matrix.requires_grad_()
    (deaths,) = rips_diagrams(matrix, 0, metric="precomputed")
    assert deaths.tolist() == [[0, 1]]
    deaths.sum().backward()
    assert matrix.grad.tolist() == [[0, 0, 0.5], [0, 0, 0], [0.5, 0, 0]]


def test_a_loop_that_is_born_at_distance_zero_has_no_gradient_there():
    """On every version of torch, whose clamp may have one at its bound."""
    ring = torch.tensor([[0.0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]], requires_grad=True)
    (loop,) = rips_diagrams(ring, 1, metric="precomputed")
    assert loop.tolist() == [[0, 1]]
    loop.sum().backward()
    assert ring.grad.tolist() == [[0, 0, 0.5, 0], [0] * 4, [0.5, 0, 0, 0], [0] * 4]


@given(cloud=clouds(scales=(1.0,)))
def test_constant_births_leave_the_diagonal_without_a_gradient(cloud):
    matrix = all_distances(cloud).requires_grad_()
    sum((diagram * 3).sum() for diagram in rips_diagrams(matrix, DEGREES, metric="precomputed")).backward()
    assert not matrix.grad.diagonal().any()


@given(cloud=clouds(scales=(1.0,)), seed=SEEDS, share=st.sampled_from([0.2, 0.6, 1.0]))
def test_infinite_distances_are_edges_that_are_not_there(cloud, seed, share):
    missing = torch.from_numpy(np.random.default_rng(seed).random((len(cloud), len(cloud))) < share).triu(1)
    matrix = all_distances(cloud).masked_fill(missing | missing.T, math.inf)
    for degree, diagram in enumerate(rips_diagrams(matrix, DEGREES, metric="precomputed")):
        np.testing.assert_array_equal(ordered(diagram), slow_rips(matrix, degree))


@pytest.mark.parametrize("degrees", [1, np.int64(1), np.arange(1, 2), torch.arange(1, 2), [1], iter([1])])
def test_degrees_are_one_whole_number_or_several(degrees):
    cloud = normal(0, 12, 2)
    (loops,) = rips_diagrams(cloud, degrees)
    assert torch.equal(loops, rips_diagrams(cloud)[1])


@pytest.mark.parametrize(
    "degrees", [(), (0, -1), -1, 1.0, (1.5,), (2.9,), (0, 1.0), True, (0, True), "01", None]
)
def test_other_degrees_are_refused(degrees):
    for function, points in (
        (rips_diagrams, torch.zeros(3, 2)),
        (batched_rips_diagrams, torch.zeros(1, 3, 2)),
    ):
        with pytest.raises(ValueError, match="one or more homology degrees >= 0, whole numbers"):
            function(points, degrees)


@pytest.mark.parametrize("points", [np.zeros((3, 2)), [[0.0, 1.0], [2.0, 3.0]], (torch.zeros(3, 2),), None])
def test_points_are_a_tensor(points):
    with pytest.raises(TypeError, match=r"expected a torch\.Tensor, got .* torch\.as_tensor makes one"):
        rips_diagrams(points)
    with pytest.raises(TypeError, match=r"cloud 1 of the batch: expected a torch\.Tensor"):
        batched_rips_diagrams([torch.zeros(3, 2), points])


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        (torch.zeros(3, 2).to_sparse(), r"dense tensor .*\.to_dense\(\)"),
        (torch.zeros(3, 2, device="meta"), "holds values, .* on meta"),
        (torch.zeros(3, 2, dtype=torch.float8_e4m3fn), "16, 32 or 64 bits"),
        (torch.zeros(3, 2, dtype=torch.complex64), r"16, 32 or 64 bits.*view_as_real"),
    ],
)
def test_tensors_without_plain_numbers_are_refused(points, fault):
    with pytest.raises(ValueError, match=fault):
        rips_diagrams(points)


def test_whole_numbers_are_refused():
    with pytest.raises(ValueError, match=r"floating-point numbers of 16, 32 or 64 bits, got torch\.int64"):
        rips_diagrams(torch.zeros(3, 2, dtype=torch.int64))


@pytest.mark.parametrize(
    ("dtype", "size", "outlier"), [(torch.float32, 1e-16, 1e30), (torch.float64, 1e-150, 1e200)]
)
def test_a_far_outlier_hides_nothing(dtype, size, outlier):
    line = torch.tensor([[0.0], [2 * size], [size], [outlier]], dtype=dtype)
    assert rips_diagrams(line, 0)[0][:2, 1].tolist() == [line[2, 0]] * 2
    square = torch.tensor([[0.0, 0.0], [size, 0.0], [size, size], [0.0, size], [outlier, 0.0]], dtype=dtype)
    (loop,) = rips_diagrams(square, 1)
    torch.testing.assert_close(loop / size, torch.tensor([[1, math.sqrt(2)]], dtype=dtype))


def test_gudhi_is_asked_for_by_degrees_that_need_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gudhi.sklearn.rips_persistence", None)
    cloud = normal(0, 8, 3)
    assert len(rips_diagrams(cloud)[0]) == 7
    with pytest.raises(ImportError, match=r"degree 2 and up needs gudhi .*torchrips\[high-degrees\]"):
        rips_diagrams(cloud, 2)


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


def test_half_precision_rounds_once():
    """A length just above the middle of two numbers, which float32 would round to that middle."""
    ends = torch.tensor([[0.0] * 4, [1.0, 2.0**-5, 2.0**-11, 2.0**-13]], dtype=torch.float16)
    assert rips_diagrams(ends, 0)[0].tolist() == [[0, 1 + 2.0**-10]]
    smallest = torch.tensor(2.0**-24, dtype=torch.float16)  # its half is no number of half precision
    matrix = smallest * torch.tensor([[0, 3], [3, 0]])
    assert rips_diagrams(matrix, 0, metric="precomputed")[0].tolist() == [[0, 3 * 2.0**-24]]


# Batches of clouds.


@pytest.mark.parametrize("threads", [1, 2, 5, None])
@at_most(20)
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


@given(diagrams=st.lists(strategies.diagrams(), min_size=1, max_size=5))
def test_a_padded_batch_holds_every_bar(diagrams):
    leaves = [diagram.requires_grad_() for diagram in diagrams]
    bars, mask = pad_diagrams(leaves)
    assert bars.shape == (len(leaves), max(map(len, leaves)), 2)
    for row, present, diagram in zip(bars, mask, leaves, strict=True):
        assert torch.equal(row[present], diagram)
        assert not row[~present].any()
    bars[mask].sum().backward()
    assert all((diagram.grad == 1).all() for diagram in leaves)


def test_one_cloud_is_no_batch():
    with pytest.raises(ValueError, match=r"a batch of b vectors is ONE cloud"):
        batched_rips_diagrams(torch.zeros(8, 784))


def test_a_number_of_threads_is_positive():
    with pytest.raises(ValueError, match="threads >= 1"):
        batched_rips_diagrams(torch.zeros(2, 3, 2), threads=0)


def test_a_batch_may_be_made_one_cloud_at_a_time():
    several = [normal(seed, 6, 2) for seed in range(3)]
    for diagrams, cloud in zip(batched_rips_diagrams(iter(several)), several, strict=True):
        assert all(map(torch.equal, diagrams, rips_diagrams(cloud)))


def test_diagrams_of_several_degrees_are_not_padded():
    with pytest.raises(ValueError, match=r"\[diagrams\[0\] for diagrams in batch\]"):
        pad_diagrams(batched_rips_diagrams(torch.zeros(2, 3, 2)))


@pytest.mark.parametrize("other", [{"dtype": torch.float64}, {"device": "meta"}])
def test_diagrams_of_two_dtypes_or_devices_are_not_padded(other):
    with pytest.raises(ValueError, match=r"different dtypes or devices, .* and .*\.to"):
        pad_diagrams([torch.zeros(2, 2), torch.zeros(1, 2, **other)])


def test_nothing_cannot_be_padded():
    with pytest.raises(ValueError, match="at least one diagram"):
        pad_diagrams([])


@pytest.mark.parametrize("clouds", [1, 3])
def test_an_interrupt_is_heard_at_once_and_ends_the_work(clouds, monkeypatch):
    """The work of these threads ends when it is told to; Ctrl-C comes while it is going on."""
    stopped = []
    first = threading.Semaphore()  # one interrupt, not one from each thread

    def endless(values, euclidean, longest, loops, stop):
        if first.acquire(blocking=False):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        while not stop[0]:
            time.sleep(0.001)
        stopped.append(True)
        raise InterruptedError

    monkeypatch.setattr(engine, "rips", endless)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # else ignored in the background
    try:
        with pytest.raises(KeyboardInterrupt):
            batched_rips_diagrams(torch.rand(clouds, persistence.LARGE, 2), threads=2)
    finally:
        signal.signal(signal.SIGINT, before)
    while not stopped:
        time.sleep(0.001)


@pytest.mark.parametrize("part", ["forward", "backward"])
def test_an_interrupt_of_compiled_code_is_a_keyboard_interrupt(part):
    """Small clouds are worked on in this thread. A handler that ran inside of numba's code was a crash."""
    points = normal(0, 400, 2).requires_grad_()
    loss = squared_lifetimes(rips_diagrams(points))
    main = threading.main_thread().ident

    def until_interrupted():
        while True:
            if part == "forward":
                rips_diagrams(points)
            else:
                loss.backward(retain_graph=True)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # else ignored in the background
    try:
        for _ in range(5):
            threading.Timer(0.01, signal.pthread_kill, (main, signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                until_interrupted()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_single_point_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        rips_diagrams(torch.tensor([[1.0, float("nan")]]))
