"""Topological regularizers: functions of a persistence diagram and a reference diagram.

Each is a module called with ``(diagram, reference)`` of shapes (k, 2) and (m, 2), rows (birth, death), where
k or m may be 0, and returns a scalar. Composed with :func:`torchrips.rips_diagrams` it is a regularizer
on clouds in the sense of the thesis, section 2. A diagram of another shape, or with NaN or infinite values,
raises ValueError, as does a parameter out of its range. Formulas, units and what happens at ties, on the
diagonal and for equal or empty diagrams stand side by side in docs/conventions.md.
"""

import math

import torch
from torch import Tensor, nn

from torchrips.arguments import DiagramLike, as_diagrams, check_parameters
from torchrips.distances import bottleneck, fisher, reininghaus, sliced_wasserstein, wasserstein
from torchrips.graphs import left_out


def _lifetimes(diagram: Tensor) -> Tensor:
    return diagram[:, 1] - diagram[:, 0]


class Push(nn.Module):
    r"""Minus the total persistence: :math:`L(D) = -\sum_{(b, d) \in D} (d - b)`.

    Minimising it pushes points apart (degree 0) or opens holes (degree 1 and up). The reference is ignored.

    Source:
        Thesis, section 2, push_p.

    >>> Push()(torch.tensor([[0.0, 1.0], [1.0, 3.0]]), torch.zeros(0, 2))
    tensor(-3.)
    """

    @left_out
    def forward(self, diagram: DiagramLike, reference: DiagramLike | None = None) -> Tensor:
        diagram, *_ = as_diagrams(diagram, *([] if reference is None else [reference]))
        return -_lifetimes(diagram).sum()


class TotalPersistence(nn.Module):
    r"""Total persistence of a power: :math:`L(D) = \sum_{(b, d) \in D} |d - b|^\alpha`, without a root.

    Minimising it shortens bars, long ones the more the higher the power. The reference is ignored. On the
    diagonal the gradient is 0, at power 1 as one choice of a subgradient; a power below 1 is refused, since
    its derivative has no bound near the diagonal.

    Args:
        power: alpha, >= 1.

    Raises:
        ValueError: the power is below 1 or not finite.

    Source:
        D. Cohen-Steiner, H. Edelsbrunner, J. Harer, Y. Mileyko, *Lipschitz functions have L_p-stable
        persistence*, 2010, degree-k total persistence.

    >>> TotalPersistence(power=2)(torch.tensor([[0.0, 1.0], [1.0, 3.0]]), torch.zeros(0, 2))
    tensor(5.)
    """

    def __init__(self, power: float) -> None:
        super().__init__()
        check_parameters(power=power)
        self.power = power

    @left_out
    def forward(self, diagram: DiagramLike, reference: DiagramLike | None = None) -> Tensor:
        diagram, *_ = as_diagrams(diagram, *([] if reference is None else [reference]))
        return _lifetimes(diagram).abs().pow(self.power).sum()


class Bottleneck(nn.Module):
    r"""Bottleneck distance to the reference: :math:`L(D) = d_\infty(D, D_0)`.

    Where the distance is attained by a reference point matched to the diagonal, its value stands and the
    gradient is zero.

    Source:
        Thesis, section 2, bottleneck_p; see :func:`torchrips.distances.bottleneck`.

    >>> Bottleneck()(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.5]]))
    tensor(0.5000)
    """

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        return bottleneck(diagram, reference)


class Wasserstein(nn.Module):
    r"""Wasserstein distance to the reference: :math:`L(D) = W_{p,q}(D, D_0)`, the root taken.

    Args:
        order: p, >= 1 and finite.
        ground_norm: q, >= 1 or ``math.inf``.

    Raises:
        ValueError: order or ground_norm is out of its range.

    Source:
        See :func:`torchrips.distances.wasserstein`.

    >>> Wasserstein(order=2, ground_norm=2)(torch.tensor([[0.0, 4.0]]), torch.tensor([[1.0, 5.0]]))  # sqrt 2
    tensor(1.4142)

    """

    def __init__(self, order: float, ground_norm: float) -> None:
        super().__init__()
        check_parameters(order=order, ground_norm=ground_norm)
        self.order, self.ground_norm = order, ground_norm

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        return wasserstein(diagram, reference, self.order, self.ground_norm)


class SlicedWasserstein(nn.Module):
    r"""Sliced Wasserstein distance to the reference: :math:`L(D) = SW(D, D_0)`.

    Args:
        directions: number of lines that the diagrams are projected on, >= 1.

    Raises:
        ValueError: directions is not a whole number >= 1.

    Source:
        See :func:`torchrips.distances.sliced_wasserstein`.

    >>> SlicedWasserstein(directions=2)(torch.tensor([[0.0, 4.0]]), torch.tensor([[0.0, 1.0]]))
    tensor(2.)

    """

    def __init__(self, directions: int) -> None:
        super().__init__()
        check_parameters(directions=directions)
        self.directions = directions

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        return sliced_wasserstein(diagram, reference, self.directions)


class Fisher(nn.Module):
    r"""Persistence Fisher distance to the reference: :math:`L(D) = d_\sigma(D, D_0)`, an angle.

    Args:
        sigma: standard deviation of the Gaussians, > 0, unit of the diagrams.

    Raises:
        ValueError: sigma is not positive.

    Source:
        See :func:`torchrips.distances.fisher`.

    >>> Fisher(sigma=1.0)(torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2))
    tensor(0.4804)

    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        check_parameters(sigma=sigma)
        self.sigma = sigma

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        return fisher(diagram, reference, self.sigma)


class Reininghaus(nn.Module):
    r"""Reininghaus dissimilarity to the reference: :math:`L(D) = d_\sigma^2(D, D_0)`.

    Since commit 9433674 the kernel of short bars loses no digits to cancellation. Trainings from before that
    commit differ by rounding.

    Args:
        sigma: scale of the kernel, > 0, unit of the diagrams squared.

    Raises:
        ValueError: sigma is not positive.

    Source:
        Thesis, section 2, Reininghaus_p; see :func:`torchrips.distances.reininghaus`.

    >>> Reininghaus(sigma=0.05)(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.0]]))
    tensor(0.)

    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        check_parameters(sigma=sigma)
        self.sigma = sigma

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        return reininghaus(diagram, reference, self.sigma)


@left_out
def lifetime_density(
    diagram: DiagramLike, positions: Tensor, sigma: float, scale: float, power: int = 4
) -> Tensor:
    r"""Scaled Gaussian density estimator of the 4th power (4SGDE) at several positions.

    .. math::
        E_4(D, x; \sigma, s) = s \sum_{(b, d) \in D} (d - b)^4 e^{-((d - x)/\sigma)^2}.

    Args:
        diagram: D, shape (k, 2), k may be 0.
        positions: x, shape (n,), unit of the deaths.
        sigma: width of the Gaussians, > 0, unit of the deaths.
        scale: s, factor of the density.
        power: of the lifetimes; 4 but in what the thesis' scripts ran.

    Returns:
        Density at each position, shape (n,).

    Source:
        Thesis, section 2.

    """
    (diagram,) = as_diagrams(diagram)
    return _density(diagram, positions, sigma, scale, power)


def _density(diagram: Tensor, positions: Tensor, sigma: float, scale: float, power: int) -> Tensor:
    positions = positions.to(diagram.dtype).to(diagram.device)
    gaussians = torch.exp(-((diagram[:, 1, None] - positions) / sigma).square())
    lifetimes = _lifetimes(diagram)
    powers = lifetimes[:, None].pow(power)
    if not math.isfinite(powers.detach().sum().item()):
        # A bar that is far from all positions counts for nothing, also if its power overflows.
        powers = torch.where(gaussians.any(dim=1), lifetimes, 0)[:, None].pow(power)
    return scale * (powers * gaussians).sum(dim=0)


class LifetimeDensity(nn.Module):
    r"""Squared difference of two lifetime densities (4SGDE) on a grid, for diagrams of degree 0.

    .. math:: L(D) = \sum_i \left(E_4(D, x_i) - E_4(D_0, x_i)\right)^2.

    Args:
        start: first grid point, unit of the deaths.
        stop: last grid point, > start.
        points: number of grid points :math:`x_i`, evenly spaced, a whole number >= 1.
        sigma: width of the Gaussians, > 0, unit of the deaths.
        scale: s, factor of the density, > 0.

    Raises:
        ValueError: an argument is out of its range.

    Source:
        Thesis, section 2, 4SGDE_0(x, sigma_d, s); see :func:`lifetime_density`.

    >>> loss = LifetimeDensity(start=0.0, stop=2.0, points=3, sigma=0.1, scale=0.5)
    >>> loss(torch.tensor([[0.0, 1.0]]), torch.zeros(0, 2))
    tensor(0.2500)

    """

    power = 4

    def __init__(self, start: float, stop: float, points: int, sigma: float, scale: float) -> None:
        super().__init__()
        if not -math.inf < start < stop < math.inf:
            raise ValueError(f"the grid needs start < stop, both finite; got {start} and {stop}")
        check_parameters(points=points, sigma=sigma, scale=scale)
        self.sigma, self.scale = sigma, scale
        self.start, self.stop, self.points = start, stop, int(points)

    @left_out
    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        # Not a buffer, which module.to() would round, and which a device without float64 would refuse.
        positions = torch.linspace(self.start, self.stop, self.points, dtype=torch.float64, device="cpu")
        density, reference_density = (
            _density(d, positions, self.sigma, self.scale, self.power)
            for d in as_diagrams(diagram, reference)
        )
        loss: Tensor = (density - reference_density).square().sum()
        return loss


@left_out
def entropy(diagram: DiagramLike, delta: float) -> Tensor:
    r"""Delta-selective persistent entropy :math:`G_\delta(D)`, see :class:`Entropy`; a scalar tensor."""
    check_parameters(delta=delta)
    (diagram,) = as_diagrams(diagram)
    return _entropy(diagram, delta)


def _entropy(diagram: Tensor, delta: float) -> Tensor:
    lifetimes = _lifetimes(diagram).abs()
    selected = lifetimes[lifetimes > delta]
    value: Tensor = torch.special.entr(selected / selected.sum()).sum()
    return value


class Entropy(nn.Module):
    r"""Squared difference of two delta-selective persistent entropies.

    With lifetimes :math:`\ell = |d - b|` and :math:`L = \sum_{\ell > \delta} \ell`,

    .. math::
        G_\delta(D) = -\sum_{\ell > \delta} \tfrac{\ell}{L} \log \tfrac{\ell}{L},
        \qquad \mathcal{L}(D) = \left(G_\delta(D) - G_\delta(D_0)\right)^2 .

    Smooth where no lifetime equals delta, which keeps out the diagonal: there the plain entropy has no
    derivative. With nothing above delta, G is 0.

    Args:
        delta: lifetimes up to delta are left out; unit of the distances, >= 0.

    Raises:
        ValueError: delta is negative.

    Source:
        Thesis, section 2, entropy_p(delta).

    >>> two, one = torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0]])
    >>> Entropy(delta=0.1)(two, one)  # (log 2)^2
    tensor(0.4805)

    """

    def __init__(self, delta: float) -> None:
        super().__init__()
        check_parameters(delta=delta)
        self.delta = delta

    @left_out
    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        diagram, reference = as_diagrams(diagram, reference)
        return (_entropy(diagram, self.delta) - _entropy(reference, self.delta)).square()


REGULARIZERS: dict[str, type[nn.Module]] = {
    "push": Push,
    "total_persistence": TotalPersistence,
    "bottleneck": Bottleneck,
    "wasserstein": Wasserstein,
    "sliced_wasserstein": SlicedWasserstein,
    "fisher": Fisher,
    "reininghaus": Reininghaus,
    "4sgde": LifetimeDensity,
    "entropy": Entropy,
}
