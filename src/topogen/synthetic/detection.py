"""When distances of clouds tell a damaged batch of images from a real one, by the size of the cloud.

Two different sets of real images are compared, and the same two with the second one damaged. A distance that
sees the damage is larger then than between real sets.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats

from topogen.synthetic.damage import CLEAN, DAMAGES, Batch, Images, Stream, vectors_of
from topogen.training.terms import Term, build_terms
from topogen.training.views import Seen

BOOTSTRAP = 1000  # samples of the interval of an area


def blur(stream: Stream, batch: Batch, level: float) -> Images:
    """Every image through a Gaussian filter with a width of ``level`` pixels."""
    shape = batch.data.shape[1:]
    images = batch.images.reshape(-1, *shape)
    blurred: Images = ndimage.gaussian_filter(images, (0, 0, level, level)).reshape(len(images), -1)
    return blurred


# Ways to damage a set of images, by name.
DETECTED = {**DAMAGES, "blur": blur}


def labels_of(distances: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of distances that tell them apart: name, degree and metric.

    >>> labels_of([{"name": "push", "degree": 0}, {"name": "push", "degree": 0, "metric": "cosine"}])
    ['push 0', 'push 0, cosine']
    """
    named = [
        f"{entry['name']} {entry['degree']}" if "degree" in entry else entry["name"] for entry in distances
    ]
    metrics = [f", {entry['metric']}" if "metric" in entry else "" for entry in distances]
    return [name + metric for name, metric in zip(named, metrics, strict=True)]


def responses(
    images: NDArray[Any],
    labels: NDArray[np.integer[Any]],
    *,
    size: int,
    repetitions: int,
    damages: Mapping[str, Sequence[float]],
    distances: Sequence[dict[str, Any]],
    seed: int,
) -> pd.DataFrame:
    """Distances of pairs of sets of images, the second one real or damaged.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        labels: classes, shape (n,).
        size: images of a set.
        repetitions: pairs of sets.
        damages: a key of :data:`DETECTED` -> its levels.
        distances: entries of regularizers, which need no weight.
        seed: of everything random.

    Returns:
        Columns repetition, damage, level, distance, value. For a pair of real sets the damage is
        :data:`topogen.synthetic.damage.CLEAN` and the level 0.

    Raises:
        ValueError: there are fewer images than two sets need.

    """
    if 2 * size >= len(images):
        raise ValueError(
            f"detection.sizes: two sets of {size} need more than the {len(images)} images there are"
        )
    terms = build_terms(distances)
    names, rows = labels_of(distances), []
    for repetition in range(repetitions):
        stream = np.random.default_rng([seed, size, repetition])
        chosen = stream.choice(len(images), 2 * size, replace=False)
        first, second = np.sort(chosen[:size]), np.sort(chosen[size:])
        reference = vectors_of(images[first])
        seen = [_seen(term, reference) for term in terms]
        # The set stands at the start of images that are otherwise not in it, as damage by classes asks for.
        rest = np.setdiff1d(np.arange(len(images)), chosen)[: 10 * size]
        order = np.concatenate([second, rest])
        batch = Batch(vectors_of(images[second]), slice(0, size), images[order], labels[order])
        sets = {(CLEAN, 0.0): batch.images}
        # From 1 on: [..., 0] would be the stream that chose the images.
        for number, (damage, levels) in enumerate(damages.items(), start=1):
            for level in levels:
                draws = np.random.default_rng([seed, size, repetition, number])
                sets[damage, level] = DETECTED[damage](draws, batch, level)
        for (damage, level), cloud in sets.items():
            for name, term, of_reference in zip(names, terms, seen, strict=True):
                value = float(term.value(_seen(term, cloud), of_reference))
                rows.append((repetition, damage, level, name, value))
    return pd.DataFrame(rows, columns=["repetition", "damage", "level", "distance", "value"])


def _seen(term: Term, cloud: Images) -> Seen:
    return term.view.of_points(torch.from_numpy(np.ascontiguousarray(cloud)), [term.key])


def areas(table: pd.DataFrame, *, confidence: float, seed: int) -> pd.DataFrame:
    """How well each distance tells damaged sets from real ones.

    The area under the curve is the chance that a pair with a damaged set is farther apart than another pair
    of real sets, equal distances counting half: 0.5 tells nothing, 1 everything.

    Args:
        table: what :func:`responses` returned.
        confidence: of the bootstrap intervals over the repetitions.
        seed: of the bootstrap.

    Returns:
        Columns damage, level, distance, n, area, low, high.

    """
    rows = []
    for name, of_distance in table.groupby("distance", sort=False):
        wide = of_distance.pivot(index="repetition", columns=["damage", "level"], values="value")
        real = wide[CLEAN, 0.0].to_numpy()
        for damage, level in wide.columns.drop((CLEAN, 0.0)).to_frame().itertuples(index=False):
            damaged = wide[damage, level].to_numpy()
            of_repetitions = partial(area, damaged, real)
            repetitions = np.arange(len(real))
            found = stats.bootstrap(
                (repetitions,),
                of_repetitions,
                vectorized=True,
                n_resamples=BOOTSTRAP,
                confidence_level=confidence,
                method="percentile",
                rng=np.random.default_rng(seed),
            ).confidence_interval
            chance = float(of_repetitions(repetitions))
            rows.append((damage, level, name, len(real), chance, found.low, found.high))
    return pd.DataFrame(rows, columns=["damage", "level", "distance", "n", "area", "low", "high"])


def area(
    damaged: NDArray[Any], real: NDArray[Any], repetitions: NDArray[np.int64], axis: int = -1
) -> NDArray[np.float64]:
    """Share of pairs of a damaged and a real value in which the damaged one is larger, equal ones half.

    The two values of one repetition are of the same images, so they are no pair. Without any pair it is 0.5.

    Args:
        damaged: value of each repetition, shape (n,).
        real: value of each repetition, shape (n,).
        repetitions: which are drawn, maybe more than once; numbers below n along the axis.
        axis: of the repetitions.

    >>> area(np.array([2.0, 3.0]), np.array([1.0, 2.0]), np.arange(2))
    array(0.75)
    """
    drawn = np.moveaxis(repetitions, axis, -1)
    first, second = drawn[..., :, None], drawn[..., None, :]
    larger = (np.sign(damaged[first] - real[second]) + 1) / 2
    apart = first != second
    pairs = apart.sum(axis=(-2, -1))
    chance: NDArray[np.float64] = np.where(
        pairs, (larger * apart).sum(axis=(-2, -1)) / np.maximum(pairs, 1), 0.5
    )
    return chance
