import gudhi
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import generic_clouds

from topogen.theory import concepts
from torchrips.persistence import rips_diagrams
from torchrips.regularizers import entropy, lifetime_density


def simplices_of(points, scale):
    """Edges and triangles of the Rips complex, and its Betti numbers, by gudhi."""
    tree = gudhi.RipsComplex(points=points, max_edge_length=scale).create_simplex_tree(max_dimension=2)
    parts = ([tuple(sorted(s)) for s, _ in tree.get_skeleton(2) if len(s) == size] for size in (2, 3))
    return [sorted(part) for part in parts], betti(tree)


def betti(tree):
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    return tree.betti_numbers()[:2]


def tree_of(vertices, simplices):
    tree = gudhi.SimplexTree()
    for simplex in [*([k] for k in range(vertices)), *simplices.edges, *simplices.triangles]:
        tree.insert(list(simplex))
    return tree


@given(cloud=generic_clouds(min_size=3), scale=st.floats(0.1, 3))
def test_rips_complex_and_its_betti_numbers(cloud, scale):
    found = concepts.rips_complex(cloud.numpy(), scale)
    (edges, triangles), expected = simplices_of(cloud.numpy(), scale)
    assert [tuple(x) for x in found.edges] == edges
    assert [tuple(x) for x in found.triangles] == triangles
    diagrams = [diagram.numpy() for diagram in rips_diagrams(cloud)]
    assert concepts.betti_numbers(diagrams, scale) == [*expected, 0][:2]


@given(cloud=generic_clouds(min_size=4, dimensions=(2,)), scale=st.floats(0.1, 3))
def test_delaunay_complex_is_geometric(cloud, scale):
    points = cloud.numpy()
    found = concepts.delaunay_complex(points, scale)
    rips = concepts.rips_complex(points, scale)
    assert {*map(tuple, found.edges)} <= {*map(tuple, rips.edges)}
    assert {*map(tuple, found.triangles)} <= {*map(tuple, rips.triangles)}
    for triangle in found.triangles:  # with a simplex come its faces
        assert {(triangle[a], triangle[b]) for a, b in ((0, 1), (0, 2), (1, 2))} <= {*map(tuple, found.edges)}
    for a, b in found.edges:
        for c, d in found.edges:
            assert len({a, b, c, d}) < 4 or not cross(*points[[a, b, c, d]])
    expected = betti(tree_of(len(points), found))
    assert concepts.planar_betti_numbers(len(points), found) == [*expected, 0, 0][:2]


def cross(a, b, c, d):
    """Whether the segments ab and cd, no three of the four points on a line, meet."""

    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) > (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b)


def test_four_clusters_are_those_of_the_thesis():
    cloud = concepts.four_clusters(0)
    start = 0
    for x, y, points in ((0, 0, 30), (0, 10, 30), (15, 15, 30), (5, -8, 38)):
        assert (np.abs(cloud[start : start + points] - [x, y]) <= 0.5).all()
        start += points
    assert len(cloud) == start == 128
    deaths = rips_diagrams(torch.from_numpy(cloud), (0,))[0][:, 1]
    assert (deaths > 5).sum() == 3


def test_filtration_holds_every_complex():
    cloud = concepts.three_loops(0.1, seed=2)
    arrays = concepts.filtration(cloud, [0.3, 0.65], geometric_scale=0.5)
    assert cloud.shape == (45, 2)
    np.testing.assert_array_equal(arrays["edges_1"], concepts.rips_complex(cloud, 0.65).edges)
    np.testing.assert_array_equal(arrays["triangles_rips"], concepts.rips_complex(cloud, 0.5).triangles)
    assert arrays["betti_1"].tolist() == [1, 3]  # the three loops
    assert len(arrays["diagram_0"]) == 44


def test_densities_are_drawn_and_marked_at_their_positions():
    diagram = np.array([[0.0, 1.0], [0.0, 2.0]])
    curves, positions, marks = [(0.2, 0.5), (0.7, 0.1)], np.linspace(0, 3, 7), np.array([1.0, 2.0])
    arrays = concepts.density_curves(diagram, curves, positions, marks)
    for k, (sigma, scale) in enumerate(curves):
        for name, places in (("densities", positions), ("marked", marks)):
            expected = lifetime_density(torch.from_numpy(diagram), torch.from_numpy(places), sigma, scale)
            np.testing.assert_allclose(arrays[name][k], expected)
    assert concepts.density_curves(diagram, curves, positions)["marked"].shape == (2, 0)


def test_the_terms_sum_up_to_the_entropy():
    diagram = np.array([[0.0, 1.0], [1.0, 1.05], [0.5, 0.8]])
    arrays = concepts.delta_selection(diagram, delta=0.1)
    for name, delta in (("plain", 0.0), ("selective", 0.1)):
        expected = entropy(torch.from_numpy(diagram), delta).item()
        assert arrays[f"terms_{name}"].sum() == pytest.approx(expected)
        lifetimes = diagram[:, 1] - diagram[:, 0]
        read = np.interp(lifetimes, arrays["lifetimes"], arrays[f"curve_{name}"])
        np.testing.assert_allclose(read, arrays[f"terms_{name}"], atol=1e-3)
    assert arrays["terms_selective"][1] == 0
