r"""Opponents of the topological regularizers: functions of the points alone, without any topology.

What a term on diagrams does, plain repulsion or the matching of distributions may do as well. Each opponent
is a module called with two clouds, ``(points, reference)`` of shapes (n, d) and (m, e), and returns a scalar.
So it goes through the same training as a regularizer: the same clouds, weights or shares, and controls.

X are the points :math:`x_1, \ldots, x_n` and Y those of the reference. Those that compare numbers take a
reference of any dimension; energy distance and sliced Wasserstein distance need one of the same space.
A cloud that is too small for a mean has the mean 0. At coincident points the gradient of a distance is 0.
"""

import torch
from torch import Tensor, nn


class EnergyDistance(nn.Module):
    r"""Energy distance of two clouds: 0 if and only if their points are distributed alike.

    .. math::
        L(X) = \frac{2}{n m} \sum_{i, j} |x_i - y_j| - \frac{1}{n^2} \sum_{i, j} |x_i - x_j|
        - \frac{1}{m^2} \sum_{i, j} |y_i - y_j| .

    Source:
        G. Szekely, M. Rizzo, *Energy statistics: a class of statistics based on distances*, 2013.

    >>> EnergyDistance()(torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [1.0]]))  # 3 - 0.5 - 1
    tensor(1.5000)

    """

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        _demand_one_space(points, reference)
        across = _mean(distances(points, reference))
        value = 2 * across - _mean(distances(points, points)) - _mean(distances(reference, reference))
        return value.clamp(min=0)  # rounding: equal clouds; and an empty one


class SlicedWasserstein(nn.Module):
    r"""Mean over random lines of the squared Wasserstein distance of the points projected on them.

    .. math::
        L(X) = \frac{1}{M} \sum_u \frac{1}{n} \sum_i
        \left(\langle x, u \rangle_{(i)} - \langle y, u \rangle_{(i)}\right)^2,

    with sorted projections on M unit vectors u, drawn from one stream that starts anew in every call. So
    the value is a function of the clouds.

    Args:
        directions: M, number of lines, >= 1.

    Raises:
        ValueError: the clouds have another number of points.

    Source:
        N. Bonneel, J. Rabin, G. Peyre, H. Pfister, *Sliced and Radon Wasserstein barycenters of
        measures*, 2015.

    >>> points, others = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [1.0]])
    >>> SlicedWasserstein(directions=3)(points, others)  # (1 + 4) / 2
    tensor(2.5000)

    """

    def __init__(self, directions: int) -> None:
        super().__init__()
        if directions < 1:
            raise ValueError(f"directions must be >= 1, got {directions}")
        self.directions = directions

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        _demand_one_space(points, reference)
        if len(points) != len(reference):
            raise ValueError(
                f"sliced_wasserstein_points needs clouds of one size, got {len(points)} and {len(reference)}"
            )
        stream, shape = torch.Generator().manual_seed(0), (points.shape[1], self.directions)
        # Of one dtype, so that the lines do not depend on torch's default.
        directions = torch.randn(shape, generator=stream, dtype=torch.float32, device="cpu").to(points)
        directions = directions / directions.norm(dim=0)
        steps = (points @ directions).sort(dim=0).values - (reference @ directions).sort(dim=0).values
        return _mean(steps.square())


class MeanDistance(nn.Module):
    r"""Squared difference of the mean distances of two points.

    .. math::
        L(X) = \left(D(X) - D(Y)\right)^2, \qquad D(X) = \frac{1}{n (n - 1)} \sum_{i \neq j} |x_i - x_j| .

    >>> MeanDistance()(torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([[0.0], [3.0]]))  # (10/3 - 3)^2
    tensor(0.1111)

    """

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        mean, wanted = (distances(x, x).sum() / max(len(x) * (len(x) - 1), 1) for x in (points, reference))
        return (mean - wanted).square()


class NearestDistance(nn.Module):
    r"""Squared difference of the mean distances to the nearest other point.

    .. math::
        L(X) = \left(N(X) - N(Y)\right)^2, \qquad N(X) = \frac{1}{n} \sum_i \min_{j \neq i} |x_i - x_j| .

    >>> NearestDistance()(torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([[0.0], [3.0]]))  # (6/3 - 3)^2
    tensor(1.)

    """

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        return (self._mean(points) - self._mean(reference)).square()

    @staticmethod
    def _mean(points: Tensor) -> Tensor:
        if len(points) < 2:
            return 0 * points.sum()
        itself = torch.eye(len(points), dtype=torch.bool, device=points.device)
        return distances(points, points).masked_fill(itself, torch.inf).amin(dim=1).mean()


class TotalVariance(nn.Module):
    r"""Squared difference of the total variances.

    .. math::
        L(X) = \left(V(X) - V(Y)\right)^2, \qquad V(X) = \frac{1}{n} \sum_i |x_i - \bar x|^2 .

    >>> TotalVariance()(torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [4.0]]))  # (1 - 4)^2
    tensor(9.)

    """

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        variance, wanted = ((x - x.mean(dim=0)).square().sum() / max(len(x), 1) for x in (points, reference))
        return (variance - wanted).square()


def distances(points: Tensor, others: Tensor) -> Tensor:
    """Euclidean distances, shape (n, m), by differences of coordinates; gradient 0 where points coincide."""
    return torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")


def _mean(values: Tensor) -> Tensor:
    """The mean of all values, 0 of none."""
    return values.mean() if values.numel() else values.sum()


def _demand_one_space(points: Tensor, reference: Tensor) -> None:
    if points.shape[1] != reference.shape[1]:
        raise ValueError(
            f"the points have {points.shape[1]} coordinates and those of the reference {reference.shape[1]}; "
            "choose a cloud and a reference of one space"
        )


OPPONENTS: dict[str, type[nn.Module]] = {
    "energy_distance": EnergyDistance,
    "sliced_wasserstein_points": SlicedWasserstein,
    "mean_distance": MeanDistance,
    "nearest_distance": NearestDistance,
    "total_variance": TotalVariance,
}
