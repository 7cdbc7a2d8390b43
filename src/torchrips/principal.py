"""Principal persistence measures: the diagrams of many small subsets of a cloud, as one measure."""

import torch
from torch import Tensor, nn

from torchrips.arguments import HALF_PRECISION, check_cloud, check_parameters
from torchrips.products import product
from torchrips.spreading import random_subsets


def principal_bars(clouds: Tensor) -> Tensor:
    r"""The bar of degree q of each of many clouds of 2q + 2 points, which have one at most.

    With the distances of a point to the points of its cloud, itself included, in descending order,

    .. math::
        b = \max_x \, \text{second distance of } x, \qquad d = \min_x \, \text{first distance of } x .

    There is a bar (b, d) if b < d, and none otherwise.

    Args:
        clouds: shape (s, 2q + 2, d).

    Returns:
        Births and deaths, shape (s, 2), differentiable; (b, b) where there is no bar.

    Raises:
        ValueError: the number of points is not even.

    Source:
        M. Gomez, F. Memoli, *Curvature sets over persistence diagrams*, 2024.

    >>> square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> principal_bars(square[None])
    tensor([[1.0000, 1.4142]])

    """
    if clouds.ndim != 3 or clouds.shape[1] < 2 or clouds.shape[1] % 2:
        raise ValueError(f"expected clouds of 2q + 2 points, shape (s, 2q + 2, d); got {tuple(clouds.shape)}")
    distances = torch.cdist(clouds, clouds, compute_mode="donot_use_mm_for_euclid_dist")
    first, second = distances.topk(2, dim=2).values.unbind(dim=2)
    births, deaths = second.amax(dim=1), first.amin(dim=1)
    return torch.stack([births, torch.maximum(births, deaths)], dim=1)


class PrincipalPersistence(nn.Module):
    r"""Squared maximum mean discrepancy of the principal persistence measures of two clouds.

    The measure of a cloud puts the mass 1/s on the bar (b, d) of each of s random subsets of 2q + 2 points.
    With the lifetimes :math:`\ell` as further factors, so that a subset without a bar counts for nothing, and
    the Gaussian kernel k of width :math:`\sigma` on (b, d),

    .. math::
        L(P) = \langle \mu_P, \mu_P \rangle + \langle \mu_Q, \mu_Q \rangle - 2 \langle \mu_P, \mu_Q \rangle,
        \qquad \langle \mu_P, \mu_Q \rangle =
        \frac{1}{s^2} \sum_{i, j} \ell_i \, \ell_j' \, k\bigl((b_i, d_i), (b_j', d_j')\bigr) .

    Subsets are drawn from one stream that starts anew in every call, so the value is a function of the
    clouds; clouds of as many points have the same subsets. Degree 0 compares how pairwise distances are
    distributed.

    Args:
        degree: q, >= 0.
        subsets: s, number of subsets, >= 1.
        sigma: width of the Gaussian, > 0, unit of the distances.

    Shape:
        points (n, d) and reference (m, e); value (). A cloud of fewer than 2q + 2 points has the measure 0.
        Half precision is computed in float32, and two dtypes in the higher one.

    Raises:
        ValueError: an argument is out of its range, or a cloud is not of shape (n, d).

    Source:
        H.-T. Wong, D. Lee, H. Yan, *Towards scalable topological regularizers*, 2025, for the regularizer;
        G. Kusano, K. Fukumizu, Y. Hiraoka, *Kernel method for persistence diagrams via kernel embedding and
        weight factor*, 2018, for the weighted kernel, which is our choice.

    >>> pair, wide = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]])
    >>> PrincipalPersistence(degree=0, subsets=1, sigma=1.0)(pair, wide)  # 1 + 4 - 2 * 2 * exp(-1/2)
    tensor(2.5739)

    """

    def __init__(self, degree: int, subsets: int, sigma: float) -> None:
        super().__init__()
        if degree < 0 or degree % 1 or subsets < 1 or subsets % 1:
            raise ValueError(f"degree must be >= 0 and subsets >= 1, got {degree} and {subsets}")
        check_parameters(sigma=sigma)
        self.degree, self.subsets, self.sigma = degree, subsets, sigma

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        bars, others = self.bars(points), self.bars(reference)
        dtype = torch.promote_types(bars.dtype, others.dtype)
        bars, others = bars.to(dtype), others.to(dtype)
        value = self._product(bars, bars) + self._product(others, others) - 2 * self._product(bars, others)
        return value.clamp(min=0)  # rounding: equal measures

    def bars(self, points: Tensor) -> Tensor:
        """Bars of the subsets, shape (subsets, 2), on the diagonal if there is none; of small clouds none."""
        check_cloud(points)
        points = points.float() if points.dtype in HALF_PRECISION else points
        size = 2 * self.degree + 2
        if len(points) < size:
            return points.new_zeros(0, 2) + 0 * points.sum()  # not a constant, so that it has a gradient
        stream = torch.Generator().manual_seed(0)
        return principal_bars(random_subsets(points, size, self.subsets, stream))

    def _product(self, bars: Tensor, others: Tensor) -> Tensor:
        lifetimes, their_lifetimes = bars[:, 1] - bars[:, 0], others[:, 1] - others[:, 0]
        squares = (bars[:, None] - others[None]).square().sum(dim=2)
        kernel = torch.exp(-squares / (2 * self.sigma**2))
        return product(product(lifetimes, kernel), their_lifetimes) / self.subsets**2
