"""Differentiable persistence diagrams of Vietoris-Rips filtrations.

The rank method. The Rips filtration of a cloud, and so the pairing of its simplices, depends only on the
order of the edges. So the pairwise distances are sorted, and persistence is computed of the *positions* of
the edges in that order (ties in the order of their vertices). Every birth and every death then names one
edge, but for the births of degree 0; the differentiable diagram consists of the lengths of those edges. No
generators are looked up, and ties break reproducibly. A cloud on a GPU comes to the host once, and its
diagrams go back; the gradient is made where the cloud is.

Engines: :mod:`torchrips.engine` in degrees 0 and 1; from degree 2 on, edge collapse and Ripser (U. Bauer,
2021) as shipped with gudhi, coefficients in Z/2.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import pad_sequence

if TYPE_CHECKING:
    from torchrips.engine import Edges

Metric = Literal["euclidean", "precomputed"]
Diagrams = tuple[Tensor, ...]

MOST_POINTS = 2**16
NOT_FINITE = "the point cloud holds NaN or infinite coordinates"
OVERFLOW = "a distance between two points overflows the precision of the cloud"


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
        degrees: homology degrees, each >= 0; those >= 2 need the extra ``high-degrees`` of the package.
        metric: what ``points`` holds.

    Matrices of random numbers, which have no geometry, take far longer than clouds of their size. Degree 1
    reserves up to n^3 / 16 bytes of address space, of which what is touched becomes memory.

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
        ValueError: as :func:`rips_diagrams`; or threads is not positive.

    """
    if isinstance(clouds, Tensor) and clouds.ndim != 3:
        raise ValueError(
            f"expected clouds of shape (b, n, d), got {tuple(clouds.shape)}; a batch of b vectors is ONE "
            "cloud of b points, for rips_diagrams"
        )
    if not degrees or any(degree < 0 for degree in degrees):
        raise ValueError(f"expected one or more homology degrees >= 0, got {tuple(degrees)}")
    if threads is not None and threads < 1:
        raise ValueError(f"expected threads >= 1 or None, got {threads}")
    for cloud in clouds:
        _check(cloud, metric)
    work = partial(_bars, degrees=degrees, metric=metric)
    hosted, dtypes = [_on_host(cloud.detach()) for cloud in clouds], [cloud.dtype for cloud in clouds]
    threads = min(threads or torch.get_num_threads(), len(clouds))
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            bars = list(pool.map(work, hosted, dtypes))
    else:
        bars = list(map(work, hosted, dtypes))
    return [_Diagrams.apply(cloud, bar, metric) for cloud, bar in zip(clouds, bars, strict=True)]


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
    """Bars of one cloud, on the host, all degrees in a row.

    Attributes:
        lengths: births and deaths, shape (k, 2), rounded to the precision of the cloud.
        edges: the edges that have those lengths, by their two vertices, shape (k, 2, 2). The births of degree
            0, which belong to no edge, have the one from vertex 0 to itself, of length and gradient 0.
        sizes: number of bars of each degree.

    """

    lengths: NDArray[Any]
    edges: NDArray[np.int64]
    sizes: list[int]


def _check(points: Tensor, metric: Metric) -> None:
    if points.ndim != 2:
        raise ValueError(f"expected each cloud in the shape (n, d), got {tuple(points.shape)}")
    if not points.is_floating_point():
        raise ValueError(f"expected floating-point numbers, got {points.dtype}")
    if len(points) > MOST_POINTS:
        raise ValueError(f"at most {MOST_POINTS} points, whose edges 32 bits can number; got {len(points)}")
    if metric == "precomputed":
        _check_distances(points.detach())
    elif metric != "euclidean":
        raise ValueError(f"metric is euclidean or precomputed, got {metric!r}")


def _check_distances(matrix: Tensor) -> None:
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"expected a square matrix of distances, got shape {tuple(matrix.shape)}")
    if not torch.isfinite(matrix).all():
        raise ValueError("the matrix of distances holds NaN or infinite entries")
    if (matrix < 0).any() or matrix.diagonal().any() or not torch.allclose(matrix, matrix.T, atol=0):
        raise ValueError(
            "a matrix of distances is symmetric, not negative, and zero on the diagonal; torch.cdist makes "
            'one with compute_mode="donot_use_mm_for_euclid_dist"'
        )


def _bars(points: NDArray[Any], dtype: torch.dtype, degrees: Sequence[int], metric: Metric) -> _Bars:
    """Bars of a cloud on the host that was checked; those whose length is zero in its dtype are left out."""
    if len(points) < 2:  # one vertex at most, which never dies
        if not np.isfinite(points).all():
            raise ValueError(NOT_FINITE)
        return _Bars(np.zeros((0, 2)), np.zeros((0, 2, 2), np.int64), [0 for _ in degrees])
    # Slow to import: at first use.
    from torchrips.engine import bar_edges, edge_lengths, pairwise_distances, rips_bars, sorted_edges

    distances = pairwise_distances(points) if metric == "euclidean" else points / 2 + points.T / 2
    try:
        order = sorted_edges(distances)
    except ValueError:
        raise ValueError(OVERFLOW if np.isfinite(points).all() else NOT_FINITE) from None
    bars = dict(enumerate(rips_bars(order, loops=1 in degrees)))
    bars |= _bars_of_high_degree(order, [degree for degree in degrees if degree > 1])
    edges = bar_edges(order, np.concatenate([bars[degree] for degree in degrees]))
    exact = edge_lengths(points, edges) if metric == "euclidean" else distances[edges[..., 0], edges[..., 1]]
    lengths = _on_host(torch.from_numpy(exact).to(dtype))
    if not np.isfinite(lengths).all():
        raise ValueError(OVERFLOW)

    lasting = lengths[:, 1] > lengths[:, 0]
    stops = accumulate((len(bars[degree]) for degree in degrees), initial=0)
    sizes = [int(np.count_nonzero(lasting[start:stop])) for start, stop in pairwise(stops)]
    return _Bars(lengths[lasting], edges[lasting], sizes)


def _on_host(values: Tensor) -> NDArray[Any]:
    if values.dtype in (torch.float16, torch.bfloat16):
        values = values.float()  # numpy knows no bfloat16
    array: NDArray[Any] = values.cpu().contiguous().numpy()
    return array


def _bars_of_high_degree(edges: "Edges", degrees: Sequence[int]) -> dict[int, NDArray[np.int32]]:
    """Bars (position of birth, of death) of each degree >= 2, shape (k, 2), sorted."""
    if not degrees:
        return {}
    from scipy.sparse import coo_array

    try:
        from gudhi.sklearn.rips_persistence import RipsPersistence  # slow to import: at first use
    except ImportError as error:
        raise ImportError(
            "homology of degree 2 and up needs gudhi and scikit-learn: pip install 'torchrips[high-degrees]'"
        ) from error

    # From 1 on: with an edge of length 0 Ripser drops bars. Up to the enclosing radius, so that all bars end.
    ranks = np.arange(1.0, len(edges.first) + 1)
    graph = coo_array((ranks, (edges.first, edges.second)), shape=(edges.vertices,) * 2)
    engine = RipsPersistence(
        homology_dimensions=list(degrees), input_type="distance coo_matrix", homology_coeff_field=2
    )
    bars = {}
    for degree, diagram in zip(degrees, engine.fit_transform([graph])[0], strict=True):
        positions = diagram.reshape(-1, 2).astype(np.int32) - 1
        bars[degree] = positions[np.lexsort((positions[:, 1], positions[:, 0]))]
    return bars


class _Diagrams(torch.autograd.Function):
    r"""Diagrams whose bars are known.

    The gradient of :math:`\sum_e g_e \ell_e` is, at the two ends of each edge, plus and minus :math:`g_e u_e`
    with the unit vector :math:`u_e = (x_i - x_j) / \ell_e`: bounded however short an edge is. An edge of
    length 0 has no derivative and gets 0. Of a matrix of distances, the two entries of an edge get half each.
    """

    @staticmethod
    def forward(ctx: Any, points: Tensor, bars: _Bars, metric: Metric) -> Diagrams:
        lengths = torch.from_numpy(bars.lengths).to(points)
        ctx.save_for_backward(points, lengths)
        ctx.edges, ctx.metric = bars.edges, metric
        return tuple(
            part.clone() for part in torch.split(lengths, bars.sizes)
        )  # no views: they may be changed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        points, lengths = ctx.saved_tensors
        weights = torch.cat(gradients)
        if ctx.metric == "precomputed":
            i, j = torch.from_numpy(ctx.edges).to(points.device).unbind(dim=2)
            halves = torch.zeros_like(points).index_put_((i, j), weights / 2, accumulate=True)
            return halves + halves.T, None, None
        return _pull(points, ctx.edges, lengths, weights), None, None


def _pull(points: Tensor, edges: NDArray[np.int64], lengths: Tensor, weights: Tensor) -> Tensor:
    """Gradient of the weighted sum of the lengths of edges, with respect to their ends."""
    if points.device.type == "cpu" and points.dtype in (torch.float32, torch.float64):
        from torchrips.engine import edge_gradient

        gradient = edge_gradient(points.contiguous().numpy(), lengths.numpy(), weights.numpy(), edges)
        return torch.from_numpy(gradient)
    i, j = torch.from_numpy(edges).to(points.device).flatten(0, 1).unbind(dim=1)
    units = (points[i] - points[j]) / torch.where(lengths > 0, lengths, torch.inf).view(-1, 1)
    pulls = units * weights.view(-1, 1)
    return torch.zeros_like(points).index_add_(0, i, pulls).index_add_(0, j, pulls, alpha=-1)
