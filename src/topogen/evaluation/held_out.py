"""Held-out evaluation of a trained model: likelihood, quality and diversity, topology, latent structure.

Common random numbers: the noise of posterior and prior is a stream of its own, decided by the seed and the
dimension of the noise alone. So a model and its baseline are compared on the same draws, at every step.

A model is asked for its losses, reconstructions, latents and samples. What it cannot make is left out. A
prior sample of a VAE is the decoder's mean at a draw of the prior, and a reconstruction that at a draw of the
posterior. Quality and diversity of both are judged in two feature spaces (:mod:`topogen.evaluation.spaces`);
:mod:`topogen.evaluation.metrics` lists and describes the metrics.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogen.data.batches import scaled
from topogen.evaluation.classifier import CHUNK
from topogen.evaluation.features import (
    class_metrics,
    frechet_distance,
    kernel_distance,
    latent_structure,
    mean_distance,
    neighbourhood_metrics,
    radii_of,
)
from topogen.evaluation.names import GENERATION, RECONSTRUCTION, SPACES
from topogen.evaluation.spaces import Spaces
from topogen.models.families import Family, Outcome
from topogen.training.noise import independent_stream
from torchrips.distances import bottleneck, reininghaus, wasserstein
from torchrips.persistence import rips_diagrams

STREAM = 1000  # number of the stream of the noise: no training draws from it
PICTURES = 32  # prior samples that are kept for the figure: 4 rows of 8
NAMES = {"mean": "means", "z": "samples"}  # of the latents, in the names of metrics
DISTANCES = ("bottleneck", "wasserstein", "reininghaus")
ENERGIES = ("bottleneck", "wasserstein")  # of which energy distances are taken

Diagrams = Sequence[Sequence[NDArray[Any]]]
Batch = Sequence[Tensor]  # diagrams of one batch, by degree


@dataclass(frozen=True)
class Settings:
    """How held-out images and samples are compared.

    Attributes:
        batch_size: images of a cloud.
        neighbours: k of precision, recall, density, coverage, and of the vote in the latent space.
        subsets: subsets that the kernel distance averages over.
        subset_size: images of such a subset.
        covered_share: a class is covered if at least this share of the images is of it.
        order: exponent of the Wasserstein distance.
        ground_norm: norm of the Wasserstein distance in the plane.
        sigma: scale of the Reininghaus distance.

    """

    batch_size: int
    neighbours: int
    subsets: int
    subset_size: int
    covered_share: float
    order: float
    ground_norm: float
    sigma: float


@dataclass(frozen=True)
class RealFeatures:
    """Real images in one feature space, and what every comparison with them needs.

    Attributes:
        points: shape (n, f).
        radii: distance of each to the k-th nearest other one, shape (n,).
        mean_distance: of two of them.

    """

    points: Tensor
    radii: Tensor
    mean_distance: float


@dataclass(frozen=True)
class HeldOut:
    """Held-out images, and what is known of them before any model is evaluated.

    Attributes:
        images: levels in [0, 1], shape (n, channels, height, width).
        labels: classes, shape (n,).
        features: ending of the metrics in a feature space -> the images in it.
        diagrams: ``diagrams[batch][degree]`` of the batches that are whole.
        units: mean distance between the diagrams of one half of the batches and of the other, by metric.
        within: mean distance of the diagrams of two batches of the second half, of the metrics that an energy
            distance is taken of.

    """

    images: Tensor
    labels: NDArray[Any]
    features: Mapping[str, RealFeatures]
    diagrams: Diagrams
    units: Mapping[str, float]
    within: Mapping[str, float]


def noise_of(seed: int, images: int, dimension: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noise of the pictures, (32, dimension), and of posterior and prior, each (images, dimension)."""
    stream = independent_stream(seed, STREAM)
    pictures, posterior, prior = (
        torch.randn(count, dimension, generator=stream) for count in (PICTURES, images, images)
    )
    return pictures, posterior, prior


def diagrams_of_batches(images: Tensor, batch_size: int) -> list[list[NDArray[Any]]]:
    """Diagrams of degree 0 and 1 of the batches that are whole, ``diagrams[batch][degree]``."""
    clouds = images.flatten(1)
    return [
        [diagram.numpy() for diagram in rips_diagrams(cloud)]
        for cloud in torch.split(clouds, batch_size)
        if len(cloud) == batch_size
    ]


def diagram_distances(diagrams: Diagrams, others: Diagrams, settings: Settings) -> dict[str, float]:
    """Mean distances over all pairs of a diagram and another one, by name and degree, as ``bottleneck_0``."""
    return _mean_distances(product(_tensors(diagrams), _tensors(others)), settings, DISTANCES)


def distances_within(diagrams: Diagrams, settings: Settings) -> dict[str, float]:
    """The same over all pairs of two different ones of at least two batches, for :data:`ENERGIES`."""
    return _mean_distances(combinations(_tensors(diagrams), 2), settings, ENERGIES)


def _tensors(diagrams: Diagrams) -> list[Batch]:
    return [[torch.from_numpy(diagram).double() for diagram in batch] for batch in diagrams]


def _mean_distances(
    pairs: Iterable[tuple[Batch, Batch]], settings: Settings, names: Sequence[str]
) -> dict[str, float]:
    distances: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "bottleneck": bottleneck,
        "wasserstein": partial(wasserstein, order=settings.order, ground_norm=settings.ground_norm),
        "reininghaus": partial(reininghaus, sigma=settings.sigma),
    }
    pairs = list(pairs)
    return {
        f"{name}_{degree}": float(np.mean([distance(a[degree], b[degree]).item() for a, b in pairs]))
        for name in names
        for distance in [distances[name]]
        for degree in (0, 1)
    }


def topological_fidelity(
    images: Tensor, held_out: HeldOut, settings: Settings, names: Sequence[str] = DISTANCES
) -> dict[str, float]:
    r"""How far the diagrams of images are from held-out ones, in units of the distance of real and real ones.

    The unit u is the mean over all pairs of a batch of the first half of the held-out batches and one of the
    second. Batches X of the images take the place of the first half, Y is the second half. With the mean
    distance d of two diagrams, the mean over pairs, each entry of two different batches,

    .. math:: d(X, Y) / u \qquad\text{and}\qquad (2\, d(X, Y) - d(X, X') - d(Y, Y')) / u.

    The first is below 1 if all diagrams X are alike and in the middle of those of Y. The second, the energy
    distance, is then above 0; its mean is 0 for real images. It is taken of :data:`ENERGIES`.

    Args:
        images: in [0, 1], shape (n, channels, height, width), two batches at least; of more than half as many
            as are held out, the rest is left out. Image k may be made of held-out image k: such pairs are
            not compared.
        held_out: what they are compared with.
        settings: batch size, and parameters of the distances.
        names: of the distances, :data:`ENERGIES` at least.

    Returns:
        The first under the distance's name and degree, as ``bottleneck_0``, the second as
        ``energy_bottleneck_0``.

    Source:
        G. Szekely, M. Rizzo, *Energy statistics: a class of statistics based on distances*, 2013.
    """
    half = len(held_out.diagrams) // 2
    diagrams = diagrams_of_batches(images[: max(half, 2) * settings.batch_size], settings.batch_size)
    pairs = product(_tensors(diagrams[:half]), _tensors(held_out.diagrams[half:]))
    between = _mean_distances(pairs, settings, names)
    within = distances_within(diagrams, settings)
    energies = {f"energy_{name}": 2 * between[name] - within[name] - held_out.within[name] for name in within}
    return {
        name: value / unit if unit else np.nan
        for name, value in (between | energies).items()
        for unit in [held_out.units[name.removeprefix("energy_")]]
    }


def prepare_test_set(
    images: NDArray[Any], labels: NDArray[Any], spaces: Spaces, settings: Settings
) -> HeldOut:
    """Features and diagrams of held-out images, and the mean distances of their diagrams.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width), two whole batches at least.
        labels: classes, shape (n,).
        spaces: in which images are compared.
        settings: batch size, and parameters of the distances.

    Raises:
        ValueError: there are fewer than two whole batches.

    """
    if len(images) < 2 * settings.batch_size:
        raise ValueError(f"{len(images)} held-out images are fewer than two batches of {settings.batch_size}")
    pixels = scaled(images)
    features, _ = spaces.features(pixels)
    real = {
        ending: RealFeatures(points, radii_of(points, settings.neighbours), mean_distance(points))
        for ending, points in features.items()
    }
    diagrams = diagrams_of_batches(pixels, settings.batch_size)
    half = len(diagrams) // 2
    units = diagram_distances(diagrams[:half], diagrams[half:], settings)
    within = distances_within(diagrams[min(half, len(diagrams) - 2) :], settings)
    return HeldOut(pixels, labels, real, diagrams, units, within)


def compare_images(
    images: Tensor,
    held_out: HeldOut,
    spaces: Spaces,
    settings: Settings,
    *,
    seed: int,
    names: Mapping[str, str],
    paired: bool = False,
) -> dict[str, float]:
    """Quality and diversity of images.

    Args:
        images: in [0, 1], as many as are held out, shape (n, channels, height, width).
        held_out: the images that they are compared with.
        spaces: in which they are compared.
        settings: how they are compared.
        seed: decides the subsets of the kernel distance.
        names: of the metrics, :data:`topogen.evaluation.names.GENERATION` or ``RECONSTRUCTION``.
        paired: whether the images belong to the held-out ones, in their order. The kernel distance is
            unbiased for independent sets, so it then compares the first half with the others' second half.

    """
    features, classes = spaces.features(images)
    counts = np.bincount(classes.numpy(), minlength=spaces.classifier.head.out_features)
    values: dict[str, float] = {}
    half = len(images) // 2
    for ending, points in features.items():
        real = held_out.features[ending]
        apart = (points[:half], real.points[half:]) if paired else (points, real.points)
        found = {
            "frechet": frechet_distance(points, real.points),
            "kernel": kernel_distance(*apart, settings.subsets, settings.subset_size, seed),
            **neighbourhood_metrics(points, real.points, settings.neighbours, real.radii),
            "mean_distance": mean_distance(points) / real.mean_distance,
        }
        values |= {names[name] + ending: value for name, value in found.items()}
    found = class_metrics(counts, settings.covered_share)
    return values | {names[name]: value for name, value in found.items()}


def compare_samples(
    images: Tensor, held_out: HeldOut, spaces: Spaces, settings: Settings, seed: int
) -> dict[str, float]:
    """Quality, diversity and topology of sampled images; arguments of :func:`compare_images`."""
    return {
        **compare_images(images, held_out, spaces, settings, seed=seed, names=GENERATION),
        **topological_fidelity(images, held_out, settings),
    }


def compare_reconstructions(
    images: Tensor, held_out: HeldOut, spaces: Spaces, settings: Settings, seed: int
) -> dict[str, float]:
    """The same of reconstructions, in the order of the held-out images; of topology the energy distances."""
    batches = max(len(held_out.diagrams) // 4, 2)  # a quarter of them, which takes half of the time of all
    few = images[: batches * settings.batch_size]
    fidelity = topological_fidelity(few, held_out, settings, ENERGIES)
    topology = {name: value for name, value in fidelity.items() if name.startswith("energy_")}
    return {
        **compare_images(images, held_out, spaces, settings, seed=seed, names=RECONSTRUCTION, paired=True),
        **{f"{name}_reconstruction": value for name, value in topology.items()},
    }


@torch.no_grad()
def evaluate(
    model: Family, held_out: HeldOut, spaces: Spaces, settings: Settings, seed: int
) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Evaluate a model on held-out images.

    Args:
        model: with the weights that are judged.
        held_out: images that it has not seen.
        spaces: in which images are compared.
        settings: how they are compared.
        seed: decides the noise.

    Returns:
        Metrics of :data:`topogen.evaluation.metrics.METRICS`, those that the model's family allows, and
        further terms of its loss; and prior samples for a figure, levels 0 ... 255, shape (32, channels,
        height, width), none, shape (0, channels, height, width), from a model that cannot sample.

    """
    pictures, posterior, prior = noise_of(seed, len(held_out.images), model.noise_dim)
    outcome = outcome_of_many(model, held_out.images, posterior)
    samples = [model.sample(noise) for noise in torch.split(prior, CHUNK)]
    values = losses_per_image(outcome, len(held_out.images))
    if outcome.reconstructions is not None:
        values |= compare_reconstructions(outcome.reconstructions, held_out, spaces, settings, seed)
    if made := [images for images in samples if images is not None]:
        values |= compare_samples(torch.cat(made), held_out, spaces, settings, seed)
    for name, plural in NAMES.items():
        if name in outcome.latents:
            points = outcome.latents[name].numpy()
            structure = latent_structure(points, held_out.labels, settings.neighbours)
            values |= {f"{metric}_of_{plural}": value for metric, value in structure.items()}
    shown = model.sample(pictures)
    shown = held_out.images[:0] if shown is None else shown
    return values, (shown * 255).round().to(torch.uint8).numpy()


def outcome_of_many(model: Family, images: Tensor, noise: Tensor) -> Outcome:
    """Outcome of many images, which go through the model in chunks."""
    chunks = zip(torch.split(images, CHUNK), torch.split(noise, CHUNK), strict=True)
    parts = [model(*chunk) for chunk in chunks]
    return model.outcome(tuple(torch.cat(rows) for rows in zip(*parts, strict=True)), images)


def losses_per_image(outcome: Outcome, images: int) -> dict[str, float]:
    """Terms of the loss per image, and ``elbo``, if the terms are a cross-entropy and a divergence."""
    values = {name: loss.item() / images for name, loss in outcome.losses.items()}
    if values.keys() >= {"bce", "kld"}:
        values["elbo"] = -(values["bce"] + values["kld"])
    return values


def arrays_of(features: Mapping[str, RealFeatures]) -> dict[str, NDArray[Any]]:
    """The features as named arrays, for a file."""
    return {
        f"{name}{ending}": np.asarray(getattr(real, name))
        for ending, real in features.items()
        for name in ("points", "radii", "mean_distance")
    }


def features_from(arrays: Mapping[str, NDArray[Any]]) -> dict[str, RealFeatures]:
    """What :func:`arrays_of` was given."""
    return {
        ending: RealFeatures(
            torch.from_numpy(arrays[f"points{ending}"]),
            torch.from_numpy(arrays[f"radii{ending}"]),
            float(arrays[f"mean_distance{ending}"]),
        )
        for ending in SPACES.values()
    }


def long_table(values: Mapping[int, Mapping[str, float]]) -> pd.DataFrame:
    """Metrics by step as one table, columns step, metric, value."""
    rows = [(step, name, value) for step, metrics in values.items() for name, value in metrics.items()]
    return pd.DataFrame(rows, columns=["step", "metric", "value"])
