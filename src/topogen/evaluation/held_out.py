"""Held-out evaluation of a trained model: likelihood, quality and diversity, topology, latent structure.

Common random numbers: the noise of posterior and prior is a stream of its own, decided by the seed and the
dimension of the noise alone. So a model and its baseline are compared on the same draws, at every step.

A model is asked for its losses, reconstructions, latents and samples. What it cannot make is left out. A
prior sample of a VAE is the decoder's mean at a draw of the prior, and a reconstruction that at a draw of the
posterior. Quality and diversity are judged in the features of a classifier
(:mod:`topogen.evaluation.classifier`); :mod:`topogen.evaluation.metrics` lists and describes the metrics.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogen.data.batches import scaled
from topogen.evaluation.classifier import CHUNK, Classifier
from topogen.evaluation.features import (
    class_metrics,
    frechet_distance,
    kernel_distance,
    latent_structure,
    neighbourhood_metrics,
)
from topogen.models.families import Family, Outcome
from topogen.training.noise import independent_stream
from torchrips.distances import bottleneck, reininghaus, wasserstein
from torchrips.persistence import rips_diagrams

STREAM = 1000  # number of the stream of the noise: no training draws from it
PICTURES = 32  # prior samples that are kept for the figure: 4 rows of 8
NAMES = {"mean": "means", "z": "samples"}  # of the latents, in the names of metrics

Diagrams = Sequence[Sequence[NDArray[Any]]]


@dataclass(frozen=True)
class Settings:
    """How held-out images and samples are compared.

    Attributes:
        batch_size: images of a cloud.
        neighbours: k of precision, recall, density, coverage, and of the vote in the latent space.
        subsets: subsets that the kernel distance averages over.
        subset_size: images of such a subset.
        covered_share: a class is covered if at least this share of the prior samples is of it.
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
class HeldOut:
    """Held-out images, and what is known of them before any model is evaluated.

    Attributes:
        images: levels in [0, 1], shape (n, channels, height, width).
        labels: classes, shape (n,).
        features: shape (n, f).
        diagrams: ``diagrams[batch][degree]`` of the batches that are whole.
        units: mean distance between the diagrams of one half of the batches and of the other, by metric.

    """

    images: Tensor
    labels: NDArray[Any]
    features: Tensor
    diagrams: Diagrams
    units: Mapping[str, float]


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
    distances: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "bottleneck": bottleneck,
        "wasserstein": partial(wasserstein, order=settings.order, ground_norm=settings.ground_norm),
        "reininghaus": partial(reininghaus, sigma=settings.sigma),
    }
    first, second = (
        [[torch.from_numpy(diagram).double() for diagram in batch] for batch in side]
        for side in (diagrams, others)
    )
    return {
        f"{name}_{degree}": float(
            np.mean([distance(a[degree], b[degree]).item() for a in first for b in second])
        )
        for name, distance in distances.items()
        for degree in (0, 1)
    }


def topological_fidelity(images: Tensor, held_out: HeldOut, settings: Settings) -> dict[str, float]:
    """Distances of diagrams of images to held-out ones, in units of the distance of real and real ones.

    The unit is the mean over all pairs of a batch of the first half of the held-out batches and one of the
    second. Then as many batches of the images take the place of the first half.

    Args:
        images: in [0, 1], shape (n, channels, height, width).
        held_out: what they are compared with.
        settings: batch size, and parameters of the distances.
    """
    half = len(held_out.diagrams) // 2
    diagrams = diagrams_of_batches(images, settings.batch_size)[:half]
    distances = diagram_distances(diagrams, held_out.diagrams[half:], settings)
    return {
        name: value / held_out.units[name] if held_out.units[name] else np.nan
        for name, value in distances.items()
    }


def prepare_test_set(
    images: NDArray[Any], labels: NDArray[Any], classifier: Classifier, settings: Settings
) -> HeldOut:
    """Features and diagrams of held-out images, and the unit of the distances of diagrams.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width), two whole batches at least.
        labels: classes, shape (n,).
        classifier: its features are taken.
        settings: batch size, and parameters of the distances.

    Raises:
        ValueError: there are fewer than two whole batches.

    """
    if len(images) < 2 * settings.batch_size:
        raise ValueError(f"{len(images)} held-out images are fewer than two batches of {settings.batch_size}")
    pixels = scaled(images)
    features, _ = classifier.predict(pixels)
    diagrams = diagrams_of_batches(pixels, settings.batch_size)
    half = len(diagrams) // 2
    units = diagram_distances(diagrams[:half], diagrams[half:], settings)
    return HeldOut(pixels, labels, features, diagrams, units)


def compare_samples(
    images: Tensor, held_out: HeldOut, classifier: Classifier, settings: Settings, seed: int
) -> dict[str, float]:
    """Quality, diversity and topology of sampled images.

    Args:
        images: in [0, 1], as many as are held out, shape (n, channels, height, width).
        held_out: the images that they are compared with.
        classifier: its features and classes are taken.
        settings: how they are compared.
        seed: decides the subsets of the kernel distance.
    """
    features, classes = classifier.predict(images)
    counts = np.bincount(classes.numpy(), minlength=classifier.head.out_features)
    return {
        "frechet_prior": frechet_distance(features, held_out.features),
        "kernel_prior": kernel_distance(
            features, held_out.features, settings.subsets, settings.subset_size, seed
        ),
        **neighbourhood_metrics(features, held_out.features, settings.neighbours),
        **class_metrics(counts, settings.covered_share),
        **topological_fidelity(images, held_out, settings),
    }


@torch.no_grad()
def evaluate(
    model: Family, held_out: HeldOut, classifier: Classifier, settings: Settings, seed: int
) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Evaluate a model on held-out images.

    Args:
        model: with the weights that are judged.
        held_out: images that it has not seen.
        classifier: images are compared in its features.
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
        features, _ = classifier.predict(outcome.reconstructions)
        values["frechet_reconstruction"] = frechet_distance(features, held_out.features)
        values["kernel_reconstruction"] = kernel_distance(
            features, held_out.features, settings.subsets, settings.subset_size, seed
        )
    if made := [images for images in samples if images is not None]:
        values |= compare_samples(torch.cat(made), held_out, classifier, settings, seed)
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


def long_table(values: Mapping[int, Mapping[str, float]]) -> pd.DataFrame:
    """Metrics by step as one table, columns step, metric, value."""
    rows = [(step, name, value) for step, metrics in values.items() for name, value in metrics.items()]
    return pd.DataFrame(rows, columns=["step", "metric", "value"])
