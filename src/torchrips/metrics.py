r"""What a distance may be: metrics by name, on the host, and matrices of distances.

Minkowski's distance of order p, 1 <= p <= infinity, is

.. math:: d_p(x, y) = \Bigl(\sum_k |x_k - y_k|^p\Bigr)^{1/p},

of which "manhattan" is order 1, "euclidean" order 2 and "chebyshev" the limit of infinite order, the largest
difference. The cosine distance is :math:`1 - \langle u, v \rangle = |u - v|^2 / 2` with the unit vectors u
and v of two points; it does not obey the triangle inequality, which a Rips filtration does not ask for.

Distances are worked out by differences of coordinates and scaled, so that nothing cancels, overflows or
vanishes on the way. Those of this module are in float64. Euclidean distances are ordered in the precision of
the cloud, half precision in float32, and the lengths of bars are worked out in float64.
"""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Metric = Literal["euclidean", "manhattan", "chebyshev", "cosine", "precomputed"] | float

ORDERS = {"manhattan": 1.0, "euclidean": 2.0, "chebyshev": math.inf}


def known_metric(metric: Any) -> str | float:
    """A metric under one of its names: "euclidean", "cosine", "precomputed", or the order of Minkowski's.

    Raises:
        ValueError: there is no such metric.

    """
    if isinstance(metric, str) and metric in (*ORDERS, "cosine", "precomputed"):
        order: str | float = ORDERS.get(metric, metric)
    elif isinstance(metric, int | float | np.number) and not isinstance(metric, bool) and metric >= 1:
        order = float(metric)
    else:
        raise ValueError(
            f"metric is one of {', '.join(ORDERS)}, cosine and precomputed, or the order p >= 1 of "
            f"Minkowski's distance; got {metric!r}"
        )
    return "euclidean" if order == ORDERS["euclidean"] else order


def pairwise_distances(points: NDArray[Any], metric: str | float) -> NDArray[np.float64]:
    """Distances of all pairs of points, shape (n, n), float64; infinite where one overflows.

    Args:
        points: shape (n, d), n >= 1, float32 or float64, finite.
        metric: "cosine", or the order of Minkowski's distance.

    Raises:
        ValueError: a point is the origin, which has no direction.

    """
    points = points.astype(np.float64)
    if metric == "cosine":
        from scipy.spatial.distance import pdist, squareform  # slow to import: at first use

        distances: NDArray[np.float64] = squareform(pdist(_unit_vectors(points), "sqeuclidean") / 2)
        return distances
    from torchrips.engine import minkowski_distances

    return minkowski_distances(points, float(metric))


def _unit_vectors(points: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = np.abs(points).max(axis=1, initial=0, keepdims=True)
    if not largest.all():
        raise ValueError(
            f"point {int(np.argmin(largest))} is the origin, which has no direction, so no cosine distance"
        )
    scaled = points / largest
    units: NDArray[np.float64] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return units


def distances_of_matrix(matrix: NDArray[Any], epsilon: float) -> NDArray[Any]:
    """Distances in a matrix that is symmetric, not negative, and zero on the diagonal, each up to rounding.

    Args:
        matrix: shape (n, n).
        epsilon: relative rounding error of its entries. Entries may be wrong by 16 of it, relative to the
            largest one; on the diagonal, where an angle or a root of a rounded zero stands, by 4 of its root.

    Returns:
        Shape (n, n); infinite where the matrix is.

    Raises:
        ValueError: it is not such a matrix; the message says where, by how much, and what to do.

    """
    sizes = np.abs(matrix)
    largest = sizes.max(initial=0, where=np.isfinite(sizes))
    with np.errstate(invalid="ignore"):
        asymmetry = np.where(matrix == matrix.T, 0, np.abs(matrix - matrix.T))
    diagonal = np.diag(np.diag(matrix))
    rounding, rounded_zero = 16 * epsilon * largest, 4 * np.sqrt(epsilon) * largest
    _refuse(np.where(np.isnan(matrix), np.inf, 0), 0, matrix, "is NaN; take out its point")
    _refuse(
        np.abs(diagonal),
        rounded_zero,
        matrix,
        "stands on the diagonal, which must be 0; of a similarity s take 1 - s, and for exact zeros "
        'torch.cdist with compute_mode="donot_use_mm_for_euclid_dist"',
    )
    _refuse(
        asymmetry,
        rounding,
        matrix,
        "differs from its mirror image; (matrix + matrix.T) / 2 is symmetric",
    )
    _refuse(diagonal - matrix, rounding, matrix, "is negative; of a similarity s take 1 - s")
    distances: NDArray[Any] = np.maximum(matrix / 2 + matrix.T / 2, 0)
    np.fill_diagonal(distances, 0)
    return distances


def _refuse(errors: NDArray[Any], tolerance: float, matrix: NDArray[Any], fault: str) -> None:
    """Refuse a matrix when one of the errors of its entries, the largest, is above the tolerance."""
    if errors.max(initial=0) > tolerance:
        i, j = (int(place) for place in np.unravel_index(np.argmax(errors), errors.shape))
        raise ValueError(
            f"not a matrix of distances: entry ({i}, {j}), {matrix[i, j]:.6g}, {fault}. "
            f"Rounding explains an error of {tolerance:.2g}, and this one is {errors[i, j]:.2g}"
        )
