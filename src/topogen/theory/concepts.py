"""What the concept figures (F3-F5, F7, F8) show, computed: clouds, complexes, densities, terms."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay
from scipy.special import entr

from torchrips.persistence import rips_diagrams
from torchrips.regularizers import lifetime_density

Array = NDArray[Any]

# Centre, radius and number of points of the loops of the cloud in F3-F5 and F8.
LOOPS = ((0.0, 0.0, 1.0, 22), (2.1, 0.2, 0.6, 14), (0.9, -1.5, 0.4, 9))
# Centre and number of points of the clusters in F7 (thesis, section 4), squares of half-side 0.5.
CLUSTERS = ((0.0, 0.0, 30), (0.0, 10.0, 30), (15.0, 15.0, 30), (5.0, -8.0, 38))


class Complex(NamedTuple):
    """Simplices of dimension 1 and 2, by their vertices in ascending order.

    Attributes:
        edges: shape (e, 2).
        triangles: shape (t, 3).

    """

    edges: NDArray[np.int64]
    triangles: NDArray[np.int64]


def three_loops(jitter: float, seed: int) -> Array:
    """Planar cloud of 45 points on three circles, shape (45, 2), each point moved by normal noise."""
    stream = np.random.default_rng(seed)
    loops = []
    for x, y, radius, points in LOOPS:
        angles = 2 * np.pi * (np.arange(points) + stream.uniform(0, 0.6, points)) / points
        circle = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
        loops.append(circle + jitter * stream.standard_normal((points, 2)))
    return np.concatenate(loops)


def four_clusters(seed: int) -> Array:
    """Planar cloud of the thesis' F7: 128 points uniform in four squares, shape (128, 2)."""
    stream = np.random.default_rng(seed)
    return np.concatenate(
        [stream.uniform((x - 0.5, y - 0.5), (x + 0.5, y + 0.5), (points, 2)) for x, y, points in CLUSTERS]
    )


def rips_complex(points: Array, scale: float) -> Complex:
    r"""Edges and triangles of the Rips complex :math:`K_\varepsilon(P)`.

    Args:
        points: shape (n, d).
        scale: epsilon; a simplex is there if all distances of its vertices are at most that.

    """
    near = np.linalg.norm(points[:, None] - points[None], axis=2) <= scale
    return _flag_complex(near, np.array(list(combinations(range(len(points)), 3)), np.int64))


def delaunay_complex(points: Array, scale: float) -> Complex:
    """Subcomplex of the Delaunay triangulation of a planar cloud: the simplices of the Rips complex in it.

    Unlike the Rips complex it is drawn as it is: two of its simplices meet in a common face or not at all.
    """
    triangles = np.sort(Delaunay(points).simplices.astype(np.int64), axis=1)
    near = np.zeros((len(points), len(points)), dtype=bool)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        i, j = triangles[:, first], triangles[:, second]
        near[i, j] = near[j, i] = np.linalg.norm(points[i] - points[j], axis=1) <= scale
    return _flag_complex(near, triangles)


def _flag_complex(near: NDArray[np.bool_], triangles: NDArray[np.int64]) -> Complex:
    """Edges of a graph, and those of the triangles, shape (t, 3), whose three edges it has."""
    triangles = triangles.reshape(-1, 3)
    i, j, k = triangles.T
    full = triangles[near[i, j] & near[i, k] & near[j, k]]
    return Complex(np.argwhere(np.triu(near, k=1)), full[np.lexsort(full.T[::-1])])


def betti_numbers(diagrams: Sequence[Array], scale: float) -> list[int]:
    """Number of components and of holes of a Rips complex, read off the diagrams of degree 0 and 1."""
    alive = [int(np.sum((d[:, 0] <= scale) & (scale < d[:, 1]))) for d in diagrams]
    return [alive[0] + 1, *alive[1:]]  # one component never dies and is in no diagram


def planar_betti_numbers(vertices: int, simplices: Complex) -> list[int]:
    """Number of components and of holes of a complex in the plane, from V - E + T = components - holes."""
    i, j = simplices.edges.T
    components, _ = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(vertices, vertices)))
    euler = vertices - len(simplices.edges) + len(simplices.triangles)
    return [int(components), int(components - euler)]


def filtration(points: Array, scales: Sequence[float], geometric_scale: float) -> dict[str, Array]:
    """Rips complexes of a planar cloud at several scales, its diagrams, and a geometric complex (F3-F5).

    Args:
        points: shape (n, 2).
        scales: of the Rips complexes.
        geometric_scale: of the subcomplex of the Delaunay triangulation, and of the Rips complex next to it.

    Returns:
        points, diagram_0, diagram_1, scales, and of each complex edges_K, triangles_K, betti_K, K being
        the place of its scale, or ``delaunay`` and ``rips`` at the geometric scale; geometric_scale.

    """
    diagrams = [d.numpy() for d in rips_diagrams(torch.from_numpy(points))]
    delaunay = delaunay_complex(points, geometric_scale)
    complexes = {"delaunay": (delaunay, planar_betti_numbers(len(points), delaunay))}
    named_scales = {"rips": geometric_scale} | {str(k): scale for k, scale in enumerate(scales)}
    for name, scale in named_scales.items():
        complexes[name] = rips_complex(points, scale), betti_numbers(diagrams, scale)
    arrays: dict[str, Array] = {
        "points": points,
        "diagram_0": diagrams[0],
        "diagram_1": diagrams[1],
        "scales": np.array(scales),
        "geometric_scale": np.array(geometric_scale),
    }
    for name, (simplices, betti) in complexes.items():
        arrays |= {f"edges_{name}": simplices.edges, f"triangles_{name}": simplices.triangles}
        arrays[f"betti_{name}"] = np.array(betti)
    return arrays


def density_curves(
    diagram: Array, curves: Sequence[tuple[float, float]], positions: Array, marks: Array | None = None
) -> dict[str, Array]:
    """4SGDE of a diagram for several parameters (F7).

    Args:
        diagram: shape (k, 2).
        curves: (sigma, scale) of each curve.
        positions: at which the curves are drawn, shape (n,).
        marks: positions that a loss uses, shape (m,); none by default.

    Returns:
        diagram, positions, marks; densities, shape (curves, n), and marked, shape (curves, m), the values at
        the positions and at the marks; sigmas and scales, shape (curves,).

    """
    bars = torch.from_numpy(diagram).double()
    places = np.append(positions, np.zeros(0) if marks is None else marks)
    values = np.stack(
        [lifetime_density(bars, torch.from_numpy(places), sigma, scale).numpy() for sigma, scale in curves]
    )
    sigmas, scales = np.array(curves).T
    return {
        "diagram": diagram,
        "positions": positions,
        "densities": values[:, : len(positions)],
        "marks": places[len(positions) :],
        "marked": values[:, len(positions) :],
        "sigmas": sigmas,
        "scales": scales,
    }


def delta_selection(diagram: Array, delta: float) -> dict[str, Array]:
    r"""Terms of the persistent entropy of a diagram, all of them and the delta-selected ones (F8).

    Args:
        diagram: shape (k, 2), with a lifetime above delta.
        delta: lifetimes up to delta are left out.

    Returns:
        diagram, delta; for ``plain`` and ``selective``: terms_NAME, :math:`-(\ell/L) \log(\ell/L)` of each
        point, 0 for one that is left out, shape (k,); curve_NAME, the same function of the lifetime, at
        ``lifetimes``, shape (n,).

    """
    lifetimes = diagram[:, 1] - diagram[:, 0]
    grid = np.linspace(0, 1.05 * lifetimes.max(), 1000)
    arrays = {"diagram": diagram, "delta": np.array(delta), "lifetimes": grid}
    for name, least in (("plain", 0.0), ("selective", delta)):
        total = lifetimes[lifetimes > least].sum()
        arrays[f"terms_{name}"] = entr(lifetimes / total) * (lifetimes > least)
        arrays[f"curve_{name}"] = entr(grid / total) * (grid > least)
    return arrays
