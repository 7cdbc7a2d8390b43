"""Dissimilarities of persistence diagrams, differentiable in both arguments.

A diagram is a tensor of shape (k, 2), k >= 0, rows (birth, death) off the diagonal; the diagonal itself
belongs to every diagram with infinite multiplicity.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad


def bottleneck(diagram: Tensor, other: Tensor) -> Tensor:
    r"""Bottleneck distance: the smallest largest displacement over all matchings.

    .. math::
        d_\infty(D, D') = \inf_\gamma \sup_p \lVert p - \gamma(p) \rVert_\infty,

    where a point may be matched to the diagonal, at cost :math:`(d - b)/2`. The value is the cost of one
    critical pair (or half a lifetime), through which the gradient flows; at distance 0 it is 0.

    Args:
        diagram: shape (k, 2), k may be 0.
        other: shape (m, 2), m may be 0.

    Returns:
        Scalar tensor, unit of the diagrams.

    Source:
        Thesis, section 1; in degree 0 the closed form of :func:`_bottleneck_of_deaths`, otherwise Hera
        (M. Kerber, D. Morozov, A. Nigmetov, *Geometry helps to compare persistence diagrams*, 2017).

    >>> bottleneck(torch.tensor([[0.0, 3.0]]), torch.tensor([[0.0, 2.0], [0.0, 1.0]]))
    tensor(1.)

    """
    if not diagram[:, 0].any() and not other[:, 0].any():
        return _bottleneck_of_deaths(diagram[:, 1], other[:, 1])
    costs = torch.cat(
        [
            (diagram[:, None] - other[None, :]).abs().amax(dim=2).flatten(),
            (diagram[:, 1] - diagram[:, 0]) / 2,
            (other[:, 1] - other[:, 0]) / 2,
        ]
    )
    value = _bottleneck_value(diagram.detach(), other.detach())
    return costs[(costs.detach() - value).abs().argmin()]


def _bottleneck_of_deaths(deaths: Tensor, others: Tensor) -> Tensor:
    r"""Bottleneck distance of diagrams whose births are all 0.

    With the deaths in descending order d, e, padded with zeros: an optimal matching pairs the K longest
    bars of both in order and sends the rest to the diagonal, so

    .. math::
        \min_K \max\Bigl(\max_{k \le K} |d_k - e_k|,\; \tfrac12 \max(d_{K+1}, e_{K+1})\Bigr).
    """
    size = max(len(deaths), len(others)) + 1
    d, e = (pad(x.sort(descending=True).values, (0, size - len(x))) for x in (deaths, others))
    matched = pad((d - e).abs(), (1, 0)).cummax(dim=0).values[:-1]
    return torch.maximum(matched, torch.maximum(d, e) / 2).min()


def _bottleneck_value(diagram: Tensor, other: Tensor) -> float:
    from gudhi.hera import bottleneck_distance  # the exact one; gudhi.bottleneck_distance errs at times

    scale = max(float(points[:, 1].max()) for points in (diagram, other) if len(points))
    first, second = ((points.double() / scale).cpu().numpy() for points in (diagram, other))
    return float(bottleneck_distance(first, second, delta=0)) * scale  # Hera rounds to 14 decimals: scaled


def scale_space_kernel(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    r"""Persistence scale-space kernel (PSSK).

    .. math::
        k_\sigma(F, G) = \frac{1}{8 \pi \sigma} \sum_{p \in F,\, q \in G}
        e^{-\lVert p - q \rVert^2 / 8 \sigma} - e^{-\lVert p - \bar q \rVert^2 / 8 \sigma},
        \qquad \bar q = (q_2, q_1).

    Args:
        diagram: F, shape (k, 2), k may be 0.
        other: G, shape (m, 2), m may be 0.
        sigma: scale of the heat diffusion, > 0, unit of the diagrams squared.

    Returns:
        Scalar tensor.

    Source:
        J. Reininghaus, S. Huber, U. Bauer, R. Kwitt, *A stable multi-scale kernel for topological machine
        learning*, 2015, equation 10.

    """

    def heat(mirrored: Tensor) -> Tensor:
        squares = (diagram[:, None] - mirrored[None, :]).square().sum(dim=2)
        return torch.exp(-squares / (8 * sigma)).sum()

    return (heat(other) - heat(other.flip(1))) / (8 * math.pi * sigma)


def reininghaus(diagram: Tensor, other: Tensor, sigma: float) -> Tensor:
    r"""Squared distance of the scale-space kernel, all pairs and the constant term included.

    .. math:: d_\sigma^2(F, G) = k_\sigma(F, F) + k_\sigma(G, G) - 2 k_\sigma(F, G).

    Arguments, shapes and source as :func:`scale_space_kernel`.
    """
    return (
        scale_space_kernel(diagram, diagram, sigma)
        + scale_space_kernel(other, other, sigma)
        - 2 * scale_space_kernel(diagram, other, sigma)
    )
