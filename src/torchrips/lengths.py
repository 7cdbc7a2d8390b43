r"""Lengths of edges as diagrams that can be differentiated, for every metric.

Which edges give birth and death is known, and so are their lengths; here the lengths become functions of the
points, or of the matrix of distances. The values stay those that are known, which are exact, and derivatives
are those of the formula of the metric, to any order and under the transforms of torch.func.
"""

import math
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from torchrips.arguments import HALF_PRECISION
from torchrips.interrupts import interrupts_wait
from torchrips.values import has_tangent, transformed


def diagrams_of_edges(
    points: Tensor, edges: Tensor, lengths: Tensor, sizes: list[int], metric: str | float
) -> tuple[Tensor, ...]:
    """Lengths of edges, differentiable in the points, as diagrams.

    Where a distance is 0 its gradient is 0. Where coordinates are equal, or several differences are the
    largest, the derivative is one choice of a subgradient, whose derivatives are 0.

    Args:
        points: shape (n, d), or a matrix of distances, shape (n, n).
        edges: the two vertices of the edges of birth and death, shape (k, 2, 2); twice the same one for a
            constant.
        lengths: of the edges, shape (k, 2); infinite for a death that is not there.
        sizes: number of bars of each diagram, which follow one another.
        metric: as :func:`torchrips.metrics.known_metric` names it.

    Returns:
        One tensor of shape (size, 2) for each size; no views, so they may be changed.

    """
    if metric == "precomputed":
        i, j = edges.unbind(dim=2)
        # Both entries in one step, whose gradient takes one matrix.
        entries = (points[torch.stack([i, j]), torch.stack([j, i])] / 2).sum(dim=0)
        if entries.dtype in HALF_PRECISION:  # whose subnormal numbers have no half
            entries = _with_value(lengths, entries)
        lengths = torch.where(_present(lengths), entries, lengths)
    elif metric != "euclidean":
        lengths = _in_metric(points, edges, lengths, metric)
    elif not transformed(points):
        return _Lengths.apply(points, lengths, edges, sizes)  # type: ignore[no-any-return]
    else:
        lengths = _with_value(lengths, _along(points, lengths, edges)[1])
    return tuple(part.clone() for part in lengths.split_with_sizes(sizes))


class _Lengths(torch.autograd.Function):
    r"""Lengths of edges, as diagrams.

    With the unit vector :math:`u_e = (x_i - x_j) / \ell_e`, the derivative of :math:`\ell_e` in the direction
    v is :math:`\langle u_e, v_i - v_j \rangle`. So the gradient of :math:`\sum_e w_e \ell_e` is plus and
    minus :math:`w_e u_e` at the two ends of each edge: bounded however short an edge is. An edge of length 0
    has no derivative and gets 0, and so does a death at infinity, whatever its weight is. Derivatives of the
    gradient are those of the same formula, written in torch.
    """

    @staticmethod
    def forward(
        ctx: Any, points: Tensor, lengths: Tensor, edges: Tensor, sizes: list[int]
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(points, lengths, edges)
        ctx.save_for_forward(points, lengths, edges)
        ctx.sizes = sizes
        return tuple(part.clone() for part in lengths.split_with_sizes(sizes))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        points, lengths, edges = ctx.saved_tensors
        weights = torch.cat(gradients)
        with torch.no_grad():
            gradient = _pull(points, lengths, weights, edges)
        if torch.is_grad_enabled() or has_tangent(points) or has_tangent(weights):
            weights = torch.where(_present(lengths), weights, 0)
            pulls = _along(points, lengths, edges)[0] * weights[..., None]
            gradient = _with_value(gradient, _at_ends(pulls, points, edges))
        return gradient, None, None, None

    @staticmethod
    def jvp(ctx: Any, motion: Tensor, *_: None) -> tuple[Tensor, ...]:
        points, lengths, edges = ctx.saved_tensors
        i, j = edges.unbind(dim=2)
        speeds = (_along(points, lengths, edges)[0] * (motion[i] - motion[j])).sum(dim=2)
        return torch.split(speeds, ctx.sizes)


@interrupts_wait()
def _pull(points: Tensor, lengths: Tensor, weights: Tensor, edges: Tensor) -> Tensor:
    """Gradient of the weighted sum of the lengths of edges, with respect to the points."""
    if points.device.type == "cpu" and points.dtype in (torch.float32, torch.float64):
        from torchrips.engine import edge_gradient

        with suppress(RuntimeError):  # a batch of weights (is_grads_batched) has no numbers that can be read
            arrays = [x.contiguous().numpy() for x in (points, lengths, weights, edges)]
            return torch.from_numpy(edge_gradient(*arrays))
    i, j = edges.unbind(dim=2)
    units = (points[i] - points[j]) / torch.where(lengths > 0, lengths, torch.inf)[..., None]
    weights = torch.where(_present(lengths), weights, 0)  # one of NaN as well
    return _at_ends(units * weights[..., None], points, edges)


def _at_ends(vectors: Tensor, points: Tensor, edges: Tensor) -> Tensor:
    """Sum, at each point, of the vectors of the edges that start there minus those of the edges that end."""
    i, j = edges.view(-1, 2).unbind(dim=1)
    rows = vectors.reshape(len(i), points.shape[1])
    return torch.zeros_like(points).index_add(0, i, rows).index_add(0, j, rows, alpha=-1)


def _present(lengths: Tensor) -> Tensor:
    """Which lengths have a derivative: neither those of 0 nor deaths at infinity."""
    return (lengths > 0) & (lengths < math.inf)


def _along(points: Tensor, lengths: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors along edges, shape (k, 2, d), and lengths, shape (k, 2), differentiable in the points.

    The lengths that are given only scale, so that no square over- or underflows. Deaths at infinity get 0.
    """
    i, j = edges.unbind(dim=2)
    present = _present(lengths)[..., None]
    scale = torch.where(present, lengths[..., None], 1)
    scaled = torch.where(present, points[i] - points[j], 1) / scale
    norms = scaled.square().sum(dim=2, keepdim=True).sqrt()
    return torch.where(present, scaled / norms, 0), torch.where(present, scale * norms, 0)[..., 0]


def _with_value(value: Tensor, function: Tensor) -> Tensor:
    """The value, which is exact, with the derivatives of the function, which equals it up to rounding."""
    return value + (function - function.detach())


def _in_metric(points: Tensor, edges: Tensor, lengths: Tensor, metric: str | float) -> Tensor:
    """Lengths in the cosine distance, or in Minkowski's of an order."""
    place = torch.nonzero(_present(lengths), as_tuple=True)
    i, j = edges[place].unbind(dim=1)
    known = lengths[place]
    points = points.float() if points.dtype in HALF_PRECISION else points
    if metric == "cosine":
        function = _cosine_distances(points[i], points[j])
    else:
        function = _norms(points[i] - points[j], known, float(metric))
    return lengths.index_put(place, _with_value(known, function.to(known.dtype)))


def _norms(vectors: Tensor, known: Tensor, order: float) -> Tensor:
    """Norms of vectors of some order, which are known up to rounding."""
    scales = known.to(vectors.dtype)
    if math.inf > order > 1 / torch.finfo(known.dtype).eps and vectors.numel():
        # The power would make that rounding an over- or underflow.
        scales = vectors.detach().abs().amax(dim=1)
    ratios = (vectors / scales[:, None]).abs()
    if order == math.inf:
        # Not amax, which shares the gradient out at a tie, where second derivatives would be wrong.
        largest = ratios.argmax(dim=1, keepdim=True) if ratios.numel() else ratios[:, :0].long()
        return scales * ratios.gather(1, largest).sum(dim=1)
    # The power of 0 is left out: its derivatives are infinite, but for the first.
    powers = torch.where(ratios > 0, torch.where(ratios > 0, ratios, 1).pow(order), 0)
    return scales * powers.sum(dim=1).pow(1 / order)


def _cosine_distances(points: Tensor, others: Tensor) -> Tensor:
    units, other_units = (
        torch.nn.functional.normalize(x / x.detach().abs().amax(dim=1, keepdim=True), dim=1, eps=0)
        for x in (points, others)
    )
    return (units - other_units).square().sum(dim=1) / 2
