"""Gradients that move the whole cloud.

A topological loss moves few points: the bottleneck distance the two ends of one edge or two. Both remedies
stand between the cloud and its diagrams; so they go with every loss, and cost nothing where not used:

    rips_diagrams(spread_gradient(points, sigma=0.3))  # neighbours move along
    batched_rips_diagrams(random_subsets(points, 32, 8, generator))  # then the mean of the losses
"""

from typing import Any

import torch
from torch import Tensor

from torchrips.arguments import check_cloud
from torchrips.graphs import left_out

RIDGE = 1e-6  # relative to the kernel's diagonal, 1


@left_out
def spread_gradient(points: Tensor, sigma: float) -> Tensor:
    r"""The cloud itself, whose gradient is interpolated by a smooth vector field.

    Let I be the points where the gradient g that arrives is not zero. The gradient that leaves is the field

    .. math:: v(x) = \sum_{i \in I} k(x, x_i) \, \alpha_i, \qquad (K + \lambda \mathbb{1})\, \alpha = g_I,
        \qquad k(x, y) = e^{-\lVert x - y \rVert^2 / 2 \sigma^2}, \quad K_{ij} = k(x_i, x_j),

    at every point of the cloud. It agrees with g on I, but for the small ridge :math:`\lambda = 10^{-6}`, by
    which points of I that coincide share the mean of their gradients. It is a direction of descent where g is
    one, since :math:`\langle v, g \rangle = g_I^\top K (K + \lambda)^{-1} g_I > 0`; and a step along it is a
    step along the flow of a smooth field, which is a diffeomorphism: points that are near stay near.

    Two near points that are driven apart need a steep field, which swings far out beside them: up to about
    sigma over their distance, at most :math:`1 / 2 \sqrt\lambda = 500` times larger than g. Choose sigma not
    much above the distance of neighbours, or an optimizer that normalises steps.

    The field is differentiable in turn, as a gradient penalty needs it; forward mode is refused.

    Args:
        points: cloud, shape (n, d).
        sigma: width of the kernel, > 0, unit of the distances; a few times the distance of neighbours. As it
            goes to 0, the plain gradient is left.

    Returns:
        The points, shape (n, d).

    Raises:
        TypeError: the points are not a tensor.
        ValueError: sigma is not positive, or the cloud is not of shape (n, d).

    Source:
        M. Carriere, M. Theveneau, T. Lacombe, *Diffeomorphic interpolation for efficient persistence-based
        topological optimization*, 2024, section 3, without the ridge.

    """
    if not sigma > 0:
        raise ValueError(f"sigma must be > 0, got {sigma}")
    check_cloud(points)
    spread: Tensor = _Interpolation.apply(points, sigma)
    return spread


class _Interpolation(torch.autograd.Function):
    @staticmethod
    def forward(points: Tensor, sigma: float) -> Tensor:
        return points.view_as(points)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        points, ctx.sigma = inputs
        ctx.save_for_backward(points)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (points,) = ctx.saved_tensors
        # On the host: the small ridge needs float64, which some GPUs do not have.
        cloud, gradient = points.cpu().double(), gradients[0].cpu().double()
        moved = gradient.any(dim=1)
        distances = torch.cdist(cloud, cloud[moved], compute_mode="donot_use_mm_for_euclid_dist")
        kernel = torch.exp(-(distances / ctx.sigma).square() / 2)
        ridge = RIDGE * torch.eye(kernel.shape[1], dtype=kernel.dtype, device=kernel.device)
        field = kernel @ torch.linalg.solve(kernel[moved] + ridge, gradient[moved])
        return field.to(points.dtype).to(points.device), None


@left_out
def random_subsets(points: Tensor, size: int, count: int, generator: torch.Generator) -> Tensor:
    """Random subsets of a cloud, each without repetition.

    The mean of a loss over their diagrams has a gradient that moves about as many times more points as there
    are subsets, and averages away what hangs on single points.

    Args:
        points: cloud, shape (n, d).
        size: points of a subset, 1 ... n.
        count: number of subsets, >= 1.
        generator: a stream of the CPU, from which the subsets are drawn.

    Returns:
        Shape (count, size, d), differentiable, as :func:`torchrips.batched_rips_diagrams` takes it.

    Raises:
        TypeError: the points are not a tensor.
        ValueError: size or count is out of its range, or the cloud is not of shape (n, d).

    Source:
        E. Solomon, A. Wagner, P. Bendich, *A fast and robust method for global topological functional
        optimization*, 2021, for the mean over subsets.

    """
    check_cloud(points)
    if not 1 <= size <= len(points) or count < 1:
        raise ValueError(
            f"expected 1 <= size <= {len(points)} points and count >= 1, got size {size}, count {count}"
        )
    # Of one dtype, so that the subsets do not depend on torch's default.
    draws = torch.rand(count, len(points), generator=generator, dtype=torch.float32, device="cpu")
    chosen = draws.argsort(dim=1)[:, :size]
    return points[chosen.to(points.device)]
