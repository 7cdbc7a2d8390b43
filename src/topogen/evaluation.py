"""Held-out evaluation of a trained model: likelihood, quality and diversity, topology, latent structure.

Common random numbers: the noise of posterior and prior is a stream of its own, decided by the seed and the
latent dimension alone. So a model and its baseline are compared on the same draws, at every step.

A prior sample is the decoder's mean at a draw of the prior, and a reconstruction that at a draw of the
posterior. Quality and diversity are judged in the features of a classifier (:mod:`topogen.classifier`); the
metrics are listed and described in :mod:`topogen.metrics`.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from topogen.batches import scaled
from topogen.classifier import CHUNK, Classifier
from topogen.distances import bottleneck, reininghaus, wasserstein
from topogen.noise import independent_stream
from topogen.persistence import rips_diagrams
from topogen.vae import VAE, Forward, binary_cross_entropy, kl_divergence

STREAM = 1000  # number of the stream of the noise: no training draws from it
PICTURES = 32  # prior samples that are kept to be looked at: 4 rows of 8

Diagrams = Sequence[Sequence[NDArray[Any]]]


@dataclass(frozen=True)
class Settings:
    """How held-out images and samples are compared.

    Attributes:
        batch_size: images of a cloud.
        neighbours: k of precision, recall, density, coverage, and of the vote in the latent space.
        subsets: subsets that the kernel distance averages over.
        subset_size: images of such a subset.
        covered_share: a class is covered where at least this share of the prior samples is of it.
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
    """Held-out images, and what is known of them before any model is looked at.

    Attributes:
        images: grey levels in [0, 1], shape (n, 1, 28, 28).
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


def noise_of(seed: int, images: int, latent_dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noise of the pictures, (32, latent_dim), and of posterior and prior, each (images, latent_dim)."""
    stream = independent_stream(seed, STREAM)
    pictures, posterior, prior = (
        torch.randn(count, latent_dim, generator=stream) for count in (PICTURES, images, images)
    )
    return pictures, posterior, prior


class _Given(nn.Identity):
    """The module that makes features of features: so each image goes through the network only once."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def frechet_distance(features: Tensor, others: Tensor) -> float:
    r"""Squared Frechet distance of the normal distributions that fit two sets of features.

    .. math:: \lVert \mu - \nu \rVert^2 + \mathrm{tr}\bigl(\Sigma + T - 2 (\Sigma T)^{1/2}\bigr).

    Args:
        features: shape (n, f), n >= 2.
        others: shape (m, f), m >= 2.

    Source:
        M. Heusel et al., *GANs trained by a two time-scale update rule converge to a local Nash equilibrium*,
        2017; torchmetrics, in float64.

    """
    metric = FrechetInceptionDistance(feature=_Given(features.shape[1]))
    metric.update(others.double(), real=True)
    metric.update(features.double(), real=False)
    return float(metric.compute())


def kernel_distance(features: Tensor, others: Tensor, subsets: int, subset_size: int, seed: int) -> float:
    r"""Squared maximum mean discrepancy of two sets of features, unbiased, mean over random subsets.

    The kernel is :math:`k(x, y) = (x^\top y / f + 1)^3`. May be negative where the sets agree.

    Args:
        features: shape (n, f).
        others: shape (m, f).
        subsets: number of subsets.
        subset_size: at least 2, at most n and m.
        seed: decides the subsets.

    Source:
        M. Binkowski et al., *Demystifying MMD GANs*, 2018; torchmetrics, in float64.

    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*will save all extracted features")
        metric = KernelInceptionDistance(
            feature=_Given(features.shape[1]), subsets=subsets, subset_size=subset_size
        )
    metric.update(others.double(), real=True)
    metric.update(features.double(), real=False)
    with torch.random.fork_rng(devices=[]):  # the metric draws its subsets from the global stream
        torch.manual_seed(seed)
        mean, _ = metric.compute()
    return float(mean)


def neighbourhood_metrics(features: Tensor, real: Tensor, k: int) -> dict[str, float]:
    r"""Precision, recall, density and coverage of a set of features.

    With the ball :math:`B(x)` about x whose radius is the distance to the k-th nearest other point of x' own
    set: precision is the share of samples in a ball of a real point, recall the share of real points in a
    ball of a sample, density the number of balls of real points that a sample lies in, over k, and coverage
    the share of real points with a sample in their ball.

    Args:
        features: of the samples, shape (n, f).
        real: of the images, shape (m, f).
        k: neighbour that the radius goes to, < n and < m.

    Source:
        M. Naeem et al., *Reliable fidelity and diversity metrics for generative models*, 2020, equations 1, 3
        to 6.

    """
    features, real = features.double(), real.double()
    distances = torch.cdist(real, features)
    in_real = distances <= _radii(real, k)[:, None]
    in_samples = distances <= _radii(features, k)
    return {
        "precision": in_real.any(dim=0).double().mean().item(),
        "recall": in_samples.any(dim=1).double().mean().item(),
        "density": in_real.sum(dim=0).double().mean().item() / k,
        "coverage": in_real.any(dim=1).double().mean().item(),
    }


def _radii(points: Tensor, k: int) -> Tensor:
    """Distance of each point to the k-th nearest other one, shape (n,)."""
    distances, _ = NearestNeighbors(n_neighbors=k).fit(points.numpy()).kneighbors()
    return torch.from_numpy(distances[:, -1])


def class_metrics(counts: NDArray[Any], covered_share: float) -> dict[str, float]:
    r"""Number of classes covered, and entropy :math:`-\sum_c p_c \log p_c` of their shares.

    Args:
        counts: samples of each class, shape (c,).
        covered_share: a class is covered from this share on.
    """
    shares = counts / counts.sum()
    present = shares[shares > 0]
    return {
        "classes_covered": float((shares >= covered_share).sum()),
        "class_entropy": float(-(present * np.log(present)).sum()) + 0.0,  # 0.0: no minus zero
    }


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
    ours, theirs = (
        [[torch.from_numpy(diagram).double() for diagram in batch] for batch in side]
        for side in (diagrams, others)
    )
    return {
        f"{name}_{degree}": float(
            np.mean([distance(a[degree], b[degree]).item() for a in ours for b in theirs])
        )
        for name, distance in distances.items()
        for degree in (0, 1)
    }


def topological_fidelity(images: Tensor, held_out: HeldOut, settings: Settings) -> dict[str, float]:
    """Distances of diagrams of images to held-out ones, in units of the distance of real and real ones.

    The unit is the mean over all pairs of a batch of the first half of the held-out batches and one of the
    second. Then as many batches of the images take the place of the first half.

    Args:
        images: in [0, 1], shape (n, 1, 28, 28).
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


def latent_structure(points: NDArray[Any], labels: NDArray[Any], k: int) -> dict[str, float]:
    """How well classes are told apart in a latent space.

    Args:
        points: shape (n, d).
        labels: classes, shape (n,).
        k: neighbours that vote, the point itself left out.

    Returns:
        ``neighbours``, the share of points whose k nearest others vote for their class, and ``silhouette``.

    Source:
        P. Rousseeuw, *Silhouettes: a graphical aid to the interpretation and validation of cluster analysis*,
        1987; scikit-learn.

    """
    votes = KNeighborsClassifier(k).fit(points, labels).predict(None)  # None: each point without itself
    return {
        "neighbours": float((votes == labels).mean()),
        "silhouette": float(silhouette_score(points, labels)),
    }


def hold_out(
    images: NDArray[Any], labels: NDArray[Any], classifier: Classifier, settings: Settings
) -> HeldOut:
    """Features and diagrams of held-out images, and the unit of the distances of diagrams.

    Args:
        images: grey levels 0 ... 255, shape (n, 28, 28), two whole batches at least.
        labels: classes, shape (n,).
        classifier: its features are taken.
        settings: batch size, and parameters of the distances.

    Raises:
        ValueError: there are fewer than two whole batches.

    """
    if len(images) < 2 * settings.batch_size:
        raise ValueError(f"{len(images)} held-out images are fewer than two batches of {settings.batch_size}")
    pixels = scaled(images)
    features, _ = classifier.look_at(pixels)
    diagrams = diagrams_of_batches(pixels, settings.batch_size)
    half = len(diagrams) // 2
    units = diagram_distances(diagrams[:half], diagrams[half:], settings)
    return HeldOut(pixels, labels, features, diagrams, units)


def compare_samples(
    images: Tensor, held_out: HeldOut, classifier: Classifier, settings: Settings, seed: int
) -> dict[str, float]:
    """Quality, diversity and topology of sampled images.

    Args:
        images: in [0, 1], as many as are held out, shape (n, 1, 28, 28).
        held_out: the images that they are compared with.
        classifier: its features and classes are taken.
        settings: how they are compared.
        seed: decides the subsets of the kernel distance.
    """
    features, classes = classifier.look_at(images)
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
    weights: Mapping[str, Tensor], held_out: HeldOut, classifier: Classifier, settings: Settings, seed: int
) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Evaluate a VAE with the given weights.

    Args:
        weights: of the VAE, by name.
        held_out: images that it has not seen.
        classifier: images are compared in its features.
        settings: how they are compared.
        seed: decides the noise.

    Returns:
        Value of every metric of :data:`topogen.metrics.METRICS`, and prior samples to look at, grey levels
        0 ... 255, shape (32, 28, 28).

    """
    model = VAE(len(weights["mean.bias"]))
    model.load_state_dict(weights)
    pictures, posterior, prior = noise_of(seed, len(held_out.images), len(weights["mean.bias"]))
    chunks = zip(torch.split(held_out.images, CHUNK), torch.split(posterior, CHUNK), strict=True)
    parts = [model(images, noise) for images, noise in chunks]
    forward = Forward(*(torch.cat(values) for values in zip(*parts, strict=True)))
    samples = torch.cat([model.decoder(noise) for noise in torch.split(prior, CHUNK)]).sigmoid()

    images = len(held_out.images)
    bce = binary_cross_entropy(forward.logits, held_out.images).item() / images
    kld = kl_divergence(forward.mean, forward.log_variance).item() / images
    features, _ = classifier.look_at(forward.images)
    values = {
        "bce": bce,
        "kld": kld,
        "elbo": -(bce + kld),
        "frechet_reconstruction": frechet_distance(features, held_out.features),
        "kernel_reconstruction": kernel_distance(
            features, held_out.features, settings.subsets, settings.subset_size, seed
        ),
        **compare_samples(samples, held_out, classifier, settings, seed),
    }
    for name, points in {"means": forward.mean, "samples": forward.latents}.items():
        structure = latent_structure(points.numpy(), held_out.labels, settings.neighbours)
        values |= {f"{metric}_of_{name}": value for metric, value in structure.items()}
    grey = model.decoder(pictures).sigmoid()[:, 0] * 255
    return values, grey.round().to(torch.uint8).numpy()


def long_table(values: Mapping[int, Mapping[str, float]]) -> pd.DataFrame:
    """Metrics by step as one table, columns step, metric, value."""
    rows = [(step, name, value) for step, metrics in values.items() for name, value in metrics.items()]
    return pd.DataFrame(rows, columns=["step", "metric", "value"])
