"""What every library is asked.

A case is a function of a library that yields trials; its docstring says what is asked and under which
convention, its name is the row of docs/conformance.md. The answers come from exhaustive.py.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import permutations
from typing import Any, Literal

import exhaustive
import numpy as np
import torch
from exhaustive import Array, slope
from libraries import Bars, Library, NotOfferedError, in_time

Pair = tuple[Array, Array]

ERROR = "an error"
FINITE = "finite numbers"


@dataclass(frozen=True)
class Trial:
    """One question.

    Args:
        inputs: what the library is given, to be shown.
        expected: numbers, or ERROR, or FINITE.
        ask: what the library answers, as numbers.
        fault: what a wrong number is called.
        tolerance: relative to 1 or to the number, whichever is larger.
    """

    inputs: Mapping[str, Any]
    expected: Any
    ask: Callable[[], Any]
    fault: Literal["wrong value", "wrong gradient"] = "wrong value"
    tolerance: float = 1e-5


# Diagrams of clouds and of matrices


def rips_values(library: Library) -> Iterator[Trial]:
    """Degrees 0 and 1 of 20 random clouds of 12 points in space: the bars of positive length."""
    for seed in range(20):
        yield _bars_of(library, _normal(seed, 12, 3))


def rips_ties(library: Library) -> Iterator[Trial]:
    """Degrees 0 and 1 of 20 clouds of 14 points on a 3 x 3 grid: ties everywhere, and duplicate points."""
    for seed in range(20):
        yield _bars_of(library, _random(seed).integers(0, 3, (14, 2)).astype(float))


def rips_one_and_two_points(library: Library) -> Iterator[Trial]:
    """Degrees 0 and 1 of one point, and of two points: no bar, and one of degree 0."""
    for size in (1, 2):
        yield _bars_of(library, _normal(0, size, 3))


def rips_far_outlier(library: Library) -> Iterator[Trial]:
    """Degree 0 of 0, .000002, .000001 and 1,000,000 on a line: the three deaths, over their right values."""
    cloud = np.array([[0.0], [2e-6], [1e-6], [1e6]])
    expected = library.length(np.array([1e-6, 1e-6, 1e6 - 2e-6]))

    def ask() -> Array:
        deaths, _ = _rips(library, cloud)
        ratios: Array = deaths[:, 1] / expected
        return ratios

    yield Trial({"cloud": cloud}, np.ones(3), ask)


def rips_no_points(library: Library) -> Iterator[Trial]:
    """Degrees 0 and 1 of a cloud of no points, shape (0, 3): no bars."""
    yield _bars_of(library, np.zeros((0, 3)))


def rips_ragged_batch(library: Library) -> Iterator[Trial]:
    """Degrees 0 and 1 of a list of clouds of 5, 9 and 12 points, in one call."""
    clouds = [_normal(size, size, 3) for size in (5, 9, 12)]
    expected = [exhaustive.rips_bars(library.length(exhaustive.distances(cloud))) for cloud in clouds]

    def ask() -> list[tuple[Array, Array]]:
        return [_shown(bars) for bars in library.rips_of_batch([_tensor(cloud) for cloud in clouds])]

    yield Trial({"clouds": clouds}, expected, ask)


def rips_gradient_0(library: Library) -> Iterator[Trial]:
    """Gradient of the sum of (d - b)^2 over degree 0, in random directions, for 10 clouds of 12 points."""
    yield from _gradients_of_clouds(library, degree=0)


def rips_gradient_1(library: Library) -> Iterator[Trial]:
    """Gradient of the sum of (d - b)^2 over degree 1, in random directions, for 10 clouds of 12 points."""
    yield from _gradients_of_clouds(library, degree=1)


def rips_gradient_matrix(library: Library) -> Iterator[Trial]:
    """Gradient of the sum of (d - b)^2 over degree 1, in symmetric directions, for 10 matrices."""
    for seed in range(10):
        matrix, direction = (exhaustive.distances(_normal(s, 12, 3)) for s in (seed, 100 + seed))
        expected = slope(lambda m: float(_squares(exhaustive.rips_bars(m)[1])), matrix, direction)
        inputs = {"matrix": matrix, "direction": direction}
        yield Trial(inputs, expected, partial(_slope_of_matrix, library, matrix, direction), "wrong gradient")


def rips_gradient_diagonal(library: Library) -> Iterator[Trial]:
    """Gradient of the sum of all births and deaths on the diagonal of 10 matrices, which is constant: 0."""
    for seed in range(10):
        matrix = exhaustive.distances(_normal(seed, 12, 3))

        def ask(matrix: Array = matrix) -> Array:
            variable = _tensor(matrix, differentiate=True)
            gradient = _gradient(torch.cat(library.rips_of_matrix(variable)).sum(), variable)
            return np.diag(gradient)

        yield Trial({"matrix": matrix}, np.zeros(12), ask, "wrong gradient")


def rips_second_derivative(library: Library) -> Iterator[Trial]:
    """Hessian of the sum of the deaths of degree 0, which are 5 and 1, of (0, 0), (3, 4), (4, 4)."""
    cloud = np.array([[0.0, 0.0], [3.0, 4.0], [4.0, 4.0]])
    expected = np.zeros((6, 6))
    for i, j in ((0, 1), (1, 2)):
        difference = cloud[i] - cloud[j]
        length = np.linalg.norm(difference)
        curvature = (np.eye(2) - np.outer(difference, difference) / length**2) / length
        signs = np.eye(3)[i] - np.eye(3)[j]
        expected += np.kron(np.outer(signs, signs), curvature)

    def ask() -> Array:
        points = _tensor(cloud, differentiate=True)
        deaths = library.rips(points)[0][:, 1]
        (gradient,) = torch.autograd.grad(deaths.sum(), points, create_graph=True)
        rows = [torch.autograd.grad(entry, points, retain_graph=True)[0] for entry in gradient.flatten()]
        return torch.stack(rows).view(6, 6).numpy()

    yield Trial({"cloud": cloud}, expected, ask, "wrong gradient")


def rips_gradient_two_threads(library: Library) -> Iterator[Trial]:
    """The gradient for matrices, on two threads, for 8 clouds of 128 points, uniform in 784 dimensions."""
    for seed in range(8):
        matrix, direction, expected = _uniform(seed)
        inputs = {"matrix": f"distances of numpy.random.default_rng({seed}).random((128, 784))"}
        ask = partial(_slope_of_matrix, library, matrix, direction, threads=2)
        yield Trial(inputs, expected, ask, "wrong gradient", tolerance=0.001)


def rips_equal_points(library: Library) -> Iterator[Trial]:
    """Gradient of the sum of d - b over both degrees at five equal points: finite."""
    cloud = np.ones((5, 3))

    def ask() -> Array:
        points = _tensor(cloud, differentiate=True)
        bars = library.rips(points)
        return _gradient(torch.cat(bars).diff().sum(), points)

    yield Trial({"cloud": cloud}, FINITE, ask, "wrong gradient")


def rips_nan(library: Library) -> Iterator[Trial]:
    """A cloud with a coordinate that is NaN, or infinite: an error, not a diagram."""
    for value in (math.nan, math.inf):
        cloud = _normal(0, 8, 3)
        cloud[2, 1] = value
        yield Trial({"cloud": cloud}, ERROR, partial(_rips, library, cloud))


# Bottleneck and Wasserstein distance


def bottleneck_degree_0(library: Library) -> Iterator[Trial]:
    """Degree-0 deaths .827, .064 against .96, .934, .907, .647, the points of both in every order: .467."""
    for deaths in permutations((0.827, 0.064)):
        for others in permutations((0.96, 0.934, 0.907, 0.647)):
            pair = _born_at_zero(deaths), _born_at_zero(others)
            yield _of_two(library.bottleneck, pair, 0.467)


def bottleneck_random(library: Library) -> Iterator[Trial]:
    """400 pairs of random diagrams of 0 to 4 points: the smallest largest cost, in the maximum norm."""
    for pair in _pairs(400, smallest=0):
        yield _of_two(library.bottleneck, pair, exhaustive.bottleneck(*pair))


def bottleneck_equal(library: Library) -> Iterator[Trial]:
    """Ten diagrams of five points, each against itself with its points in reverse order: 0."""
    for seed in range(10):
        diagram = _diagram(seed, 5)
        yield _of_two(library.bottleneck, (diagram, diagram[::-1].copy()), 0.0, tolerance=1e-12)


def wasserstein_order_1(library: Library) -> Iterator[Trial]:
    """60 pairs of random diagrams of 1 to 4 points: order 1, ground norm 2."""
    for pair in _pairs(60, smallest=1):
        yield _wasserstein(library, pair, order=1, norm=2)


def wasserstein_order_2(library: Library) -> Iterator[Trial]:
    """60 pairs of random diagrams of 1 to 4 points: order 2, ground norm 2, with the root or without."""
    for pair in _pairs(60, smallest=1):
        yield _wasserstein(library, pair, order=2, norm=2)


def wasserstein_high_order(library: Library) -> Iterator[Trial]:
    """Orders 20 and 100, maximum norm, births 0, deaths .001, .002, .003, 10 against .00001 more of all."""
    first = np.array([[0, 0.001], [0, 0.002], [0, 0.003], [0, 10]])
    pair = first, first[::-1] + 1e-5
    for order in (20, 100):

        def ask(order: float = order) -> float:  # with the root, in units of .00001
            value = float(library.wasserstein(_tensor(pair[0]), _tensor(pair[1]), order, math.inf))
            return float(value ** (1 / library.wasserstein_exponent(order))) * 1e5

        yield Trial(_named(pair) | {"order": order}, 4 ** (1 / order), partial(in_time, ask))


def wasserstein_equal(library: Library) -> Iterator[Trial]:
    """Ten diagrams of 15 points, each against itself with its points in reverse order, ground norm 2: 0."""
    for seed in range(10):
        diagram = _diagram(seed, 15)
        yield _of_two(library.wasserstein, (diagram, diagram[::-1].copy()), 0.0, 1.0, 2.0, tolerance=1e-6)


def wasserstein_no_points(library: Library) -> Iterator[Trial]:
    """Two diagrams of no points, order 2, ground norm 2: 0, and backward runs."""
    pair = np.zeros((0, 2)), np.zeros((0, 2))
    ask = partial(_value_and_gradient, library, "wasserstein", pair, 2.0, 2.0)
    yield Trial(_named(pair), [0.0, np.zeros((0, 2))], ask)


def wasserstein_gradient_point(library: Library) -> Iterator[Trial]:
    """Gradient where points are matched to points: order 2, maximum norm, 10 pairs far off the diagonal."""
    for seed in range(10):
        diagram = _diagram(seed, 3) + np.array([0, 5])
        pair = diagram, diagram + 0.1 * _normal(seed, 3, 2)
        yield _wasserstein_gradient(library, pair, order=2, norm=math.inf)


def wasserstein_gradient_diagonal(library: Library) -> Iterator[Trial]:
    """Gradient of a point matched to the diagonal: (.1, .8) against (5, 6), maximum norm, orders 1 and 2."""
    pair = np.array([[0.1, 0.8]]), np.array([[5.0, 6.0]])
    for order in (1, 2):
        yield _wasserstein_gradient(library, pair, order, norm=math.inf)


def wasserstein_gradient_equal(library: Library) -> Iterator[Trial]:
    """Gradient at two equal diagrams, order 2, ground norm 2: finite."""
    diagram = _diagram(0, 3)

    def ask() -> Any:
        return _value_and_gradient(library, "wasserstein", (diagram, diagram), 2.0, 2.0)[1]

    yield Trial(_named((diagram, diagram)), FINITE, ask, "wrong gradient")


# Sliced Wasserstein and Fisher distance


def sliced_value(library: Library) -> Iterator[Trial]:
    """10 pairs of random diagrams: mean over ten lines at angles -pi/2 + i pi/10 of the sorted costs."""
    for pair in _pairs(10, smallest=1):
        yield _of_two(library.sliced_wasserstein, pair, exhaustive.sliced_wasserstein(*pair, 10), 10)


def sliced_many_lines(library: Library) -> Iterator[Trial]:
    """3 pairs of random diagrams: mean over 1,000 lines, to two digits the integral over all lines."""
    for pair in _pairs(3, smallest=1):
        expected = exhaustive.sliced_wasserstein(*pair, 100_000)
        yield _of_two(library.sliced_wasserstein, pair, expected, 1000, tolerance=0.005)


def sliced_no_points(library: Library) -> Iterator[Trial]:
    """A diagram against one of no points: mean over 1,000 lines, to two digits the integral."""
    pair = _diagram(0, 3), np.zeros((0, 2))
    expected = exhaustive.sliced_wasserstein(*pair, 100_000)
    yield _of_two(library.sliced_wasserstein, pair, expected, 1000, tolerance=0.005)


def fisher_value(library: Library) -> Iterator[Trial]:
    """10 pairs of random diagrams, sigma .3: densities on the points of both, which sum to 1."""
    for pair in _pairs(10, smallest=1):
        yield _of_two(library.fisher, pair, exhaustive.fisher(*pair, 0.3), 0.3)


# Scale-space kernel


def kernel_value(library: Library) -> Iterator[Trial]:
    """10 pairs of random diagrams, sigma .3: the published kernel, times the factor documented."""
    for pair in _pairs(10, smallest=1):
        expected = library.kernel_factor(0.3) * exhaustive.scale_space_kernel(*pair, 0.3)
        yield _of_two(library.kernel, pair, expected, 0.3)


def kernel_short_bar(library: Library) -> Iterator[Trial]:
    """Kernel of one bar of length .0003 with itself, in float32, sigma 1, over its right value: 1."""
    bar = torch.tensor([[0.0, 0.0003]])
    expected = -math.expm1(-(0.0003**2) / 4) / (8 * math.pi) * library.kernel_factor(1.0)

    def ask() -> float:
        return float(library.kernel(bar, bar, 1.0)) / expected

    yield Trial({"diagram": bar.numpy()}, 1.0, ask)


def kernel_gradient(library: Library) -> Iterator[Trial]:
    """Gradient of the kernel of two random diagrams, sigma .3."""
    pair = _diagram(1, 3), _diagram(2, 4)
    ask = partial(_value_and_gradient, library, "kernel", pair, 0.3)
    expected = _both(lambda x: exhaustive.scale_space_kernel(x, pair[1], 0.3), pair[0])
    yield Trial(_named(pair), expected, ask, "wrong gradient")


def kernel_keeps_its_input(library: Library) -> Iterator[Trial]:
    """The caller's diagram, with a point under the diagonal and one on it, is the same after the call."""
    pair = np.array([[0.5, 0.2], [0.1, 0.9], [0.4, 0.4]]), _diagram(2, 4)

    def ask() -> Array:
        first, second = map(_tensor, pair)
        library.kernel(first, second, 0.3)
        return first.numpy()

    yield Trial(_named(pair), pair[0], ask)


def kernel_distance_value(library: Library) -> Iterator[Trial]:
    """10 pairs of random diagrams, sigma .3: the kernel's distance or its square, as documented."""
    for pair in _pairs(10, smallest=1):
        expected = exhaustive.scale_space_distance(*pair, 0.3) ** library.kernel_distance_exponent
        yield _of_two(library.kernel_distance, pair, expected, 0.3)


def kernel_distance_equal(library: Library) -> Iterator[Trial]:
    """Ten diagrams of five points, each against itself with its points in reverse order, sigma .3: 0."""
    for seed in range(10):
        diagram = _diagram(seed, 5)
        yield _of_two(library.kernel_distance, (diagram, diagram[::-1].copy()), 0.0, 0.3)


def kernel_distance_close(library: Library) -> Iterator[Trial]:
    """50 bars near .1 in float32, and each moved by .01: the distance, sigma 1, over that in float64: 1."""
    first = torch.from_numpy(0.1 * _diagram(0, 50)).float()
    second = first + torch.from_numpy(0.01 * _normal(0, 50, 1)).float()
    distance = exhaustive.scale_space_distance(first.double().numpy(), second.double().numpy(), 1.0)
    expected = distance**library.kernel_distance_exponent

    def ask() -> float:
        return float(library.kernel_distance(first, second, 1.0)) / expected

    inputs = {"first": first.numpy(), "second": second.numpy()}
    yield Trial(inputs, 1.0, ask, tolerance=0.01)


# Entropy and total persistence


def entropy_integers(library: Library) -> Iterator[Trial]:
    """A diagram of integers, (0, 1), (0, 3), (2, 4): as of the same numbers in float64."""
    diagram = torch.tensor([[0, 1], [0, 3], [2, 4]])
    expected = exhaustive.entropy(diagram.double().numpy(), library.entropy_base)
    yield Trial({"diagram": diagram.numpy()}, expected, lambda: float(library.entropy(diagram)))


def entropy_half(library: Library) -> Iterator[Trial]:
    """300 bars of length 1 to 20 in float16: the entropy of the same numbers in float64, to three digits."""
    births, lifetimes = _random(0).random((2, 300))
    diagram = torch.from_numpy(np.stack([births, births + 1 + 19 * lifetimes], axis=1)).half()
    expected = exhaustive.entropy(diagram.double().numpy(), library.entropy_base)
    inputs = {"diagram": diagram.numpy()}
    yield Trial(inputs, expected, lambda: float(library.entropy(diagram)), tolerance=0.001)


def entropy_value(library: Library) -> Iterator[Trial]:
    """10 random diagrams, logarithm to the base documented."""
    for seed in range(10):
        yield _entropy(library, _diagram(seed, 5))


def entropy_point_on_diagonal(library: Library) -> Iterator[Trial]:
    """A diagram with one point on the diagonal: the entropy of the others, since 0 log 0 = 0."""
    yield _entropy(library, np.append(_diagram(0, 3), [[0.3, 0.3]], axis=0))


def entropy_all_on_diagonal(library: Library) -> Iterator[Trial]:
    """A diagram with all points on the diagonal, as of equal points: a finite number."""
    diagram = np.array([[0.3, 0.3], [0.5, 0.5]])
    yield Trial({"diagram": diagram}, FINITE, partial(_number, library.entropy, diagram))


def total_persistence_cubed(library: Library) -> Iterator[Trial]:
    """Sum of the third powers of the lifetimes."""
    diagram = _diagram(0, 5)
    expected = float((np.diff(diagram, axis=1) ** 3).sum())
    yield Trial({"diagram": diagram}, expected, partial(_number, library.total_persistence, diagram, 3))


def persistence_norm_3(library: Library) -> Iterator[Trial]:
    """3-norm of the lifetimes: the cubic root of the sum of their third powers."""
    diagram = _diagram(0, 5)
    expected = float((np.diff(diagram, axis=1) ** 3).sum() ** (1 / 3))
    yield Trial({"diagram": diagram}, expected, partial(_number, library.persistence_norm, diagram, 3))


CASES: dict[str, Callable[[Library], Iterable[Trial]]] = {
    case.__name__.replace("_", "-"): case
    for case in (
        rips_values,
        rips_ties,
        rips_one_and_two_points,
        rips_far_outlier,
        rips_no_points,
        rips_ragged_batch,
        rips_gradient_0,
        rips_gradient_1,
        rips_gradient_matrix,
        rips_gradient_diagonal,
        rips_second_derivative,
        rips_gradient_two_threads,
        rips_equal_points,
        rips_nan,
        bottleneck_degree_0,
        bottleneck_random,
        bottleneck_equal,
        wasserstein_order_1,
        wasserstein_order_2,
        wasserstein_high_order,
        wasserstein_equal,
        wasserstein_no_points,
        wasserstein_gradient_point,
        wasserstein_gradient_diagonal,
        wasserstein_gradient_equal,
        sliced_value,
        sliced_many_lines,
        sliced_no_points,
        fisher_value,
        kernel_value,
        kernel_short_bar,
        kernel_gradient,
        kernel_keeps_its_input,
        kernel_distance_value,
        kernel_distance_equal,
        kernel_distance_close,
        entropy_value,
        entropy_integers,
        entropy_half,
        entropy_point_on_diagonal,
        entropy_all_on_diagonal,
        total_persistence_cubed,
        persistence_norm_3,
    )
}


# Random inputs


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _normal(seed: int, *shape: int) -> Array:
    return _random(seed).standard_normal(shape)


def _diagram(seed: int, size: int, born_at_zero: bool = False) -> Array:
    births, lifetimes = _random(seed).random((2, size))
    births = np.zeros(size) if born_at_zero else births
    return np.stack([births, births + lifetimes + 0.05], axis=1)


def _pairs(count: int, smallest: int) -> Iterator[Pair]:
    """Pairs of diagrams of at most four points; those of every other pair are born at 0."""
    for seed in range(count):
        sizes = _random(seed).integers(smallest, 5, 2)
        first, second = (
            _diagram(1000 * side + seed, size, seed % 2 == 0) for side, size in enumerate(sizes, start=1)
        )
        yield first, second


def _born_at_zero(deaths: Iterable[float]) -> Array:
    return np.array([(0.0, death) for death in deaths])


@lru_cache
def _uniform(seed: int) -> tuple[Array, Array, float]:
    """Matrix of distances, direction, and the slope of the sum of (d - b)^2 over degree 1.

    The slope is by values of gudhi's simplex tree; exhaustive.py would take minutes.
    """
    from gudhi import RipsComplex

    def squares(matrix: Array) -> float:
        tree = RipsComplex(distance_matrix=matrix).create_simplex_tree(max_dimension=2)
        tree.compute_persistence(homology_coeff_field=2)
        return float(_squares(tree.persistence_intervals_in_dimension(1)))

    cloud = torch.from_numpy(_random(seed).random((128, 784)))
    matrix = torch.cdist(cloud, cloud, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    direction = exhaustive.distances(_normal(seed, 128, 3))
    return matrix, direction, slope(squares, matrix, direction, step=1e-7)


# Asking


def _tensor(numbers: Array, differentiate: bool = False) -> torch.Tensor:
    return torch.tensor(numbers, requires_grad=differentiate)


def _named(pair: Pair) -> dict[str, Array]:
    return dict(zip(("first", "second"), pair, strict=True))


def _number(function: Callable[..., Any], diagram: Array, *parameters: float) -> float:
    return float(function(_tensor(diagram), *parameters))


def _of_two(
    function: Callable[..., Any],
    pair: Pair,
    expected: float,
    *parameters: float,
    tolerance: float = 1e-5,
) -> Trial:
    def ask() -> float:
        return float(function(*map(_tensor, pair), *parameters))

    return Trial(_named(pair), expected, ask, tolerance=tolerance)


def _bars_of(library: Library, cloud: Array) -> Trial:
    expected = exhaustive.rips_bars(library.length(exhaustive.distances(cloud)))
    return Trial({"cloud": cloud}, expected, partial(_rips, library, cloud))


def _rips(library: Library, cloud: Array) -> tuple[Array, Array]:
    return _shown(library.rips(_tensor(cloud)))


def _shown(bars: Bars) -> tuple[Array, Array]:
    """Bars of positive length, sorted; those that never die left out, which some libraries return."""
    first, second = (diagram.detach().numpy() for diagram in bars)
    first, second = (rows[(rows[:, 0] < rows[:, 1]) & (rows[:, 1] < math.inf)] for rows in (first, second))
    return first[np.lexsort(first.T[::-1])], second[np.lexsort(second.T[::-1])]


def _squares(diagram: Any) -> Any:
    return ((diagram[:, 1] - diagram[:, 0]) ** 2).sum()


def _gradient(value: torch.Tensor, variable: torch.Tensor) -> Array:
    value.backward()
    assert variable.grad is not None
    gradient: Array = variable.grad.numpy()
    return gradient


def _slope_of(value: torch.Tensor, variable: torch.Tensor, direction: Array) -> float:
    return float((_gradient(value, variable) * direction).sum())


def _slope_of_matrix(library: Library, matrix: Array, direction: Array, threads: int = 1) -> float:
    variable = _tensor(matrix, differentiate=True)
    return _slope_of(_squares(library.rips_of_matrix(variable, threads)[1]), variable, direction)


def _gradients_of_clouds(library: Library, degree: int) -> Iterator[Trial]:
    for seed in range(10):
        cloud, direction = _normal(seed, 12, 3), _normal(100 + seed, 12, 3)

        def ask(cloud: Array = cloud, direction: Array = direction) -> float:
            points = _tensor(cloud, differentiate=True)
            return _slope_of(_squares(library.rips(points)[degree]), points, direction)

        def squares(cloud: Array) -> float:
            return float(_squares(exhaustive.rips_bars(library.length(exhaustive.distances(cloud)))[degree]))

        expected = slope(squares, cloud, direction)
        yield Trial({"cloud": cloud, "direction": direction}, expected, ask, "wrong gradient")


def _wasserstein(library: Library, pair: Pair, order: float, norm: float) -> Trial:
    expected = exhaustive.wasserstein(*pair, order, norm) ** library.wasserstein_exponent(order)
    return _of_two(library.wasserstein, pair, expected, order, norm)


def _wasserstein_gradient(library: Library, pair: Pair, order: float, norm: float) -> Trial:
    def value(first: Array) -> float:
        distance = exhaustive.wasserstein(first, pair[1], order, norm)
        return float(distance ** library.wasserstein_exponent(order))

    ask = partial(_value_and_gradient, library, "wasserstein", pair, order, norm)
    inputs = _named(pair) | {"order": order, "ground norm": norm}
    return Trial(inputs, _both(value, pair[0]), ask, "wrong gradient")


def _both(value: Callable[[Array], float], point: Array) -> list[Any]:
    """A value and its gradient, by central differences."""
    units = np.eye(point.size).reshape(-1, *point.shape)
    return [value(point), np.reshape([slope(value, point, unit) for unit in units], point.shape)]


def _value_and_gradient(library: Library, method: str, pair: Pair, *parameters: float) -> list[Any]:
    """What a method returns for two diagrams, and its gradient with respect to the first."""
    if method not in library.differentiable:
        raise NotOfferedError
    first, second = (_tensor(diagram, differentiate=True) for diagram in pair)
    value = getattr(library, method)(first, second, *parameters)
    return [float(value), _gradient(value, first)]


def _entropy(library: Library, diagram: Array) -> Trial:
    expected = exhaustive.entropy(diagram, library.entropy_base)
    return Trial({"diagram": diagram}, expected, partial(_number, library.entropy, diagram))
