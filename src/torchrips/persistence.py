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

import operator
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsIndex

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual
from torch.func import debug_unwrap
from torch.nn.utils.rnn import pad_sequence

from torchrips import uncompiled

if TYPE_CHECKING:
    from torchrips.engine import Edges

Metric = Literal["euclidean", "precomputed"]
Diagrams = tuple[Tensor, ...]
Degrees = SupportsIndex | Iterable[SupportsIndex]

MOST_POINTS = 2**16
DTYPES = torch.float16, torch.bfloat16, torch.float32, torch.float64
NOT_FINITE = "the point cloud holds NaN or infinite coordinates"
OVERFLOW = "a distance between two points overflows the precision of the cloud"


def rips_diagrams(points: Tensor, degrees: Degrees = (0, 1), *, metric: Metric = "euclidean") -> Diagrams:
    r"""Persistence diagrams of the Rips filtration of a point cloud.

    :math:`K_\varepsilon(P)` holds a simplex when all its pairwise distances are at most :math:`\varepsilon`;
    births and deaths are therefore distances. Bars that never die (one, in degree 0, unless distances are
    infinite) and bars of length zero (ties, duplicate points) are left out.

    The gradient of a birth or death is that of the distance it equals, and so are its second
    derivatives. They are zero where a Euclidean distance is zero; at ties they belong to the edge that comes
    first by its vertices, one choice of a subgradient. Entries (i, j) and (j, i) of a matrix of distances are
    one distance, and get half of its gradient each; the diagonal is constant.

    Matrices of random numbers, which have no geometry, take far longer than clouds of their size. Memory is
    about 30 n^2 bytes, and up to 256 MiB for degree 1.

    Args:
        points: cloud of n points in R^d, shape (n, d); n may be 0 or 1. With ``metric="precomputed"``, a
            symmetric matrix of distances, shape (n, n), zero on the diagonal and nowhere negative, each up to
            rounding, which need not obey the triangle inequality. Points at an infinite distance are joined
            by no edge. Any device; float16, bfloat16, float32 or float64.
        degrees: homology degrees, each a whole number >= 0, or one such number; those >= 2 need the extra
            ``high-degrees`` of the package.
        metric: what ``points`` holds.

    Returns:
        One tensor of shape (k, 2) per degree, rows (birth, death) in the unit of the distances, ordered by
        the edges that give birth, then by those that bring death; device and dtype are those of ``points``.

    Raises:
        TypeError: the points are not a tensor.
        ValueError: the shape or the dtype is another, a degree is not a whole number >= 0, a coordinate is
            not finite, a distance overflows, or a matrix is not one of distances.
        RuntimeError: torch.func.vmap maps over the points; use :func:`batched_rips_diagrams` instead.

    Source:
        Thesis, section 1; J. Leygonie, S. Oudot, U. Tillmann, *A framework for differential calculus on
        persistence barcodes*, 2021, for the derivative.

    >>> square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> rips_diagrams(square)[1]
    tensor([[1.0000, 1.4142]])

    """
    if torch.compiler.is_compiling():
        return uncompiled.rips_diagrams(points, degrees, metric=metric)  # type: ignore[no-any-return]
    if isinstance(points, Tensor) and points.ndim != 2:
        raise ValueError(
            f"expected one cloud of shape (n, d), got {tuple(points.shape)}; a batch of b vectors or images "
            "is ONE cloud of b points: flatten each to a vector, as in images.flatten(1). For many clouds of "
            "shape (b, n, d) there is batched_rips_diagrams"
        )
    wanted = _whole(degrees)
    _check(points, metric)
    return _diagrams(points, _bars(_on_host(points), points.dtype, wanted, metric), metric)


def batched_rips_diagrams(
    clouds: Tensor | Iterable[Tensor],
    degrees: Degrees = (0, 1),
    *,
    metric: Metric = "euclidean",
    threads: int | None = None,
) -> list[Diagrams]:
    """Persistence diagrams of many clouds, each as by :func:`rips_diagrams`.

    Args:
        clouds: shape (b, n, d), or b clouds (n_i, d_i) of any sizes. With ``metric="precomputed"``, matrices
            of distances.
        degrees: homology degrees, each a whole number >= 0, or one such number.
        metric: what the clouds hold.
        threads: clouds worked on at a time; torch's number of threads if None. The result does not depend
            on it.

    Returns:
        ``diagrams[cloud][place of the degree]``, shape (k, 2); :func:`pad_diagrams` makes one tensor of them.

    Raises:
        TypeError: as :func:`rips_diagrams`.
        ValueError: as :func:`rips_diagrams`, with the number of the cloud, counted from 0; or threads is not
            positive.
        RuntimeError: as :func:`rips_diagrams`.

    """
    if torch.compiler.is_compiling():
        return uncompiled.batched_rips_diagrams(  # type: ignore[no-any-return]
            clouds, degrees, metric=metric, threads=threads
        )
    if isinstance(clouds, Tensor) and clouds.ndim != 3:
        raise ValueError(
            f"expected clouds of shape (b, n, d), got {tuple(clouds.shape)}; a batch of b vectors is ONE "
            "cloud of b points, for rips_diagrams"
        )
    wanted = _whole(degrees)
    if threads is not None and threads < 1:
        raise ValueError(f"expected threads >= 1 or None, got {threads}")
    clouds = list(clouds)
    hosted = []
    for number, cloud in enumerate(clouds):
        with _named(number):
            _check(cloud, metric)
            hosted.append(_on_host(cloud))

    def work(number: int) -> _Bars:
        with _named(number):
            return _bars(hosted[number], clouds[number].dtype, wanted, metric)

    threads = min(threads or torch.get_num_threads(), len(clouds))
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            bars = list(pool.map(work, range(len(clouds))))
    else:
        bars = list(map(work, range(len(clouds))))
    return [_diagrams(cloud, bar, metric) for cloud, bar in zip(clouds, bars, strict=True)]


def pad_diagrams(diagrams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Diagrams of one degree as one tensor.

    Args:
        diagrams: b diagrams of shape (k_i, 2), of one device and dtype.

    Returns:
        Bars of shape (b, k, 2), k being the largest k_i, filled up with points (0, 0) of the diagonal; and
        a mask of shape (b, k), true at the bars that are there.

    Raises:
        ValueError: there is no diagram, or one of them is not of shape (k, 2).

    >>> bars, mask = pad_diagrams([torch.tensor([[0.0, 1.0], [0.0, 2.0]]), torch.zeros(0, 2)])
    >>> bars.shape, mask
    (torch.Size([2, 2, 2]), tensor([[ True,  True],
            [False, False]]))

    """
    if len(diagrams) == 0:
        raise ValueError("expected at least one diagram, got none")
    for diagram in diagrams:
        if not isinstance(diagram, Tensor) or diagram.ndim != 2 or diagram.shape[1] != 2:
            raise ValueError(
                "expected diagrams of one degree, tensors of shape (k, 2); of what batched_rips_diagrams "
                "returns, take one place of each, as in [diagrams[0] for diagrams in batch]"
            )
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


def _whole(degrees: Degrees) -> list[int]:
    """Homology degrees as a list."""

    def whole(number: Any) -> int:
        if isinstance(number, bool):
            raise TypeError("a truth value is not a degree")
        return operator.index(number)

    numbers: list[int] = []
    one_or_several: tuple[Any, ...] = [degrees], degrees
    for several in one_or_several:
        with suppress(TypeError):
            numbers = numbers or [whole(degree) for degree in several]
    if not numbers or min(numbers) < 0:
        raise ValueError(
            f"expected one or more homology degrees >= 0, whole numbers as in (0, 1); got {degrees!r}"
        )
    return numbers


@contextmanager
def _named(cloud: int) -> Iterator[None]:
    """Errors of a batch say which cloud they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"cloud {cloud} of the batch: {error}") from None


def _check(points: Tensor, metric: Metric) -> None:
    if not isinstance(points, Tensor):
        raise TypeError(
            f"expected a torch.Tensor, got {type(points).__name__}; torch.as_tensor makes one of numbers, "
            "and batched_rips_diagrams takes several tensors"
        )
    if points.ndim != 2:
        raise ValueError(f"expected each cloud in the shape (n, d), got {tuple(points.shape)}")
    if points.dtype not in DTYPES:
        raise ValueError(
            f"expected floating-point numbers of 16, 32 or 64 bits, got {points.dtype}; points.float() "
            "converts them"
        )
    if points.layout != torch.strided or points.is_meta:
        raise ValueError(
            f"expected a dense tensor that holds values, got layout {points.layout} on {points.device}"
        )
    if debug_unwrap(points).ndim != points.ndim:
        raise RuntimeError(
            "torch.func.vmap cannot map over clouds, whose diagrams have different numbers of bars; "
            "batched_rips_diagrams takes clouds of shape (b, n, d)"
        )
    if len(points) > MOST_POINTS:
        raise ValueError(f"at most {MOST_POINTS} points, whose edges 32 bits can number; got {len(points)}")
    if metric not in ("euclidean", "precomputed"):
        raise ValueError(f"metric is euclidean or precomputed, got {metric!r}")
    if metric == "precomputed" and points.shape[0] != points.shape[1]:
        raise ValueError(f"expected a square matrix of distances, got shape {tuple(points.shape)}")


def _on_host(values: Tensor) -> NDArray[Any]:
    values = values.detach()
    if values.dtype in (torch.float16, torch.bfloat16):
        values = values.float()  # numpy knows no bfloat16
    values = values.cpu().contiguous()
    # The numbers alone, whichever transforms of torch.func are on, under which numpy() cannot be called.
    numbers = debug_unwrap(values)
    return numbers.numpy() if numbers is values else np.array(np.from_dlpack(numbers))


def _bars(points: NDArray[Any], dtype: torch.dtype, degrees: Sequence[int], metric: Metric) -> _Bars:
    """Bars of a cloud on the host that was checked; those whose length is zero in its dtype are left out."""
    if metric == "precomputed":
        points = _distances_of_matrix(points, torch.finfo(dtype).eps)
    if len(points) < 2:  # one vertex at most, which never dies
        if not np.isfinite(points).all():
            raise ValueError(NOT_FINITE)
        return _Bars(np.zeros((0, 2)), np.zeros((0, 2, 2), np.int64), [0 for _ in degrees])
    # Slow to import: at first use.
    from torchrips.engine import bar_edges, edge_lengths, pairwise_distances, rips_bars, sorted_edges

    distances = pairwise_distances(points) if metric == "euclidean" else points
    try:
        order = sorted_edges(distances, missing=metric == "precomputed")
    except ValueError:
        raise ValueError(OVERFLOW if np.isfinite(points).all() else NOT_FINITE) from None
    bars = dict(enumerate(rips_bars(order, loops=1 in degrees)))
    bars |= _bars_of_high_degree(order, sorted({degree for degree in degrees if degree > 1}))
    edges = bar_edges(order, np.concatenate([bars[degree] for degree in degrees]))
    exact = edge_lengths(points, edges) if metric == "euclidean" else distances[edges[..., 0], edges[..., 1]]
    lengths = _on_host(torch.from_numpy(exact).to(dtype))
    if not np.isfinite(lengths).all():
        raise ValueError(OVERFLOW)

    lasting = lengths[:, 1] > lengths[:, 0]
    stops = accumulate((len(bars[degree]) for degree in degrees), initial=0)
    sizes = [int(np.count_nonzero(lasting[start:stop])) for start, stop in pairwise(stops)]
    return _Bars(lengths[lasting], edges[lasting], sizes)


def _bars_of_high_degree(edges: "Edges", degrees: Sequence[int]) -> dict[int, NDArray[np.int32]]:
    """Bars (position of birth, of death) of each degree >= 2, shape (k, 2), sorted."""
    if not degrees or len(edges.first) == 0:
        return {degree: np.empty((0, 2), np.int32) for degree in degrees}
    from scipy.sparse import coo_array

    try:
        from gudhi.sklearn.rips_persistence import RipsPersistence  # slow to import: at first use
    except ImportError as error:
        raise ImportError(
            "homology of degree 2 and up needs gudhi and scikit-learn: pip install 'torchrips[high-degrees]'"
        ) from error

    # From 1 on: with an edge of length 0 Ripser drops bars.
    ranks = np.arange(1.0, len(edges.first) + 1)
    graph = coo_array((ranks, (edges.first, edges.second)), shape=(edges.vertices,) * 2)
    engine = RipsPersistence(
        homology_dimensions=list(degrees), input_type="distance coo_matrix", homology_coeff_field=2
    )
    bars = {}
    for degree, diagram in zip(degrees, engine.fit_transform([graph])[0], strict=True):
        ending = diagram.reshape(-1, 2)
        positions = ending[np.isfinite(ending[:, 1])].astype(np.int32) - 1
        bars[degree] = positions[np.lexsort((positions[:, 1], positions[:, 0]))]
    return bars


def _distances_of_matrix(matrix: NDArray[Any], epsilon: float) -> NDArray[Any]:
    """Distances in a matrix that is symmetric, not negative, and zero on the diagonal, each up to rounding.

    Args:
        matrix: shape (n, n).
        epsilon: relative rounding error of its entries. Entries may be wrong by 16 of it, relative to the
            largest one; on the diagonal, where an angle or a root of a rounded zero stands, by 4 of its root.

    Returns:
        Shape (n, n); infinite where the matrix is.

    """
    sizes = np.abs(matrix)
    largest = sizes.max(initial=0, where=np.isfinite(sizes))
    with np.errstate(invalid="ignore"):
        asymmetry = np.where(matrix == matrix.T, 0, np.abs(matrix - matrix.T))
    diagonal = np.diag(np.diag(matrix))
    rounding, rounded_zero = 16 * epsilon * largest, 4 * np.sqrt(epsilon) * largest
    _refuse(np.where(np.isnan(matrix), np.inf, 0), 0, matrix, "is NaN; take out its point")
    _refuse(
        np.abs(diagonal),
        rounded_zero,
        matrix,
        "stands on the diagonal, which must be 0; of a similarity s take 1 - s, and for exact zeros "
        'torch.cdist with compute_mode="donot_use_mm_for_euclid_dist"',
    )
    _refuse(
        asymmetry,
        rounding,
        matrix,
        "differs from its mirror image; (matrix + matrix.T) / 2 is symmetric",
    )
    _refuse(diagonal - matrix, rounding, matrix, "is negative; of a similarity s take 1 - s")
    distances: NDArray[Any] = np.maximum(matrix / 2 + matrix.T / 2, 0)
    np.fill_diagonal(distances, 0)
    return distances


def _refuse(errors: NDArray[Any], tolerance: float, matrix: NDArray[Any], fault: str) -> None:
    """Refuse a matrix when one of the errors of its entries, the largest, is above the tolerance."""
    if errors.max(initial=0) > tolerance:
        i, j = (int(place) for place in np.unravel_index(np.argmax(errors), errors.shape))
        raise ValueError(
            f"not a matrix of distances: entry ({i}, {j}), {matrix[i, j]:.6g}, {fault}. "
            f"Rounding explains an error of {tolerance:.2g}, and this one is {errors[i, j]:.2g}"
        )


def _diagrams(points: Tensor, bars: _Bars, metric: Metric) -> Diagrams:
    """Differentiable diagrams, whose bars are known."""
    edges = torch.from_numpy(bars.edges).to(points.device)
    if metric == "precomputed":
        i, j = edges.unbind(dim=2)
        entries = (points[i, j] / 2 + points[j, i] / 2).clamp(min=0)
        lengths = torch.where(i == j, 0, entries)
    else:
        lengths = torch.from_numpy(bars.lengths).to(points.dtype).to(points.device)
        if not _transformed(points):
            return _Lengths.apply(points, lengths, edges, bars.sizes)  # type: ignore[no-any-return]
        lengths = _with_value(lengths, _along(points, lengths, edges)[1])
    return tuple(part.clone() for part in torch.split(lengths, bars.sizes))  # no views: they may be changed


class _Lengths(torch.autograd.Function):
    r"""Lengths of edges, as diagrams.

    With the unit vector :math:`u_e = (x_i - x_j) / \ell_e`, the derivative of :math:`\ell_e` in the direction
    v is :math:`\langle u_e, v_i - v_j \rangle`. So the gradient of :math:`\sum_e w_e \ell_e` is plus and
    minus :math:`w_e u_e` at the two ends of each edge: bounded however short an edge is. An edge of length 0
    has no derivative and gets 0. Derivatives of the gradient are those of the same formula, written in torch.
    """

    @staticmethod
    def forward(ctx: Any, points: Tensor, lengths: Tensor, edges: Tensor, sizes: list[int]) -> Diagrams:
        ctx.save_for_backward(points, lengths, edges)
        ctx.save_for_forward(points, lengths, edges)
        ctx.sizes = sizes
        return tuple(part.clone() for part in torch.split(lengths, sizes))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        points, lengths, edges = ctx.saved_tensors
        weights = torch.cat(gradients)
        with torch.no_grad():
            gradient = _pull(points, lengths, weights, edges)
        if torch.is_grad_enabled() or _has_tangent(points) or _has_tangent(weights):
            pulls = _along(points, lengths, edges)[0] * weights[..., None]
            gradient = _with_value(gradient, _at_ends(pulls, points, edges))
        return gradient, None, None, None

    @staticmethod
    def jvp(ctx: Any, motion: Tensor, *_: None) -> Diagrams:
        points, lengths, edges = ctx.saved_tensors
        i, j = edges.unbind(dim=2)
        speeds = (_along(points, lengths, edges)[0] * (motion[i] - motion[j])).sum(dim=2)
        return torch.split(speeds, ctx.sizes)


def _pull(points: Tensor, lengths: Tensor, weights: Tensor, edges: Tensor) -> Tensor:
    """Gradient of the weighted sum of the lengths of edges, with respect to the points."""
    if points.device.type == "cpu" and points.dtype in (torch.float32, torch.float64):
        from torchrips.engine import edge_gradient

        with suppress(RuntimeError):  # a batch of weights (is_grads_batched) has no numbers that can be read
            arrays = [x.contiguous().numpy() for x in (points, lengths, weights, edges)]
            return torch.from_numpy(edge_gradient(*arrays))
    i, j = edges.unbind(dim=2)
    units = (points[i] - points[j]) / torch.where(lengths > 0, lengths, torch.inf)[..., None]
    return _at_ends(units * weights[..., None], points, edges)


def _at_ends(vectors: Tensor, points: Tensor, edges: Tensor) -> Tensor:
    """Sum, at each point, of the vectors of the edges that start there minus those of the edges that end."""
    i, j = edges.view(-1, 2).unbind(dim=1)
    rows = vectors.reshape(len(i), points.shape[1])
    return torch.zeros_like(points).index_add(0, i, rows).index_add(0, j, rows, alpha=-1)


def _along(points: Tensor, lengths: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors along edges, shape (k, 2, d), and lengths, shape (k, 2), differentiable in the points.

    The lengths that are given only scale, so that no square over- or underflows.
    """
    i, j = edges.unbind(dim=2)
    present = (lengths > 0)[..., None]
    scale = torch.where(present, lengths[..., None], 1)
    scaled = torch.where(present, points[i] - points[j], 1) / scale
    norms = scaled.square().sum(dim=2, keepdim=True).sqrt()
    return torch.where(present, scaled / norms, 0), torch.where(present, scale * norms, 0)[..., 0]


def _has_tangent(values: Tensor) -> bool:
    return unpack_dual(values).tangent is not None


def _with_value(value: Tensor, function: Tensor) -> Tensor:
    """The value, which is exact, with the derivatives of the function, which equals it up to rounding."""
    return value + (function - function.detach())


def _transformed(points: Tensor) -> bool:
    """Whether a transform of torch.func is on, which wraps what is computed."""
    values = points.detach()
    return debug_unwrap(values) is not values
