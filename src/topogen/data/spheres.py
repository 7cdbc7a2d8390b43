"""SPHERES: ten spheres inside an eleventh, the vectors of the paper on topological autoencoders."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

DIMENSION = 101  # of the space; the spheres have one dimension less
RADII = [5.0] * 10 + [25.0]  # of the spheres; the last one is around the others
POINTS = [500] * 10 + [5000]  # on each of them
SEED = 42  # of the paper's code: with its draws, the points are the paper's


def points_of_spheres() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Points, shape (10000, 101), and the number of the sphere of each, 0 ... 10; 10 is the outer one.

    The centres of the inner spheres are standard normal draws, and the outer centre is the origin.
    """
    stream = np.random.RandomState(SEED)
    centres = stream.normal(size=(len(RADII), DIMENSION))
    centres[-1] = 0
    parts = []
    for centre, radius, number in zip(centres, RADII, POINTS, strict=True):
        directions = stream.randn(number, DIMENSION)
        parts.append(centre + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True))
    return np.concatenate(parts).astype(np.float32), np.repeat(np.arange(len(RADII)), POINTS)


def spheres(train: bool) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Points of the spheres in a random order, always the same; a tenth of them is the test.

    Each coordinate is normalised: over the points for training, it has the mean 0 and the variance 1.

    Args:
        train: the points for training, or those for the test.

    Returns:
        Coordinates, shape (n, 101), and the number of the sphere, 0 ... 10, shape (n,).

    Source:
        M. Moor, M. Horn, B. Rieck, K. Borgwardt, *Topological autoencoders*, 2020, section 5, and its public
        code for the numbers.

    """
    training, test, classes, test_classes = train_test_split(
        *points_of_spheres(), test_size=0.1, random_state=np.random.RandomState(SEED)
    )
    mean, deviation = training.mean(axis=0), training.std(axis=0)
    chosen = training if train else test
    normalised: NDArray[np.float32] = (chosen - mean) / deviation
    return normalised, classes if train else test_classes
