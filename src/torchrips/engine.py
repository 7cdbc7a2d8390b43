"""Persistent homology of Rips filtrations in degrees 0 and 1, over Z/2, on the ranks of edges.

Input is a list of edges in the order in which they enter; output names edges by their position in it. An
edge enters at its position, a triangle with its longest (that is, last) edge. For triangles of one longest
edge the order is that of the opposite vertex: a triangle is the pair (position of its longest edge, opposite
vertex), and triangles are ordered as such pairs are.

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

*Reduction* (:func:`_reduce`). The deaths of degree 1 come from persistent cohomology: the columns are the
coboundaries of edges (sets of triangles), taken from the last edge to the first; the pivot of a column is
its oldest triangle; a column whose pivot is that of an earlier column gets that one added, until it has a
pivot of its own. Its edge is then paired to the pivot: the class dies when the pivot's longest edge enters.
Only births need columns. Edges that joined components are cleared, and the columns of apparent pairs are
reduced as they stand, since earlier columns hold only triangles of longer edges.

*Windows.* A pivot is mostly found soon after the birth, while a coboundary reaches to the end of the
filtration. So a column is worked out only for triangles that enter before the end of a window; when all of
those cancel, the window moves on, twice as far from the birth as before. Sums of columns are taken triangle
by triangle, so what happens before the end of the window does not depend on what lies after it. For that,
a column is remembered as its chain, the edges whose coboundaries add up to it, and not as the triangles
themselves. A window has at most :data:`WINDOW` triangles, so that their number does not limit the size of a
cloud. Measured on one core, the reduction with whole columns took 0.16 ms for 128 images of FashionMNIST and
245 ms for 512 uniform points in 784 dimensions; with windows it takes 0.06 and 10 ms.

Sources:
    V. de Silva, D. Morozov, M. Vejdemo-Johansson, *Dualities in persistent (co)homology*, 2011 (cohomology);
    U. Bauer, *Ripser: efficient computation of Vietoris-Rips persistence barcodes*, 2021 (clearing,
    apparent and emergent pairs, enclosing radius); M. Koyama, F. Memoli, V. Robins, K. Turner, *Faster
    computation of degree-1 persistent homology using the reduced Vietoris-Rips filtration*, 2023 (the
    relative neighbourhood graph). The windows are ours.

All of it is compiled at its first use, which takes about 15 s, and cached on disk; it releases the GIL.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from torchrips.compilation import compiled

Positions = NDArray[np.int32]
Words = NDArray[np.uint64]
Flag = NDArray[np.bool_]

NONE = -1
FAST_SUMS = {"reassoc", "contract"}  # sums in any order, so that they use the vector registers
BLOCK = 64  # rows of points that stay in the cache
WINDOW = 2**31  # triangles of a window, a bit each: 256 MiB of address space
COARSE = 1e-15  # shorter distances, of coordinates about 1, have squares that float32 rounds coarsely
NEVER = np.zeros(1, np.bool_)
ONE = np.uint64(1)
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

    """

    first: Positions
    second: Positions
    vertices: int


class _Complex(NamedTuple):
    """What the walk leaves behind for the reduction.

    Attributes:
        first: lower vertex of each edge.
        second: higher vertex.
        position: of the edge between two vertices, shape (n, n); m where there is none, as on the diagonal.
        witness: lowest witness of each edge, or NONE.
        width: a triangle (e, k) is stored as the number e * width + k; n rounded up to whole words.

    """

    first: Positions
    second: Positions
    position: NDArray[np.int32]
    witness: Positions
    width: int


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


class _Column(NamedTuple):
    """A set of triangles as a tree of bits: bit w of a level is set when word w of the level below is not 0.

    Each number is a bit of ``triangles``. Finding the oldest one looks at a few words, however large the set.
    A triangle is numbered from the first one of the window, which has at most ``window`` edges.
    """

    window: int
    triangles: Words
    words: Words
    blocks: Words


def pairwise_distances(points: NDArray[Any]) -> NDArray[Any]:
    """Euclidean distances of points i < j; the rest of the matrix is not filled in.

    By differences of coordinates, so that nothing cancels: the relative error of a distance is about that of
    rounding it, for clouds far from the origin and for nearly equal points as well.

    Args:
        points: shape (n, d), float32 or float64, finite.

    Returns:
        Shape (n, n), of the dtype of the points; infinite where the distance overflows.

    """
    # Scaled by a power of two, which is exact, to coordinates of at most 2: then no square overflows. What is
    # tiny beside the largest coordinate may vanish, so short distances are those of the points themselves.
    exponent = np.frexp(np.abs(points).max(initial=0))[1]
    scale = np.ldexp(points.dtype.type(1), exponent - 1)
    return _pairwise_distances(points / scale, scale, points)


def sorted_edges(distances: NDArray[Any], missing: bool = False, longest: float = math.inf) -> Edges:
    """Edges up to the enclosing radius from the shortest to the longest, ties in the order of their vertices.

    Args:
        distances: shape (n, n), float32 or float64, not negative, 2 <= n <= 65,536; only entries (i, j) with
            i < j are read.
        missing: whether an infinite distance means that there is no edge; otherwise it is refused.
        longest: longer edges are left out as well.

    Raises:
        ValueError: a distance is NaN or infinite.

    """
    n = len(distances)
    lengths, codes, finite = _edges_within_enclosing_radius(distances, longest)
    if not finite and not missing:
        raise ValueError("a distance is NaN or infinite")
    if len(codes) > 0:
        # The bits of floats that are not negative are ordered as the floats are.
        codes = _radix_sorted(lengths.view(np.uint32 if lengths.itemsize == 4 else np.uint64), codes)
    return Edges((codes // n).astype(np.int32), (codes % n).astype(np.int32), n)


def rips_bars(
    edges: Edges, loops: bool = True, essential: bool = False, stop: Flag = NEVER
) -> tuple[Positions, Positions]:
    """Bars of degree 0 and 1 of the Rips filtration whose edges enter in the given order.

    Args:
        edges: as :func:`sorted_edges` makes them.
        loops: whether degree 1 is wanted; otherwise its bars are empty, and the walk ends when all
            vertices are joined.
        essential: whether bars that never die are wanted, with the death NONE.
        stop: shape (1,); once another thread makes it true, the work ends soon.

    Returns:
        Positions of the edges of birth and death, sorted: of degree 0, shape (n - 1, 2), all births being
        NONE, and of degree 1, shape (k, 2). Those of a bar differ, though the lengths of their edges may not.
        Degree 0 has fewer than n - 1 bars that die when edges are missing, and n bars with those that do not.

    Raises:
        InterruptedError: it was stopped.

    """
    complex_, components, births = _walk(edges.first, edges.second, edges.vertices, loops, stop)
    _heed(stop)
    if not essential:
        components = components[components[:, 1] != NONE]
    if len(births) == 0:
        return components, np.empty((0, 2), np.int32)
    window = min(len(edges.first), max(1, WINDOW // complex_.width))
    words = window * complex_.width // 64 + 1
    # numpy's zeros cost nothing before they are touched, and most never are.
    column = _Column(window, *(np.zeros((words >> shift) + 1, np.uint64) for shift in (0, 6, 12)))
    bars = np.empty((len(births), 2), np.int32)
    bars[:, 0], bars[:, 1] = births, _reduce(complex_, births, column, stop)
    _heed(stop)
    return components, bars if essential else bars[bars[:, 1] != NONE]


def _heed(stop: Flag) -> None:
    if stop[0]:
        raise InterruptedError("stopped before all bars were known")


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
def edge_lengths(points: NDArray[Any], edges: NDArray[np.int64]) -> NDArray[Any]:
    """Lengths of some edges, summed in float64, so that those of float32 points are exact up to rounding.

    Args:
        points: shape (n, d).
        edges: the two vertices of each, shape (k, 2, 2).

    Returns:
        Shape (k, 2), of the dtype of the points.

    """
    lengths = np.zeros(edges.shape[:2], points.dtype)
    for bar in range(len(edges)):
        for end in range(2):
            i, j = edges[bar, end]
            if i != j:
                lengths[bar, end] = _distance(points, i, j)
    return lengths


@compiled
def edge_gradient(
    points: NDArray[Any], lengths: NDArray[Any], weights: NDArray[Any], edges: NDArray[np.int64]
) -> NDArray[Any]:
    """Gradient of the weighted sum of the lengths of some edges, with respect to the points.

    Args:
        points: shape (n, d).
        lengths: of the edges, shape (k, 2); an edge of length 0 has no gradient.
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
            if length > 0 and weight != 0:
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
def _pairwise_distances(points: NDArray[Any], scale: float, unscaled: NDArray[Any]) -> NDArray[Any]:
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
    for i in range(n):
        for j in range(i + 1, n):
            if distances[i, j] < COARSE * scale:
                distances[i, j] = _distance(unscaled, i, j)
    return distances


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
    """Bits of the lengths, numbers i n + j of their edges, and whether all distances are finite."""
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
                codes[m] = i * n + j
                m += 1
    return lengths[:m], codes[:m], finite


@compiled
def _radix_sorted(keys: NDArray[Any], codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Codes by key, equal keys in the order given: 11 bits at a time, the lowest first."""
    other_keys, other_codes = np.empty_like(keys), np.empty_like(codes)
    varying = keys[0] ^ keys[0]
    for key in keys:
        varying |= key ^ keys[0]
    for shift in range(0, 8 * keys.itemsize, 11):
        if (np.uint64(varying) >> np.uint64(shift)) & DIGIT == 0:
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
def _walk(
    first: Positions, second: Positions, n: int, loops: bool, stop: Flag
) -> tuple[_Complex, Positions, Positions]:
    """Complex of the edges, bars of degree 0, all n of them, and births of degree 1, by position."""
    m = len(first)
    words = (n + 63) // 64
    neighbours = np.zeros((n, words), np.uint64)
    position = np.full((n, n), m, np.int32)
    witness = np.full(m, NONE, np.int32)
    parent = np.arange(n)
    components, births = np.full((n, 2), NONE, np.int32), np.empty(m, np.int32)
    joined = closed = 0
    for e in range(m):
        if stop[0]:
            break
        a, b = first[e], second[e]
        for word in range(words):
            common = neighbours[a, word] & neighbours[b, word]
            if common:
                witness[e] = 64 * word + _lowest_bit(common)
                break
        neighbours[a, b >> 6] |= ONE << np.uint64(b & 63)
        neighbours[b, a >> 6] |= ONE << np.uint64(a & 63)
        position[a, b] = position[b, a] = e
        if witness[e] != NONE:
            continue
        root, other = _root(parent, a), _root(parent, b)
        if root != other:
            parent[root] = other
            components[joined, 1] = e
            joined += 1
            if joined == n - 1 and not loops:
                break
        elif loops:
            births[closed] = e
            closed += 1
    return _Complex(first, second, position, witness, 64 * words), components, births[:closed]


@compiled
def _root(parent: NDArray[np.int64], vertex: int) -> int:
    """Root of the vertex in the forest of components, halving the path on the way."""
    while parent[vertex] != vertex:
        parent[vertex] = parent[parent[vertex]]
        vertex = parent[vertex]
    return vertex


@compiled
def _reduce(complex_: _Complex, births: Positions, column: _Column, stopped: Flag) -> Positions:
    """Position of the death of every birth, or NONE."""
    m, count = len(complex_.first), len(births)
    deaths, older, opposite = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.int32)
    pairs = _Pairs(np.full(m, NONE, np.int32), older, opposite, np.empty((2, count), np.int64))
    chains, stop = np.empty(m, np.int32), 0  # the chains of all births in a row, up to stop
    odd = np.zeros(m, np.bool_)
    for b in range(count - 1, -1, -1):
        if stopped[0]:
            break
        start = stop
        chains, stop = _with_room(chains, stop, 1), stop + 1
        chains[start] = births[b]
        triangle = _oldest_cofacet(complex_, births[b])
        if triangle == m * complex_.width:
            deaths[b], stop = NONE, start
            continue
        e, k = triangle // complex_.width, triangle % complex_.width
        # If the oldest cofacet is free (an emergent pair), the column need not be made at all.
        if complex_.witness[e] == k or _owner(pairs, e, k) != NONE:
            triangle, chains, stop = _pivot(complex_, column, pairs, chains, odd, start, triangle, stopped)
            if triangle == NONE:
                deaths[b], stop = NONE, start
                continue
            e, k = triangle // complex_.width, triangle % complex_.width
        deaths[b], opposite[b] = e, k
        older[b], pairs.newest[e] = pairs.newest[e], b
        pairs.chains[0, b], pairs.chains[1, b] = start, stop
    return deaths


@compiled
def _pivot(  # noqa: PLR0917
    complex_: _Complex,
    column: _Column,
    pairs: _Pairs,
    chains: Positions,
    odd: NDArray[np.bool_],
    start: int,
    triangle: int,
    stopped: Flag,
) -> tuple[int, Positions, int]:
    """Pivot of the reduced column of the birth at chains[start], or NONE; its oldest cofacet is given.

    Also returns all chains, to which that of this column was added, and where it stops.
    """
    m, n = len(complex_.first), len(complex_.position)
    birth, stop = chains[start], start + 1
    low, high, reach = int(birth), int(birth), 2 * (triangle // complex_.width - birth) + n
    top = 0
    odd[birth] = True
    while not stopped[0]:
        oldest, top = _oldest(column, top)
        if oldest == NONE:  # nothing is left in this window: on to the next
            stop = _without_even(chains, start, stop, odd)
            if high == m:
                return NONE, chains, stop
            low, high = high, min(birth + reach, high + column.window, m)
            reach = min(2 * reach, m)  # without a limit it would overflow after 62 windows
            top = 0
            for c in range(start, stop):
                odd[chains[c]] = True
                _add_coboundary(complex_, column, chains[c], low, high)
            continue
        triangle = low * complex_.width + oldest
        e, k = triangle // complex_.width, triangle % complex_.width
        if complex_.witness[e] == k:
            chains = _with_room(chains, stop, 1)
            chains[stop] = e
            added = 1
        else:
            owner = _owner(pairs, e, k)
            if owner == NONE:
                break
            first, last = pairs.chains[0, owner], pairs.chains[1, owner]
            added = last - first
            chains = _with_room(chains, stop, added)
            chains[stop : stop + added] = chains[first:last]
        for c in range(stop, stop + added):
            odd[chains[c]] = not odd[chains[c]]
            _add_coboundary(complex_, column, chains[c], low, high)
        stop += added
    _clear(column, top)
    return triangle, chains, _without_even(chains, start, stop, odd)


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
def _without_even(chains: Positions, start: int, stop: int, odd: NDArray[np.bool_]) -> int:
    """New end of a chain in which only edges that were added an odd number of times are left, once each."""
    kept = start
    for c in range(start, stop):
        edge = chains[c]
        if odd[edge]:
            odd[edge] = False  # resets the mark, and meets the edge only once
            chains[kept] = edge
            kept += 1
    return kept


@compiled
def _oldest_cofacet(complex_: _Complex, e: int) -> int:
    """Oldest triangle that has the edge e; m * width if there is none."""
    a, b = complex_.first[e], complex_.second[e]
    oldest = len(complex_.first) * complex_.width
    for k in range(len(complex_.position)):
        to_a, to_b = complex_.position[a, k], complex_.position[b, k]
        if max(to_a, to_b) * complex_.width < oldest:
            oldest = min(oldest, _triangle(complex_, e, k))
    return oldest


@compiled
def _add_coboundary(complex_: _Complex, column: _Column, e: int, low: int, high: int) -> None:
    """Add, modulo 2, the triangles that have the edge e and whose longest edge is in [low, high)."""
    a, b = complex_.first[e], complex_.second[e]
    for k in range(len(complex_.position)):
        to_a, to_b = complex_.position[a, k], complex_.position[b, k]
        if low <= max(e, to_a, to_b) < high:
            _toggle(column, _triangle(complex_, e, k) - low * complex_.width)


@compiled
def _triangle(complex_: _Complex, e: int, k: int) -> int:
    """Number of the triangle of the edge e and the vertex k."""
    a, b = complex_.first[e], complex_.second[e]
    to_a, to_b = complex_.position[a, k], complex_.position[b, k]
    if max(to_a, to_b) < e:
        return e * complex_.width + k
    return int(to_a * complex_.width + b if to_a > to_b else to_b * complex_.width + a)


@compiled
def _toggle(column: _Column, number: int) -> None:
    word = number >> 6
    bits = column.triangles[word] ^ ONE << np.uint64(number & 63)
    column.triangles[word] = bits
    if bits & (bits - ONE) == 0:  # at most one bit: the word may have become empty, or stopped being so
        block, flag = word >> 6, ONE << np.uint64(word & 63)
        column.words[block] = column.words[block] | flag if bits else column.words[block] & ~flag
        top, flag = block >> 6, ONE << np.uint64(block & 63)
        column.blocks[top] = column.blocks[top] | flag if column.words[block] else column.blocks[top] & ~flag


@compiled
def _oldest(column: _Column, top: int) -> tuple[int, int]:
    """Smallest number in the column, or NONE, and the place to search from next; none lies before top."""
    while top < len(column.blocks) and column.blocks[top] == 0:
        top += 1
    if top == len(column.blocks):
        return NONE, top
    block = 64 * top + _lowest_bit(column.blocks[top])
    word = 64 * block + _lowest_bit(column.words[block])
    return 64 * word + _lowest_bit(column.triangles[word]), top


@compiled
def _clear(column: _Column, top: int) -> None:
    """Empty the column, in which no number lies before top."""
    for place in range(top, len(column.blocks)):
        while column.blocks[place]:
            block = 64 * place + _lowest_bit(column.blocks[place])
            while column.words[block]:
                column.triangles[64 * block + _lowest_bit(column.words[block])] = 0
                column.words[block] &= column.words[block] - ONE
            column.blocks[place] &= column.blocks[place] - ONE


@compiled
def _lowest_bit(word: np.uint64) -> int:
    """Position of the lowest set bit of a word that is not 0."""
    return int(BIT_POSITIONS[((word & (~word + ONE)) * DE_BRUIJN) >> np.uint64(58)])
