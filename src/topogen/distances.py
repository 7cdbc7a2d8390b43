"""Dissimilarities of persistence diagrams, differentiable in both arguments.

A diagram is a tensor of shape (k, 2), k >= 0, rows (birth, death) off the diagonal; the diagonal itself
belongs to every diagram with infinite multiplicity.
"""

import math
from bisect import bisect_left
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

Costs = NDArray[np.floating[Any]]


def bottleneck(diagram: Tensor, other: Tensor) -> Tensor:
    r"""Bottleneck distance: the smallest largest displacement over all matchings.

    .. math::
        d_\infty(D, D') = \inf_\gamma \sup_p \lVert p - \gamma(p) \rVert_\infty,

    where a point may be matched to the diagonal, at cost :math:`(d - b)/2`. The value is the cost of one
    critical pair (or half a lifetime), through which the gradient flows; at distance 0 it is 0.

    Args:
        diagram: shape (k, 2), k may be 0.
        other: shape (m, 2), m may be 0.

    Returns:
        Scalar tensor, unit of the diagrams.

    Source:
        Thesis, section 1; in degree 0 the closed form of :func:`_bottleneck_of_deaths`, otherwise maximum
        matchings in the graph of costs at most t (H. Edelsbrunner, J. Harer, *Computational topology*,
        2010, section VIII.4).

    >>> bottleneck(torch.tensor([[0.0, 3.0]]), torch.tensor([[0.0, 2.0], [0.0, 1.0]]))
    tensor(1.)

    """
    if not diagram[:, 0].any() and not other[:, 0].any():
        return _bottleneck_of_deaths(diagram[:, 1], other[:, 1])
    pairs = (diagram[:, None] - other[None, :]).abs().amax(dim=2)
    halves, other_halves = ((points[:, 1] - points[:, 0]) / 2 for points in (diagram, other))
    value = _bottleneck_value(
        *(costs.detach().double().cpu().numpy() for costs in (pairs, halves, other_halves))
    )
    costs = torch.cat([pairs.flatten(), halves, other_halves])
    return costs[(costs.detach() - value).abs().argmin()]


def _bottleneck_of_deaths(deaths: Tensor, others: Tensor) -> Tensor:
    r"""Bottleneck distance of diagrams whose births are all 0.

    With the deaths in descending order d, e, padded with zeros: an optimal matching pairs the K longest
    bars of both in order and sends the rest to the diagonal, so

    .. math::
        \min_K \max\Bigl(\max_{k \le K} |d_k - e_k|,\; \tfrac12 \max(d_{K+1}, e_{K+1})\Bigr).
    """
    size = max(len(deaths), len(others)) + 1
    d, e = (pad(x.sort(descending=True).values, (0, size - len(x))) for x in (deaths, others))
    matched = pad((d - e).abs(), (1, 0)).cummax(dim=0).values[:-1]
    return torch.maximum(matched, torch.maximum(d, e) / 2).min()


def _bottleneck_value(pairs: Costs, halves: Costs, other_halves: Costs) -> float:
    """Smallest t at which a matching with no cost above t exists; it is one of the costs.

    Args:
        pairs: cost of matching point i of one diagram to point j of the other, shape (k, m).
        halves: cost of matching each point of the first to the diagonal, shape (k,).
        other_halves: likewise of the second, shape (m,).
    """

    def matching_exists(t: float) -> bool:
        # What the diagonal cannot take at t must be matched to a point. By the theorem of Mendelsohn and
        # Dulmage (1958) one matching covers these points of both diagrams when one covers those of the
        # first and another one those of the second.
        allowed = pairs <= t
        return _covers_rows(allowed[halves > t]) and _covers_rows(allowed.T[other_halves > t])

    cheapest = np.minimum(pairs.min(axis=1, initial=np.inf), halves)
    other_cheapest = np.minimum(pairs.min(axis=0, initial=np.inf), other_halves)
    bound = max(cheapest.max(initial=0), other_cheapest.max(initial=0))  # each point costs that; often enough
    if matching_exists(bound):
        return float(bound)
    candidates = np.unique(np.concatenate([pairs.ravel(), halves, other_halves]))
    candidates = candidates[candidates > bound]
    return float(candidates[bisect_left(candidates, True, key=matching_exists)])


def _covers_rows(allowed: NDArray[np.bool_]) -> bool:
    """Whether each row can be matched to an allowed column of its own."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if len(allowed) == 0:
        return True
    return bool((maximum_bipartite_matching(csr_array(allowed), perm_type="column") >= 0).all())


def scale_space_kernel(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    r"""Persistence scale-space kernel (PSSK).

    .. math::
        k_\sigma(F, G) = \frac{1}{8 \pi \sigma} \sum_{p \in F,\, q \in G}
        e^{-\lVert p - q \rVert^2 / 8 \sigma} - e^{-\lVert p - \bar q \rVert^2 / 8 \sigma},
        \qquad \bar q = (q_2, q_1).

    Args:
        diagram: F, shape (k, 2), k may be 0.
        other: G, shape (m, 2), m may be 0.
        sigma: scale of the heat diffusion, > 0, unit of the diagrams squared.

    Returns:
        Scalar tensor.

    Source:
        J. Reininghaus, S. Huber, U. Bauer, R. Kwitt, *A stable multi-scale kernel for topological machine
        learning*, 2015, equation 10.

    """

    def heat(mirrored: Tensor) -> Tensor:
        squares = (diagram[:, None] - mirrored[None, :]).square().sum(dim=2)
        return torch.exp(-squares / (8 * sigma)).sum()

    return (heat(other) - heat(other.flip(1))) / (8 * math.pi * sigma)


def reininghaus(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    r"""Squared distance of the scale-space kernel, all pairs and the constant term included.

    .. math:: d_\sigma^2(F, G) = k_\sigma(F, F) + k_\sigma(G, G) - 2 k_\sigma(F, G).

    Arguments, shapes and source as :func:`scale_space_kernel`.
    """
    return (
        scale_space_kernel(diagram, diagram, sigma)
        + scale_space_kernel(other, other, sigma)
        - 2 * scale_space_kernel(diagram, other, sigma)
    )
