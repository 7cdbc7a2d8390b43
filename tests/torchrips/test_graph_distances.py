import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from strategies import at_most, generic_clouds, normal, smallest_gap

from torchrips.graph_distances import diffusion_distances, effective_resistances
from torchrips.persistence import rips_diagrams

FAMILY = {
    "resistances": lambda points, k=3: effective_resistances(points, k),
    "diffusion": lambda points, k=3: diffusion_distances(points, k, time=2),
}
members = pytest.mark.parametrize("name", FAMILY)


def slow_conductances(points, k):
    """Pair by pair, from the definition of the graph."""
    n = len(points)
    distances = torch.cdist(points, points).numpy()
    tree = minimum_spanning_tree(distances).toarray() > 0
    matrix = np.zeros((n, n))
    for i in range(n):
        nearest = sorted((j for j in range(n) if j != i), key=lambda j: distances[i, j])[:k]
        for j in range(n):
            if i != j and (j in nearest or tree[i, j]):
                matrix[i, j] = matrix[j, i] = 1 / distances[i, j]
    return matrix


def slow_spectrum(conductances):
    """Eigenvalues of the normalised Laplacian but the first, and eigenvectors over the roots of degrees."""
    degrees = conductances.sum(axis=1)
    laplacian = np.eye(len(degrees)) - conductances / np.sqrt(np.outer(degrees, degrees))
    values, vectors = np.linalg.eigh(laplacian)
    return values[1:], (vectors / np.sqrt(degrees)[:, None])[:, 1:]


def differences(vectors, factors):
    steps = vectors[:, None] - vectors[None]
    return (factors * steps**2).sum(axis=2)


@given(points=generic_clouds(min_size=2), k=st.integers(1, 15))
def test_both_are_sums_over_the_spectrum_of_the_graph(points, k):
    conductances = slow_conductances(points, k)
    values, vectors = slow_spectrum(conductances)
    resistances = differences(vectors, (1 - values) ** 2 / values)
    np.testing.assert_allclose(effective_resistances(points, k), resistances, rtol=1e-6, atol=1e-9)
    squares = conductances.sum() * differences(vectors, (1 - values) ** 4)
    found = diffusion_distances(points, k, time=2)
    np.testing.assert_allclose(found**2, squares, rtol=1e-6, atol=1e-9)
    assert connected_components(conductances)[0] == 1


@members
@given(points=generic_clouds(min_size=1))
def test_a_rips_filtration_takes_the_matrix(name, points):
    matrix = FAMILY[name](points)
    assert torch.equal(matrix, matrix.T)
    assert not matrix.diagonal().any()
    (bars,) = rips_diagrams(matrix, 0, metric="precomputed")
    assert len(bars) <= len(points) - 1


@members
@at_most(10)
@given(points=generic_clouds(min_size=3, max_size=7))
def test_derivatives_agree_with_finite_differences(name, points):
    assume(smallest_gap(points) > 1e-4)  # the graph changes at a tie
    torch.autograd.gradcheck(FAMILY[name], (points.requires_grad_(),), atol=1e-4)


@members
@at_most(20)
@given(points=generic_clouds(min_size=2), scale=st.sampled_from([0.25, 8.0, 2.0**600, 2.0**-700]))
def test_the_unit_is_that_of_the_distances_or_none(name, points, scale):
    factor = scale if name == "resistances" else 1
    leaf = points.clone().requires_grad_()
    expected, found = FAMILY[name](leaf), FAMILY[name](scale * leaf) / factor
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)
    gradients = [torch.autograd.grad(matrix.square().sum(), leaf)[0] for matrix in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-9)


@members
@pytest.mark.parametrize("n", [0, 1, 2, 6])
def test_collapsed_clouds_are_at_distance_zero(name, n):
    points = torch.full((n, 3), 0.3, requires_grad=True)
    matrix = FAMILY[name](points)
    assert matrix.shape == (n, n)
    assert not matrix.any()
    matrix.sum().backward()
    assert not points.grad.any()


@members
def test_duplicates_have_finite_gradients(name):
    points = normal(0, 8, 3)[[0, 0, 0, 0, 0, 0, 1, 2, 3, 4]].float().requires_grad_()
    matrix = FAMILY[name](points)
    matrix.sum().backward()
    assert torch.isfinite(matrix).all()
    assert torch.isfinite(points.grad).all()
    assert matrix[0, 1] < 1e-3 * matrix.max()


def test_they_see_a_loop_that_noise_in_many_dimensions_hides():
    angles = torch.arange(60, dtype=torch.float64) * 2 * torch.pi / 60
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    points = torch.cat([circle, torch.zeros(60, 48)], dim=1) + 0.2 * normal(3, 60, 50)

    def prominence(cloud, **metric):
        """How many times longer than the second one the longest bar of degree 1 is."""
        (bars,) = rips_diagrams(cloud, 1, **metric)
        lengths = (bars[:, 1] - bars[:, 0]).sort(descending=True).values
        return lengths[0] / lengths[1] if len(lengths) > 1 else math.inf

    plain = prominence(points)
    assert prominence(effective_resistances(points, 8), metric="precomputed") > 2 * plain
    assert prominence(diffusion_distances(points, 8, time=8), metric="precomputed") > 2 * plain


@members
def test_the_default_device_does_not_matter(name):
    points = normal(0, 8, 3)
    expected = FAMILY[name](points)
    with torch.device("meta"):
        assert torch.equal(FAMILY[name](points), expected)


@members
def test_transforms_of_functions_give_the_same_derivatives(name):
    def persistence(points):
        return rips_diagrams(FAMILY[name](points), 0, metric="precomputed")[0][:, 1].square().sum()

    points = normal(0, 8, 3)
    gradient = torch.autograd.functional.jacobian(persistence, points)
    assert gradient.any()
    forward = [torch.func.jacfwd] if name == "resistances" else []  # torch.cdist has no forward mode
    for transform in (torch.func.grad, torch.func.jacrev, *forward):
        torch.testing.assert_close(transform(persistence)(points), gradient)


@members
def test_what_is_no_cloud_is_refused(name):
    with pytest.raises(ValueError, match="neighbours"):
        FAMILY[name](torch.zeros(3, 2), k=0)
    with pytest.raises(ValueError, match="NaN"):
        FAMILY[name](torch.full((3, 2), math.nan))
    with pytest.raises(ValueError, match="time"):
        diffusion_distances(torch.zeros(3, 2), 2, time=0)
