"""Reference diagrams D0: one cloud per batch of ground-truth images. And wrong ones, for controls."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogen.data.batches import scaled
from topogen.data.orders import Places, batch_slices, ordered_batches
from torchrips.persistence import rips_diagrams

Diagrams = list[list[NDArray[Any]]]  # [batch][degree], each of shape (k, 2), float32, pixel distance


def reference_diagrams(
    images: NDArray[Any],
    batch_size: int,
    degrees: tuple[int, ...],
    threads: int,
    order: int | None = None,
) -> Diagrams:
    """Rips diagrams of every batch, a batch of b images being a cloud of b points.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        batch_size: number of images of a batch; the last batch may be smaller.
        degrees: homology degrees.
        threads: batches computed at a time; the result does not depend on it.
        order: seed of the order of the images, see :func:`topogen.data.orders.ordered_batches`.

    Returns:
        ``diagrams[batch][degree]`` of shape (k, 2), float32, pixel distance.

    """
    batches = ordered_batches(len(images), batch_size, order)
    return _diagrams_of(len(batches), lambda batch: _points(images[batches[batch]]), degrees, threads)


def wrong_diagrams(
    kind: str,
    images: NDArray[Any],
    labels: NDArray[Any],
    batch_size: int,
    *,
    degrees: tuple[int, ...],
    threads: int,
) -> Diagrams:
    """For every batch the diagrams of another cloud: a reference that is not the batch's.

    The cloud has as many points as the batch. That of one_class has fewer if the class has.

    Args:
        kind: of :data:`WRONG_CLOUDS`.
        images: as in :func:`reference_diagrams`.
        labels: classes, shape (n,).
        batch_size: as in :func:`reference_diagrams`.
        degrees: homology degrees.
        threads: as in :func:`reference_diagrams`.

    Raises:
        ValueError: there is no such cloud for one of the batches.

    """
    batches = batch_slices(len(images), batch_size)

    def cloud(batch: int) -> Tensor:
        return WRONG_CLOUDS[kind](images, labels, batches, batch)

    return _diagrams_of(len(batches), cloud, degrees, threads)


def other_batch(images: NDArray[Any], labels: NDArray[Any], batches: Sequence[Places], batch: int) -> Tensor:
    """The next batch that has enough images, cut to as many; after the last batch the first one follows.

    Raises:
        ValueError: no other batch has enough.

    """
    size = _length(batches[batch])
    following = [*batches[batch + 1 :], *batches[:batch]]
    for places in following:
        if _length(places) >= size:
            return _points(images[places][:size])
    raise ValueError(
        f"reference: other_batch: batch {batch} has {size} images, and no other batch has as many; lower "
        "training.batch_size, or take another reference"
    )


def one_class(images: NDArray[Any], labels: NDArray[Any], batches: Sequence[Places], batch: int) -> Tensor:
    """The first images of the class of the batch's first image, as many as the batch has if there are."""
    alike = np.flatnonzero(labels == labels[batches[batch]][0])
    return _points(images[alike[: _length(batches[batch])]])


def normal(images: NDArray[Any], labels: NDArray[Any], batches: Sequence[Places], batch: int) -> Tensor:
    r"""Normal points with the mean and the covariance of the batch's pixels.

    With the b images as rows of B, their mean m and normal draws G of shape (b, b), the points are
    :math:`m + G (B - m) / \sqrt{b - 1}`: their covariance is that of the sample, whatever its rank.
    """
    points = _points(images[batches[batch]]).double()
    mean, b = points.mean(dim=0), len(points)
    draws = torch.from_numpy(np.random.default_rng(batch).standard_normal((b, b)))
    return (mean + draws @ (points - mean) / math.sqrt(max(b - 1, 1))).float()


# Name -> the cloud of a batch: called with images, labels, all batches and the number of the batch.
WRONG_CLOUDS: dict[str, Callable[[NDArray[Any], NDArray[Any], Sequence[Places], int], Tensor]] = {
    "other_batch": other_batch,
    "one_class": one_class,
    "normal": normal,
}


def _points(images: NDArray[Any]) -> Tensor:
    return scaled(images).flatten(1)


def _length(places: Places) -> int:
    length: int = places.stop - places.start if isinstance(places, slice) else len(places)
    return length


def _diagrams_of(
    batches: int, cloud: Callable[[int], Tensor], degrees: tuple[int, ...], threads: int
) -> Diagrams:
    def diagrams(batch: int) -> list[NDArray[Any]]:
        return [diagram.numpy() for diagram in rips_diagrams(cloud(batch), degrees)]

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(diagrams, range(batches)))
