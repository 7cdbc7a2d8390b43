"""Reference diagrams D0: one cloud per batch of ground-truth images."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray

from topogen.data.batches import batch_slices, scaled
from torchrips.persistence import rips_diagrams


def reference_diagrams(
    images: NDArray[Any], batch_size: int, degrees: tuple[int, ...], threads: int
) -> list[list[NDArray[Any]]]:
    """Rips diagrams of every batch, a batch of b images being a cloud of b points.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        batch_size: number of images of a batch; the last batch may be smaller.
        degrees: homology degrees.
        threads: batches computed at a time; the result does not depend on it.

    Returns:
        ``diagrams[batch][degree]`` of shape (k, 2), float32, pixel distance.

    """

    def diagrams_of(batch: slice) -> list[NDArray[Any]]:
        cloud = scaled(images[batch]).flatten(1)
        return [diagram.numpy() for diagram in rips_diagrams(cloud, degrees)]

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(diagrams_of, batch_slices(len(images), batch_size)))
