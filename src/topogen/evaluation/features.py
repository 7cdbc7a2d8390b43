"""Quality and diversity of images in a feature space, and the structure of a latent space."""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance


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

    The kernel is :math:`k(x, y) = (x^\top y / f + 1)^3`. May be negative if the sets agree.

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


def neighbourhood_metrics(
    features: Tensor, real: Tensor, k: int, radii: Tensor | None = None
) -> dict[str, float]:
    r"""Precision, recall, density and coverage of a set of features.

    With the ball :math:`B(x)` about x whose radius is the distance to the k-th nearest other point of x' own
    set: precision is the share of samples in a ball of a real point, recall the share of real points in a
    ball of a sample, density the number of balls of real points that a sample lies in, over k, and coverage
    the share of real points with a sample in their ball.

    Args:
        features: of the samples, shape (n, f).
        real: of the images, shape (m, f).
        k: neighbour that the radius goes to, < n and < m.
        radii: :func:`radii_of` the images, if they are known.

    Source:
        M. Naeem et al., *Reliable fidelity and diversity metrics for generative models*, 2020, equations 1, 3
        to 6.

    """
    features, real = features.double(), real.double()
    distances = torch.cdist(real, features)
    # Truth values: NumPy counts them many times faster than torch.
    in_real = (distances <= (radii_of(real, k) if radii is None else radii)[:, None]).numpy()
    in_samples = (distances <= radii_of(features, k)).numpy()
    return {
        "precision": float(in_real.any(axis=0).mean()),
        "recall": float(in_samples.any(axis=1).mean()),
        "density": float(np.count_nonzero(in_real) / len(features) / k),
        "coverage": float(in_real.any(axis=1).mean()),
    }


def radii_of(points: Tensor, k: int) -> Tensor:
    """Distance of each point, shape (n, f), to the k-th nearest other one, shape (n,), in float64."""
    distances, _ = NearestNeighbors(n_neighbors=k).fit(points.double().numpy()).kneighbors()
    return torch.from_numpy(distances[:, -1])


def mean_distance(features: Tensor) -> float:
    """Mean Euclidean distance of two different points, over all pairs of features, shape (n, f), n >= 2."""
    distances = torch.cdist(features, features)
    return distances.sum(dtype=torch.float64).item() / (len(features) * (len(features) - 1))


def class_metrics(counts: NDArray[Any], covered_share: float) -> dict[str, float]:
    r"""Number of classes covered, and entropy :math:`-\sum_c p_c \log p_c` of their shares.

    Args:
        counts: images of each class, shape (c,).
        covered_share: a class is covered from this share on.
    """
    shares = counts / counts.sum()
    present = shares[shares > 0]
    return {
        "classes_covered": float((shares >= covered_share).sum()),
        "class_entropy": float(-(present * np.log(present)).sum()) + 0.0,  # 0.0: no minus zero
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
