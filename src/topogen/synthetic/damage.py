"""How regularizers respond to batches of images that are damaged more and more, compared with clean ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogen.data.batches import scaled
from topogen.data.orders import batch_slices
from topogen.training.terms import Term, build_terms
from topogen.training.views import Seen, View

Images = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]
Stream = np.random.Generator

CLEAN = "clean"  # name of no damage: another clean batch
CLEAN_RANGE = (0.05, 0.95)  # quantiles of the changes between clean batches; damage above them is noticed


@dataclass(frozen=True)
class Batch:
    """A batch of images, and the data that it comes from.

    Attributes:
        images: vectors, shape (b, d), grey levels in [0, 1].
        place: of the batch in the data.
        data: all images, integers 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        labels: classes of the data, shape (n,).

    """

    images: Images
    place: slice
    data: NDArray[Any]
    labels: Labels


# With the same stream, a higher level damages what a lower one damages, and more.


def noise(stream: Stream, batch: Batch, level: float) -> Images:
    """Normal noise of standard deviation ``level`` on every pixel, cut off at 0 and 1."""
    noisy = batch.images + level * stream.standard_normal(batch.images.shape, dtype=np.float32)
    return noisy.clip(0, 1).astype(np.float32)


def dropped(stream: Stream, batch: Batch, level: float) -> Images:
    """Each pixel black with probability ``level``."""
    return np.where(stream.random(batch.images.shape) < level, np.float32(0), batch.images)


def classes(stream: Stream, batch: Batch, level: float) -> Images:
    """Images of ``level`` classes only: images of the other classes are replaced by some from elsewhere."""
    left = stream.permutation(np.unique(batch.labels))[: int(level)]
    gone = np.flatnonzero(~np.isin(batch.labels[batch.place], left))
    elsewhere = np.isin(batch.labels, left)
    elsewhere[batch.place] = False
    pool = np.flatnonzero(elsewhere)
    damaged = batch.images.copy()
    damaged[gone] = vectors_of(batch.data[stream.choice(pool, len(gone), replace=len(pool) < len(gone))])
    return damaged


def duplicates(stream: Stream, batch: Batch, level: float) -> Images:
    """Mode collapse: a share ``level`` of the images, all but one at most, become copies of the rest."""
    order = stream.permutation(len(batch.images))
    left = max(len(order) - round(level * len(order)), 1)
    damaged = batch.images.copy()
    damaged[order[left:]] = batch.images[order[np.arange(len(order) - left) % left]]
    return damaged


# Ways to damage a batch, by name.
DAMAGES: dict[str, Callable[[Stream, Batch, float], Images]] = {
    "noise": noise,
    "dropped": dropped,
    "classes": classes,
    "duplicates": duplicates,
}


def vectors_of(images: NDArray[Any]) -> Images:
    """Levels 0 ... 255, shape (n, channels, height, width), as vectors in [0, 1], shape (n, d)."""
    vectors: Images = scaled(images).flatten(1).numpy()
    return vectors


def _seen(cloud: Tensor) -> Seen:
    """The diagrams of a batch, and the batch itself, for losses of points."""
    return View().of_points(cloud, [0, 1, None])


def _values(terms: Sequence[Term], seen: Seen, reference: Seen) -> NDArray[np.float64]:
    """Weighted values of the terms, shape (terms,)."""
    return np.array([term.weight * term.value(seen, reference).item() for term in terms])


def changes(
    images: NDArray[Any],
    labels: Labels,
    *,
    batch_size: int,
    batches: int,
    levels: Mapping[str, Sequence[float]],
    regularizers: Sequence[dict[str, Any]],
    seed: int,
) -> pd.DataFrame:
    r"""How much regularizers change when a batch is damaged, and from one clean batch to another.

    For a batch with diagram D0, and the diagram D of the damaged batch, the change is

    .. math:: \lvert L(D, D_0) - L(D_0, D_0) \rvert,

    which for a distance is :math:`L(D, D_0)` itself. Between clean batches, D is the diagram of another one.
    A loss of points sees the batches themselves. One that compares point by point compares each image with
    itself, damaged; of two clean batches it compares images that have nothing in common but their place.

    Args:
        images: all images, integers 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        labels: their classes, shape (n,).
        batch_size: images of a batch.
        batches: how many, from the first on.
        levels: damage -> its levels; a key of :data:`DAMAGES`.
        regularizers: entries {name, degree, weight, parameters}, degree 0 or 1, or none, if of points.
        seed: of everything random.

    Returns:
        Columns damage, level, batch, regularizer, change. For another clean batch the damage is
        :data:`CLEAN`, and the level is its number.

    """
    terms = build_terms(regularizers)
    places = batch_slices(len(images), batch_size)[:batches]
    clean = [Batch(vectors_of(images[place]), place, images, labels) for place in places]
    references = [_seen(torch.from_numpy(batch.images)) for batch in clean]
    rows = []
    for number, (batch, reference) in enumerate(zip(clean, references, strict=True)):
        least = _values(terms, reference, reference)
        compared: dict[tuple[str, float], Seen] = {
            (CLEAN, place): other for place, other in enumerate(references) if place != number
        }
        for place, (damage, steps) in enumerate(levels.items()):
            for level in steps:
                stream = np.random.default_rng([seed, number, place])
                compared[damage, level] = _seen(torch.from_numpy(DAMAGES[damage](stream, batch, level)))
        for (damage, level), seen in compared.items():
            differences = np.abs(_values(terms, seen, reference) - least)
            row = {"damage": damage, "level": level, "batch": number}
            rows += [
                row | {"regularizer": term.column, "change": change}
                for term, change in zip(terms, differences, strict=True)
            ]
    return pd.DataFrame(rows)


def noticed(table: pd.DataFrame) -> pd.DataFrame:
    """Summary of :func:`changes`, relative to the changes from one clean batch to another.

    Returns:
        Columns regularizer, damage, level; ratio and sd, mean and standard deviation over batches of the
        change over c, the upper end of :data:`CLEAN_RANGE`; clean_low, its lower end over c; clean, c itself;
        beyond, the share of batches whose change is larger than c.

    """
    between = table[table["damage"] == CLEAN].groupby("regularizer")["change"]
    low, high = (table["regularizer"].map(between.quantile(q)) for q in CLEAN_RANGE)
    compared = table.assign(ratio=table["change"] / high, clean=high, clean_low=low / high)
    compared["beyond"] = compared["ratio"] > 1
    damaged = compared[compared["damage"] != CLEAN]
    return (
        damaged.groupby(["regularizer", "damage", "level"], sort=False)
        .agg(
            sd=("ratio", "std"),
            ratio=("ratio", "mean"),
            clean=("clean", "first"),
            clean_low=("clean_low", "first"),
            beyond=("beyond", "mean"),
        )
        .reset_index()
    )


def moved_images(
    images: NDArray[Any], *, batch_size: int, batches: int, regularizers: Sequence[dict[str, Any]]
) -> pd.DataFrame:
    """How many images of a batch the gradient of each regularizer moves, towards the next clean batch.

    Args:
        images: as in :func:`changes`.
        batch_size: images of a batch.
        batches: how many, from the first on; the last one goes towards the first.
        regularizers: as in :func:`changes`.

    Returns:
        Columns regularizer, batch, moved (images whose gradient is not 0), images (of the batch).

    """
    places = batch_slices(len(images), batch_size)[:batches]
    clean = [torch.from_numpy(vectors_of(images[place])) for place in places]
    references = [_seen(batch) for batch in clean]
    rows = []
    for number, batch in enumerate(clean):
        reference = references[(number + 1) % len(references)]
        for term in build_terms(regularizers):
            cloud = batch.clone().requires_grad_()
            value = term.value(_seen(cloud), reference)
            (gradient,) = torch.autograd.grad(value, cloud, materialize_grads=True)
            moved = int(gradient.any(dim=1).sum())
            row = {"regularizer": term.column, "batch": number, "moved": moved}
            rows.append(row | {"images": len(batch)})
    return pd.DataFrame(rows)


def one_class_batches(images: NDArray[Any], labels: Labels, batch_size: int) -> dict[str, NDArray[Any]]:
    """Diagrams of a batch of each class alone, and of the first batch, of all classes.

    Args:
        images: as in :func:`changes`.
        labels: as in :func:`changes`.
        batch_size: images of a batch: the first ones of each class.

    Returns:
        names: ``all`` and the classes; of each, diagram_NAME_0 and diagram_NAME_1, shape (k, 2), and
        images_NAME, its first eight images, shape (8, channels, height, width), levels in [0, 1].

    """
    rows = {"all": np.arange(min(batch_size, len(images)))}
    rows |= {str(label): np.flatnonzero(labels == label)[:batch_size] for label in np.unique(labels)}
    arrays: dict[str, NDArray[Any]] = {"names": np.array(list(rows))}
    for name, chosen in rows.items():
        batch = images[chosen]
        seen = _seen(torch.from_numpy(vectors_of(batch)))
        arrays |= {f"diagram_{name}_{degree}": seen[degree].numpy() for degree in (0, 1)}
        arrays[f"images_{name}"] = np.resize(scaled(batch[:8]).numpy(), (8, *batch.shape[1:]))
    return arrays
