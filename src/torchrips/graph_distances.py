r"""Distances in the graph of nearest neighbours, for clouds whose Euclidean distances hide their shape.

In many dimensions noise makes all Euclidean distances alike, and the loops of a cloud are lost in its Rips
filtration. How well two points are connected through their neighbours still shows them. The matrices of this
module go into ``rips_diagrams(matrix, metric="precomputed")``.

The graph: two points are joined if one of them is among the k nearest neighbours of the other, or if the
minimal spanning tree joins them, so that the graph is connected. An edge of length :math:`\ell_{ij}` is a
resistor of that size: its conductance is :math:`a_{ij} = 1 / \ell_{ij}`. With :math:`d_i = \sum_j a_{ij}` and
:math:`L = \mathrm{diag}(d) - a`, the Laplacian, this is all that the distances need. Which points are joined
is constant; gradients flow through the lengths of the edges.

Source:
    S. Damrich, P. Berens, D. Kobak, *Persistent homology for high-dimensional data based on spectral
    methods*, 2024. Their graph has edges of one length by default, which leaves no gradient, and may be
    disconnected.
"""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchrips.arguments import check_cloud, check_coordinates, power_of_two
from torchrips.values import of_values

SHORTEST = 1e-6  # edges that are shorter than this, relative to the mean edge, conduct as if of this length


def effective_resistances(points: Tensor, neighbours: int) -> Tensor:
    r"""Effective resistances between the points, without their local part.

    .. math::
        R_{ij} = L^+_{ii} + L^+_{jj} - 2 L^+_{ij}, \qquad
        \delta_{ij} = R_{ij} - \tfrac{1}{d_i} - \tfrac{1}{d_j} + \tfrac{2 a_{ij}}{d_i d_j} \quad (i \neq j),

    with the pseudoinverse :math:`L^+`. In large graphs the resistances themselves tend to
    :math:`1/d_i + 1/d_j`, which says nothing of the shape; the correction takes that away. It need not obey
    the triangle inequality, which a Rips filtration does not ask for.

    Args:
        points: cloud, shape (n, d), any device.
        neighbours: k, >= 1; all others if there are fewer.

    Returns:
        Shape (n, n), float64 on the host, in the unit of the Euclidean distances; differentiable.

    Raises:
        TypeError: the points are not a tensor.
        ValueError: the cloud is not of shape (n, d), a coordinate is not finite, or there are no neighbours.

    Source:
        Damrich et al., section 5; U. von Luxburg, A. Radl, M. Hein, *Getting lost in space: large sample
        analysis of the resistance distance*, 2010, for the correction.

    >>> ends = effective_resistances(torch.tensor([[0.0], [3.0]]), neighbours=1)
    >>> ends  # a single resistor
    tensor([[0., 3.],
            [3., 0.]], dtype=torch.float64)

    """
    conductances, scale = _conductances(points, neighbours)
    if not conductances.any():
        return conductances
    n, degrees = len(conductances), conductances.sum(dim=1)
    # L + c J / n has the inverse L^+ + J / (c n), whose second part cancels in R.
    shift = degrees.detach().mean() / n
    inverse = torch.linalg.inv(torch.diag(degrees) - conductances + shift)
    inverse = (inverse + inverse.T) / 2
    resistances = inverse.diagonal()[:, None] + inverse.diagonal() - 2 * inverse
    local = 1 / degrees
    around = local[:, None] + local
    corrected = resistances - around + 2 * conductances * (local[:, None] * local)
    itself = torch.eye(n, dtype=torch.bool, device=corrected.device)
    distances: Tensor = scale * corrected.masked_fill(itself, 0).clamp(min=0)
    return distances


def diffusion_distances(points: Tensor, neighbours: int, time: int) -> Tensor:
    r"""Diffusion distances between the points: how differently random walks from them spread.

    .. math::
        \delta_{ij}^2 = \sum_k \frac{\sum_m d_m}{d_k} \left((P^t)_{ik} - (P^t)_{jk}\right)^2, \qquad
        P_{ij} = a_{ij} / d_i .

    Args:
        points: cloud, shape (n, d), any device.
        neighbours: k, >= 1; all others if there are fewer.
        time: t, steps of the walk, >= 1.

    Returns:
        Shape (n, n), float64 on the host, without a unit; differentiable once and in reverse mode, as
        torch.cdist is.

    Raises:
        TypeError: the points are not a tensor.
        ValueError: the cloud is not of shape (n, d), a coordinate is not finite, there are no neighbours, or
            the time is below 1.

    Source:
        R. Coifman, S. Lafon, *Diffusion maps*, 2006; Damrich et al., section 5.

    >>> diffusion_distances(torch.tensor([[0.0], [3.0]]), neighbours=1, time=1)  # the walk leaves its place
    tensor([[0., 2.],
            [2., 0.]], dtype=torch.float64)

    """
    if not time >= 1:
        raise ValueError(f"time must be at least one step, got {time}")
    conductances, _ = _conductances(points, neighbours)
    if not conductances.any():
        return conductances
    degrees = conductances.sum(dim=1)
    walk = torch.linalg.matrix_power(conductances / degrees[:, None], time)
    coordinates = walk * (degrees.sum() / degrees).sqrt()
    return torch.cdist(coordinates, coordinates, compute_mode="donot_use_mm_for_euclid_dist")


def _conductances(points: Tensor, neighbours: int) -> tuple[Tensor, float]:
    """Conductance of every pair, shape (n, n), of the cloud divided by a scale, and that scale.

    All are 0 if there is no edge, or none of a length above 0.
    """
    check_cloud(points)
    if not neighbours >= 1:
        raise ValueError(f"neighbours must be at least 1, got {neighbours}")
    scale, edges = of_values(partial(_graph, neighbours=neighbours), points)
    cloud = points.cpu().double() / scale
    first, second = torch.from_numpy(edges).unbind(dim=1)
    lengths = torch.linalg.vector_norm(cloud[first] - cloud[second], dim=1)
    nothing = 0 * cloud.sum() + cloud.new_zeros(len(cloud), len(cloud))
    if not lengths.any():
        return nothing, scale
    conductances = 1 / lengths.clamp(min=SHORTEST * lengths.detach().mean().item())
    one_way = nothing.index_put((first, second), conductances)
    return one_way + one_way.T, scale


def _graph(points: Tensor, neighbours: int) -> tuple[float, NDArray[np.int64]]:
    """Scale of a cloud on the host, and pairs of points that the graph joins.

    Returns:
        That of :func:`torchrips.arguments.power_of_two`, and the pairs, shape (m, 2), the smaller number
        first.

    """
    from scipy.sparse.csgraph import minimum_spanning_tree  # slow to import: at first use

    cloud = points.double()
    check_coordinates(cloud.numpy())
    scale = power_of_two(cloud)
    cloud, n = cloud / scale, len(cloud)
    distances = torch.cdist(cloud, cloud, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    joined = np.zeros((n, n), dtype=np.bool_)
    if n > 1:
        others = distances + np.diag(np.full(n, np.inf))
        nearest = np.argsort(others, axis=1, kind="stable")[:, : min(neighbours, n - 1)]
        joined[np.arange(n)[:, None], nearest] = True
        # A distance of 0 would be read as no edge.
        joined |= minimum_spanning_tree(np.maximum(distances, np.finfo(float).tiny)).toarray() > 0
    return scale, np.argwhere(np.triu(joined | joined.T, k=1)).astype(np.int64)
