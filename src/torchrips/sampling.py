"""Clouds that are too large: a few points that stand for all."""

import torch
from torch import Tensor

from torchrips.arguments import HALF_PRECISION, check_cloud, check_coordinates, power_of_two
from torchrips.graphs import left_out


@left_out
def landmarks(points: Tensor, count: int) -> tuple[Tensor, float]:
    r"""Points that are far from each other, and near to all the others: farthest-point sampling.

    The first one is point 0; each further one is the point farthest from those chosen, the first of several.
    Let r be the largest distance of a point to the nearest landmark. Then, in every degree, the diagrams of
    the landmarks are within **2 r** of those of all points in the bottleneck distance; and no set of so many
    points has an r of less than half of this one. ::

        chosen, radius = landmarks(points, 500)
        diagrams = rips_diagrams(points[chosen])  # each wrong by 2 * radius at most

    A bar of the landmarks that is longer than 4 r so belongs to a bar of all points. The gradient reaches the
    landmarks only. It takes ``count`` passes over the points, with memory for a few copies of them.

    Args:
        points: cloud, shape (n, d), of any n >= 1.
        count: number of landmarks, 1 ... n. Equal points may be chosen when no others are left.

    Returns:
        Their numbers, int64, shape (count,), in the order in which they were chosen, so that fewer landmarks
        are a part from the start; and r, in the unit of the Euclidean distances.

    Raises:
        TypeError: the points are not a tensor.
        ValueError: count is out of its range, a coordinate is not finite, or the shape is not (n, d).

    Source:
        T. Gonzalez, *Clustering to minimize the maximum intercluster distance*, 1985, for the choice and
        the half; F. Chazal, V. de Silva, S. Oudot, *Persistence stability for geometric complexes*, 2014,
        for 2 r.

    >>> landmarks(torch.tensor([[0.0], [1.0], [5.0], [4.0]]), 2)
    (tensor([0, 2]), 1.0)

    """
    check_cloud(points)
    if not 1 <= count <= len(points):
        raise ValueError(f"expected 1 <= count <= {len(points)} landmarks, got {count}")
    cloud = points.detach()
    cloud = cloud.float() if cloud.dtype in HALF_PRECISION else cloud
    if not cloud.isfinite().all():
        check_coordinates(cloud.cpu().numpy())
    scale = power_of_two(cloud)
    cloud = cloud / scale
    chosen = torch.zeros(count, dtype=torch.int64, device=points.device)
    nearest = torch.linalg.vector_norm(cloud - cloud[0], dim=1)
    for place in range(1, count):
        chosen[place] = nearest.argmax()
        distances = torch.linalg.vector_norm(cloud - cloud[chosen[place]], dim=1)
        nearest = torch.minimum(nearest, distances)
    return chosen, scale * nearest.amax().item()
