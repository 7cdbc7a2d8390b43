import math
import subprocess
import sys

import gudhi.hera
import pytest
import torch
from gudhi.representations import PersistenceFisherDistance, SlicedWassersteinDistance
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from strategies import (
    SEEDS,
    at_most,
    augmented,
    close_pairs,
    diagrams,
    lines,
    normal,
    slow_bottleneck,
    slow_kernel,
    slow_wasserstein,
)

from torchrips import distances as module
from torchrips.distances import (
    bottleneck,
    fisher,
    reininghaus,
    scale_space_kernel,
    sliced_wasserstein,
    wasserstein,
)
from torchrips.matching import Matcher

EMPTY = torch.zeros(0, 2, dtype=torch.float64)


def born_at_zero(*deaths):
    deaths = torch.tensor(deaths, dtype=torch.float64)
    return torch.stack([torch.zeros_like(deaths), deaths], dim=1)


def points(*rows):
    return torch.tensor(rows, dtype=torch.float64)


@given(first=diagrams(), second=diagrams(), scale=st.sampled_from([1.0, 1e-6, 1e6]))
def test_bottleneck_is_that_of_the_best_matching(first, second, scale):
    first, second = scale * first, scale * second
    assert float(bottleneck(first, second)) == pytest.approx(slow_bottleneck(first, second), rel=1e-12)


@given(first=diagrams(max_size=12, born_at_zero=True), second=diagrams(max_size=12, born_at_zero=True))
def test_bottleneck_of_degree_zero_is_that_of_the_best_matching(first, second):
    assert float(bottleneck(first, second)) == pytest.approx(slow_bottleneck(first, second), rel=1e-12)


def test_bottleneck_where_another_library_errs():
    first, second = born_at_zero(0.827, 0.064), born_at_zero(0.96, 0.934, 0.907, 0.647)
    assert float(bottleneck(first, second)) == pytest.approx(0.467)
    shifted = (d + 0.5 for d in (first, second))  # births are not 0: the other branch
    assert float(bottleneck(*shifted)) == pytest.approx(0.467)


@given(first=diagrams(), second=diagrams(), third=diagrams())
def test_bottleneck_is_a_metric(first, second, third):
    assert bottleneck(first, first) == 0
    assert bottleneck(first, second) == bottleneck(second, first)
    assert bottleneck(first, third) <= bottleneck(first, second) + bottleneck(second, third) + 1e-12


@given(seed=SEEDS, k=st.integers(0, 4), m=st.integers(0, 4), degree=st.sampled_from([0, 1]))
def test_bottleneck_gradient_agrees_with_finite_differences(seed, k, m, degree):
    rows = normal(seed, k + m, 2).abs() + 0.1
    rows[:, 0] *= degree
    rows[:, 1] += rows[:, 0]
    costs = torch.cat([torch.pdist(rows, p=math.inf), (rows[:, 1] - rows[:, 0]) / 2]).sort().values
    assume((costs.diff() > 1e-5).all())  # no derivative where two costs tie
    first, second = rows[:k].clone(), rows[k:].clone()
    torch.autograd.gradcheck(bottleneck, (first.requires_grad_(), second.requires_grad_()))


@given(diagram=diagrams())
def test_bottleneck_of_equal_diagrams_has_gradient_zero(diagram):
    other = diagram.flip(0).clone().requires_grad_()
    diagram.requires_grad_()
    value = bottleneck(diagram, other)
    value.backward()
    assert value == 0
    assert not diagram.grad.any()
    assert not other.grad.any()


@pytest.mark.parametrize(
    ("diagram", "reference"),
    [
        (born_at_zero(1.0, 0.5), born_at_zero(9.0, 1.1, 0.5)),
        (points([1, 2], [2, 2.5]), points([3, 12], [1, 2.1], [2, 2.5])),
        (EMPTY, points([3, 12])),
        (EMPTY, born_at_zero(9.0)),
    ],
)
def test_bottleneck_attained_by_a_reference_point_on_the_diagonal_keeps_its_value(diagram, reference):
    diagram = diagram.clone().requires_grad_()
    value = bottleneck(diagram, reference)
    value.backward()
    assert value == 4.5
    assert not diagram.grad.any()


def test_bottleneck_moves_one_critical_pair():
    diagram = points([1, 3], [5, 9]).requires_grad_()
    bottleneck(diagram, points([1.1, 3], [5.2, 8.4])).backward()
    assert diagram.grad.tolist() == [[0, 0], [0, 1]]


def test_bottleneck_moves_no_pair_that_only_costs_the_same():
    diagram = points([1, 20.25], [0, 20]).requires_grad_()
    value = bottleneck(diagram, points([1, 20], [0.5, 20]))  # (1, 20.25) to (0.5, 20) would cost 0.5 too
    value.backward()
    assert value == 0.5
    assert diagram.grad.tolist() == [[0, 0], [-1, 0]]


@pytest.mark.parametrize("birth", [0.0, 0.5])
def test_bottleneck_at_distance_0_has_gradient_zero_on_the_diagonal(birth):
    bar = [birth, 2.0]
    diagram, reference = points([birth, birth], bar).requires_grad_(), points(bar)
    value = bottleneck(diagram, reference)
    value.backward()
    assert value == 0
    assert not diagram.grad.any()


def test_bottleneck_of_a_bar_below_the_diagonal_is_half_its_length():
    assert bottleneck(points([0, -3]), EMPTY) == bottleneck(points([-3, 0]), EMPTY) == 1.5


ORDERS, NORMS = [1, 1.5, 2, 5, 20], [1, 1.5, 2, 10, math.inf]
orders, norms = pytest.mark.parametrize("order", ORDERS), pytest.mark.parametrize("ground_norm", NORMS)


@orders
@norms
@at_most(12)
@given(pair=st.one_of(st.tuples(diagrams(max_size=5), diagrams(max_size=5)), close_pairs()))
def test_wasserstein_is_that_of_the_best_matching(order, ground_norm, pair):
    expected = slow_wasserstein(*pair, order, ground_norm)
    assert float(wasserstein(*pair, order, ground_norm)) == pytest.approx(expected, rel=1e-12)


@given(
    first=diagrams(min_size=1, max_size=20),
    second=diagrams(min_size=1, max_size=20),
    order=st.sampled_from([1, 2, 3]),
    ground_norm=st.sampled_from([1, 2, math.inf]),
)
def test_wasserstein_agrees_with_hera(first, second, order, ground_norm):
    expected = gudhi.hera.wasserstein_distance(
        first.numpy(), second.numpy(), order=order, internal_p=ground_norm, delta=1e-5
    )
    assert float(wasserstein(first, second, order, ground_norm)) == pytest.approx(expected, rel=1e-5)


@given(data=st.data(), first=diagrams(), second=diagrams(), third=diagrams())
def test_wasserstein_is_a_metric(data, first, second, third):
    order, ground_norm = data.draw(st.sampled_from(ORDERS)), data.draw(st.sampled_from(NORMS))

    def distance(x, y):
        return float(wasserstein(x, y, order, ground_norm))

    assert distance(first, first.flip(0)) == 0
    assert distance(first, second) == pytest.approx(distance(second, first), rel=1e-12)
    assert distance(first, third) <= distance(first, second) + distance(second, third) + 1e-12


@given(first=diagrams(), second=diagrams())
def test_wasserstein_falls_with_the_order_to_the_bottleneck(first, second):
    values = [float(wasserstein(first, second, order, math.inf)) for order in (1, 2, 8, 50)]
    limit = float(bottleneck(first, second))
    for longer, shorter in zip(values, [*values[1:], limit], strict=True):
        assert longer >= shorter * (1 - 1e-12)
    assert values[-1] <= limit * (len(first) + len(second)) ** (1 / 50) * (1 + 1e-12)


@orders
@pytest.mark.parametrize("scale", [1e-60, 1e60])
@at_most(15)
@given(ground_norm=st.sampled_from(NORMS), first=diagrams(), second=diagrams())
def test_wasserstein_neither_overflows_nor_underflows(order, ground_norm, scale, first, second):
    ordinary = [x.clone().requires_grad_() for x in (first, second)]
    scaled = [(scale * x).requires_grad_() for x in (first, second)]
    values = [wasserstein(*pair, order, ground_norm) for pair in (ordinary, scaled)]
    assert values[1].item() == pytest.approx(scale * values[0].item(), rel=1e-12)
    for value in values:
        value.backward()
    assert all(torch.isfinite(x.grad).all() for x in (*ordinary, *scaled))
    moved = [sum(float(x.grad.square().sum()) for x in pair) for pair in (ordinary, scaled)]
    assert (moved[0] == 0) == (moved[1] == 0)


HIGH = [50, 75, 100, 200, 1000, 1e6, 1e15]


@pytest.mark.parametrize("order", HIGH)
def test_wasserstein_of_high_order_of_bars_of_all_sizes(order):
    # Relative to the longest bar, all of the costs underflow: any matching looked as good as any other.
    first = born_at_zero(0.001, 0.002, 0.003, 10).requires_grad_()
    value = wasserstein(first, first.detach().flip(0) + 1e-5, order, math.inf)
    value.backward()
    assert value.item() == pytest.approx(1e-5 * 4 ** (1 / order), rel=1e-9)
    if order <= 1e6:  # then the rounding of the four costs, which are equal, does not matter
        assert first.grad.sum(dim=1).numpy() == pytest.approx(-(4 ** (1 / order - 1)), rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(
    order=st.sampled_from(ORDERS + HIGH),
    ground_norm=st.sampled_from(NORMS),
    pair=st.one_of(st.tuples(diagrams(), diagrams()), close_pairs(), close_pairs()),
    longer=st.sampled_from([1.0, 1e3, 1e6]),
)
def test_wasserstein_of_any_order_is_near_the_bottleneck_distance(dtype, order, ground_norm, pair, longer):
    pair = [torch.cat([x, longer * points([1, 2])]).to(dtype) for x in pair]
    diagram = pair[0].clone().requires_grad_()
    value = wasserstein(diagram, pair[1], order, ground_norm)
    value.backward()
    rounding = 1 + 10 * torch.finfo(dtype).eps
    limit = Matcher(*(x.double().numpy() for x in pair), ground_norm).value()
    assert limit / rounding <= value.item() <= limit * sum(map(len, pair)) ** (1 / order) * rounding
    assert torch.isfinite(diagram.grad).all()
    assert (diagram.grad.abs() <= 1 + 1e-5).all()


def test_wasserstein_second_derivative_where_both_coordinates_differ_equally():
    # The Euclidean norm of (1, 1) has the Hessian (I - u u^T) / r, with u = (1, 1) / r.
    hessian = torch.autograd.functional.hessian(
        lambda x: wasserstein(x, points([1, 10]), 1, 2), points([0, 9])
    )
    expected = math.sqrt(1 / 8) * torch.tensor([[1, -1], [-1, 1]], dtype=torch.float64)
    torch.testing.assert_close(hessian.view(2, 2), expected)


@norms
@at_most(20)
@given(order=st.sampled_from(ORDERS), pair=st.one_of(st.tuples(diagrams(), diagrams()), close_pairs()))
def test_wasserstein_gradient_is_at_most_one_in_the_dual_norm(order, ground_norm, pair):
    diagram = pair[0].clone().requires_grad_()
    wasserstein(diagram, pair[1], order, ground_norm).backward()
    dual = math.inf if ground_norm == 1 else 1 if ground_norm == math.inf else ground_norm / (ground_norm - 1)
    assert (torch.linalg.vector_norm(diagram.grad, ord=dual, dim=1) <= 1 + 1e-9).all()


@norms
@at_most(20)
@given(order=st.sampled_from(ORDERS), diagram=diagrams())
def test_wasserstein_of_equal_diagrams_has_gradient_zero(order, ground_norm, diagram):
    # Another library: NaN.
    other = diagram.flip(0).clone().requires_grad_()
    diagram.requires_grad_()
    value = wasserstein(diagram, other, order, ground_norm)
    value.backward()
    assert value == 0
    assert not diagram.grad.any()
    assert not other.grad.any()


@pytest.mark.parametrize(("ground_norm", "squares"), [(1, 9 + 1), (2, 5 + 0.5), (math.inf, 4 + 0.25)])
def test_wasserstein_depends_on_the_ground_norm(ground_norm, squares):
    # Another library takes the maximum norm whatever is asked for.
    # (0, 4) goes to (1, 6), a displacement of (1, 2), and (5, 6) to the diagonal, by (1/2, -1/2).
    diagram, other = points([0, 4], [5, 6]), points([1, 6])
    assert float(wasserstein(diagram, other, 2, ground_norm)) == pytest.approx(math.sqrt(squares), rel=1e-15)


@norms
def test_wasserstein_gradient_of_a_bar_matched_to_the_diagonal_has_both_coordinates(ground_norm):
    # Another library: (-.70, 0). W = (c^2 + c^2)^(1/2) with c = 2^(1/q) (d - b) / 2, so that the derivative
    # by each c is 2^(-1/2), and that of c is 2^(1/q) (-1/2, 1/2).
    diagram = points([0, 1], [5, 6]).requires_grad_()
    wasserstein(diagram, EMPTY, 2, ground_norm).backward()
    share = 2 ** (1 / ground_norm - 3 / 2)
    torch.testing.assert_close(diagram.grad, points([-share, share], [-share, share]))


@pytest.mark.parametrize(
    ("ground_norm", "gradient"),
    [(1, [-1, -1]), (2, [-math.sqrt(1 / 2)] * 2), (3, [-(2 ** (-2 / 3))] * 2), (math.inf, [-1 / 2, -1 / 2])],
)
def test_wasserstein_gradient_where_both_coordinates_differ_equally(ground_norm, gradient):
    diagram = points([0, 9]).requires_grad_()
    wasserstein(diagram, points([1, 10]), 2, ground_norm).backward()
    torch.testing.assert_close(diagram.grad, points(gradient))


@given(first=diagrams(), second=diagrams(), directions=st.integers(2, 20))
def test_sliced_wasserstein_agrees_with_gudhi(first, second, directions):
    # gudhi leaves out the last of the lines, so that one comes from scipy, which weighs a point 1 / (k + m).
    x, y = lines(directions)[-1]
    count = len(first) + len(second)
    ends = [[b * x + d * y for b, d in augmented(*pair)] for pair in ((first, second), (second, first))]
    last = count * wasserstein_distance(*ends) if count else 0
    others = SlicedWassersteinDistance(num_directions=directions)(first.numpy(), second.numpy())
    expected = ((directions - 1) * others + last) / directions
    value = float(sliced_wasserstein(first, second, directions))
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("diagram", [points([1, 4]), points([1, 4]).flip(1)])
def test_sliced_wasserstein_of_one_bar_and_none(diagram):
    # Another library raises. (d - b) / 2 times the mean of |cos - sin| over all lines, 2 sqrt(2) / pi.
    diagram.requires_grad_()
    value = sliced_wasserstein(diagram, EMPTY, directions=2000)
    value.backward()
    assert value.item() == pytest.approx(3 / 2 * 2 * math.sqrt(2) / math.pi, rel=1e-5)
    slope = math.sqrt(2) / math.pi * (1 if diagram[0, 1] > 1 else -1)
    torch.testing.assert_close(diagram.grad, points([-slope, slope]), rtol=1e-3, atol=0)
    assert sliced_wasserstein(EMPTY, EMPTY, directions=3) == 0


@given(first=diagrams(), second=diagrams(), third=diagrams(), directions=st.integers(1, 10))
def test_sliced_wasserstein_is_a_pseudometric(first, second, third, directions):
    def distance(x, y):
        return float(sliced_wasserstein(x, y, directions))

    assert distance(first, first.flip(0)) == 0
    assert distance(first, second) == pytest.approx(distance(second, first), rel=1e-12)
    assert distance(first, third) <= distance(first, second) + distance(second, third) + 1e-12


@given(first=diagrams(), second=diagrams(min_size=1), sigma=st.sampled_from([0.2, 1.0, 5.0]))
def test_fisher_agrees_with_gudhi(first, second, sigma):
    # Cosines, since gudhi's arccos has only half of the digits near 0.
    expected = math.cos(PersistenceFisherDistance(bandwidth=sigma)(first.numpy(), second.numpy()))
    assert math.cos(fisher(first, second, sigma)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 30.0])
def test_fisher_of_one_bar_and_none(sigma):
    # With e = exp(-(d - b)^2 / 4 sigma^2), the cosine is 2 sqrt(e) / (1 + e) = 1 / cosh(u): u = -log(e) / 2.
    bar = points([1, 4]).requires_grad_()
    value = fisher(bar, EMPTY, sigma)
    value.backward()
    u = 9 / (8 * sigma**2)
    assert value.item() == pytest.approx(math.atan(math.sinh(u)), rel=1e-12)
    slope = 3 / (4 * sigma**2) / math.cosh(u)
    torch.testing.assert_close(bar.grad, points([-slope, slope]))


@given(diagram=diagrams(min_size=1), seed=SEEDS)
def test_fisher_is_linear_near_zero(diagram, seed):
    step = normal(seed, *diagram.shape)
    near, half = (float(fisher(diagram, diagram + h * step, sigma=1.0)) for h in (1e-7, 5e-8))
    assert near > 0
    assert near / half == pytest.approx(2, rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sigma", [1e-30, 1e-3, 1e30])
def test_fisher_is_finite_whatever_sigma_is(dtype, sigma):
    diagram, other = points([1, 4], [2, 3]).to(dtype).requires_grad_(), points([0, 9]).to(dtype)
    value = fisher(diagram, other, sigma)
    value.backward()
    assert 0 <= value <= math.pi / 2 + 1e-6
    assert torch.isfinite(diagram.grad).all()


@given(first=diagrams(), second=diagrams(), sigma=st.sampled_from([0.05, 1.0, 20.0]))
def test_kernel_and_dissimilarity_are_their_double_sums(first, second, sigma):
    tolerance = {"rel": 1e-12, "abs": 1e-12 / sigma}
    kernel = slow_kernel(first, second, sigma)
    assert float(scale_space_kernel(first, second, sigma)) == pytest.approx(kernel, **tolerance)
    assert float(scale_space_kernel(second, first, sigma)) == pytest.approx(kernel, **tolerance)
    square = slow_kernel(first, first, sigma) + slow_kernel(second, second, sigma) - 2 * kernel
    assert float(reininghaus(first, second, sigma)) == pytest.approx(square, **tolerance)
    assert reininghaus(first, second, sigma) >= -1e-12 / sigma  # positive definite, up to rounding


@given(diagram=diagrams(), sigma=st.sampled_from([0.05, 1.0]))
def test_dissimilarity_of_equal_diagrams_is_zero(diagram, sigma):
    assert float(reininghaus(diagram, diagram.flip(0), sigma)) == pytest.approx(0, abs=1e-12 / sigma)


@given(first=diagrams(), second=diagrams())
def test_dissimilarity_ignores_the_diagonal(first, second):
    with_diagonal = torch.cat([first, points([2, 2], [0.3, 0.3])])
    expected = float(reininghaus(first, second, 0.05))
    assert float(reininghaus(with_diagonal, second, 0.05)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(length=st.sampled_from([1e-12, 3e-4, 0.1]), sigma=st.sampled_from([0.05, 1.0, 100.0]))
def test_kernel_of_a_short_bar_keeps_its_digits(dtype, length, sigma):
    # Of one bar with itself: (1 - exp(-l^2 / 4 sigma)) / 8 pi sigma; in float32 exp(-l^2 / 4 sigma) is 1.
    bar = torch.tensor([[0.0, length]], dtype=dtype)
    lifetime = float(bar[0, 1])
    expected = -math.expm1(-(lifetime**2) / (4 * sigma)) / (8 * math.pi * sigma)
    for value in (scale_space_kernel(bar, bar, sigma), reininghaus(bar, bar[:0], sigma)):
        assert value.dtype == dtype
        assert float(value) == pytest.approx(expected, rel=4 * torch.finfo(dtype).eps)


@given(seed=SEEDS, sigma=st.sampled_from([0.1, 1.0]))
def test_dissimilarity_of_near_diagrams_is_that_of_their_exact_values(seed, sigma):
    births, lifetimes = 0.1 * normal(seed, 2, 100).abs()
    first = torch.stack([births, births + lifetimes], dim=1).float()
    second = first + 0.01 * normal(seed + 1, 100, 2).float()
    value = reininghaus(first, second, sigma)
    expected = reininghaus(first.double(), second.double(), sigma)
    assert value.dtype == torch.float32
    assert value > 0
    assert float(value) == pytest.approx(float(expected), rel=1e-6)


@given(diagram=diagrams(), sigma=st.sampled_from([1e-3, 1.0, 1e3]))
def test_dissimilarity_of_equal_diagrams_is_exactly_zero(diagram, sigma):
    assert reininghaus(diagram, diagram.flip(0), sigma) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kernel_of_a_point_and_its_mirror_image_is_finite_and_odd(dtype):
    # A lifetime of 100 below the diagonal: without mirroring, 0 times an exponential that overflows.
    bar = torch.tensor([[0.0, 100.0]], dtype=dtype).requires_grad_()
    value = scale_space_kernel(bar, bar.detach().flip(1), 0.05)
    value.backward()
    assert value == -scale_space_kernel(bar, bar.detach(), 0.05)
    assert torch.isfinite(bar.grad).all()


@given(first=diagrams(max_size=4), second=diagrams(max_size=4), sigma=st.sampled_from([0.05, 1.0]))
def test_dissimilarity_gradient_agrees_with_finite_differences(first, second, sigma):
    inputs = first.requires_grad_(), second.requires_grad_()
    torch.autograd.gradcheck(lambda x, y: reininghaus(x, y, sigma), inputs)


DISTANCES = {
    "bottleneck": bottleneck,
    "wasserstein": lambda x, y: wasserstein(x, y, order=2, ground_norm=2),
    "sliced_wasserstein": lambda x, y: sliced_wasserstein(x, y, directions=3),
    "fisher": lambda x, y: fisher(x, y, sigma=1.0),
    "scale_space_kernel": lambda x, y: scale_space_kernel(x, y, sigma=1.0),
    "reininghaus": lambda x, y: reininghaus(x, y, sigma=1.0),
}
distances = pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)


@pytest.mark.parametrize("name", ["wasserstein", "fisher", "reininghaus"])
@at_most(20)
@given(
    first=diagrams(min_size=1, max_size=12), second=diagrams(max_size=12), block=st.sampled_from([1, 30, 70])
)
def test_working_in_blocks_changes_nothing(name, first, second, block):
    def results():
        inputs = [x.clone().requires_grad_() for x in (first, second)]
        value = DISTANCES[name](*inputs)
        gradients = torch.autograd.grad(value, inputs, create_graph=True)
        second_gradients = torch.autograd.grad(
            gradients[0].square().sum(), inputs, allow_unused=True, materialize_grads=True
        )
        by_transform = torch.func.grad(DISTANCES[name], argnums=(0, 1))(first, second)
        (speed,) = torch.func.jvp(DISTANCES[name], (first, second), (first, second))[1:]
        return [value, *gradients, *second_gradients, *by_transform, speed]

    expected = results()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        torch.testing.assert_close(results(), expected, rtol=1e-9, atol=1e-9)


MEMORY = """
import resource
import torch
from torchrips.distances import fisher, reininghaus

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000

def step(distance, bars):
    first, second = torch.rand(2, bars, 2, dtype=torch.float64).cumsum(dim=2).requires_grad_()
    distance(first, second, 0.1).backward()

for distance in (reininghaus, fisher):
    step(distance, 10)  # imports
    before = peak()
    step(distance, 700)
    print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak is that of Linux")
def test_memory_grows_with_the_number_of_bars():
    """Megabytes at 700 bars. All pairs at once would take 130 for each tensor of the Fisher distance.

    In blocks it was 430 still: the C library did not use the memory of earlier blocks again.
    """
    found = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert max(map(float, found.stdout.split())) < 150


@distances
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(distance, value):
    good, bad = points([1, 4], [2, 3]), points([1, 4], [2, value])
    for pair in ((good, bad), (bad, good), (EMPTY, bad)):
        with pytest.raises(ValueError, match="NaN or infinite"):
            distance(*pair)


@distances
@pytest.mark.parametrize("shape", [(2,), (0,), (2, 3), (0, 3), (1, 2, 2)])
def test_what_is_no_diagram_is_refused(distance, shape):
    for pair in ((EMPTY, torch.zeros(shape)), (torch.zeros(shape), EMPTY)):
        with pytest.raises(ValueError, match=r"shape \(k, 2\)"):
            distance(*pair)


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        *[(wasserstein, {"order": order, "ground_norm": 2}) for order in (0.5, -1, math.inf, math.nan, "2")],
        *[(wasserstein, {"order": 2, "ground_norm": norm}) for norm in (0.5, 0, -math.inf, math.nan)],
        *[(sliced_wasserstein, {"directions": count}) for count in (0, -1, 2.5, math.inf, math.nan)],
        *[
            (function, {"sigma": sigma})
            for function in (fisher, scale_space_kernel, reininghaus)
            for sigma in (0, -1, math.inf, math.nan)
        ],
    ],
)
def test_parameters_out_of_range_are_refused(function, parameters):
    with pytest.raises(ValueError, match=r"must be .*, got"):
        function(EMPTY, EMPTY, **parameters)


@distances
def test_the_callers_tensors_are_not_modified(distance):
    # Another library overwrites points below the diagonal.
    pair = [points([5, 1], [2, 2], [0, 3]), points([4, 2], [1, 1.5])]
    kept = [x.clone() for x in pair]
    distance(*(x.requires_grad_() for x in pair)).backward()
    assert all(torch.equal(x.detach(), y) for x, y in zip(pair, kept, strict=True))
