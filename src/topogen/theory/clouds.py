"""Random point clouds on which the propositions are checked."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


Stream = np.random.Generator


def _sphere(stream: Stream, points: int, dimension: int) -> Array:
    directions = stream.standard_normal((points, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions + 0.1 * stream.standard_normal((points, dimension))


# Random clouds of points in R^dimension, by name: a noisy unit sphere, the cube [0, 1]^d, a normal law.
SHAPES: dict[str, Callable[[Stream, int, int], Array]] = {
    "sphere": _sphere,
    "cube": lambda stream, points, dimension: stream.random((points, dimension)),
    "normal": lambda stream, points, dimension: stream.standard_normal((points, dimension)),
}
