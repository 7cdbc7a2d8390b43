"""Differentiable persistence diagrams of Vietoris-Rips filtrations.

The rank method. The Rips filtration of a cloud, and so the pairing of its simplices, depends only on the
order of the edges. So the pairwise distances are replaced by their ranks 1 ... m (ties by edge number), and
the persistence of the *ranks* is computed. Every birth and every death is then a rank, hence names one edge
(rank 0 is the birth of the vertices); the differentiable diagram consists of the lengths of those edges.
No generators are looked up, ties break reproducibly, and only distances leave the device of the cloud.

Engine: Ripser (U. Bauer, *Ripser: efficient computation of Vietoris-Rips persistence barcodes*, 2021) as
shipped with gudhi, coefficients in Z/2.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

Edges = NDArray[np.int64]


def rips_diagrams(points: Tensor, degrees: Sequence[int] = (0, 1)) -> tuple[Tensor, ...]:
    r"""Persistence diagrams of the Rips filtration of a point cloud.

    :math:`K_\varepsilon(P)` holds a simplex when all its pairwise Euclidean distances are at most
    :math:`\varepsilon`; births and deaths are therefore distances. Bars that never die (one, in degree 0)
    and bars of length zero (ties, duplicate points) are left out.

    The gradient of a birth or death is that of the distance it equals. It is zero where that distance is
    zero; at ties it belongs to the edge of smallest number, one choice of a subgradient.

    Args:
        points: cloud of n points in R^d, shape (n, d), on any device; n may be 0 or 1.
        degrees: homology degrees, each >= 0.

    Returns:
        One tensor of shape (k, 2) per degree, rows (birth, death) in the unit of the distances, ordered by
        the rank of birth, then of death; device and dtype are those of the cloud.

    Raises:
        ValueError: the shape is not (n, d), a degree is negative, or a distance is not finite.

    Source:
        Thesis, section 1; J. Leygonie, S. Oudot, U. Tillmann, *A framework for differential calculus on
        persistence barcodes*, 2021, for the derivative.

    >>> square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> rips_diagrams(square)[1]
    tensor([[1.0000, 1.4142]])

    """
    if points.ndim != 2:
        raise ValueError(
            f"expected one cloud of shape (n, d), got {tuple(points.shape)}; a batch of b vectors or images "
            "is ONE cloud of b points: flatten each to a vector, as in images.flatten(1)"
        )
    cloud = points.detach()
    if not torch.isfinite(cloud).all():
        raise ValueError("the point cloud holds NaN or infinite coordinates")
    edges = _edges(len(cloud))
    return _diagrams(
        _condensed_distances(cloud, edges), edges, degrees, lambda i, j: _lengths(points, i, j), points
    )


def rips_diagrams_from_distances(distances: Tensor, degrees: Sequence[int] = (0, 1)) -> tuple[Tensor, ...]:
    """Persistence diagrams of the Rips filtration of a distance matrix.

    The triangle inequality is not needed. The entries (i, j) and (j, i), one distance, get half of its
    gradient each.

    Args:
        distances: symmetric matrix with zero diagonal and no negative entry, shape (n, n), any device.
        degrees: homology degrees, each >= 0.

    Returns:
        As :func:`rips_diagrams`.

    Raises:
        ValueError: not a matrix as described, a degree is negative, or an entry is not finite.

    """
    matrix = distances.detach()
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"expected a square matrix of distances, got shape {tuple(matrix.shape)}")
    if not torch.isfinite(matrix).all():
        raise ValueError("the matrix of distances holds NaN or infinite entries")
    if (matrix < 0).any() or matrix.diagonal().any() or not torch.allclose(matrix, matrix.T):
        raise ValueError("a matrix of distances is symmetric, not negative, and zero on the diagonal")
    symmetric = (distances + distances.T) / 2
    edges = _edges(len(matrix))
    condensed = symmetric.detach().cpu().numpy()[edges[0], edges[1]]
    return _diagrams(condensed, edges, degrees, lambda i, j: symmetric[i, j], distances)


def _diagrams(
    condensed: NDArray[Any], edges: tuple[Edges, Edges], degrees: Sequence[int], lengths: Any, like: Tensor
) -> tuple[Tensor, ...]:
    """Diagrams of the distances of all edges, gathered as ``lengths(i, j)`` of the edges that matter."""
    if any(degree < 0 for degree in degrees):
        raise ValueError(f"homology degrees are >= 0, got {tuple(degrees)}")
    if len(condensed) == 0:  # fewer than two points: one vertex at most, which never dies
        return tuple(like.flatten()[:0].view(0, 1).expand(0, 2) for _ in degrees)
    order = _edges_by_length(condensed)
    bars = _rank_bars(order, edges, degrees)
    # Rank 0, the birth of the vertices in degree 0, is no edge: there only the deaths are looked up.
    ranks = [bar[:, 1:] if degree == 0 else bar for degree, bar in zip(degrees, bars, strict=True)]
    # One gather for all degrees: on a GPU, one transfer back.
    edge_numbers = order[np.concatenate([chunk.ravel() for chunk in ranks]) - 1]
    i, j = (torch.from_numpy(side[edge_numbers]).to(like.device) for side in edges)
    values = lengths(i, j).split([chunk.size for chunk in ranks])
    diagrams = []
    for degree, value in zip(degrees, values, strict=True):
        diagram = pad(value[:, None], (1, 0)) if degree == 0 else value.view(-1, 2)
        diagrams.append(diagram[diagram[:, 1] > diagram[:, 0]])
    return tuple(diagrams)


@lru_cache(maxsize=32)
def _edges(n: int) -> tuple[Edges, Edges]:
    """Ends i < j of the n (n - 1) / 2 edges; the position in the list is the edge's number."""
    i, j = np.triu_indices(n, 1)
    return i.astype(np.int64), j.astype(np.int64)


def _condensed_distances(cloud: Tensor, edges: tuple[Edges, Edges]) -> NDArray[Any]:
    """Distances of all edges on the host, rounded to the cloud's precision.

    For float32 and below, by one matrix product of the centred cloud in float64: the error of a distance,
    at most about 1e-8 of the cloud's diameter, is below the precision of the input. float64 itself has no
    such reserve and takes the direct, slower way.
    """
    if cloud.dtype == torch.float64:
        distances = torch.cdist(cloud, cloud, compute_mode="donot_use_mm_for_euclid_dist")
    else:
        centred = cloud.double()
        centred = centred - centred.mean(dim=0)
        gram = centred @ centred.T
        norms = gram.diagonal()
        distances = (norms[:, None] + norms[None, :] - 2 * gram).clamp(min=0).sqrt().to(cloud.dtype)
    if distances.dtype in (torch.float16, torch.bfloat16):
        distances = distances.float()  # numpy knows no bfloat16
    condensed: NDArray[Any] = distances.cpu().numpy()[edges[0], edges[1]]
    if not np.isfinite(condensed).all():
        raise ValueError("a distance between two points overflows the precision of the cloud")
    return condensed


def _edges_by_length(condensed: NDArray[Any]) -> Edges:
    """Edge numbers from the shortest edge to the longest, ties by edge number."""
    if condensed.dtype != np.float32:
        return np.argsort(condensed, kind="stable")
    # The bits of floats that are not negative are ordered as the floats are; + 0.0 makes -0.0 positive.
    bits = (condensed + np.float32(0)).view(np.uint32).astype(np.uint64)
    keys = np.sort(bits << np.uint64(32) | np.arange(len(bits), dtype=np.uint64))
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _rank_bars(order: Edges, edges: tuple[Edges, Edges], degrees: Sequence[int]) -> list[Edges]:
    """Finite bars (birth rank, death rank) of each degree, shape (k, 2), sorted."""
    from gudhi.sklearn.rips_persistence import RipsPersistence  # slow to import: at first use

    i, j = edges[0][order], edges[1][order]
    ranks = np.zeros((int(j.max()) + 1,) * 2)
    ranks[i, j] = ranks[j, i] = np.arange(1, len(order) + 1)
    engine = RipsPersistence(
        homology_dimensions=list(degrees), input_type="full distance matrix", homology_coeff_field=2
    )
    bars = []
    for diagram in engine.fit_transform([ranks])[0]:
        finite = diagram[np.isfinite(diagram[:, 1])].astype(np.int64)
        bars.append(finite[np.lexsort((finite[:, 1], finite[:, 0]))])
    return bars


def _lengths(points: Tensor, i: Tensor, j: Tensor) -> Tensor:
    lengths: Tensor = _EdgeLengths.apply(points, i, j)
    return lengths


class _EdgeLengths(torch.autograd.Function):
    r"""Lengths of chosen edges, with a backward that is one matrix product.

    With unit vectors :math:`u_e = (x_i - x_j) / \ell_e` and the incidence matrix B (+1 at i, -1 at j), the
    gradient of :math:`\sum_e g_e \ell_e` is :math:`B \operatorname{diag}(g)\, u`: bounded however short an
    edge is. An edge of length 0 has no derivative and gets u = 0.
    """

    @staticmethod
    def forward(ctx: Any, points: Tensor, i: Tensor, j: Tensor) -> Tensor:
        # In float64: squares of float32 differences may overflow or vanish, and ranks were made this way.
        differences = points.index_select(0, i) - points.index_select(0, j)
        lengths: Tensor = torch.linalg.vector_norm(differences, dim=1, dtype=torch.float64).to(points.dtype)
        ctx.save_for_backward(differences, lengths, i, j)
        ctx.n = len(points)
        return lengths

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        differences, lengths, i, j = ctx.saved_tensors
        units = torch.where(lengths[:, None] > 0, differences / lengths[:, None], 0)
        incidence = units.new_zeros(ctx.n, len(i))
        edges = torch.arange(len(i), device=i.device)
        incidence[i, edges], incidence[j, edges] = gradients[0], -gradients[0]
        return incidence @ units, None, None
