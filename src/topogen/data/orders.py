"""Which images make a batch: one place for their order."""

import numpy as np
from numpy.typing import NDArray

Places = slice | NDArray[np.int64]  # where the images of a batch lie in the stored array


def batch_slices(images: int, batch_size: int) -> list[slice]:
    """Batches in the order of the data, not shuffled; the last one may be smaller."""
    return [slice(start, min(start + batch_size, images)) for start in range(0, images, batch_size)]


def shuffled_batches(images: int, batch_size: int, seed: int, epochs: int) -> list[Places]:
    """Batches of so many epochs, one epoch after the other, each in another random order of the images."""
    orders = [np.random.default_rng([seed, epoch]).permutation(images) for epoch in range(epochs)]
    return [order[places] for order in orders for places in batch_slices(images, batch_size)]


def ordered_batches(images: int, batch_size: int, order: int | None) -> list[Places]:
    """Batches in another order, the same in every epoch.

    Args:
        images: number of images.
        batch_size: images of a batch; the last one may be smaller.
        order: seed of the permutation of the images; None: the order of the data.

    """
    slices = batch_slices(images, batch_size)
    if order is None:
        return [*slices]
    permutation = np.random.default_rng(order).permutation(images)
    return [permutation[places] for places in slices]
