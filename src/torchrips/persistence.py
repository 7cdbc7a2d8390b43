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

import math
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsIndex, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import debug_unwrap
from torch.nn.utils.rnn import pad_sequence

from torchrips import metrics
from torchrips.arguments import HALF_PRECISION, check_coordinates
from torchrips.graphs import left_out
from torchrips.interrupts import interrupts_wait
from torchrips.lengths import diagrams_of_edges
from torchrips.metrics import Metric
from torchrips.values import of_values, transformed

if TYPE_CHECKING:
    from torchrips.engine import Edges, Precision, Rips

Diagrams = tuple[Tensor, ...]
Degrees = SupportsIndex | Iterable[SupportsIndex]
Result = TypeVar("Result")

MOST_POINTS = 2**16
LARGE = 512  # points from which on a thread, which takes 0.1 ms to start, costs little
DTYPES = torch.float16, torch.bfloat16, torch.float32, torch.float64
OVERFLOW = "a distance between two points overflows the precision of the cloud"
LIKE_DISTANCES = "the cloud could be a matrix of distances; if it is one, say metric='precomputed'"


@overload
def rips_diagrams(
    points: Tensor,
    degrees: Degrees = ...,
    *,
    metric: Metric = ...,
    max_edge_length: float = ...,
    essential: bool = ...,
    return_edges: Literal[False] = ...,
) -> Diagrams: ...


@overload
def rips_diagrams(
    points: Tensor,
    degrees: Degrees = ...,
    *,
    metric: Metric = ...,
    max_edge_length: float = ...,
    essential: bool = ...,
    return_edges: Literal[True],
) -> tuple[Diagrams, Diagrams]: ...


@left_out
def rips_diagrams(
    points: Tensor,
    degrees: Degrees = (0, 1),
    *,
    metric: Metric = "euclidean",
    max_edge_length: float = math.inf,
    essential: bool = False,
    return_edges: bool = False,
) -> Diagrams | tuple[Diagrams, Diagrams]:
    r"""Persistence diagrams of the Rips filtration of a point cloud.

    :math:`K_\varepsilon(P)` holds a simplex when all its pairwise distances are at most :math:`\varepsilon`;
    births and deaths are therefore distances. The filtration ends at ``max_edge_length``. Bars that are
    alive then (without a limit one, in degree 0, unless distances are infinite) and bars of length zero
    (ties, duplicate points) are left out.

    The gradient of a birth or death is that of the distance it equals, and so are its second
    derivatives. They are zero where a distance is zero; at ties they belong to the edge that comes
    first by its vertices, one choice of a subgradient. Entries (i, j) and (j, i) of a matrix of distances are
    one distance, and get half of its gradient each; the diagonal is constant.

    Matrices of random numbers, which have no geometry, take far longer than clouds of their size. Memory is
    about 30 n^2 bytes. A limit of the edges saves time, and the part of the memory that belongs to edges.

    Args:
        points: cloud of n points in R^d, shape (n, d); n may be 0 or 1. With ``metric="precomputed"``, a
            symmetric matrix of distances, shape (n, n), zero on the diagonal and nowhere negative, each up to
            rounding, which need not obey the triangle inequality. Points at an infinite distance are joined
            by no edge; in float16 so are those above 65,504. With another metric, a matrix is taken for n
            points in R^n, with a warning if it could be one of distances. Any device; float16, bfloat16,
            float32 or float64.
        degrees: homology degrees, each a whole number >= 0, or one such number; those >= 2 need the extra
            ``high-degrees`` of the package.
        metric: distance between points: "euclidean", "manhattan", "chebyshev", "cosine" (not defined at the
            origin), or a number p >= 1, the order of Minkowski's; or "precomputed". Formulas:
            :mod:`torchrips.metrics`.
        max_edge_length: no longer edges are in the complex, >= 0; compared in the precision of the points.
        essential: whether the bars that are alive at the end, that of degree 0 included, are kept, with
            an infinite death. The losses refuse those.
        return_edges: whether the edges that give birth and death are returned as well.

    Returns:
        One tensor of shape (k, 2) per degree, rows (birth, death) in the unit of the distances, ordered by
        the edges that give birth, then by those that bring death; device and dtype are those of ``points``.
        With ``return_edges``, a pair: these, and one tensor of shape (k, 2, 2) per degree, int64, whose rows
        are the two points of the edge of birth and the two of that of death. Both are -1 where there is
        no edge: at births of degree 0 and at infinite deaths.

    Raises:
        TypeError: the points are not a tensor.
        ValueError: the shape or the dtype is another, a degree is not a whole number >= 0, there is no such
            metric, max_edge_length is negative, a coordinate is not finite, a distance overflows, or a
            matrix is not one of distances.
        RuntimeError: torch.func.vmap maps over the points; use :func:`batched_rips_diagrams` instead.

    Source:
        Thesis, section 1; J. Leygonie, S. Oudot, U. Tillmann, *A framework for differential calculus on
        persistence barcodes*, 2021, for the derivative.

    >>> square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> rips_diagrams(square)[1]
    tensor([[1.0000, 1.4142]])
    >>> rips_diagrams(square, 1, max_edge_length=1.2, essential=True)[0]
    tensor([[1., inf]])

    """
    asked = question(degrees, metric, max_edge_length, essential)
    bars, _ = bars_and_filtration(points, asked)
    diagrams = _diagrams(points, bars, asked.metric)
    return (diagrams, _edges(bars, points.device)) if return_edges else diagrams


@overload
def batched_rips_diagrams(
    clouds: Tensor | Iterable[Tensor],
    degrees: Degrees = ...,
    *,
    metric: Metric = ...,
    max_edge_length: float = ...,
    essential: bool = ...,
    return_edges: Literal[False] = ...,
    threads: int | None = ...,
) -> list[Diagrams]: ...


@overload
def batched_rips_diagrams(
    clouds: Tensor | Iterable[Tensor],
    degrees: Degrees = ...,
    *,
    metric: Metric = ...,
    max_edge_length: float = ...,
    essential: bool = ...,
    return_edges: Literal[True],
    threads: int | None = ...,
) -> tuple[list[Diagrams], list[Diagrams]]: ...


@left_out
def batched_rips_diagrams(
    clouds: Tensor | Iterable[Tensor],
    degrees: Degrees = (0, 1),
    *,
    metric: Metric = "euclidean",
    max_edge_length: float = math.inf,
    essential: bool = False,
    return_edges: bool = False,
    threads: int | None = None,
) -> list[Diagrams] | tuple[list[Diagrams], list[Diagrams]]:
    """Persistence diagrams of many clouds, each as by :func:`rips_diagrams`.

    Args:
        clouds: shape (b, n, d), or b clouds (n_i, d_i) of any sizes. With ``metric="precomputed"``, matrices
            of distances.
        degrees: homology degrees, each a whole number >= 0, or one such number.
        metric: as of :func:`rips_diagrams`.
        max_edge_length: as of :func:`rips_diagrams`.
        essential: as of :func:`rips_diagrams`.
        return_edges: as of :func:`rips_diagrams`.
        threads: clouds worked on at a time; torch's number of threads if None. The result does not depend
            on it.

    Returns:
        ``diagrams[cloud][place of the degree]``, shape (k, 2); :func:`pad_diagrams` makes one tensor of them.
        With ``return_edges``, a pair: these, and the edges in the same places, shape (k, 2, 2).

    Raises:
        TypeError: as :func:`rips_diagrams`.
        ValueError: as :func:`rips_diagrams`, with the number of the cloud, counted from 0; or threads is not
            positive.
        RuntimeError: as :func:`rips_diagrams`.

    """
    if isinstance(clouds, Tensor) and clouds.ndim != 3:
        raise ValueError(
            f"expected clouds of shape (b, n, d), got {tuple(clouds.shape)}; a batch of b vectors is ONE "
            "cloud of b points, for rips_diagrams"
        )
    asked = question(degrees, metric, max_edge_length, essential)
    if threads is not None and threads < 1:
        raise ValueError(f"expected threads >= 1 or None, got {threads}")
    clouds = list(clouds)
    hosted = []
    for number, cloud in enumerate(clouds):
        with _named(number):
            _check(cloud, asked.metric)
            hosted.append(_on_host(cloud))

    def work(number: int, stop: NDArray[np.bool_]) -> _Bars:
        with _named(number):
            return _bars(hosted[number], clouds[number].dtype, asked, stop)[0]

    bars = _in_threads(work, list(map(len, hosted)), threads or torch.get_num_threads())
    diagrams = [_diagrams(cloud, bar, asked.metric) for cloud, bar in zip(clouds, bars, strict=True)]
    if not return_edges:
        return diagrams
    return diagrams, [_edges(bar, cloud.device) for cloud, bar in zip(clouds, bars, strict=True)]


def pad_diagrams(diagrams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Diagrams of one degree as one tensor.

    Args:
        diagrams: b diagrams of shape (k_i, 2), of one device and dtype.

    Returns:
        Bars of shape (b, k, 2), k being the largest k_i, filled up with points (0, 0) of the diagonal; and
        a mask of shape (b, k), true at the bars that are there.

    Raises:
        ValueError: there is no diagram, one is not of shape (k, 2), or their dtypes or devices differ.

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
    kinds = sorted({f"{diagram.dtype} on {diagram.device}" for diagram in diagrams})
    if len(kinds) > 1:
        raise ValueError(
            f"the diagrams are of different dtypes or devices, {' and '.join(kinds)}; make them one with .to"
        )
    sizes = torch.tensor([len(diagram) for diagram in diagrams], device=diagrams[0].device)
    bars = pad_sequence(list(diagrams), batch_first=True)
    return bars, torch.arange(bars.shape[1], device=bars.device) < sizes[:, None]


class Question(NamedTuple):
    """What is asked of each cloud.

    Attributes:
        degrees: of homology.
        metric: as :func:`torchrips.metrics.known_metric` names it.
        longest: longer edges are not there.
        essential: whether bars that never die are wanted.

    """

    degrees: list[int]
    metric: str | float
    longest: float
    essential: bool


class _Bars(NamedTuple):
    """Bars of one cloud, on the host, all degrees in a row.

    Attributes:
        lengths: births and deaths, shape (k, 2), float64, rounded to the precision of the cloud.
        edges: the edges that have those lengths, by their two vertices, shape (k, 2, 2). The births of degree
            0 and deaths at infinity, which belong to no edge, have the one from vertex 0 to itself, of
            gradient 0.
        sizes: number of bars of each degree.

    """

    lengths: NDArray[np.float64]
    edges: NDArray[np.int64]
    sizes: NDArray[np.int64]


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


def question(degrees: Degrees, metric: Metric, max_edge_length: float, essential: bool) -> Question:
    """The options of a call, checked.

    Raises:
        ValueError: a degree, the metric or the limit is not one.

    """
    wanted = _whole(degrees)
    if isinstance(max_edge_length, str | None) or not max_edge_length >= 0:
        raise ValueError(f"max_edge_length must be >= 0, got {max_edge_length!r}; math.inf sets no limit")
    return Question(wanted, metrics.known_metric(metric), float(max_edge_length), essential)


@contextmanager
def _named(cloud: int) -> Iterator[None]:
    """Errors of a batch say which cloud they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"cloud {cloud} of the batch: {error}") from None


def _check(points: Tensor, metric: str | float) -> None:
    if not isinstance(points, Tensor):
        raise TypeError(
            f"expected a torch.Tensor, got {type(points).__name__}; torch.as_tensor makes one of numbers, "
            "and batched_rips_diagrams takes several tensors"
        )
    if points.ndim != 2:
        raise ValueError(f"expected each cloud in the shape (n, d), got {tuple(points.shape)}")
    if points.dtype not in DTYPES:
        remedy = "torch.view_as_real(points).flatten(1)" if points.is_complex() else "points.float()"
        raise ValueError(
            f"expected floating-point numbers of 16, 32 or 64 bits, got {points.dtype}; {remedy} converts "
            "them"
        )
    if points.layout != torch.strided or points.is_meta:
        raise ValueError(
            f"expected a dense tensor that holds values, got layout {points.layout} on {points.device}; "
            "points.to_dense() makes a sparse one dense, and the device meta holds no values"
        )
    if debug_unwrap(points).ndim != points.ndim:
        raise RuntimeError(
            "torch.func.vmap cannot map over clouds, whose diagrams have different numbers of bars; "
            "batched_rips_diagrams takes clouds of shape (b, n, d)"
        )
    if len(points) > MOST_POINTS:
        raise ValueError(f"at most {MOST_POINTS} points, whose edges 32 bits can number; got {len(points)}")
    if metric == "precomputed" and points.shape[0] != points.shape[1]:
        raise ValueError(f"expected a square matrix of distances, got shape {tuple(points.shape)}")


def _on_host(values: Tensor) -> NDArray[Any]:
    """Numbers of a tensor, float32 or float64."""
    if transformed(values):
        return of_values(_on_host, values)
    values = values.detach().cpu().contiguous()
    if values.dtype in HALF_PRECISION:
        values = values.float()  # numpy knows no bfloat16
    return values.numpy()


def bars_and_filtration(points: Tensor, asked: Question) -> tuple[_Bars, "Rips | None"]:
    """Bars of one cloud, or of a matrix of distances, and the Rips filtration that they were found in.

    Args:
        points: as of :func:`rips_diagrams`.
        asked: what is asked of them.

    Returns:
        The bars; and the filtration, None if there are fewer than two points.

    Raises:
        TypeError, ValueError, RuntimeError: as :func:`rips_diagrams`.

    """
    if isinstance(points, Tensor) and points.ndim != 2:
        raise ValueError(
            f"expected one cloud of shape (n, d), got {tuple(points.shape)}; a batch of b vectors or images "
            "is ONE cloud of b points: flatten each to a vector, as in images.flatten(1). For many clouds of "
            "shape (b, n, d) there is batched_rips_diagrams"
        )
    _check(points, asked.metric)
    values = _on_host(points)
    (found,) = _in_threads(lambda _, stop: _bars(values, points.dtype, asked, stop), [len(values)], 1)
    return found


def filtration(
    values: NDArray[Any], dtype: torch.dtype, asked: Question, stop: NDArray[np.bool_]
) -> tuple["Rips", float]:
    """Rips filtration of a cloud of two points or more on the host, or of a matrix, that was checked.

    Args:
        values: the cloud or the matrix.
        dtype: what it was before it came to the host.
        asked: the metric, the limit, and whether loops are among the degrees.
        stop: shape (1,); once another thread makes it true, the work ends soon.

    Returns:
        The filtration, with some edges that are longer than the limit by rounding; and the limit in the
        precision of the cloud.

    Raises:
        ValueError: a coordinate is not finite, a distance overflows, or a matrix is not one of distances.
        InterruptedError: it was stopped.

    """
    from torchrips.engine import rips  # slow to import: at first use

    given, epsilon = values, torch.finfo(dtype).eps
    if asked.metric == "precomputed":
        given = metrics.distances_of_matrix(values, epsilon)
    elif asked.metric != "euclidean":
        check_coordinates(values)
        given = metrics.pairwise_distances(values, asked.metric)
    if asked.metric != "precomputed" and _looks_like_distances(values, epsilon):
        warnings.warn(LIKE_DISTANCES, stacklevel=2)
    longest = _rounded(asked.longest, dtype)
    # Distances are rounded, also when a length becomes one of dtype; exact lengths decide in the end.
    rounding = 2 * epsilon + values.shape[1] * np.finfo(values.dtype).eps
    euclidean, loops = asked.metric == "euclidean", 1 in asked.degrees
    found = rips(given, euclidean, longest * (1 + rounding), loops, stop)
    if stop[0]:
        raise InterruptedError("stopped before all bars were known")
    if not found.edges.finite and asked.metric != "precomputed":
        check_coordinates(values)
        raise ValueError(OVERFLOW)
    return found, longest


def _looks_like_distances(values: NDArray[Any], epsilon: float) -> bool:
    """Whether a cloud could be a matrix of distances; of one or two points some could by chance."""
    points, dimension = values.shape
    if points != dimension or points < 3 or not values.any():
        return False
    try:
        metrics.distances_of_matrix(values, epsilon)
    except ValueError:
        return False
    return True


@lru_cache
def _rounded(number: float, dtype: torch.dtype) -> float:
    return float(torch.tensor(number, dtype=torch.float64, device="cpu").to(dtype))


@interrupts_wait()
def _bars(
    values: NDArray[Any], dtype: torch.dtype, asked: Question, stop: NDArray[np.bool_]
) -> tuple[_Bars, "Rips | None"]:
    """Bars of a cloud on the host that was checked, and its filtration.

    Bars whose length is zero in the dtype of the cloud are left out.
    """
    if len(values) < 2:
        return _bars_of_one_vertex(values, dtype, asked), None
    from torchrips.engine import lasting_bars  # slow to import: at first use

    rips, longest = filtration(values, dtype, asked, stop)
    bars = {0: rips.components, 1: rips.loops}
    bars |= _bars_of_high_degree(rips.edges, {degree for degree in asked.degrees if degree > 1})
    finite, lengths, edges, sizes = lasting_bars(
        values if asked.metric == "euclidean" else rips.distances,
        asked.metric == "euclidean",
        rips.edges,
        np.concatenate([bars[degree] for degree in asked.degrees]),
        np.array([len(bars[degree]) for degree in asked.degrees]),
        _precision(dtype),
        longest,
        asked.essential,
    )
    if not finite:
        raise ValueError(OVERFLOW)
    return _Bars(lengths, edges, sizes), rips


@cache
def _precision(dtype: torch.dtype) -> "Precision":
    from torchrips.engine import Precision

    numbers = torch.finfo(dtype)
    return Precision(numbers.eps, numbers.smallest_normal, numbers.max)


def _bars_of_one_vertex(values: NDArray[Any], dtype: torch.dtype, asked: Question) -> _Bars:
    """Bars of no point, or of one, which never dies."""
    if asked.metric == "precomputed":
        metrics.distances_of_matrix(values, torch.finfo(dtype).eps)
    else:
        check_coordinates(values)
    alive = len(values) if asked.essential else 0
    sizes = np.array([alive if degree == 0 else 0 for degree in asked.degrees])
    bars = sizes.sum()
    return _Bars(np.tile([0, np.inf], (bars, 1)), np.zeros((bars, 2, 2), np.int64), sizes)


def _in_threads(
    work: Callable[[int, NDArray[np.bool_]], Result], sizes: list[int], threads: int
) -> list[Result]:
    """What the work makes of clouds of these sizes, some at a time.

    A call of compiled code hears of Ctrl-C when it is done. So large clouds are worked on in other threads,
    also a single one: this thread then hears of it at once, and tells them to stop.
    """
    stop = np.zeros(1, np.bool_)
    threads = min(threads, len(sizes))
    if threads < 2 and max(sizes, default=0) < LARGE:
        return [work(number, stop) for number in range(len(sizes))]
    numbers = iter(range(len(sizes)))

    def share(_: int) -> list[tuple[int, Result]]:
        return [(number, work(number, stop)) for number in numbers]  # the next that no thread has taken

    pool = ThreadPoolExecutor(threads)
    try:
        found = dict(chain.from_iterable(pool.map(share, range(threads))))
        return [found[number] for number in range(len(sizes))]
    finally:
        stop[0] = True
        pool.shutdown(wait=False, cancel_futures=True)


def _bars_of_high_degree(edges: "Edges", degrees: set[int]) -> dict[int, NDArray[np.int32]]:
    """Bars (position of birth, of death) of each degree >= 2, shape (k, 2), sorted; death -1 if none."""
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
        homology_dimensions=sorted(degrees), input_type="distance coo_matrix", homology_coeff_field=2
    )
    bars = {}
    for degree, diagram in zip(sorted(degrees), engine.fit_transform([graph])[0], strict=True):
        found = diagram.reshape(-1, 2)
        found = found[np.lexsort((found[:, 1], found[:, 0]))]
        bars[degree] = np.where(np.isfinite(found), found - 1, -1).astype(np.int32)
    return bars


def _diagrams(points: Tensor, bars: _Bars, metric: str | float) -> Diagrams:
    """Differentiable diagrams, whose bars are known."""
    edges, lengths = torch.from_numpy(bars.edges), torch.from_numpy(bars.lengths).to(points.dtype)
    if points.device.type != "cpu":  # in one transfer, as bytes; whole numbers first, which must be aligned
        both = torch.cat([edges.flatten().view(torch.uint8), lengths.flatten().view(torch.uint8)])
        sent = both.to(points.device)
        edges = sent[: edges.nbytes].view(edges.dtype).view(edges.shape)
        lengths = sent[edges.nbytes :].view(lengths.dtype).view(lengths.shape)
    return diagrams_of_edges(points, edges, lengths, bars.sizes.tolist(), metric)


def _edges(bars: _Bars, device: torch.device) -> Diagrams:
    """Edges of birth and death of every bar, one tensor for each degree."""
    edges = torch.from_numpy(np.where(bars.edges[..., :1] == bars.edges[..., 1:], -1, bars.edges)).to(device)
    return tuple(part.clone() for part in torch.split(edges, bars.sizes.tolist()))
