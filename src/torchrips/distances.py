"""Dissimilarities of persistence diagrams, differentiable in both arguments.

A diagram is a tensor of shape (k, 2), k >= 0, rows (birth, death), finite; the diagonal belongs to every
diagram with infinite multiplicity. Values and gradients are finite for all such diagrams, at ties, on the
diagonal and for equal or empty ones too; the table in docs/conventions.md says what they are there.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Costs = NDArray[np.floating[Any]]
Allowed = NDArray[np.bool_]
Indices = NDArray[np.integer[Any]]

# What a parameter of this name may be, in Python and in words.
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "sigma": (lambda x: 0 < x < math.inf, "> 0 and finite"),
    "scale": (lambda x: 0 < x < math.inf, "> 0 and finite"),
    "order": (lambda x: 1 <= x < math.inf, ">= 1 and finite"),
    "ground_norm": (lambda x: x >= 1, ">= 1, or infinity"),
    "directions": (lambda x: x >= 1 and x % 1 == 0, "a whole number >= 1"),
    "delta": (lambda x: 0 <= x < math.inf, ">= 0 and finite"),
    "power": (lambda x: 1 <= x < math.inf, ">= 1 and finite"),
}


def check(*diagrams: Tensor, **parameters: float) -> None:
    """Refuse what no distance or regularizer is defined for.

    Raises:
        ValueError: a diagram is not of shape (k, 2), or holds NaN or an infinite value; a parameter is
            outside its range in :data:`RANGES`.

    """
    for name, value in parameters.items():
        within, words = RANGES[name]
        if not within(value):
            raise ValueError(f"{name} must be {words}, got {value}")
    for diagram in diagrams:
        if diagram.ndim != 2 or diagram.shape[1] != 2:
            raise ValueError(f"a diagram has shape (k, 2), rows (birth, death); got {tuple(diagram.shape)}")
        if not torch.isfinite(diagram.detach()).all():
            raise ValueError("a diagram holds NaN or infinite values; leave out bars that never die")


def bottleneck(diagram: Tensor, other: Tensor) -> Tensor:
    r"""Bottleneck distance: the smallest largest displacement over all matchings.

    .. math::
        d_\infty(D, D') = \inf_\gamma \sup_p \lVert p - \gamma(p) \rVert_\infty,

    where a point may be matched to the diagonal, at cost :math:`|d - b|/2`. The value is the critical cost,
    of one pair or of one point and the diagonal, and the gradient is that of this cost: of one of them
    where several are critical, and 0 at distance 0.

    Args:
        diagram: shape (k, 2), k may be 0.
        other: shape (m, 2), m may be 0.

    Returns:
        Scalar tensor, unit of the diagrams.

    Raises:
        ValueError: see :func:`check`.

    Source:
        Thesis, section 1; in degree 0 the closed form of :func:`_bottleneck_of_deaths`, otherwise maximum
        matchings in the graph of costs at most t (H. Edelsbrunner, J. Harer, *Computational topology*,
        2010, section VIII.4).

    >>> bottleneck(torch.tensor([[0.0, 3.0]]), torch.tensor([[0.0, 2.0], [0.0, 1.0]]))
    tensor(1.)

    """
    check(diagram, other)
    first, second = (points.detach().double().cpu().numpy() for points in (diagram, other))
    pairs = np.maximum(*(np.abs(first[:, None, axis] - second[:, axis]) for axis in (0, 1)))
    costs = pairs, *(np.abs(points[:, 1] - points[:, 0]) / 2 for points in (first, second))
    if any(points[:, 0].any() or (points[:, 1] < 0).any() for points in (first, second)):
        value = _bottleneck_value(*costs)
    else:
        value = _bottleneck_of_deaths(first[:, 1], second[:, 1])
    distance = diagram[:0].sum() + other[:0].sum()  # 0, and a function of both whatever is critical
    if value == 0:
        return distance
    i, j = _critical_cost(value, *costs)
    if i == len(diagram):
        return distance + _to_diagonal(other[j], math.inf)
    if j == len(other):
        return distance + _to_diagonal(diagram[i], math.inf)
    return distance + (diagram[i] - other[j]).abs().amax()


def _bottleneck_of_deaths(deaths: Costs, others: Costs) -> float:
    r"""Bottleneck distance of diagrams whose births are all 0.

    With the deaths in descending order d, e, padded with zeros: an optimal matching pairs the K longest
    bars of both in order and sends the rest to the diagonal, so

    .. math::
        \min_K \max\Bigl(\max_{k \le K} |d_k - e_k|,\; \tfrac12 \max(d_{K+1}, e_{K+1})\Bigr).
    """
    d, e = np.zeros((2, max(len(deaths), len(others)) + 1))
    d[: len(deaths)], e[: len(others)] = -np.sort(-deaths), -np.sort(-others)
    matched = np.maximum.accumulate(np.append(0, np.abs(d - e)[:-1]))
    return float(np.maximum(matched, np.maximum(d, e) / 2).min())


def _bottleneck_value(pairs: Costs, halves: Costs, other_halves: Costs) -> float:
    """Smallest t at which a matching with no cost above t exists; it is one of the costs.

    Args:
        pairs: cost of matching point i of one diagram to point j of the other, shape (k, m).
        halves: cost of matching each point of the first to the diagonal, shape (k,).
        other_halves: likewise of the second, shape (m,).
    """

    def exists(t: float) -> bool:
        return _matching_exists(pairs <= t, halves <= t, other_halves <= t)

    cheapest = np.minimum(pairs.min(axis=1, initial=np.inf), halves)
    other_cheapest = np.minimum(pairs.min(axis=0, initial=np.inf), other_halves)
    bound = max(cheapest.max(initial=0), other_cheapest.max(initial=0))  # each point costs that; often enough
    if exists(bound):
        return float(bound)
    candidates = np.unique(np.concatenate([pairs.ravel(), halves, other_halves]))
    candidates = candidates[candidates > bound]
    return float(candidates[bisect_left(candidates, True, key=exists)])


def _critical_cost(value: float, pairs: Costs, halves: Costs, other_halves: Costs) -> tuple[int, int]:
    """Place (i, j) of a cost that equals the bottleneck distance and cannot be done without.

    i = k, or j = m, stands for the diagonal. Where several costs equal the distance, some may be of pairs
    that no optimal matching needs: so forbid them one after the other, until no matching is left.
    """
    costs = np.full((len(halves) + 1, len(other_halves) + 1), np.inf)
    costs[:-1, :-1], costs[:-1, -1], costs[-1, :-1] = pairs, halves, other_halves
    places = np.argwhere(costs == value)

    def none_left(forbidden: int) -> bool:
        allowed = costs <= value
        allowed[*places[:forbidden].T] = False
        return not _matching_exists(allowed[:-1, :-1], allowed[:-1, -1], allowed[-1, :-1])

    last = bisect_left(range(1, len(places)), True, key=none_left)
    i, j = places[last]
    return int(i), int(j)


def _matching_exists(pairs: Allowed, to_diagonal: Allowed, other_to_diagonal: Allowed) -> bool:
    """Whether all points of two diagrams can be matched, to each other or to the diagonal, as allowed.

    What the diagonal cannot take must be matched to a point. By the theorem of Mendelsohn and Dulmage
    (1958) one matching covers these points of both diagrams when one covers those of the first and another
    one those of the second.
    """
    return _covers_rows(pairs[~to_diagonal]) and _covers_rows(pairs.T[~other_to_diagonal])


def _covers_rows(allowed: Allowed) -> bool:
    """Whether each row can be matched to an allowed column of its own."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if len(allowed) == 0:
        return True
    return bool((maximum_bipartite_matching(csr_array(allowed), perm_type="column") >= 0).all())


def wasserstein(diagram: Tensor, other: Tensor, order: float, ground_norm: float) -> Tensor:
    r"""Wasserstein distance of order p in the ground norm q, the root taken.

    .. math::
        W_{p,q}(D, D') = \Bigl(\inf_\gamma \sum_x \lVert x - \gamma(x) \rVert_q^p\Bigr)^{1/p},

    where a point may be matched to the diagonal, at cost :math:`2^{1/q} |d - b|/2`, its distance in the
    ground norm. The gradient is that of one optimal matching, at each point at most 1 in the dual norm; a
    cost of 0 has gradient 0, and so have equal diagrams.

    Args:
        diagram: shape (k, 2), k may be 0.
        other: shape (m, 2), m may be 0.
        order: p, >= 1 and finite; the limit of infinite p is :func:`bottleneck`, with q infinite.
        ground_norm: q, >= 1 or ``math.inf``.

    Returns:
        Scalar tensor, unit of the diagrams.

    Raises:
        ValueError: see :func:`check`.

    Source:
        D. Cohen-Steiner, H. Edelsbrunner, J. Harer, Y. Mileyko, *Lipschitz functions have L_p-stable
        persistence*, 2010.

    >>> wasserstein(torch.tensor([[0.0, 2.0], [5.0, 9.0]]), torch.tensor([[8.0, 12.0]]), 2, math.inf)
    tensor(3.)
    >>> wasserstein(torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2), order=1, ground_norm=1)
    tensor(2.)

    """
    check(diagram, other, order=order, ground_norm=ground_norm)
    to_diagonal, other_to_diagonal = (_to_diagonal(points, ground_norm) for points in (diagram, other))
    pairs = _norms(diagram.detach()[:, None] - other.detach()[None, :], ground_norm)
    i, j = _cheapest_matching(order, *(costs.detach() for costs in (pairs, to_diagonal, other_to_diagonal)))
    costs = torch.cat(
        [
            _norms(diagram[i] - other[j], ground_norm),
            to_diagonal[np.setdiff1d(np.arange(len(diagram)), i)],
            other_to_diagonal[np.setdiff1d(np.arange(len(other)), j)],
        ]
    )
    if not costs.any():  # the root has no derivative at 0
        return costs.sum()
    largest = costs.detach().amax()
    value: Tensor = largest * (costs / largest).pow(order).sum().pow(1 / order)
    return value


def _norms(vectors: Tensor, ground_norm: float) -> Tensor:
    r"""Norms of vectors in the plane, as :math:`u\,(1 + (v/u)^q)^{1/q}` with u >= v the absolute values.

    Nothing over- or underflows, and the gradient at the vector 0 is 0.
    """
    longer, shorter = vectors.abs().amax(dim=-1), vectors.abs().amin(dim=-1)
    if ground_norm == math.inf:
        return longer
    ratios = shorter / torch.where(longer > 0, longer, 1)
    return longer * (1 + ratios.pow(ground_norm)).pow(1 / ground_norm)


def _to_diagonal(diagram: Tensor, ground_norm: float) -> Tensor:
    r"""Distance of each point to the diagonal, :math:`2^{1/q} |d - b|/2`; gradient 0 on the diagonal."""
    return (diagram[..., 1] - diagram[..., 0]).abs() * 2 ** (1 / ground_norm - 1)


def _cheapest_matching(
    order: float, pairs: Tensor, to_diagonal: Tensor, other_to_diagonal: Tensor
) -> tuple[Indices, Indices]:
    """Pairs (i, j) of an optimal matching; all other points go to the diagonal.

    Args:
        order: the sum of the costs to this power is minimised.
        pairs: cost of matching point i of one diagram to point j of the other, shape (k, m).
        to_diagonal: cost of matching each point of the first to the diagonal, shape (k,).
        other_to_diagonal: likewise of the second, shape (m,).
    """
    from scipy.optimize import linear_sum_assignment

    costs = [x.double().cpu() for x in (pairs, to_diagonal, other_to_diagonal)]
    largest = torch.cat(costs[1:]).amax() if len(to_diagonal) + len(other_to_diagonal) else 0
    c, a, b = ((x / (largest or 1)).pow(order).numpy() for x in costs)
    # What a pair saves over the diagonal; a pair that saves nothing is none.
    savings = np.minimum(c - a[:, None] - b, 0)
    i, j = linear_sum_assignment(savings)
    saves = savings[i, j] < 0
    i, j = i[saves], j[saves]
    everything = a.sum() + b.sum()
    total = c[i, j].sum() + np.delete(a, i).sum() + np.delete(b, j).sum()
    if total > 1e-4 * everything or everything == 0:
        return i, j
    # Nearly equal diagrams, or a high order: the savings have lost the digits that decide. The square matrix
    # that has places on the diagonal, one for each point of the other diagram, needs no subtraction.
    k, m = c.shape
    square = np.zeros((k + m, k + m))
    square[:k, :m], square[:k, m:], square[k:, :m] = c, a[:, None], b
    i, j = linear_sum_assignment(square)
    both = (i < k) & (j < m)
    return i[both], j[both]


def sliced_wasserstein(diagram: Tensor, other: Tensor, directions: int) -> Tensor:
    r"""Sliced Wasserstein distance: mean over lines of the 1-Wasserstein distance of the projections.

    With :math:`\bar D` the projections of D on the diagonal, M directions and
    :math:`\theta_i = -\pi/2 + i \pi / M`,

    .. math::
        SW(D, D') = \frac{1}{M} \sum_{i=0}^{M-1} W_1\bigl(\langle D \cup \bar D', u_i \rangle,
        \langle D' \cup \bar D, u_i \rangle\bigr), \qquad u_i = (\cos \theta_i, \sin \theta_i),

    where :math:`W_1` is the sum of the absolute differences of the sorted projections. Where two of them
    are equal, their difference has gradient 0; so have equal diagrams.

    Args:
        diagram: D, shape (k, 2), k may be 0.
        other: D', shape (m, 2), m may be 0.
        directions: M, number of lines through the origin, evenly spaced, >= 1.

    Returns:
        Scalar tensor, unit of the diagrams.

    Raises:
        ValueError: see :func:`check`.

    Source:
        M. Carriere, M. Cuturi, S. Oudot, *Sliced Wasserstein kernel for persistence diagrams*, 2017.

    >>> sliced_wasserstein(torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2), directions=2)
    tensor(1.)

    """
    check(diagram, other, directions=directions)
    angles = torch.arange(directions, dtype=torch.float64) * (math.pi / directions) - math.pi / 2
    cos, sin = angles.cos().to(diagram), angles.sin().to(diagram)

    def projections(augmented: Tensor) -> Tensor:
        # No matrix product: its rounding may depend on the row, and equal points must stay equal.
        return (augmented[:, :1] * cos + augmented[:, 1:] * sin).sort(dim=0).values

    differences = projections(_augmented(diagram, other)) - projections(_augmented(other, diagram))
    return differences.abs().sum(dim=0).mean()


def _augmented(diagram: Tensor, other: Tensor) -> Tensor:
    """The diagram and the projections of the other on the diagonal, shape (k + m, 2)."""
    return torch.cat([diagram, other.mean(dim=1, keepdim=True).expand(-1, 2)])


def fisher(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    r"""Persistence Fisher distance: the angle between the square roots of two densities.

    With :math:`\bar D` the projections of D on the diagonal, :math:`F = D \cup \bar D'`,
    :math:`G = D' \cup \bar D`, and densities on the points of both,

    .. math::
        d_\sigma(D, D') = \arccos \sum_{z \in F \cup G} \sqrt{\rho_F(z)\, \rho_G(z)}, \qquad
        \rho_F(z) \propto \sum_{x \in F} e^{-\lVert z - x \rVert^2 / 2 \sigma^2},
        \quad \sum_z \rho_F(z) = 1.

    At most :math:`\pi/2`, and flat there, as between diagrams that are many sigma apart. The arccos is
    taken as :math:`2 \arcsin(\lVert \sqrt{\rho_F} - \sqrt{\rho_G} \rVert / 2)`, which is accurate near
    0; at 0, as for equal diagrams, the gradient is 0.

    Args:
        diagram: D, shape (k, 2), k may be 0.
        other: D', shape (m, 2), m may be 0.
        sigma: standard deviation of the Gaussians, > 0, unit of the diagrams.

    Returns:
        Scalar tensor, an angle; 0 for two empty diagrams.

    Raises:
        ValueError: see :func:`check`.

    Source:
        T. Le, M. Yamada, *Persistence Fisher kernel: a Riemannian manifold kernel for persistence
        diagrams*, 2018.

    >>> bar, none = torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2)
    >>> fisher(bar, none, sigma=1.0)  # arccos(1 / cosh(1/2))
    tensor(0.4804)

    """
    check(diagram, other, sigma=sigma)
    first, second = (_in_order(_augmented(*pair)) for pair in ((diagram, other), (other, diagram)))
    union = torch.cat([first, second])
    far = math.sqrt(torch.finfo(union.dtype).max) / 2  # no density is left there, but the square is finite

    def root_density(points: Tensor) -> Tensor:
        births, deaths = ((union[:, None, axis] - points[:, axis]) / sigma for axis in (0, 1))
        squares = births.clamp(-far, far).square() + deaths.clamp(-far, far).square()
        return (torch.logsumexp(-squares / 2, dim=1).log_softmax(dim=0) / 2).exp()

    chord = torch.linalg.vector_norm(root_density(first) - root_density(second))
    return 2 * torch.arcsin(chord / 2)


def _in_order(points: Tensor) -> Tensor:
    """Rows sorted by birth, then death: equal multisets of points become equal tensors."""
    by_death = points[points[:, 1].argsort()]
    return by_death[by_death[:, 0].argsort(stable=True)]


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
        Scalar tensor, unit of 1 / sigma.

    Raises:
        ValueError: see :func:`check`.

    Source:
        J. Reininghaus, S. Huber, U. Bauer, R. Kwitt, *A stable multi-scale kernel for topological machine
        learning*, 2015, equation 10.

    """
    check(diagram, other, sigma=sigma)
    return _scale_space_kernel(diagram, other, sigma)


def _scale_space_kernel(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    def heat(mirrored: Tensor) -> Tensor:
        squares = (diagram[:, None] - mirrored[None, :]).square().sum(dim=2)
        return torch.exp(-squares / (8 * sigma)).sum()

    return (heat(other) - heat(other.flip(1))) / (8 * math.pi * sigma)


def reininghaus(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    r"""Squared distance of the scale-space kernel, all pairs and the constant term included.

    .. math:: d_\sigma^2(F, G) = k_\sigma(F, F) + k_\sigma(G, G) - 2 k_\sigma(F, G).

    Arguments, shapes, errors and source as :func:`scale_space_kernel`.
    """
    check(diagram, other, sigma=sigma)
    return (
        _scale_space_kernel(diagram, diagram, sigma)
        + _scale_space_kernel(other, other, sigma)
        - 2 * _scale_space_kernel(diagram, other, sigma)
    )
