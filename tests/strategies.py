"""Random inputs of all tests, and slow but plain answers to compare with."""

import math
from functools import cache

import gudhi
import numpy as np
import torch
from hypothesis import assume, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

SEEDS = st.integers(0, 2**32 - 1)


def at_most(examples):
    """Fewer random examples than usual: for slow tests, and for laws that many parameters repeat."""
    return settings(max_examples=min(examples, settings.default.max_examples))


def normal(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


@st.composite
def generic_clouds(draw, min_size=0, max_size=12, dimensions=(1, 2, 3), gap=0.0):
    """Points in general position; any two distances differ by more than ``gap``."""
    n = draw(st.integers(min_size, max_size))
    cloud = normal(draw(SEEDS), n, draw(st.sampled_from(dimensions)))
    assume(smallest_gap(cloud) >= gap)
    return cloud


def smallest_gap(cloud):
    """Smallest difference of two distances, or of a distance and 0: how far the cloud is from a tie."""
    distances = np.sort(torch.pdist(cloud).numpy())
    return np.diff(distances, prepend=0).min(initial=np.inf)


@st.composite
def circles(draw, points=9, noise=0.1):
    """Noisy circle in the plane, with one long bar of degree 1."""
    angles = torch.arange(points, dtype=torch.float64) * 2 * torch.pi / points
    return torch.stack([angles.cos(), angles.sin()], dim=1) + noise * normal(draw(SEEDS), points, 2)


@st.composite
def octahedra(draw, noise=0.03):
    """Noisy octahedron: the smallest cloud with a bar of degree 2."""
    return torch.cat([torch.eye(3), -torch.eye(3)]) + noise * normal(draw(SEEDS), 6, 3)


@st.composite
def grid_clouds(draw):
    """Small integers: ties everywhere, and duplicate points."""
    n, d = draw(st.integers(0, 12)), draw(st.integers(1, 3))
    coordinates = draw(st.lists(st.integers(0, 3), min_size=n * d, max_size=n * d))
    return torch.tensor(coordinates, dtype=torch.float64).view(n, d)


@st.composite
def duplicate_clouds(draw):
    cloud = draw(generic_clouds(min_size=1, max_size=6))
    chosen = draw(st.lists(st.integers(0, len(cloud) - 1), max_size=12))
    return cloud[torch.tensor(chosen, dtype=torch.int64)]


@st.composite
def collinear_clouds(draw):
    positions = draw(st.lists(st.integers(-20, 20), max_size=12))
    direction = normal(draw(SEEDS), 1, draw(st.integers(1, 3)))
    return torch.tensor(positions, dtype=torch.float64).view(-1, 1) * direction


@st.composite
def equal_clouds(draw):
    return normal(draw(SEEDS), 1, draw(st.integers(1, 3))).repeat(draw(st.integers(0, 12)), 1)


@st.composite
def clouds(draw, scales=(1.0, 1.0, 1.0, 1e-60, 1e60)):
    """Every kind of cloud, 0 to 12 points in float64, of ordinary, tiny or huge size."""
    kinds = generic_clouds(), grid_clouds(), duplicate_clouds(), collinear_clouds(), equal_clouds()
    return draw(st.one_of(kinds)) * draw(st.sampled_from(scales))


def large_cloud(kind, n, seed):
    """Clouds of the sizes that training meets, by name."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return {
        "uniform, 784 dimensions": lambda: rng.random((n, 784)),
        "normal, 10 dimensions": lambda: rng.standard_normal((n, 10)),
        "planar": lambda: rng.random((n, 2)),
        "circle": lambda: np.stack([np.cos(angles), np.sin(angles)], 1) + 0.02 * rng.standard_normal((n, 2)),
        "integer grid": lambda: rng.integers(0, 4, (n, 3)).astype(float),
        "square grid": lambda: np.stack(np.divmod(rng.permutation(n), 10), 1).astype(float),
        "duplicates": lambda: rng.random((n, 5))[rng.integers(0, n // 2 + 1, n)],
        "collinear": lambda: rng.random((n, 1)) * rng.random((1, 3)),
        "near-equal": lambda: 0.5 + 1e-7 * rng.standard_normal((n, 20)),
        "all equal": lambda: np.full((n, 4), 0.3),
        "clusters": lambda: 10 * rng.integers(0, 3, (n, 1)) + 0.01 * rng.random((n, 2)),
        "images": lambda: synthetic_images(n, seed).reshape(n, -1) / 255,
        "tiny": lambda: 1e-30 * rng.random((n, 3)),
        "huge": lambda: 1e30 * rng.random((n, 3)),
        "far from the origin": lambda: 1e4 + rng.random((n, 3)),
    }[kind]()


LARGE_KINDS = [
    "uniform, 784 dimensions",
    "normal, 10 dimensions",
    "planar",
    "circle",
    "integer grid",
    "square grid",
    "duplicates",
    "collinear",
    "near-equal",
    "all equal",
    "clusters",
    "images",
    "tiny",
    "huge",
    "far from the origin",
]


@st.composite
def diagrams(draw, min_size=0, max_size=6, born_at_zero=None):
    """Diagrams off the diagonal, generic or with ties; births are 0 as in degree 0, or not."""
    k = draw(st.integers(min_size, max_size))
    if draw(st.booleans()):
        entries = draw(st.lists(st.integers(1, 4), min_size=2 * k, max_size=2 * k))
        rows = torch.tensor(entries, dtype=torch.float64).view(k, 2)
        births, lifetimes = rows[:, 0], rows[:, 1] / 2
    else:
        births, lifetimes = normal(draw(SEEDS), 2, k).abs() + 0.01
    if draw(st.booleans()) if born_at_zero is None else born_at_zero:
        births = torch.zeros_like(births)
    return torch.stack([births, births + lifetimes], dim=1)


@st.composite
def generic_pairs(draw, max_size=4, gap=1e-5):
    """Two diagrams without ties: no two costs or projections differ by less than ``gap``."""
    k, m = draw(st.integers(0, max_size)), draw(st.integers(0, max_size))
    births, lifetimes = normal(draw(SEEDS), 2, k + m).abs() + 0.1
    rows = torch.stack([births, births + lifetimes], dim=1)
    costs = torch.cat([torch.pdist(rows, p=math.inf), lifetimes / 2])
    everything = torch.cat([rows, rows.mean(dim=1, keepdim=True).expand(-1, 2)])
    values = [costs, *(everything @ torch.tensor(u, dtype=torch.float64) for u in lines(5))]
    assume(all((x.sort().values.diff() > gap).all() for x in values))
    return rows[:k].clone(), rows[k:].clone()


@st.composite
def close_pairs(draw):
    """Two diagrams of points within a distance of each other that is small against their lifetimes."""
    size = draw(st.integers(1, 4))
    points = torch.tensor([1.0, 3.0]) + 10.0 ** -draw(st.integers(1, 9)) * normal(draw(SEEDS), 2 * size, 2)
    return points[:size], points[size:]


@st.composite
def isometries(draw, n, d):
    """Order of n points, orthogonal matrix and shift of R^d."""
    orthogonal, _ = torch.linalg.qr(normal(draw(SEEDS), d, d))
    return torch.tensor(draw(st.permutations(range(n)))), orthogonal, normal(draw(SEEDS), d)


def synthetic_images(count, seed=0):
    """Grey levels 0 ... 255 that look like garments, (count, 1, 28, 28): a few soft boxes, no two alike."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:28, :28]
    images = np.zeros((count, 1, 28, 28))
    for image in images[:, 0]:
        for cx, cy, width, height, level in rng.uniform([8, 8, 3, 3, 60], [20, 20, 10, 12, 255], (3, 5)):
            box = np.exp(-(np.abs((x - cx) / width) ** 4) - np.abs((y - cy) / height) ** 4)
            image[:] = np.maximum(image, level * box)
    return images.round().astype(np.uint8)


# How that few images are evaluated.
SETTINGS_OF_20_IMAGES = {
    "batch_size": 8,
    "neighbours": 3,
    "subsets": 2,
    "subset_size": 10,
    "covered_share": 0.1,
    "order": 2,
    "ground_norm": 2,
    "sigma": 0.1,
}


def slow_rips(distances, degree, longest=math.inf, essential=False):
    """Bars off the diagonal by gudhi's simplex tree of all simplices, sorted, shape (k, 2)."""
    distances = np.asarray(distances, dtype=np.float64)
    if len(distances) == 0:
        return np.zeros((0, 2))
    rips = gudhi.RipsComplex(distance_matrix=distances, max_edge_length=longest)
    tree = rips.create_simplex_tree(max_dimension=degree + 1)
    tree.compute_persistence(homology_coeff_field=2, min_persistence=0, persistence_dim_max=True)
    bars = tree.persistence_intervals_in_dimension(degree).reshape(-1, 2)
    bars = bars[(essential | np.isfinite(bars[:, 1])) & (bars[:, 1] > bars[:, 0])]
    return ordered(bars)


def ordered(bars):
    bars = np.asarray(bars)
    return bars[np.lexsort((bars[:, 1], bars[:, 0]))]


def slow_bottleneck(diagram, other):
    """Bottleneck distance: the smallest cost at which a perfect matching exists, the diagonal included."""
    diagram, other = np.asarray(diagram, dtype=np.float64), np.asarray(other, dtype=np.float64)
    k, m = len(diagram), len(other)
    costs = np.zeros((k + m, k + m))
    costs[:k, :m] = np.abs(diagram[:, None] - other[None, :]).max(axis=2)
    costs[:k, m:] = (diagram[:, 1] - diagram[:, 0])[:, None] / 2
    costs[k:, :m] = (other[:, 1] - other[:, 0])[None, :] / 2
    candidates = np.unique(np.append(costs, 0.0))
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        allowed = csr_array((costs <= candidates[middle]).astype(np.int8))
        if (maximum_bipartite_matching(allowed) >= 0).all():
            high = middle
        else:
            low = middle + 1
    return candidates[low]


def slow_kernel(first, second, sigma):
    """Persistence scale-space kernel, pair by pair."""
    total = 0.0
    for p1, p2 in first.tolist():
        for q1, q2 in second.tolist():
            near = math.exp(-((p1 - q1) ** 2 + (p2 - q2) ** 2) / (8 * sigma))
            mirrored = math.exp(-((p1 - q2) ** 2 + (p2 - q1) ** 2) / (8 * sigma))
            total += near - mirrored
    return total / (8 * math.pi * sigma)


def slow_wasserstein(diagram, other, order, ground_norm):
    """Wasserstein distance: the best of all matchings, point by point."""
    points, others = diagram.tolist(), other.tolist()

    def norm(x, y):
        if ground_norm == math.inf:
            return max(abs(x), abs(y))
        return (abs(x) ** ground_norm + abs(y) ** ground_norm) ** (1 / ground_norm)

    def alone(point):
        return norm((point[1] - point[0]) / 2, (point[1] - point[0]) / 2) ** order

    @cache
    def best(i, free):
        if i == len(points):
            return sum(alone(others[j]) for j in free)
        (birth, death), rest = points[i], [alone(points[i]) + best(i + 1, free)]
        for j in free:
            pair = norm(birth - others[j][0], death - others[j][1]) ** order
            rest.append(pair + best(i + 1, free - {j}))
        return min(rest)

    return best(0, frozenset(range(len(others)))) ** (1 / order)


def lines(count):
    """Unit vectors of evenly spaced angles in [-pi/2, pi/2)."""
    angles = [math.pi * i / count - math.pi / 2 for i in range(count)]
    return [(math.cos(angle), math.sin(angle)) for angle in angles]


def augmented(diagram, other):
    return diagram.tolist() + [[(birth + death) / 2] * 2 for birth, death in other.tolist()]


def slow_sliced_wasserstein(diagram, other, directions):
    """Sliced Wasserstein distance, line by line."""
    total = 0.0
    for x, y in lines(directions):
        first, second = (
            sorted(birth * x + death * y for birth, death in augmented(*pair))
            for pair in ((diagram, other), (other, diagram))
        )
        total += sum(abs(a - b) for a, b in zip(first, second, strict=True))
    return total / directions


def slow_fisher(diagram, other, sigma):
    """Persistence Fisher distance, density by density."""
    first, second = augmented(diagram, other), augmented(other, diagram)

    def roots(points):
        densities = [
            sum(math.exp(-(math.dist(z, point) ** 2) / (2 * sigma**2)) for point in points)
            for z in first + second
        ]
        return [math.sqrt(density / sum(densities)) for density in densities]

    # The angle of two unit vectors by atan2 (W. Kahan): acos would lose half of the digits near 0.
    u, v = np.array(roots(first)), np.array(roots(second))
    return 2 * math.atan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
