"""Images whose shape is known: their parameter runs through a circle, a torus, or separate parts."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIDE = 16  # pixels
CLASSES = 8  # parts of the parameter's first circle, or of the components that there are
TRAINING, TEST = 3840, 512  # images
COMPONENTS = 4  # places of a blob that are apart


def rotated_bar(parameters: Array) -> Array:
    """A bar through the middle, turned by half a turn times the parameter; half a turn brings it back.

    Args:
        parameters: shape (n, 2), in [0, 1); the first one counts.

    Returns:
        Levels in [0, 1], shape (n, 16, 16).

    """
    angles = np.pi * parameters[:, 0, None, None]
    x, y = _pixels()
    across = x * np.sin(angles) - y * np.cos(angles)
    inside = np.hypot(x, y) < SIDE / 2
    images: Array = np.exp(-((across / 1.5) ** 2)) * inside
    return images


def shifted_blob(parameters: Array) -> Array:
    """A blob that is shifted in both directions and comes back at the opposite side: a torus of images.

    Args:
        parameters: shape (n, 2), in [0, 1).

    Returns:
        Levels in [0, 1], shape (n, 16, 16).

    """
    x, y = _pixels()
    steps = [side - SIDE * shift[:, None, None] for side, shift in zip((x, y), parameters.T, strict=True)]
    across, down = ((step + SIDE / 2) % SIDE - SIDE / 2 for step in steps)
    images: Array = np.exp(-(across**2 + down**2) / (2 * 2.5**2))
    return images


def separate_blobs(parameters: Array) -> Array:
    """A blob in one of four corners, not quite at its place: as many components.

    Args:
        parameters: shape (n, 2), in [0, 1); the first one decides on the corner, and both on the rest.

    Returns:
        Levels in [0, 1], shape (n, 16, 16).

    """
    corner = np.floor(COMPONENTS * parameters[:, 0])
    rest = np.stack([COMPONENTS * parameters[:, 0] - corner, parameters[:, 1]], axis=1)
    places = np.stack([corner % 2, corner // 2], axis=1) / 2 + 0.25 + 0.06 * (rest - 0.5)
    return shifted_blob(places - 0.5)


def _pixels() -> tuple[Array, Array]:
    """Coordinates of the pixels, the middle being 0; each of shape (1, 16, 16)."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return x[None], y[None]


# Name -> images of parameters.
SHAPES: dict[str, Callable[[Array], Array]] = {
    "circle": rotated_bar,
    "torus": shifted_blob,
    "components": separate_blobs,
}


def planted(shape: str, train: bool) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images of a shape in a random order, always the same, and classes.

    Args:
        shape: of :data:`SHAPES`.
        train: the images for training, or those for the test.

    Returns:
        Levels 0 ... 255, shape (n, 1, 16, 16), and classes 0 ... 7, (n,): the eighth of the first parameter.

    """
    parameters = np.random.default_rng(int(train)).random((TRAINING if train else TEST, 2))
    images = (255 * SHAPES[shape](parameters)).round().astype(np.uint8)[:, None]
    return images, np.floor(CLASSES * parameters[:, 0]).astype(np.int64)
