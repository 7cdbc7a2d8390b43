"""What bars stand for: the components that merge, and loops of points."""

import math
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchrips.graphs import left_out
from torchrips.metrics import Metric
from torchrips.persistence import bars_and_filtration, question

if TYPE_CHECKING:
    from torchrips.engine import Rips

Vertices = NDArray[np.int64]


@overload
def representatives(
    points: Tensor, degree: Literal[0], *, metric: Metric = ..., max_edge_length: float = ...
) -> list[tuple[Tensor, Tensor]]: ...


@overload
def representatives(
    points: Tensor, degree: Literal[1], *, metric: Metric = ..., max_edge_length: float = ...
) -> list[Tensor]: ...


@left_out
def representatives(
    points: Tensor,
    degree: Literal[0, 1],
    *,
    metric: Metric = "euclidean",
    max_edge_length: float = math.inf,
) -> list[tuple[Tensor, Tensor]] | list[Tensor]:
    """Points that bars stand for, in the order of :func:`rips_diagrams` with the same arguments.

    In degree 0, the two components that the edge of death joins. Where edges have equal lengths, they join
    components in the order of their vertices.

    In degree 1, a loop that is born with the bar: the edge of birth, and the shortest path between its ends
    along edges that are there before it. In the complex at birth it is no sum of boundaries of triangles and
    of older loops; until the bar dies it does not become one. It is one loop of many that do the
    same: another choice may run round the same hole closer or wider, and this one may run round older holes
    as well. At the death of the bar it becomes equivalent to older loops, and need not be filled itself.

    Components that merge have up to n^2 points together. A loop takes a search of all edges that are there
    before its birth, so a cloud with many bars takes longer than its diagrams. A limit of the edges, below
    which the wanted loops are born and die, saves most of it.

    Args:
        points: shape (n, d), or a matrix of distances, as of :func:`rips_diagrams`.
        degree: 0 or 1.
        metric: as of :func:`rips_diagrams`.
        max_edge_length: as of :func:`rips_diagrams`.

    Returns:
        For each bar, in degree 0, the points of either component, ascending, that of the lower end of the
        edge first; in degree 1, the points of the loop, each once, in the order along it, from one end of the
        edge of birth to the other. Tensors of int64 on the device of the points.

    Raises:
        TypeError: as :func:`rips_diagrams`.
        ValueError: as :func:`rips_diagrams`, or the degree is neither 0 nor 1.

    >>> square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> representatives(square, degree=1)
    [tensor([3, 1, 0, 2])]
    >>> representatives(square[[0, 1, 3]] * torch.tensor([1.0, 2.0]), degree=0)
    [(tensor([0]), tensor([1])), (tensor([0, 1]), tensor([2]))]

    """
    if degree not in (0, 1):
        raise ValueError(f"representatives are known in degree 0 and 1, got degree {degree!r}")
    asked = question(degree, metric, max_edge_length, essential=False)
    bars, rips = bars_and_filtration(points, asked)
    if rips is None:
        return []
    births, deaths = bars.edges[:, 0].tolist(), bars.edges[:, 1].tolist()
    if degree == 0:
        pairs = _merging_components(rips, deaths)
        return [(_on(points.device, first), _on(points.device, second)) for first, second in pairs]
    return [_on(points.device, loop) for loop in _loops(rips, births)]


def _on(device: torch.device, vertices: Vertices) -> Tensor:
    return torch.from_numpy(vertices).to(device)


def _merging_components(rips: "Rips", deaths: list[list[int]]) -> list[tuple[Vertices, Vertices]]:
    """Components on either side of some edges, which are deaths of degree 0 in their order."""
    members = {vertex: np.array([vertex]) for vertex in range(rips.edges.vertices)}
    component = np.arange(rips.edges.vertices)
    merging: list[tuple[Vertices, Vertices]] = []
    for position in rips.components[rips.components[:, 1] >= 0, 1]:
        ends = [int(rips.edges.first[position]), int(rips.edges.second[position])]
        kept, gone = component[ends].tolist()
        first, second = members[kept], members.pop(gone)
        if len(merging) < len(deaths) and ends == deaths[len(merging)]:  # not for edges of length 0
            merging.append((first, second))
        members[kept] = np.sort(np.concatenate([first, second]))
        component[second] = kept
    return merging


def _loops(rips: "Rips", births: list[list[int]]) -> list[Vertices]:
    """Loops through some edges, each with the shortest path between its ends along earlier edges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra  # slow to import: at first use

    edges = rips.edges
    lengths = rips.distances[edges.first, edges.second].astype(np.float64)
    loops = []
    for start, end in births:
        (position,) = np.flatnonzero((edges.first == start) & (edges.second == end))
        earlier = (edges.first[:position], edges.second[:position])
        graph = coo_array((lengths[:position], earlier), shape=(edges.vertices,) * 2).tocsr()
        _, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
        loop = [end]
        while loop[-1] != start:
            loop.append(int(before[loop[-1]]))
        loops.append(np.array(loop))
    return loops
