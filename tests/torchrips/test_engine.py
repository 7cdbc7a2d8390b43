"""The engine of degrees 0 and 1 against gudhi's Ripser, which pairs the same ranks in another way."""

from pathlib import Path

import gudhi
import numpy as np
import pytest
import torch
from gudhi.sklearn.rips_persistence import RipsPersistence
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import LARGE_KINDS, SEEDS, clouds, large_cloud, ordered

from torchrips.engine import (
    NEVER,
    NONE,
    Edges,
    bar_edges,
    edge_lengths,
    pairwise_distances,
    rips_bars,
    sorted_edges,
)
from torchrips.persistence import filtration, question

ROOT = Path(__file__).parents[2]


def distances_of(cloud):
    return np.sqrt(((cloud[:, None] - cloud[None]) ** 2).sum(axis=2))


def slow_order(distances):
    """All edges by length, ties by their vertices."""
    i, j = np.triu_indices(len(distances), 1)
    order = np.argsort(distances[i, j], kind="stable")
    return i[order], j[order]


def ripser_bars(distances):
    """Bars of positions in degree 0 and 1 by gudhi's Ripser, of all edges, not only those within R."""
    i, j = slow_order(distances)
    ranks = np.zeros(distances.shape)
    ranks[i, j] = ranks[j, i] = np.arange(1, len(i) + 1)  # rank 0 is the birth of the vertices
    engine = RipsPersistence(
        homology_dimensions=[0, 1], input_type="full distance matrix", homology_coeff_field=2
    )
    components, loops = engine.fit_transform([ranks])[0]
    return np.sort(components[np.isfinite(components[:, 1]), 1]) - 1, loops[np.argsort(loops[:, 0])] - 1


def lasting_bars(edges, loops=True):
    return [bars[bars[:, 1] != NONE] for bars in rips_bars(edges, loops, NEVER)]


def assert_bars_are_those_of_ripser(distances):
    deaths, loops = ripser_bars(distances)
    edges = sorted_edges(distances, np.inf)
    components, bars = lasting_bars(edges)
    assert (components[:, 0] == NONE).all()
    np.testing.assert_array_equal(components[:, 1], deaths)
    np.testing.assert_array_equal(bars, loops)
    only_components, nothing = lasting_bars(edges, loops=False)
    np.testing.assert_array_equal(only_components, components)
    assert len(nothing) == 0


@settings(max_examples=1500)
@given(cloud=clouds().filter(lambda cloud: len(cloud) > 1))
def test_bars_of_small_clouds_are_those_of_ripser(cloud):
    assert_bars_are_those_of_ripser(distances_of(cloud.numpy()))


@settings(max_examples=1500)
@given(seed=SEEDS, n=st.integers(2, 14), levels=st.sampled_from([2, 3, 5, 10**6]))
def test_bars_of_distances_without_triangle_inequality_are_those_of_ripser(seed, n, levels):
    upper = np.triu(np.random.default_rng(seed).integers(0, levels, (n, n)), 1)
    assert_bars_are_those_of_ripser((upper + upper.T).astype(float))


@pytest.mark.parametrize("kind", LARGE_KINDS)
@settings(max_examples=12)
@given(seed=SEEDS, n=st.integers(13, 90))
@example(seed=0, n=64)  # whole words of bits
@example(seed=1, n=65)
@example(seed=2, n=150)
def test_bars_of_large_clouds_are_those_of_ripser(kind, seed, n):
    assert_bars_are_those_of_ripser(distances_of(large_cloud(kind, n, seed)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    seed=SEEDS,
    n=st.integers(2, 40),
    exponents=st.sampled_from([(0, 1), (-1, 1), (-30, 30), (-44, 3), (0, 0)]),
    levels=st.sampled_from([1, 3, 10**6]),
)
def test_edges_are_in_stable_order_up_to_the_enclosing_radius(dtype, seed, n, exponents, levels):
    rng = np.random.default_rng(seed)
    lengths = (
        rng.integers(0, levels + 1, (n, n)) / levels * 10.0 ** rng.integers(*exponents, (n, n), endpoint=True)
    )
    upper = np.triu(lengths.astype(dtype), 1)
    distances = upper + upper.T
    i, j = slow_order(distances)
    within = distances[i, j] <= distances.max(axis=1).min()
    edges = sorted_edges(np.where(upper > 0, upper, dtype(-0.0)), np.inf)  # the lower triangle is not read
    np.testing.assert_array_equal(edges.first, i[within])
    np.testing.assert_array_equal(edges.second, j[within])


@pytest.mark.parametrize("kind", LARGE_KINDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-14)])
def test_distances_are_exact_up_to_rounding(kind, dtype, tolerance):
    for n in (2, 3, 40, 131):
        cloud = large_cloud(kind, n, seed=n).astype(dtype)
        exact = distances_of(cloud.astype(np.longdouble))
        upper = np.triu_indices(n, 1)
        np.testing.assert_allclose(pairwise_distances(cloud)[upper], exact[upper], rtol=tolerance)


@pytest.mark.parametrize("gap", [1e-12, 1e-20, 1e-40])
def test_distances_far_below_the_largest_one_are_exact_as_well(gap):
    cloud = np.array([[3.0, 0.0], [0.0, 0.0], [gap, 0.0]], dtype=np.float32)
    assert pairwise_distances(cloud)[1, 2] == np.float32(gap)


@pytest.mark.parametrize(
    ("dtype", "size", "outlier"),
    [(np.float32, 1e-16, 1e30), (np.float32, 1e-30, 1e8), (np.float64, 1e-150, 1e200)],
)
@pytest.mark.parametrize("seed", range(20))
def test_distances_beside_a_far_outlier_are_exact(dtype, size, outlier, seed):
    n, d = 2 + seed % 8, 1 + seed % 3
    cloud = (size * np.random.default_rng(seed).standard_normal((n, d))).astype(dtype)
    distances = pairwise_distances(np.concatenate([cloud, np.full((1, d), outlier, dtype)]))
    near = np.triu_indices(n, 1)
    expected = pairwise_distances(cloud)[near]
    np.testing.assert_allclose(distances[:n, :n][near], expected, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(distances[:n, n], outlier * np.sqrt(d), rtol=1e-6)


@pytest.mark.parametrize("kind", LARGE_KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lengths_of_edges_are_exact(kind, dtype):
    cloud = large_cloud(kind, 40, seed=0).astype(dtype)
    edges = np.stack(np.triu_indices(40, 1), axis=1).reshape(-1, 2, 2)
    exact = distances_of(cloud.astype(np.longdouble))[edges[..., 0], edges[..., 1]]
    tolerance = {np.float32: 6e-8, np.float64: 1e-14}[dtype]  # float32: half a unit in the last place
    np.testing.assert_allclose(edge_lengths(cloud, edges), exact.astype(np.float64), rtol=tolerance)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-40, 1e160, 1e300])
def test_lengths_neither_overflow_nor_vanish(scale):
    edges = np.array([[[0, 0], [0, 1]]])
    lengths = edge_lengths(np.array([[3 * scale, 0.0], [0.0, 4 * scale]]), edges)
    np.testing.assert_allclose(lengths, [[0, 5 * scale]], rtol=1e-15)


def test_bars_are_named_by_the_vertices_of_their_edges():
    edges = sorted_edges(pairwise_distances(np.array([[0.0], [2.0], [1.0]])), np.inf)
    assert bar_edges(edges, np.array([[NONE, 0], [1, 0]], np.int32)).tolist() == [
        [[0, 0], [0, 2]],
        [[1, 2], [0, 2]],
    ]


def test_bars_that_never_die_have_no_death():
    square = Edges(np.array([0, 1, 2, 0], np.int32), np.array([1, 2, 3, 3], np.int32), 4)
    components, loops = rips_bars(square, True, NEVER)
    assert components.tolist() == [[NONE, 0], [NONE, 1], [NONE, 2], [NONE, NONE]]
    assert loops.tolist() == [[3, NONE]]
    # Two loops that share a triangle: the second one to close finds it taken.
    first, second = zip((0, 1), (1, 2), (2, 3), (0, 3), (0, 4), (2, 4), (1, 3), strict=True)
    _, loops = rips_bars(Edges(np.array(first, np.int32), np.array(second, np.int32), 5), True, NEVER)
    assert loops.tolist() == [[3, 6], [5, NONE]]


@settings(max_examples=200)
@given(seed=SEEDS, n=st.integers(2, 16), share=st.sampled_from([0.1, 0.3, 0.5, 0.9]))
def test_bars_are_those_of_ripser_when_edges_are_missing(seed, n, share):
    rng = np.random.default_rng(seed)
    upper = np.triu(np.where(rng.random((n, n)) < share, rng.random((n, n)), np.inf), 1)
    distances = upper + upper.T
    order = sorted_edges(distances, np.inf)
    components, bars = lasting_bars(order)
    trees = gudhi.RipsComplex(distance_matrix=distances).create_simplex_tree(max_dimension=2)
    trees.compute_persistence(homology_coeff_field=2)
    for degree, found in enumerate((components, bars)):
        expected = trees.persistence_intervals_in_dimension(degree).reshape(-1, 2)
        expected = expected[np.isfinite(expected[:, 1])]
        births = np.where(
            found[:, 0] == NONE, 0.0, distances[order.first[found[:, 0]], order.second[found[:, 0]]]
        )
        deaths = distances[order.first[found[:, 1]], order.second[found[:, 1]]]
        lasting = deaths > births
        values = np.stack([births[lasting], deaths[lasting]], axis=1)
        np.testing.assert_array_equal(ordered(values), ordered(expected))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_distances_that_are_not_finite_are_noticed(bad):
    distances = np.ones((3, 3))
    distances[0, 2] = bad
    assert not sorted_edges(distances, np.inf).finite


@pytest.mark.network
def test_bars_of_fashion_mnist_are_those_of_ripser(tmp_path):
    import yaml  # here: the other tests of the layer run where the study is not installed

    from topogen.data.orders import batch_slices
    from topogen.data.sources import fetch, read

    spec = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]["FashionMNIST"]
    fetch("FashionMNIST", tmp_path, spec["md5"], spec["debian_package"])
    images, _ = read(tmp_path / "train-images-idx3-ubyte.gz", tmp_path / "train-labels-idx1-ubyte.gz")
    for batch in batch_slices(len(images), 128):
        distances = np.triu(pairwise_distances(images[batch].reshape(-1, 784).astype(np.float32) / 255), 1)
        assert_bars_are_those_of_ripser(distances + distances.T)


@pytest.mark.parametrize("kind", ["circle", "planar"])
def test_work_ends_when_it_is_told_to(kind):
    cloud = large_cloud(kind, 60, seed=0)
    with pytest.raises(InterruptedError):
        filtration(cloud, torch.float64, question(1, "euclidean", np.inf, False), np.ones(1, np.bool_))
