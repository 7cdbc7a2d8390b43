"""Dissimilarities of persistence diagrams, differentiable in both arguments.

A diagram is a tensor of shape (k, 2), k >= 0, rows (birth, death), finite; the diagonal belongs to every
diagram with infinite multiplicity. Values and gradients are finite for all such diagrams, at ties, on the
diagonal and for equal or empty ones too; the table in docs/conventions.md says what they are there.

Since version 0.2 the scale-space kernel and the Reininghaus dissimilarity are sums without cancellation, in
float64 on the CPU, see :func:`scale_space_kernel`. Before, they were differences of two exponentials in the
precision of the diagrams, and their values differ from today's by the rounding of that.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchrips.arguments import DiagramLike, as_diagrams, check_parameters
from torchrips.graphs import left_out
from torchrips.interrupts import interrupts_wait
from torchrips.values import has_tangent, of_values, transformed

Costs = NDArray[np.floating[Any]]
Indices = NDArray[np.integer[Any]]

BLOCK = 2**17  # pairs of points that are worked on at a time: they fit into a cache


@left_out
def bottleneck(diagram: DiagramLike, other: DiagramLike) -> Tensor:
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
        TypeError, ValueError: see :func:`~torchrips.arguments.as_diagrams` and
            :func:`~torchrips.arguments.check_parameters`.

    Source:
        Thesis, section 1; in degree 0 a closed form, otherwise maximum matchings in the graph of costs at
        most t (H. Edelsbrunner, J. Harer, *Computational topology*, 2010, section VIII.4), see
        :mod:`torchrips.matching`.

    >>> bottleneck(torch.tensor([[0.0, 3.0]]), torch.tensor([[0.0, 2.0], [0.0, 1.0]]))
    tensor(1.)

    """
    diagram, other = as_diagrams(diagram, other)
    distance = diagram[:0].sum() + other[:0].sum()  # 0, and a function of both whatever is critical
    place = of_values(_critical_place, diagram, other).tolist()
    if not place:
        return distance
    i, j = place
    if i == len(diagram):
        return distance + _to_diagonal(other[j], math.inf)
    if j == len(other):
        return distance + _to_diagonal(diagram[i], math.inf)
    return distance + (diagram[i] - other[j]).abs().amax()


@interrupts_wait()
def _critical_place(diagram: Tensor, other: Tensor) -> Indices:
    """Points i and j whose cost is the bottleneck distance, k or m for the diagonal; none at distance 0."""
    from torchrips.matching import Matcher  # slow to import: at first use

    first, second = (points.double().numpy() for points in (diagram, other))
    matcher = Matcher(first, second)
    if any(points[:, 0].any() or (points[:, 1] < 0).any() for points in (first, second)):
        value = matcher.value()
    else:
        value = _bottleneck_of_deaths(first[:, 1], second[:, 1])
    return np.array([] if value == 0 else matcher.critical_place(value), dtype=np.int64)


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


@left_out
def wasserstein(diagram: DiagramLike, other: DiagramLike, order: float, ground_norm: float) -> Tensor:
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
        TypeError, ValueError: see :func:`~torchrips.arguments.as_diagrams` and
            :func:`~torchrips.arguments.check_parameters`.

    Source:
        D. Cohen-Steiner, H. Edelsbrunner, J. Harer, Y. Mileyko, *Lipschitz functions have L_p-stable
        persistence*, 2010.

    >>> wasserstein(torch.tensor([[0.0, 2.0], [5.0, 9.0]]), torch.tensor([[8.0, 12.0]]), 2, math.inf)
    tensor(3.)
    >>> wasserstein(torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2), order=1, ground_norm=1)
    tensor(2.)

    """
    check_parameters(order=order, ground_norm=ground_norm)
    diagram, other = as_diagrams(diagram, other)
    match = partial(_cheapest_matching, order=order, ground_norm=ground_norm)
    i, j = of_values(match, diagram, other)
    costs = torch.cat(
        [
            _norms(diagram[i] - other[j], ground_norm),
            _to_diagonal(diagram, ground_norm)[np.delete(np.arange(len(diagram)), i)],
            _to_diagonal(other, ground_norm)[np.delete(np.arange(len(other)), j)],
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
    if ground_norm == math.inf:
        return vectors.abs().amax(dim=-1)
    x, y = vectors.abs().unbind(dim=-1)
    # Not amax, which at a tie gives half of the gradient to each: the first derivative stays right, the
    # second does not.
    longer, shorter = torch.where(x >= y, x, y), torch.where(x >= y, y, x)
    ratios = shorter / torch.where(longer > 0, longer, 1)
    return longer * (1 + ratios.pow(ground_norm)).pow(1 / ground_norm)


def _to_diagonal(diagram: Tensor, ground_norm: float) -> Tensor:
    r"""Distance of each point to the diagonal, :math:`2^{1/q} |d - b|/2`; gradient 0 on the diagonal."""
    return (diagram[..., 1] - diagram[..., 0]).abs() * 2 ** (1 / ground_norm - 1)


def _cheapest_matching(first: Tensor, second: Tensor, order: float, ground_norm: float) -> Indices:
    """Pairs (i, j) of an optimal matching, shape (2, pairs); all other points go to the diagonal.

    Args:
        first: shape (k, 2), on the host.
        second: shape (m, 2), on the host.
        order: the sum of the costs to this power is minimised.
        ground_norm: of the costs.
    """
    from scipy.optimize import linear_sum_assignment

    to_diagonal = [_to_diagonal(points, ground_norm).double() for points in (first, second)]
    largest = torch.cat(to_diagonal).amax() if len(first) + len(second) else 0
    a, b = ((costs / (largest or 1)).pow(order).numpy() for costs in to_diagonal)
    # What a pair saves over the diagonal, in place of its cost; a pair that saves nothing is none.
    savings = _costs_of_pairs(first, second, ground_norm).div_(largest or 1).pow_(order).numpy()
    savings -= a[:, None]
    savings -= b
    i, j = linear_sum_assignment(np.minimum(savings, 0, out=savings))
    saves = savings[i, j] < 0
    i, j = i[saves], j[saves]
    everything = a.sum() + b.sum()
    pairs = _norms(first[i] - second[j], ground_norm).double().div(largest or 1).pow(order)
    total = pairs.sum().item() + np.delete(a, i).sum() + np.delete(b, j).sum()
    if total > 1e-4 * everything or everything == 0:
        return np.stack([i, j])
    # Nearly equal diagrams, or a high order: the savings have lost the digits that decide.
    return _cheapest_matching_of_close(first.double(), second.double(), order, ground_norm)


@interrupts_wait()
def _cheapest_matching_of_close(first: Tensor, second: Tensor, order: float, ground_norm: float) -> Indices:
    """As :func:`_cheapest_matching`, in float64, without loss of digits, at several times the effort.

    The square matrix that has places on the diagonal, one for each point of the other diagram, needs no
    subtraction. Powers are taken of the costs over the bottleneck distance, the least largest cost: the N
    powers of an optimal matching then add up to N at most, a power above that is never taken, and one that
    underflows counts for nothing.
    """
    from scipy.optimize import linear_sum_assignment

    from torchrips.matching import Matcher

    k, m = len(first), len(second)
    unit = max(Matcher(first.numpy(), second.numpy(), ground_norm).value(), np.finfo(np.float64).tiny)
    # From order 1e12 on the distance is the bottleneck distance up to rounding, which a power would enlarge.
    powers = [
        (costs / unit).pow(min(order, 1e12)).clamp(max=2 * (k + m) + 1).numpy()
        for costs in (
            _costs_of_pairs(first, second, ground_norm),
            _to_diagonal(first, ground_norm)[:, None],
            _to_diagonal(second, ground_norm),
        )
    ]
    square = np.zeros((k + m, k + m))
    square[:k, :m], square[:k, m:], square[k:, :m] = powers
    i, j = linear_sum_assignment(square)
    both = (i < k) & (j < m)
    return np.stack([i[both], j[both]])


def _costs_of_pairs(first: Tensor, second: Tensor, ground_norm: float) -> Tensor:
    """Distance of each point to each, shape (k, m), float64; in blocks, since the vectors are larger."""
    costs = torch.empty(len(first), len(second), dtype=torch.float64, device="cpu")
    rows = max(1, BLOCK // max(1, len(second)))
    for start in range(0, len(first), rows):
        block = slice(start, start + rows)
        costs[block] = _norms(first[block, None] - second, ground_norm)
    return costs


@left_out
def sliced_wasserstein(diagram: DiagramLike, other: DiagramLike, directions: int) -> Tensor:
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
        TypeError, ValueError: see :func:`~torchrips.arguments.as_diagrams` and
            :func:`~torchrips.arguments.check_parameters`.

    Source:
        M. Carriere, M. Cuturi, S. Oudot, *Sliced Wasserstein kernel for persistence diagrams*, 2017.

    >>> sliced_wasserstein(torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2), directions=2)
    tensor(1.)

    """
    check_parameters(directions=directions)
    diagram, other = as_diagrams(diagram, other)
    angles = (
        torch.arange(directions, dtype=torch.float64, device="cpu") * (math.pi / directions) - math.pi / 2
    )
    dtype = torch.promote_types(diagram.dtype, other.dtype)
    cos, sin = (line.to(dtype).to(diagram.device) for line in (angles.cos(), angles.sin()))

    def projections(augmented: Tensor) -> Tensor:
        # No matrix product: its rounding may depend on the row, and equal points must stay equal.
        return (augmented[:, :1] * cos + augmented[:, 1:] * sin).sort(dim=0).values

    differences = projections(_augmented(diagram, other)) - projections(_augmented(other, diagram))
    return differences.abs().sum(dim=0).mean()


def _augmented(diagram: Tensor, other: Tensor) -> Tensor:
    """The diagram and the projections of the other on the diagonal, shape (k + m, 2)."""
    return torch.cat([diagram, other.mean(dim=1, keepdim=True).expand(-1, 2)])


@left_out
def fisher(diagram: DiagramLike, other: DiagramLike, sigma: float) -> Tensor:
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
        TypeError, ValueError: see :func:`~torchrips.arguments.as_diagrams` and
            :func:`~torchrips.arguments.check_parameters`.

    Source:
        T. Le, M. Yamada, *Persistence Fisher kernel: a Riemannian manifold kernel for persistence
        diagrams*, 2018.

    >>> bar, none = torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2)
    >>> fisher(bar, none, sigma=1.0)  # arccos(1 / cosh(1/2))
    tensor(0.4804)

    """
    check_parameters(sigma=sigma)
    diagram, other = as_diagrams(diagram, other)
    first, second = (_in_order(_augmented(*pair)) for pair in ((diagram, other), (other, diagram)))
    union = torch.cat([first, second])
    far = math.sqrt(torch.finfo(union.dtype).max) / 2  # no density is left there, but the square is finite

    def log_density(places: Tensor, points: Tensor) -> Tensor:
        births, deaths = ((places[:, None, axis] - points[:, axis]) / sigma for axis in (0, 1))
        squares = births.clamp(-far, far).square() + deaths.clamp(-far, far).square()
        return torch.logsumexp(-squares / 2, dim=1)

    def root_density(points: Tensor) -> Tensor:
        return (_in_blocks(log_density, union, points).log_softmax(dim=0) / 2).exp()

    difference = root_density(first) - root_density(second)
    if not difference.any():  # the norm has no derivative at 0, and its second one would be NaN
        return 0 * difference.sum()
    return 2 * torch.arcsin(torch.linalg.vector_norm(difference) / 2)


def _in_blocks(function: Callable[[Tensor, Tensor], Tensor], points: Tensor, others: Tensor) -> Tensor:
    """A function of each point and all others, of some points at a time if there are too many pairs.

    Then memory grows with the number of points, not of pairs; in forward mode, under the transforms of
    torch.func and for second derivatives, it grows with that of pairs.
    """
    rows = max(1, BLOCK // max(1, len(others)))
    if len(points) <= rows or any(transformed(x) or has_tangent(x) for x in (points, others)):
        return function(points, others)
    return _Blocks.apply(function, rows, points, others)  # type: ignore[no-any-return]


class _Blocks(torch.autograd.Function):
    """A function of points and others, of some rows of points at a time; backward computes each block again.

    Between two blocks nothing is kept that lies among their large tensors. Otherwise, as with
    torch.utils.checkpoint, the C library of Linux finds no use for the memory that a block gave back.
    """

    @staticmethod
    def forward(
        ctx: Any, function: Callable[[Tensor, Tensor], Tensor], rows: int, points: Tensor, others: Tensor
    ) -> Tensor:
        ctx.save_for_backward(points, others)
        ctx.function, ctx.rows = function, rows
        return torch.cat([function(block, others) for block in points.split(rows)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor, Tensor]:
        points, others = ctx.saved_tensors
        differentiate = torch.is_grad_enabled()  # as for a second derivative
        of_points, of_others = [], torch.zeros_like(others)
        for block, weights in zip(points.split(ctx.rows), gradient.split(ctx.rows), strict=True):
            with torch.enable_grad():
                # Views, since points and others may be one tensor.
                inputs = [x.view_as(x) if differentiate else x.detach() for x in (block, others)]
                inputs = [x if x.requires_grad else x.requires_grad_() for x in inputs]
                # Given the weights as grad_outputs, torch would import its compiler.
                total = (ctx.function(*inputs) * weights).sum()
                of_block, more = torch.autograd.grad(total, inputs, create_graph=differentiate)
            of_points.append(of_block)
            of_others = of_others + more
        return None, None, torch.cat(of_points), of_others


def _in_order(points: Tensor) -> Tensor:
    """Rows sorted by birth, then death: equal multisets of points become equal tensors."""
    by_death = points[points[:, 1].argsort()]
    return by_death[by_death[:, 0].argsort(stable=True)]


@left_out
def scale_space_kernel(diagram: DiagramLike, other: DiagramLike, sigma: float) -> Tensor:
    r"""Persistence scale-space kernel (PSSK).

    .. math::
        k_\sigma(F, G) = \frac{1}{8 \pi \sigma} \sum_{p \in F,\, q \in G}
        e^{-\lVert p - q \rVert^2 / 8 \sigma} - e^{-\lVert p - \bar q \rVert^2 / 8 \sigma},
        \qquad \bar q = (q_2, q_1).

    The two exponentials are nearly equal for short bars. Their exponents differ by :math:`\ell_p \ell_q / 4
    \sigma` with the lifetimes :math:`\ell`, so their difference is taken as

    .. math:: -e^{-\lVert p - q \rVert^2 / 8 \sigma} \operatorname{expm1}(-\ell_p \ell_q / 4 \sigma),

    which loses no digits. On the CPU it is computed in float64, on other devices in the precision of the
    diagrams, since not all of them have float64.

    Args:
        diagram: F, shape (k, 2), k may be 0.
        other: G, shape (m, 2), m may be 0.
        sigma: scale of the heat diffusion, > 0, unit of the diagrams squared.

    Returns:
        Scalar tensor, unit of 1 / sigma.

    Raises:
        TypeError, ValueError: see :func:`~torchrips.arguments.as_diagrams` and
            :func:`~torchrips.arguments.check_parameters`.

    Source:
        J. Reininghaus, S. Huber, U. Bauer, R. Kwitt, *A stable multi-scale kernel for topological machine
        learning*, 2015, equation 10.

    """
    check_parameters(sigma=sigma)
    diagram, other = as_diagrams(diagram, other)
    dtype = torch.promote_types(diagram.dtype, other.dtype)
    return _scale_space_kernel(_precise(diagram), _precise(other), sigma).to(dtype)


def _precise(diagram: Tensor) -> Tensor:
    """A diagram in the precision that scale-space kernels are summed in."""
    return diagram.double() if diagram.device.type == "cpu" else diagram


def _scale_space_kernel(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    def heat(points: Tensor, others: Tensor) -> Tensor:
        (p, p_lifetimes, p_signs), (q, q_lifetimes, q_signs) = _above(points), _above(others)
        births, deaths = (p[:, None] - q).square().unbind(dim=2)
        squares = births + deaths  # sum(dim=2) takes many times as long
        mirrored = torch.expm1(-p_lifetimes[:, None] * q_lifetimes / (4 * sigma))
        return (-torch.exp(-squares / (8 * sigma)) * mirrored * p_signs[:, None] * q_signs).sum(dim=1)

    return _in_blocks(heat, diagram, other).sum() / (8 * math.pi * sigma)


def _above(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Points with those below the diagonal mirrored at it, their lifetimes, and -1 for those mirrored.

    The kernel changes its sign with a mirrored point. Without negative lifetimes no exponential overflows.
    """
    below = (points[:, 1] < points[:, 0])[:, None]
    mirrored = torch.where(below, points.flip(1), points)
    return mirrored, mirrored[:, 1] - mirrored[:, 0], 1 - 2 * below[:, 0].to(points.dtype)


@left_out
def reininghaus(diagram: DiagramLike, other: DiagramLike, sigma: float) -> Tensor:
    r"""Squared distance of the scale-space kernel, all pairs and the constant term included.

    .. math:: d_\sigma^2(F, G) = k_\sigma(F, F) + k_\sigma(G, G) - 2 k_\sigma(F, G).

    Exactly 0 for equal diagrams, and never negative. On the CPU, where the three terms are added in float64,
    a difference is seen down to about 1e-15 times the largest of them; on other devices, down to the
    rounding of the diagrams' own precision.

    Arguments, shapes, errors and source as :func:`scale_space_kernel`.
    """
    check_parameters(sigma=sigma)
    diagram, other = as_diagrams(diagram, other)
    dtype = torch.promote_types(diagram.dtype, other.dtype)
    # In one order, so that equal diagrams have three equal terms.
    first, second = (_in_order(_precise(points)) for points in (diagram, other))
    square = (
        _scale_space_kernel(first, first, sigma)
        + _scale_space_kernel(second, second, sigma)
        - 2 * _scale_space_kernel(first, second, sigma)
    )
    return square.clamp(min=0).to(dtype)
