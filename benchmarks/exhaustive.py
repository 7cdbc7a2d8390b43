"""Answers by definition: slow, short, and independent of every library that is compared."""

import math
from collections.abc import Callable, Iterator
from itertools import combinations, combinations_with_replacement, permutations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def distances(cloud: Array) -> Array:
    """Euclidean distances of the points of a cloud, shape (n, n)."""
    squares: Array = ((cloud[:, None] - cloud[None, :]) ** 2).sum(axis=2)
    return np.sqrt(squares)


def rips_bars(matrix: Array) -> tuple[Array, Array]:
    """Finite bars of degrees 0 and 1, those of length 0 left out: the boundary matrix, reduced by columns.

    Args:
        matrix: where each edge enters the filtration; on the diagonal, where each vertex does.
    """
    simplices = sorted(
        (max(matrix[pair] for pair in combinations_with_replacement(simplex, 2)), size, simplex)
        for size in (1, 2, 3)
        for simplex in combinations(range(len(matrix)), size)
    )
    number = {simplex: index for index, (_, _, simplex) in enumerate(simplices)}
    reduced: dict[int, set[int]] = {}  # by lowest entry
    bars: tuple[list[tuple[float, float]], ...] = ([], [])
    for value, size, simplex in simplices:
        column = {number[face] for face in combinations(simplex, size - 1) if face}
        while column and max(column) in reduced:
            column ^= reduced[max(column)]
        if column:
            reduced[max(column)] = column
            birth = simplices[max(column)][0]
            if birth < value:
                bars[size - 2].append((birth, value))
    first, second = (np.array(sorted(rows)).reshape(-1, 2) for rows in bars)
    return first, second


def bottleneck(first: Array, second: Array) -> float:
    """Bottleneck distance of two small diagrams."""
    return min(float(costs.max(initial=0)) for costs in _costs_of_matchings(first, second, math.inf))


def wasserstein(first: Array, second: Array, order: float, norm: float) -> float:
    """Wasserstein distance of two small diagrams, the root taken."""
    smallest = min((costs**order).sum() for costs in _costs_of_matchings(first, second, norm))
    return float(smallest ** (1 / order))


def _costs_of_matchings(first: Array, second: Array, norm: float) -> Iterator[Array]:
    """Costs of each way to match points to points, and the rest to the diagonal."""
    pairs = np.linalg.norm(first[:, None] - second[None, :], ord=norm, axis=2)
    to_diagonal, other_to_diagonal = (
        np.linalg.norm(diagram - diagram.mean(axis=1, keepdims=True), ord=norm, axis=1)
        for diagram in (first, second)
    )
    for size in range(min(pairs.shape) + 1):
        for rows in combinations(range(len(first)), size):
            for columns in permutations(range(len(second)), size):
                matched = pairs[list(rows), list(columns)]
                rest = np.delete(to_diagonal, rows), np.delete(other_to_diagonal, columns)
                yield np.concatenate([matched, *rest])


def sliced_wasserstein(first: Array, second: Array, directions: int) -> float:
    """Mean over the lines at angles -pi/2 + i pi / directions of the matching of sorted projections."""
    angles = -math.pi / 2 + math.pi * np.arange(directions) / directions
    lines = np.stack([np.cos(angles), np.sin(angles)])
    left, right = _augmented(first, second) @ lines, _augmented(second, first) @ lines
    return float(np.abs(np.sort(left, axis=0) - np.sort(right, axis=0)).sum(axis=0).mean())


def fisher(first: Array, second: Array, sigma: float) -> float:
    """Angle between the square roots of the densities of two diagrams on the points of both."""
    left, right = _augmented(first, second), _augmented(second, first)
    union = np.concatenate([left, right])
    densities = [
        np.exp(-((union[:, None] - points[None, :]) ** 2).sum(axis=2) / (2 * sigma**2)).sum(axis=1)
        for points in (left, right)
    ]
    rho, other_rho = (density / density.sum() for density in densities)
    return math.acos(min(np.sqrt(rho * other_rho).sum(), 1.0))


def _augmented(diagram: Array, other: Array) -> Array:
    return np.concatenate([diagram, np.repeat(other.mean(axis=1, keepdims=True), 2, axis=1)])


def scale_space_kernel(first: Array, second: Array, sigma: float) -> float:
    """Persistence scale-space kernel, equation 10 of Reininghaus et al. (2015), pair by pair."""
    return sum(
        math.exp(-((p - q) ** 2).sum() / (8 * sigma)) - math.exp(-((p - q[::-1]) ** 2).sum() / (8 * sigma))
        for p in first
        for q in second
    ) / (8 * math.pi * sigma)


def scale_space_distance(first: Array, second: Array, sigma: float) -> float:
    """Distance of the scale-space kernel, the root taken."""
    square = (
        scale_space_kernel(first, first, sigma)
        + scale_space_kernel(second, second, sigma)
        - 2 * scale_space_kernel(first, second, sigma)
    )
    return math.sqrt(max(square, 0.0))


def entropy(diagram: Array, base: float) -> float:
    """Persistent entropy, 0 log 0 = 0."""
    lifetimes = np.diff(diagram, axis=1)
    shares = lifetimes[lifetimes > 0] / lifetimes.sum()
    return -float((shares * np.log(shares)).sum()) / math.log(base)


def slope(function: Callable[[Array], float], point: Array, direction: Array, step: float = 1e-6) -> float:
    """Central difference of a function at a point in a direction."""
    return (function(point + step * direction) - function(point - step * direction)) / (2 * step)
