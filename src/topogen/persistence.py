"""Differentiable persistence diagrams of Vietoris-Rips filtrations.

The rank method. The Rips filtration of a cloud, and so the pairing of its simplices, depends only on the
order of the edges. So the pairwise distances are sorted, and persistence is computed of the *positions* of
the edges in that order (ties in the order of their vertices). Every birth and every death then names one
edge, but for the births of degree 0; the differentiable diagram consists of the lengths of those edges. No
generators are looked up, ties break reproducibly, only distances leave the device of the cloud, and only
vertices of the chosen edges return to it.

Engines: :mod:`topogen.engine` in degrees 0 and 1; from degree 2 on, edge collapse and Ripser (U. Bauer,
2021) as shipped with gudhi, coefficients in Z/2.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

if TYPE_CHECKING:
    from topogen.engine import Edges

Metric = Literal["euclidean", "precomputed"]
Diagrams = tuple[Tensor, ...]

PANEL = 64  # rows of the upper triangle of distances that are made at a time on the CPU


def rips_diagrams(
    points: Tensor, degrees: Sequence[int] = (0, 1), *, metric: Metric = "euclidean"
) -> Diagrams:
    r"""Persistence diagrams of the Rips filtration of a point cloud.

    :math:`K_\varepsilon(P)` holds a simplex when all its pairwise distances are at most :math:`\varepsilon`;
    births and deaths are therefore distances. Bars that never die (one, in degree 0) and bars of length
    zero (ties, duplicate points) are left out.

    The gradient of a birth or death is that of the distance it equals. It is zero where a Euclidean distance
    is zero; at ties it belongs to the edge that comes first by its vertices, one choice of a subgradient.
    Entries (i, j) and (j, i) of a matrix of distances are one distance, and get half of its gradient each.

    Args:
        points: cloud of n points in R^d, shape (n, d); n may be 0 or 1. With ``metric="precomputed"``, a
            symmetric matrix of distances, shape (n, n), zero on the diagonal and nowhere negative, which
            need not obey the triangle inequality. Any device, any floating-point dtype.
        degrees: homology degrees, each >= 0.
        metric: what ``points`` holds.

    Returns:
        One tensor of shape (k, 2) per degree, rows (birth, death) in the unit of the distances, ordered by
        the edges that give birth, then by those that bring death; device and dtype are those of ``points``.

    Raises:
        ValueError: the shape or the dtype is another, a degree is negative, a coordinate or a distance is
            not finite, or a matrix is none of distances.

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
            "is ONE cloud of b points: flatten each to a vector, as in images.flatten(1). For many clouds of "
            "shape (b, n, d) there is batched_rips_diagrams"
        )
    return batched_rips_diagrams([points], degrees, metric=metric, threads=1)[0]


def batched_rips_diagrams(
    clouds: Tensor | Sequence[Tensor],
    degrees: Sequence[int] = (0, 1),
    *,
    metric: Metric = "euclidean",
    threads: int | None = None,
) -> list[Diagrams]:
    """Persistence diagrams of many clouds, each as by :func:`rips_diagrams`.

    Args:
        clouds: shape (b, n, d), or b clouds (n_i, d_i) of any sizes, on one device. With
            ``metric="precomputed"``, matrices of distances.
        degrees: homology degrees, each >= 0.
        metric: what the clouds hold.
        threads: clouds worked on at a time; torch's number of threads if None. The result does not depend
            on it.

    Returns:
        ``diagrams[cloud][place of the degree]``, shape (k, 2); :func:`pad_diagrams` makes one tensor of them.

    Raises:
        ValueError: as :func:`rips_diagrams`.

    """
    if isinstance(clouds, Tensor) and clouds.ndim != 3:
        raise ValueError(
            f"expected clouds of shape (b, n, d), got {tuple(clouds.shape)}; a batch of b vectors is ONE "
            "cloud of b points, for rips_diagrams"
        )
    for cloud in clouds:
        _check(cloud, degrees, metric)
    work = partial(_bars, degrees=degrees, metric=metric)
    threads = min(threads or torch.get_num_threads(), len(clouds))
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            bars = list(pool.map(work, clouds))
    else:
        bars = [work(cloud) for cloud in clouds]
    return [_diagrams(cloud, bar, metric) for cloud, bar in zip(clouds, bars, strict=True)]


def pad_diagrams(diagrams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Diagrams of one degree as one tensor.

    Args:
        diagrams: b diagrams of shape (k_i, 2), of one device and dtype.

    Returns:
        Bars of shape (b, k, 2), k being the largest k_i, filled up with points (0, 0) of the diagonal; and
        a mask of shape (b, k), true at the bars that are there.

    Raises:
        ValueError: there is no diagram.

    >>> bars, mask = pad_diagrams([torch.tensor([[0.0, 1.0], [0.0, 2.0]]), torch.zeros(0, 2)])
    >>> bars.shape, mask
    (torch.Size([2, 2, 2]), tensor([[ True,  True],
            [False, False]]))

    """
    if not diagrams:
        raise ValueError("expected at least one diagram, got none")
    sizes = torch.tensor([len(diagram) for diagram in diagrams], device=diagrams[0].device)
    bars = pad_sequence(list(diagrams), batch_first=True)
    return bars, torch.arange(bars.shape[1], device=bars.device) < sizes[:, None]


class _Bars(NamedTuple):
    """Bars of one cloud in several degrees, by the vertices of their edges.

    Attributes:
        vertices: ends of one edge per bar of degree 0, its death, and of two per bar of other degrees, birth
            and death, all degrees in a row, shape (2, number of edges).
        sizes: number of edges of each degree.
        degrees: the degrees.

    """

    vertices: NDArray[np.int64]
    sizes: list[int]
    degrees: Sequence[int]


def _check(points: Tensor, degrees: Sequence[int], metric: Metric) -> None:
    if any(degree < 0 for degree in degrees):
        raise ValueError(f"homology degrees are >= 0, got {tuple(degrees)}")
    if points.ndim != 2:
        raise ValueError(f"expected each cloud in the shape (n, d), got {tuple(points.shape)}")
    if not points.is_floating_point():
        raise ValueError(f"expected floating-point numbers, got {points.dtype}")
    if metric == "precomputed":
        _check_distances(points.detach())
    elif metric != "euclidean":
        raise ValueError(f"metric is euclidean or precomputed, got {metric!r}")


def _check_distances(matrix: Tensor) -> None:
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"expected a square matrix of distances, got shape {tuple(matrix.shape)}")
    if not torch.isfinite(matrix).all():
        raise ValueError("the matrix of distances holds NaN or infinite entries")
    if (matrix < 0).any() or matrix.diagonal().any() or not torch.allclose(matrix, matrix.T):
        raise ValueError("a matrix of distances is symmetric, not negative, and zero on the diagonal")


def _bars(points: Tensor, degrees: Sequence[int], metric: Metric) -> _Bars:
    """Bars of a cloud that was checked."""
    cloud = points.detach()
    if len(cloud) < 2:  # one vertex at most, which never dies
        _demand_finite(cloud)
        return _Bars(np.zeros((2, 0), np.int64), [0 for _ in degrees], degrees)
    distances = _distances(cloud) if metric == "euclidean" else cloud / 2 + cloud.T / 2
    if distances.dtype in (torch.float16, torch.bfloat16):
        distances = distances.float()  # numpy knows no bfloat16
    from topogen.engine import rips_bars, sorted_edges  # slow to import: at first use

    try:
        edges = sorted_edges(distances.cpu().numpy())
    except ValueError:
        _demand_finite(cloud)
        raise ValueError("a distance between two points overflows the precision of the cloud") from None
    deaths, loops = rips_bars(edges, loops=1 in degrees)
    bars = {0: deaths, 1: loops} | _bars_of_high_degree(edges, [degree for degree in degrees if degree > 1])
    positions = [bars[degree].ravel() for degree in degrees]
    chosen = np.concatenate([np.zeros(0, np.int64), *positions])
    vertices = np.stack([edges.first[chosen], edges.second[chosen]]).astype(np.int64)
    return _Bars(vertices, [len(ends) for ends in positions], degrees)


def _demand_finite(cloud: Tensor) -> None:
    if not torch.isfinite(cloud).all():
        raise ValueError("the point cloud holds NaN or infinite coordinates")


def _distances(cloud: Tensor) -> Tensor:
    """Distances of points i < j, shape (n, n), rounded to the cloud's precision; the rest is not filled in.

    For float32 and below, by matrix products of the centred cloud in float64: the error of a distance,
    at most about 1e-8 of the cloud's diameter, is below the precision of the input. float64 itself has no
    such reserve and takes the direct, slower way.
    """
    if cloud.dtype == torch.float64:
        return torch.cdist(cloud, cloud, compute_mode="donot_use_mm_for_euclid_dist")
    n = len(cloud)
    centred = cloud.double()
    centred -= centred.mean(dim=0)
    norms = centred.square().sum(dim=1)
    distances = cloud.new_empty(n, n)
    panel = PANEL if cloud.device.type == "cpu" else n  # half of the work is saved, but no launch is
    for start in range(0, n, panel):
        stop = start + panel
        squares = centred[start:stop] @ centred[start:].T
        squares.mul_(-2).add_(norms[start:stop, None]).add_(norms[start:])
        distances[start:stop, start:] = squares.clamp_(min=0).sqrt_()
    return distances


def _bars_of_high_degree(edges: "Edges", degrees: Sequence[int]) -> dict[int, NDArray[np.int64]]:
    """Bars (position of birth, of death) of each degree >= 2, shape (k, 2), sorted."""
    if not degrees:
        return {}
    from gudhi.sklearn.rips_persistence import RipsPersistence  # slow to import: at first use
    from scipy.sparse import coo_array

    # From 1 on: with an edge of length 0 Ripser drops bars. Up to the enclosing radius, so that all bars end.
    ranks = np.arange(1.0, len(edges.first) + 1)
    graph = coo_array((ranks, (edges.first, edges.second)), shape=(edges.vertices,) * 2)
    engine = RipsPersistence(
        homology_dimensions=list(degrees), input_type="distance coo_matrix", homology_coeff_field=2
    )
    bars = {}
    for degree, diagram in zip(degrees, engine.fit_transform([graph])[0], strict=True):
        positions = diagram.reshape(-1, 2).astype(np.int64) - 1
        bars[degree] = positions[np.lexsort((positions[:, 1], positions[:, 0]))]
    return bars


def _diagrams(points: Tensor, bars: _Bars, metric: Metric) -> Diagrams:
    """Diagrams of the bars of a cloud, differentiable."""
    i, j = torch.from_numpy(bars.vertices).to(points.device)
    if metric == "euclidean":
        lengths: Tensor = _EdgeLengths.apply(points, i, j)
    else:
        lengths = points[i, j] / 2 + points[j, i] / 2
    diagrams = []
    for degree, values in zip(bars.degrees, torch.split(lengths, bars.sizes), strict=True):
        diagram = pad(values[:, None], (1, 0)) if degree == 0 else values.view(-1, 2)
        diagrams.append(diagram[diagram[:, 1] > diagram[:, 0]])
    return tuple(diagrams)


class _EdgeLengths(torch.autograd.Function):
    r"""Lengths of chosen edges.

    The gradient of :math:`\sum_e g_e \ell_e` is, at the two ends of each edge, plus and minus :math:`g_e u_e`
    with the unit vector :math:`u_e = (x_i - x_j) / \ell_e`: bounded however short an edge is. An edge of
    length 0 has no derivative and gets 0.
    """

    @staticmethod
    def forward(ctx: Any, points: Tensor, i: Tensor, j: Tensor) -> Tensor:
        # In float64: squares of float32 differences may overflow or vanish, and the order was made this way.
        differences = points.index_select(0, i) - points.index_select(0, j)
        lengths: Tensor = torch.linalg.vector_norm(differences, dim=1, dtype=torch.float64).to(points.dtype)
        ctx.save_for_backward(differences, lengths, i, j)
        ctx.shape = points.shape
        return lengths

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        differences, lengths, i, j = ctx.saved_tensors
        pulls = differences / torch.where(lengths > 0, lengths, torch.inf)[:, None]
        pulls *= gradients[0][:, None]
        gradient = pulls.new_zeros(ctx.shape).index_add_(0, i, pulls).index_add_(0, j, pulls, alpha=-1)
        return gradient, None, None
