"""What bars stand for: components and loops."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from strategies import circles, clouds, grid_clouds, normal

from torchrips import engine, representatives
from torchrips.engine import pairwise_distances
from torchrips.persistence import rips_diagrams

# Loops exist, and so do ties and duplicate points.
WITH_LOOPS = st.one_of(circles(), grid_clouds(), clouds(scales=(1.0,)))


def rank(rows):
    """Rank of a matrix over Z/2, whose rows are whole numbers read as bits."""
    pivots = {}
    for row in rows:
        rest = row
        while rest and rest.bit_length() in pivots:
            rest ^= pivots[rest.bit_length()]
        if rest:
            pivots[rest.bit_length()] = rest
    return len(pivots)


def is_sum(chain, chains):
    return rank([*chains, chain]) == rank(chains)


def distances_of(cloud):
    """Distances with the rounding of the engine, on which the order of nearly equal ones depends."""
    upper = np.triu(pairwise_distances(cloud.numpy()), 1)
    return torch.from_numpy(upper + upper.T)


class Slow:
    """Chains of edges, as bits, in the order of the filtration: by length, then by vertices."""

    def __init__(self, distances):
        self.distances = distances.numpy()
        i, j = np.triu_indices(len(distances), 1)
        order = np.lexsort((j, i, self.distances[i, j]))
        self.place = {(int(i[e]), int(j[e])): k for k, e in enumerate(order)}

    def edge(self, i, j):
        return self.place[min(i, j), max(i, j)]

    def chain(self, *vertices):
        return sum(1 << self.edge(i, j) for i, j in zip(vertices, (*vertices[1:], vertices[0]), strict=True))

    def triangles(self, before):
        n = len(self.distances)
        triples = [(i, j, k) for i in range(n) for j in range(i) for k in range(j)]
        entering = [max(self.edge(i, j), self.edge(i, k), self.edge(j, k)) for i, j, k in triples]
        return [self.chain(*t) for t, last in zip(triples, entering, strict=True) if last < before]


@given(cloud=WITH_LOOPS, precomputed=st.booleans())
def test_loops_are_born_with_their_bars_and_live_as_long(cloud, precomputed):
    distances = distances_of(cloud)
    points, metric = (distances, "precomputed") if precomputed else (cloud, "euclidean")
    (bars,), (edges,) = rips_diagrams(points, 1, metric=metric, return_edges=True)
    loops = representatives(points, 1, metric=metric)
    assert len(loops) == len(bars)
    slow = Slow(distances)
    older = [slow.chain(*loop.tolist()) for loop in loops]
    for number, (loop, (birth, death)) in enumerate(zip(loops, edges.tolist(), strict=True)):
        vertices = loop.tolist()
        assert len(set(vertices)) == len(vertices) >= 4
        assert {vertices[0], vertices[-1]} == set(birth)
        chain = slow.chain(*vertices)
        assert chain.bit_length() - 1 == slow.edge(*birth)  # the edge of birth is the last one of the loop
        if len(cloud) <= 10:
            filled = slow.triangles(before=slow.edge(*death))
            assert not is_sum(chain, [*filled, *older[:number]])


@given(cloud=circles(points=8, noise=0.05))
def test_loops_are_the_shortest_through_their_birth(cloud):
    (loop,), (bar,) = representatives(cloud, 1), rips_diagrams(cloud, 1)[0]
    assert sorted(loop.tolist()) == list(range(8))
    assert (cloud[loop] - cloud[loop.roll(1)]).norm(dim=1).amax() == pytest.approx(bar[0].item())


@given(cloud=clouds(), limit=st.sampled_from([0.5, 1.0, math.inf]))
def test_components_are_those_that_are_there_before_they_merge(cloud, limit):
    (bars,), (edges,) = rips_diagrams(cloud, 0, max_edge_length=limit, return_edges=True)
    pairs = representatives(cloud, 0, max_edge_length=limit)
    assert len(pairs) == len(bars)
    slow = Slow(distances_of(cloud))
    for (first, second), (_, death) in zip(pairs, edges.tolist(), strict=True):
        earlier = [ends for ends, place in slow.place.items() if place < slow.edge(*death)]
        i, j = np.array(earlier, dtype=int).reshape(-1, 2).T
        n = len(cloud)
        _, labels = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)
        for component, end in zip((first, second), death, strict=True):
            assert component.tolist() == np.flatnonzero(labels == labels[end]).tolist()


def test_there_is_nothing_to_represent_without_bars():
    for cloud in (torch.zeros(0, 2), torch.zeros(1, 2), torch.ones(3, 2)):
        assert representatives(cloud, 0) == representatives(cloud, 1) == []


@pytest.mark.parametrize("degree", [0, 1])
def test_the_engine_runs_once(degree, monkeypatch):
    runs, rips = [], engine.rips

    def counted(*arguments):
        runs.append(arguments)
        return rips(*arguments)

    monkeypatch.setattr(engine, "rips", counted)
    assert representatives(normal(0, 15, 2), degree)
    assert len(runs) == 1


def test_representatives_have_the_options_of_the_diagrams():
    cloud = 3 + normal(0, 15, 2)
    for metric in ("cosine", 1):
        (bars,) = rips_diagrams(cloud, 0, metric=metric)
        assert len(representatives(cloud, 0, metric=metric)) == len(bars)
    with pytest.raises(ValueError, match="in degree 0 and 1, got degree 2"):
        representatives(cloud, 2)
