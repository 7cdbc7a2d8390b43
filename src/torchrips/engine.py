"""Persistent homology of Rips filtrations in degrees 0 and 1, over Z/2, on the ranks of edges.

Edges are in the order in which they enter, and bars name edges by their position in it. An edge enters at its
position, a triangle with its longest (that is, last) edge. For triangles of one longest edge the order is
that of the opposite vertex: a triangle is the pair (position of its longest edge, opposite vertex), and
triangles are ordered as such pairs are.

*Enclosing radius.* Let R be the smallest radius at which a ball about one of the points holds them all. At
R that point is joined to every other, so the complex is a cone and nothing that was born by then is
alive, but for one component. Edges longer than R change nothing, and :func:`sorted_edges` leaves them out.

*Walk* (:func:`_walk`). Take the edges in order. A *witness* of e = (a, b) is a vertex k whose edges to a and
to b both came before e. If there is one, let k be the lowest. The triangle (e, k) is then the oldest cofacet
of e, and e the youngest facet of it: an *apparent pair*, which persistence always pairs, and whose two
members enter at one time. So e dies the moment it is born and needs no further thought. An edge without a
witness belongs to the relative neighbourhood graph. It either joins two components, which union-find tells,
and is a death of degree 0; or it closes a loop, and is a birth of degree 1. As the sets of neighbours are
bit sets, the search for a witness is the intersection of two rows.

*Reduction* (:func:`_deaths`). The deaths of degree 1 come from persistent cohomology: the columns are the
coboundaries of edges (sets of triangles), taken from the last edge to the first; the pivot of a column is
its oldest triangle; a column whose pivot is that of an earlier column gets that one added, until it has a
pivot of its own. Its edge is then paired to the pivot: the class dies when the pivot's longest edge enters.
Only births need columns. Edges that joined components are cleared, and the columns of apparent pairs are
reduced as they stand, since earlier columns hold only triangles of longer edges.

*Sweep* (:func:`_pivot`). A column is known by its chain, the set C of edges whose coboundaries add up to it.
It has the triangle (e, k), e = (a, b), if k is a neighbour of a and of b by edges before e, and an odd number
of the three edges is in C. With the neighbours and the chain as rows of bits, the triangles of one longest
edge are the set bits of N_a & N_b & (C_a ^ C_b), or of its complement within N_a & N_b if e itself is in C.
So the column is never written down: edge by edge from the first triangle on, the lowest bit is found, and
reduced by adding to C, until one is left that is nobody's pivot. Most edges are passed over, since C meets
neither of their ends; so neighbours are kept only of the vertices that it meets.

Sources:
    V. de Silva, D. Morozov, M. Vejdemo-Johansson, *Dualities in persistent (co)homology*, 2011 (cohomology);
    U. Bauer, *Ripser: efficient computation of Vietoris-Rips persistence barcodes*, 2021 (clearing,
    apparent and emergent pairs, enclosing radius); M. Koyama, F. Memoli, V. Robins, K. Turner, *Faster
    computation of degree-1 persistent homology using the reduced Vietoris-Rips filtration*, 2023 (the
    relative neighbourhood graph). The sweep is ours.

All of it is compiled at its first use, which takes about 15 s, and cached on disk; it releases the GIL.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from torchrips.compilation import bits, compiled

Positions = NDArray[np.int32]
Words = NDArray[np.uint64]
Flag = NDArray[np.bool_]

NONE = -1
FAST_SUMS = {"reassoc", "contract"}  # sums in any order, so that they use the vector registers
BLOCK = 64  # rows of points that stay in the cache
FAR, COARSE = 1e15, 1e-15  # between them squares keep their precision, in float32 as well
NEVER = np.zeros(1, np.bool_)
ONE = np.uint64(1)
ALL = np.uint64(2**64 - 1)
DIGIT = np.uint64(2**11 - 1)
# Position of the single set bit of a word: De Bruijn multiplication (Leiserson, Prokop, Randall, 1998).
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_POSITIONS = np.empty(64, np.int64)
BIT_POSITIONS[[(0x03F79D71B4CB0A89 << k & 0xFFFFFFFFFFFFFFFF) >> 58 for k in range(64)]] = np.arange(64)


class Edges(NamedTuple):
    """Edges in the order in which they enter.

    Attributes:
        first: lower vertex of each edge, shape (m,).
        second: higher vertex, shape (m,).
        vertices: number of vertices n, >= 2.
        finite: whether every two vertices are at a finite distance.

    """

    first: Positions
    second: Positions
    vertices: int
    finite: bool = True


class Rips(NamedTuple):
    """A Rips filtration and its bars.

    Attributes:
        distances: shape (n, n); entries i < j are filled in.
        edges: in the order in which they enter.
        components: bars of degree 0 as positions (birth, death), shape (n, 2), sorted. All births are NONE,
            and so are the deaths of components that are alive at the end.
        loops: bars of degree 1, shape (k, 2), sorted; NONE is the death of what never dies. The positions
            of a bar differ, though the lengths of its edges may not.

    """

    distances: NDArray[Any]
    edges: Edges
    components: Positions
    loops: Positions


class _Complex(NamedTuple):
    """What the walk leaves behind for the reduction.

    Attributes:
        edges: all of them.
        position: of the edge between two vertices, shape (n, n); m where there is none, as on the diagonal.
        witness: lowest witness of each edge, or NONE.

    """

    edges: Edges
    position: NDArray[np.int32]
    witness: Positions


class _Pairs(NamedTuple):
    """Pivots found so far, to look up whose they are. Births are named by their place in the list of births.

    Attributes:
        newest: per edge, the latest birth with a pivot of that longest edge, or NONE, shape (m,).
        older: per birth, the one before it with the same longest edge, or NONE.
        opposite: per birth, the opposite vertex of its pivot.
        chains: where the chain of each birth starts and stops in the list of all chains, shape (2, births).

    """

    newest: Positions
    older: Positions
    opposite: Positions
    chains: NDArray[np.int64]


class _Sweep(NamedTuple):
    """Graphs as rows of bits, shape (n, words): bit k of row i is set when the edge (i, k) belongs to it.

    Attributes:
        chain: of the edges in the chain of the column.
        neighbours: of the edges that came before, at touched vertices; the bits of others are all set.
        touched: whether a vertex is an end of an edge that was added to the chain, shape (n,).

    """

    chain: Words
    neighbours: Words
    touched: Flag


@compiled
def rips(values: NDArray[Any], euclidean: bool, longest: float, loops: bool, stop: Flag) -> Rips:
    """Rips filtration of a cloud, or of a matrix of distances, and its bars of degree 0 and 1.

    Args:
        values: points, shape (n, d), or distances, shape (n, n), as of :func:`sorted_edges`.
        euclidean: whether they are points.
        longest: longer edges are left out.
        loops: as of :func:`rips_bars`.
        stop: as of :func:`rips_bars`.

    """
    distances = pairwise_distances(values) if euclidean else values
    edges = sorted_edges(distances, longest)
    components, bars = rips_bars(edges, loops, stop)
    return Rips(distances, edges, components, bars)


@compiled
def pairwise_distances(points: NDArray[Any]) -> NDArray[Any]:
    """Euclidean distances of points i < j; the rest of the matrix is not filled in.

    By differences of coordinates, so that nothing cancels: the relative error of a distance is about that of
    rounding it, for clouds far from the origin and for nearly equal points as well.

    Args:
        points: shape (n, d), float32 or float64.

    Returns:
        Shape (n, n), of the dtype of the points; infinite where the distance overflows, and not finite where
        a coordinate is not.

    """
    scale = np.ones(1, points.dtype)
    distances, near = _scaled_distances(points, scale[0], points)
    if not near:
        # Scaled by a power of two, which is exact, to coordinates of at most 2: then no square overflows.
        scale[0] = math.ldexp(1.0, math.frexp(np.abs(points).max())[1] - 1)
        distances, _ = _scaled_distances(points / scale[0], scale[0], points)
    return distances


@compiled
def sorted_edges(distances: NDArray[Any], longest: float) -> Edges:
    """Edges up to the enclosing radius from the shortest to the longest, ties in the order of their vertices.

    Args:
        distances: shape (n, n), float32 or float64, not negative, 2 <= n <= 65,536; only entries (i, j) with
            i < j are read. Where one is not finite there is no edge.
        longest: longer edges are left out as well.

    """
    lengths, codes, finite = _edges_within_enclosing_radius(distances, longest)
    codes = _radix_sorted(bits(lengths), codes)  # those of floats that are not negative have their order
    first, second = np.empty(len(codes), np.int32), np.empty(len(codes), np.int32)
    for e in range(len(codes)):
        first[e], second[e] = codes[e] >> 16, codes[e] & 0xFFFF
    return Edges(first, second, len(distances), finite)


@compiled
def rips_bars(edges: Edges, loops: bool, stop: Flag) -> tuple[Positions, Positions]:
    """Bars of degree 0 and 1 of the Rips filtration whose edges enter in the given order.

    Args:
        edges: as :func:`sorted_edges` makes them.
        loops: whether degree 1 is wanted; otherwise its bars are empty, and the walk ends when all
            vertices are joined.
        stop: shape (1,); once another thread makes it true, the work ends soon, and the bars mean nothing.

    Returns:
        Components and loops of :class:`Rips`.

    """
    complex_, components, births = _walk(edges, loops, stop)
    bars = np.empty((len(births), 2), np.int32)
    bars[:, 0], bars[:, 1] = births, _deaths(complex_, births, stop)
    return components, bars


@compiled
def bar_edges(edges: Edges, positions: Positions) -> NDArray[np.int64]:
    """Vertices of the edges of birth and death.

    Args:
        edges: as :func:`sorted_edges` makes them.
        positions: bars as :func:`rips_bars` gives them, shape (k, 2).

    Returns:
        The two vertices of each, shape (k, 2, 2); for NONE, 0 and 0.

    """
    vertices = np.zeros((len(positions), 2, 2), np.int64)
    for bar in range(len(positions)):
        for end in range(2):
            position = positions[bar, end]
            if position != NONE:
                vertices[bar, end] = edges.first[position], edges.second[position]
    return vertices


@partial(compiled, fastmath=FAST_SUMS)
def edge_lengths(points: NDArray[Any], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Lengths of some edges, in float64, so that rounding them to a lower precision is the only rounding.

    Args:
        points: shape (n, d).
        edges: the two vertices of each, shape (k, 2, 2).

    Returns:
        Shape (k, 2), float64.

    """
    lengths = np.zeros(edges.shape[:2])
    for bar in range(len(edges)):
        for end in range(2):
            i, j = edges[bar, end]
            if i != j:
                lengths[bar, end] = _distance(points, i, j)
    return lengths


class Precision(NamedTuple):
    """Numbers of a dtype.

    Attributes:
        eps: distance from 1 to the next larger number.
        smallest: positive number of full precision.
        largest: finite number.

    """

    eps: float
    smallest: float
    largest: float


@compiled
def lasting_bars(  # noqa: PLR0917
    values: NDArray[Any],
    euclidean: bool,
    edges: Edges,
    positions: Positions,
    sizes: NDArray[np.int64],
    precision: Precision,
    longest: float,
    essential: bool,
) -> tuple[bool, NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Bars of positive length up to a limit.

    Args:
        values: as of :func:`rips`.
        euclidean: as of :func:`rips`.
        edges: of the filtration.
        positions: bars of several diagrams, which follow one another, shape (k, 2).
        sizes: number of bars of each diagram.
        precision: to which lengths are rounded.
        longest: the limit of births; without essential bars also that of deaths.
        essential: whether bars are wanted that never die, or not until the limit.

    Returns:
        Whether all lengths are finite; births and deaths, shape (l, 2); their edges as of :func:`bar_edges`;
        and the sizes of the diagrams. What never dies has an infinite death, and 0 and 0 for its edge.

    """
    ends = bar_edges(edges, positions)
    lengths = edge_lengths(values, ends) if euclidean else _entries(values, ends)
    kept = stop = 0
    finite, bars, lasting = True, np.empty(lengths.shape), np.zeros_like(sizes)
    for diagram in range(len(sizes)):
        start, stop = stop, stop + sizes[diagram]
        for bar in range(start, stop):
            birth, death = _rounded(lengths[bar, 0], precision), _rounded(lengths[bar, 1], precision)
            finite &= birth < np.inf and death < np.inf
            ends[kept] = ends[bar]
            if essential and (positions[bar, 1] == NONE or death > longest):
                death, ends[kept, 1] = np.inf, 0
            if birth < death and (birth if essential else death) <= longest:
                bars[kept] = birth, death
                kept += 1
                lasting[diagram] += 1
    return finite, bars[:kept], ends[:kept], lasting


@compiled
def _entries(matrix: NDArray[Any], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Entries of a matrix at some edges."""
    entries = np.empty(edges.shape[:2])
    for bar in range(len(edges)):
        for end in range(2):
            entries[bar, end] = matrix[edges[bar, end, 0], edges[bar, end, 1]]
    return entries


@compiled
def _rounded(number: float, precision: Precision) -> float:
    """The nearest number of a precision, of two the even one; infinite above the largest."""
    unit = precision.eps * precision.smallest
    if number >= precision.smallest:
        unit = math.ldexp(precision.eps, math.frexp(number)[1] - 1)
    nearest = np.rint(number / unit) * unit
    return nearest if nearest <= precision.largest else np.inf


@compiled
def edge_gradient(
    points: NDArray[Any], lengths: NDArray[Any], weights: NDArray[Any], edges: NDArray[np.int64]
) -> NDArray[Any]:
    """Gradient of the weighted sum of the lengths of some edges, with respect to the points.

    Args:
        points: shape (n, d).
        lengths: of the edges, shape (k, 2); those of 0 and of infinity have no gradient, whatever the weight.
        weights: shape (k, 2).
        edges: the two vertices of each, shape (k, 2, 2).

    Returns:
        Shape (n, d).

    """
    gradient = np.zeros_like(points)
    for bar in range(len(edges)):
        for end in range(2):
            i, j = edges[bar, end]
            length, weight = lengths[bar, end], weights[bar, end]
            if 0 < length < np.inf and weight != 0:
                for k in range(points.shape[1]):
                    pull = (points[i, k] - points[j, k]) / length * weight
                    gradient[i, k] += pull
                    gradient[j, k] -= pull
    return gradient


@compiled
def minkowski_distances(points: NDArray[np.float64], order: float) -> NDArray[np.float64]:
    """Distances of Minkowski's order between all points.

    Args:
        points: shape (n, d), finite.
        order: >= 1, or infinity.

    Returns:
        Shape (n, n), symmetric; infinite where the distance overflows.

    """
    n = len(points)
    distances = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            largest = total = 0.0
            for k in range(points.shape[1]):
                difference = abs(points[i, k] - points[j, k])
                largest = max(largest, difference)
                total += difference
            if 0.0 < largest < np.inf and 1.0 < order < np.inf:
                powers = 0.0  # of ratios of at most 1, which do not overflow
                for k in range(points.shape[1]):
                    powers += (abs(points[i, k] - points[j, k]) / largest) ** order
                total = largest * powers ** (1 / order)
            distances[i, j] = distances[j, i] = largest if order == np.inf else total
    return distances


@partial(compiled, fastmath=FAST_SUMS)
def _scaled_distances(
    points: NDArray[Any], scale: float, unscaled: NDArray[Any]
) -> tuple[NDArray[Any], bool]:
    """Distances of points that were divided by a scale, and whether all of them are far below an overflow."""
    n, d = points.shape
    distances = np.empty((n, n), points.dtype)
    zero = np.zeros(1, points.dtype)[0]
    for block in range(0, n, BLOCK):
        for i in range(0, min(block + BLOCK, n), 2):
            for j in range(max(i, block), min(block + BLOCK, n), 2):
                # Two rows against two: half of the loads. An odd last row is met twice.
                i_, j_ = min(i + 1, n - 1), min(j + 1, n - 1)
                ij, ij_, i_j, i_j_ = zero, zero, zero, zero
                for k in range(d):
                    x, x_, y, y_ = points[i, k], points[i_, k], points[j, k], points[j_, k]
                    ij += (x - y) * (x - y)
                    ij_ += (x - y_) * (x - y_)
                    i_j += (x_ - y) * (x_ - y)
                    i_j_ += (x_ - y_) * (x_ - y_)
                distances[i, j] = scale * np.sqrt(ij)
                distances[i, j_] = scale * np.sqrt(ij_)
                distances[i_, j] = scale * np.sqrt(i_j)
                distances[i_, j_] = scale * np.sqrt(i_j_)
    near = True
    for i in range(n):
        for j in range(i + 1, n):
            near &= distances[i, j] < FAR
            if distances[i, j] < COARSE * scale:  # its square may have vanished
                distances[i, j] = _distance(unscaled, i, j)
    return distances, near


@partial(compiled, fastmath=FAST_SUMS)
def _distance(points: NDArray[Any], i: int, j: int) -> float:
    """Distance of two points in float64, scaled where its square would overflow or vanish."""
    square = 0.0
    for k in range(points.shape[1]):
        square += (np.float64(points[i, k]) - np.float64(points[j, k])) ** 2
    if 1e-290 < square < 1e290:
        return math.sqrt(square)
    largest = 0.0
    for k in range(points.shape[1]):
        largest = max(largest, abs(np.float64(points[i, k]) - np.float64(points[j, k])))
    if largest == 0:
        return 0.0
    square = 0.0
    for k in range(points.shape[1]):
        square += ((np.float64(points[i, k]) - np.float64(points[j, k])) / largest) ** 2
    return largest * math.sqrt(square)


@compiled
def _edges_within_enclosing_radius(
    distances: NDArray[Any], longest: float
) -> tuple[NDArray[Any], NDArray[np.uint32], bool]:
    """Lengths, numbers 2^16 i + j of their edges, and whether all distances are finite."""
    n = len(distances)
    farthest = np.zeros(n, distances.dtype)
    finite = True
    for i in range(n):
        for j in range(i + 1, n):
            length = distances[i, j]
            farthest[i] = max(farthest[i], length)
            farthest[j] = max(farthest[j], length)
            finite &= np.isfinite(length)
    radius = min(farthest.min(), longest)
    lengths = np.empty(n * (n - 1) // 2, distances.dtype)
    codes = np.empty(n * (n - 1) // 2, np.uint32)
    m = 0
    for i in range(n):
        for j in range(i + 1, n):
            if distances[i, j] <= radius and distances[i, j] < np.inf:
                lengths[m] = abs(distances[i, j])  # abs: -0.0 would sort last
                codes[m] = i << 16 | j
                m += 1
    return lengths[:m], codes[:m], finite


@compiled
def _radix_sorted(keys: NDArray[Any], codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Codes by key, equal keys in the order given: 11 bits at a time, the lowest first."""
    other_keys, other_codes = np.empty_like(keys), np.empty_like(codes)
    varying = np.uint64(0)
    for key in keys:
        varying |= np.uint64(key ^ keys[0])
    for shift in range(0, 8 * keys.itemsize, 11):
        if (varying >> np.uint64(shift)) & DIGIT == 0:
            continue  # all keys share this digit
        places = np.zeros(DIGIT + 2, np.int64)
        for key in keys:
            places[((np.uint64(key) >> np.uint64(shift)) & DIGIT) + 1] += 1
        places = np.cumsum(places)
        for source in range(len(keys)):
            digit = (np.uint64(keys[source]) >> np.uint64(shift)) & DIGIT
            place = places[digit]
            other_keys[place], other_codes[place] = keys[source], codes[source]
            places[digit] = place + 1
        keys, other_keys = other_keys, keys
        codes, other_codes = other_codes, codes
    return codes


@compiled
def _walk(edges: Edges, loops: bool, stop: Flag) -> tuple[_Complex, Positions, Positions]:
    """Complex of the edges, bars of degree 0, all n of them, and births of degree 1, by position."""
    m, n = len(edges.first), edges.vertices
    rows = n if loops else 0
    neighbours = np.zeros((rows, (n + 63) // 64), np.uint64)
    position, witness = np.full((rows, rows), m, np.int32), np.full(m, NONE, np.int32)
    parent = np.arange(n)
    components, births = np.full((n, 2), NONE, np.int32), np.empty(m, np.int32)
    joined = closed = 0
    for e in range(m):
        if stop[0] or (joined == n - 1 and not loops):
            break
        a, b = edges.first[e], edges.second[e]
        if loops:
            for word in range(neighbours.shape[1]):
                common = neighbours[a, word] & neighbours[b, word]
                if common:
                    witness[e] = 64 * word + _lowest_bit(common)
                    break
            _flip(neighbours, a, b)
            position[a, b] = position[b, a] = e
            if witness[e] != NONE:
                continue
        root, other = _root(parent, a), _root(parent, b)
        if root != other:
            parent[root] = other
            components[joined, 1] = e
            joined += 1
        elif loops:
            births[closed] = e
            closed += 1
    return _Complex(edges, position, witness), components, births[:closed]


@compiled
def _root(parent: NDArray[np.int64], vertex: int) -> int:
    """Root of the vertex in the forest of components, halving the path on the way."""
    while parent[vertex] != vertex:
        parent[vertex] = parent[parent[vertex]]
        vertex = parent[vertex]
    return vertex


@compiled
def _flip(rows: Words, a: int, b: int) -> None:
    """Put an edge into rows of bits, or take it out."""
    rows[a, b >> 6] ^= ONE << np.uint64(b & 63)
    rows[b, a >> 6] ^= ONE << np.uint64(a & 63)


@compiled
def _deaths(complex_: _Complex, births: Positions, stop: Flag) -> Positions:
    """Position of the death of every birth, or NONE."""
    m, n, count = len(complex_.witness), complex_.edges.vertices, len(births)
    deaths, older = np.full(count, NONE, np.int32), np.empty(count, np.int32)
    opposite, ends = np.empty(count, np.int32), np.empty((2, count), np.int64)
    pairs = _Pairs(np.full(m, NONE, np.int32), older, opposite, ends)
    words = (n + 63) // 64
    sweep = _Sweep(np.zeros((n, words), np.uint64), np.full((n, words), ALL), np.zeros(n, np.bool_))
    chains, end = np.empty(m, np.int32), 0  # of all births in a row, up to the end
    for b in range(count - 1, -1, -1):
        if stop[0]:
            break
        start = end
        chains, end = _with_room(chains, start, 1), start + 1
        chains[start] = births[b]
        e, k = _oldest_cofacet(complex_, births[b])
        # If the oldest cofacet is free (an emergent pair), there is nothing to reduce.
        if e < m and (complex_.witness[e] == k or _owner(pairs, e, k) != NONE):
            e, k, chains, end = _pivot(complex_, sweep, pairs, chains, start, e, stop)
        if e == m:
            end = start
            continue
        deaths[b], opposite[b] = e, k
        older[b], pairs.newest[e] = pairs.newest[e], b
        pairs.chains[0, b], pairs.chains[1, b] = start, end
    return deaths


@compiled
def _pivot(  # noqa: PLR0917
    complex_: _Complex,
    sweep: _Sweep,
    pairs: _Pairs,
    chains: Positions,
    start: int,
    e: int,
    stop: Flag,
) -> tuple[int, int, Positions, int]:
    """Pivot (e, k) of the reduced column of the birth at chains[start]; e = m if there is none.

    Its oldest triangle has the longest edge e that is given. Also returns all chains, to which that of this
    column was added, and where it ends.
    """
    m, end, k = len(complex_.witness), start + 1, NONE
    _add(complex_, sweep, chains, start, end, e)
    while not stop[0]:
        e, k = _oldest_triangle(complex_, sweep, e)
        if e == m:
            break
        if complex_.witness[e] == k:
            chains = _with_room(chains, end, 1)
            chains[end] = e
            added = 1
        else:
            owner = _owner(pairs, e, k)
            if owner == NONE:
                break
            first, last = pairs.chains[0, owner], pairs.chains[1, owner]
            added = last - first
            chains = _with_room(chains, end, added)
            chains[end : end + added] = chains[first:last]
        _add(complex_, sweep, chains, end, end + added, e)
        end += added
    return e, k, chains, _without_even(complex_.edges, sweep, chains, start, end)


@compiled
def _owner(pairs: _Pairs, e: int, k: int) -> int:
    """Birth whose pivot is the triangle (e, k), or NONE."""
    owner = pairs.newest[e]
    while owner != NONE and pairs.opposite[owner] != k:
        owner = pairs.older[owner]
    return int(owner)


@compiled
def _with_room(chains: Positions, used: int, more: int) -> Positions:
    """The chains, moved to a larger array where there is no room for some more edges."""
    if used + more <= len(chains):
        return chains
    larger = np.empty(2 * (used + more), np.int32)
    larger[:used] = chains[:used]
    return larger


@compiled
def _add(  # noqa: PLR0917
    complex_: _Complex, sweep: _Sweep, chains: Positions, start: int, end: int, now: int
) -> None:
    """Add edges to the chain of the column, modulo 2, when the sweep has come to an edge."""
    for c in range(start, end):
        a, b = complex_.edges.first[chains[c]], complex_.edges.second[chains[c]]
        _flip(sweep.chain, a, b)
        for vertex in (a, b):
            if not sweep.touched[vertex]:
                sweep.touched[vertex] = True
                for word in range(sweep.chain.shape[1]):
                    near = ONE - ONE
                    for k in range(64 * word, min(64 * word + 64, complex_.edges.vertices)):
                        near |= np.uint64(complex_.position[vertex, k] < now) << np.uint64(k & 63)
                    sweep.neighbours[vertex, word] = near


@compiled
def _without_even(edges: Edges, sweep: _Sweep, chains: Positions, start: int, end: int) -> int:
    """New end of a chain, in which only edges that were added an odd number of times are left, once each.

    The chain of the column becomes empty.
    """
    kept = start
    for c in range(start, end):
        a, b = edges.first[chains[c]], edges.second[chains[c]]
        for vertex in (a, b):
            if sweep.touched[vertex]:
                sweep.touched[vertex] = False
                sweep.neighbours[vertex] = ALL
        if sweep.chain[a, b >> 6] >> np.uint64(b & 63) & ONE:
            _flip(sweep.chain, a, b)  # so that it is met only once
            chains[kept] = chains[c]
            kept += 1
    return kept


@compiled
def _oldest_cofacet(complex_: _Complex, e: int) -> tuple[int, int]:
    """Oldest triangle (longest edge, opposite vertex) that has an edge without a witness, or (m, NONE)."""
    a, b = complex_.edges.first[e], complex_.edges.second[e]
    longest, opposite = len(complex_.witness), NONE
    for k in range(complex_.edges.vertices):
        to_a, to_b = complex_.position[a, k], complex_.position[b, k]
        if max(to_a, to_b) < longest:
            longest, opposite = max(to_a, to_b), b if to_a > to_b else a
    return longest, opposite


@compiled
def _oldest_triangle(complex_: _Complex, sweep: _Sweep, e: int) -> tuple[int, int]:
    """Oldest triangle (longest edge, opposite vertex) of the column, from the edge e on, or (m, NONE).

    The neighbours move on to its longest edge.
    """
    for f in range(e, len(complex_.witness)):
        a, b = complex_.edges.first[f], complex_.edges.second[f]
        if sweep.touched[a] | sweep.touched[b]:
            k = _lowest_opposite(complex_, sweep, f, a, b)
            if k != NONE:
                return f, k
            sweep.neighbours[a, b >> 6] |= ONE << np.uint64(b & 63)
            sweep.neighbours[b, a >> 6] |= ONE << np.uint64(a & 63)
    return len(complex_.witness), NONE


@compiled
def _lowest_opposite(complex_: _Complex, sweep: _Sweep, e: int, a: int, b: int) -> int:
    """Lowest vertex that makes a triangle of the column with its longest edge e = (a, b), or NONE."""
    itself = ALL if sweep.chain[a, b >> 6] >> np.uint64(b & 63) & ONE else ONE - ONE
    for word in range(sweep.chain.shape[1]):
        odd = sweep.chain[a, word] ^ sweep.chain[b, word] ^ itself
        maybe = sweep.neighbours[a, word] & sweep.neighbours[b, word] & odd
        while maybe:
            k = 64 * word + _lowest_bit(maybe)
            if complex_.position[a, k] < e and complex_.position[b, k] < e:
                return k
            maybe &= maybe - ONE
    return NONE


@compiled
def _lowest_bit(word: np.uint64) -> int:
    """Position of the lowest set bit of a word that is not 0."""
    return int(BIT_POSITIONS[((word & (~word + ONE)) * DE_BRUIJN) >> np.uint64(58)])
