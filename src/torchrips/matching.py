"""Bottleneck matchings of two persistence diagrams: the critical cost, and the place where it is.

A point may be matched to a point of the other diagram or to the diagonal. Whether that can be done with
costs up to a limit is asked of the graph of those costs. By the theorem of N. S. Mendelsohn and A. L. Dulmage
(1958) one matching covers all points that the diagonal cannot take when one covers those of the first
diagram and another one those of the second. Each is looked for by the algorithm of J. E. Hopcroft and
R. M. Karp (1973): shortest augmenting paths, as many disjoint ones at a time as there are.

The graph is never stored. Points are sorted by death, so those within reach of a point are a run of the
others, and costs are computed when they are asked for: memory grows with the number of points, not with that
of pairs. A matching within a lower limit is a start for the next one.

A *place* is the number i (m + 1) + j of the pair of points i and j of two diagrams of k and m points, where
j = m, or i = k, stands for the diagonal. Costs that equal the limit count from a given place on.

All of it is compiled at its first use, cached on disk, and releases the GIL.
"""

import math
from bisect import bisect_left
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from torchrips.compilation import compiled
from torchrips.engine import NONE

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]

# Calls that hand on arrays count their owners, which is five times slower.
inlined = partial(compiled, inline="always")


class _Points(NamedTuple):
    """Points of one diagram, sorted by death.

    Attributes:
        births: shape (k,).
        deaths: ascending, shape (k,).
        halves: cost of matching each point to the diagonal, shape (k,).
        places: what each point adds to the place of a pair that it is in, shape (k,).
        alone: place of each point and the diagonal, shape (k,).

    """

    births: Values
    deaths: Values
    halves: Values
    places: Numbers
    alone: Numbers


class _Limit(NamedTuple):
    """Which costs are allowed: those below ``cost``, and those equal to it from place ``first`` on."""

    cost: float
    first: int
    norm: float


class _Graph(NamedTuple):
    """Which points may be matched to which others.

    Attributes:
        points: of one diagram.
        others: of the other diagram.
        limit: of the costs.
        start: where the run of others begins whose deaths are within the limit of each point's, shape (k,).
        stop: where it ends.

    """

    points: _Points
    others: _Points
    limit: _Limit
    start: Numbers
    stop: Numbers


class _Pairs(NamedTuple):
    """A matching: the partner of each point, or NONE, shapes (k,) and (m,)."""

    columns: Numbers
    rows: Numbers

    def copied(self) -> "_Pairs":
        """The same matching, to be changed."""
        return _Pairs(self.columns.copy(), self.rows.copy())


class _Search(NamedTuple):
    """State of a search for augmenting paths.

    Attributes:
        level: distance of each point from those without a partner along alternating paths, NONE if it was
            not reached, shape (k + 1,). The last entry is the distance at which a free one of the others is
            met first, NONE if there is none.
        position: the other with which the search at each point resumes, shape (k,).
        path: room for the points of one path, shape (k,).

    """

    level: Numbers
    position: Numbers
    path: Numbers


class Matcher:
    """Bottleneck matchings of two diagrams.

    Args:
        diagram: finite, float64, shape (k, 2), k may be 0.
        other: likewise, shape (m, 2).
        norm: ground norm q of the costs, >= 1 or ``math.inf``. The diagonal is at 2^(1/q) |d - b| / 2.

    """

    def __init__(self, diagram: Values, other: Values, norm: float = math.inf) -> None:
        k, m = len(diagram), len(other)
        rows, columns = np.arange(k) * (m + 1), np.arange(m)
        self.norm = norm
        self.columns = m + 1
        self.sides = (
            _sorted(diagram, norm, rows, alone=rows + m),
            _sorted(other, norm, columns, alone=columns + k * (m + 1)),
        )

    def value(self) -> float:
        """Smallest limit within which the points can be matched; it is one of the costs, or 0."""
        first, second = self.sides
        # Each point costs at least that; often it is enough.
        low = max(_dearest(first, second, self.norm), _dearest(second, first, self.norm))
        start = self._unmatched()
        if self._improve(start, low):
            return low
        high = low
        while True:  # upwards, until there is a matching
            smallest, _ = _costs_between(first, second, self.norm, low, math.inf)
            high = max(2 * low, smallest)
            trial = start.copied()
            if self._improve(trial, high):
                break
            start, low = trial, high
        while True:
            smallest, largest = _costs_between(first, second, self.norm, low, high)
            if smallest == largest:
                return smallest
            middle = smallest + (largest - smallest) / 2
            if middle >= largest:  # no number lies between
                middle = smallest
            trial = start.copied()
            if self._improve(trial, middle):
                high = middle
            else:
                start, low = trial, middle

    def critical_place(self, value: float) -> tuple[int, int]:
        """Place (i, j) of a cost that equals the bottleneck distance and cannot be done without.

        Where several costs equal the distance, some may be of pairs that no optimal matching needs. So they
        are forbidden one after the other, by their places, until no matching is left.

        Args:
            value: the bottleneck distance, > 0.

        """
        first, last = _places_of(*self.sides, self.norm, value)
        if first < last:
            start = self._unmatched()
            self._improve(start, value, first=last + 1)

            def none_left(place: int) -> bool:
                return not self._improve(start.copied(), value, first=place + 1)

            first = bisect_left(range(last), True, lo=first, key=none_left)
        i, j = divmod(first, self.columns)
        return i, j

    def _unmatched(self) -> _Pairs:
        return _Pairs(*(np.full(len(side.deaths), NONE) for side in self.sides))

    def _improve(self, pairs: _Pairs, cost: float, first: int = 0) -> bool:
        """Whether all points can be matched within a limit; as many of the first diagram as can be, are."""
        limit = _Limit(cost, first, self.norm)
        if not _covers(*self.sides, limit, pairs):
            return False
        return _covers(*self.sides[::-1], limit, _Pairs(*pairs.copied()[::-1]))


def _sorted(diagram: Values, norm: float, places: Numbers, alone: Numbers) -> _Points:
    order = np.argsort(diagram[:, 1], kind="stable")
    births, deaths = np.ascontiguousarray(diagram[order].T)
    return _Points(births, deaths, np.abs(deaths - births) * 2 ** (1 / norm - 1), places[order], alone[order])


@inlined
def _cost(points: _Points, i: int, others: _Points, j: int, norm: float) -> float:
    x, y = abs(points.births[i] - others.births[j]), abs(points.deaths[i] - others.deaths[j])
    longer, shorter = max(x, y), min(x, y)
    if norm != np.inf and shorter > 0:
        longer *= (1 + (shorter / longer) ** norm) ** (1 / norm)
    return float(longer)


@inlined
def _allowed(cost: float, place: int, limit: _Limit) -> bool:
    return cost < limit.cost or (cost == limit.cost and place >= limit.first)


@compiled
def _dearest(points: _Points, others: _Points, norm: float) -> float:
    """Largest of the costs that the points have at least, each with its nearest partner."""
    result = 0.0
    for i in range(len(points.deaths)):
        cheapest = points.halves[i]
        middle = np.searchsorted(others.deaths, points.deaths[i])
        for j in range(middle, len(others.deaths)):
            if others.deaths[j] - points.deaths[i] >= cheapest:
                break
            cheapest = min(cheapest, _cost(points, i, others, j, norm))
        for j in range(middle - 1, -1, -1):
            if points.deaths[i] - others.deaths[j] >= cheapest:
                break
            cheapest = min(cheapest, _cost(points, i, others, j, norm))
        result = max(result, cheapest)
    return result


@compiled
def _reach(points: _Points, others: _Points, cost: float) -> tuple[Numbers, Numbers]:
    """Run of the others whose deaths are within a cost of each point's: where it starts and stops."""
    start, stop = np.empty(len(points.deaths), np.int64), np.empty(len(points.deaths), np.int64)
    low, high = 0, 0
    for i in range(len(points.deaths)):
        while low < len(others.deaths) and points.deaths[i] - others.deaths[low] > cost:
            low += 1
        high = max(low, high)
        while high < len(others.deaths) and others.deaths[high] - points.deaths[i] <= cost:
            high += 1
        start[i], stop[i] = low, high
    return start, stop


@compiled
def _costs_between(
    points: _Points, others: _Points, norm: float, low: float, high: float
) -> tuple[float, float]:
    """Smallest and largest of all costs above ``low`` and up to ``high``."""
    smallest, largest = np.inf, 0.0
    start, stop = _reach(points, others, high)
    for i in range(len(points.deaths)):
        for j in range(start[i], stop[i]):
            cost = _cost(points, i, others, j, norm)
            if low < cost <= high:
                smallest, largest = min(smallest, cost), max(largest, cost)
    for halves in (points.halves, others.halves):
        for cost in halves:
            if low < cost <= high:
                smallest, largest = min(smallest, cost), max(largest, cost)
    return smallest, largest


@compiled
def _places_of(points: _Points, others: _Points, norm: float, value: float) -> tuple[int, int]:
    """First and last place of the costs that equal a value."""
    first, last = np.iinfo(np.int64).max, -1
    start, stop = _reach(points, others, value)
    for i in range(len(points.deaths)):
        for j in range(start[i], stop[i]):
            if _cost(points, i, others, j, norm) == value:
                place = points.places[i] + others.places[j]
                first, last = min(first, place), max(last, place)
    for side in (points, others):
        for i in range(len(side.deaths)):
            if side.halves[i] == value:
                first, last = min(first, side.alone[i]), max(last, side.alone[i])
    return first, last


@inlined
def _joined(graph: _Graph, i: int, j: int) -> bool:
    place = graph.points.places[i] + graph.others.places[j]
    return _allowed(_cost(graph.points, i, graph.others, j, graph.limit.norm), place, graph.limit)


@compiled
def _covers(points: _Points, others: _Points, limit: _Limit, pairs: _Pairs) -> bool:
    """Whether all points that the diagonal cannot take can be matched to others, each to one of its own.

    The matching given, of allowed pairs, is enlarged; it lets go of the points that the diagonal takes.
    """
    single = np.empty(len(points.deaths), np.int64)  # points that need a partner and have none
    count = 0
    for i in range(len(points.deaths)):
        if not _allowed(points.halves[i], points.alone[i], limit):
            if pairs.columns[i] == NONE:
                single[count] = i
                count += 1
        elif pairs.columns[i] != NONE:
            pairs.rows[pairs.columns[i]] = NONE
            pairs.columns[i] = NONE
    start, stop = _reach(points, others, limit.cost)
    graph = _Graph(points, others, limit, start, stop)
    path = np.empty(len(points.deaths), np.int64)
    while count > 0:
        search = _Search(_levels(graph, pairs, single[:count]), start.copy(), path)
        if search.level[-1] == NONE:  # no augmenting path
            return False
        left = 0
        for i in single[:count].copy():
            if not _augment(graph, pairs, search, i):
                single[left] = i
                left += 1
        count = left
    return True


@compiled
def _levels(graph: _Graph, pairs: _Pairs, single: Numbers) -> Numbers:
    """Levels as :class:`_Search` has them, up to that of the first free one of the others."""
    level = np.full(len(graph.points.deaths) + 1, NONE)
    seen = np.zeros(len(graph.others.deaths), np.bool_)
    queue = np.empty(len(graph.points.deaths), np.int64)
    queue[: len(single)] = single
    level[single] = 0
    head, tail = 0, len(single)
    while head < tail:
        i = queue[head]
        head += 1
        if level[-1] != NONE and level[i] >= level[-1]:
            break
        for j in range(graph.start[i], graph.stop[i]):
            if seen[j] or not _joined(graph, i, j):
                continue
            seen[j] = True
            owner = pairs.rows[j]
            if owner == NONE:
                level[-1] = level[i] + 1
            elif level[owner] == NONE:
                level[owner] = level[i] + 1
                queue[tail] = owner
                tail += 1
    return level


@compiled
def _augment(graph: _Graph, pairs: _Pairs, search: _Search, single: int) -> bool:
    """Match one more point along an augmenting path that follows the levels, if there is one."""
    search.path[0] = single
    depth = 0
    while depth >= 0:
        i = search.path[depth]
        j = search.position[i]
        if j == graph.stop[i]:  # a dead end
            depth -= 1
            continue
        search.position[i] += 1
        owner = pairs.rows[j]
        onward = owner == NONE or search.level[owner] == search.level[i] + 1
        if not onward or not _joined(graph, i, j):
            continue
        if owner != NONE:
            depth += 1
            search.path[depth] = owner
            continue
        for step in range(depth, -1, -1):
            i = search.path[step]
            before = pairs.columns[i]
            pairs.columns[i], pairs.rows[j] = j, i
            j = before
        return True
    return False
