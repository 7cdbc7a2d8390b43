"""The losses that the thesis' scripts ran, if they differ from its definitions (thesis, section 5).

Kept apart, and used only to replicate the published numbers: none of them is a regularizer in the thesis'
sense. Called like those of :mod:`torchrips.regularizers`, with ``(diagram, reference)`` of shapes (k, 2) and
(m, 2); a diagram of another shape, or with NaN or infinite values, raises ValueError.
"""

import math

import torch
from torch import Tensor, nn

from torchrips.arguments import DiagramLike, as_diagrams
from torchrips.distances import bottleneck
from torchrips.regularizers import Entropy, LifetimeDensity, Reininghaus, entropy


def youngest(diagram: Tensor) -> Tensor:
    """The one point of largest birth, shape (1, 2), or none if the diagram is empty, shape (0, 2)."""
    return diagram[diagram[:, 0].argmax()][None] if len(diagram) else diagram


class BottleneckAsRun(nn.Module):
    """Bottleneck distance, but 0 if it is attained by a reference point matched to the diagonal.

    >>> BottleneckAsRun()(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.5]]))
    tensor(0.5000)
    >>> BottleneckAsRun()(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 9.0]]))  # as defined: 4.5
    tensor(0.)
    """

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        diagram, reference = as_diagrams(diagram, reference)
        value = bottleneck(diagram, reference)
        halves = (reference[:, 1] - reference[:, 0]).abs() / 2
        return 0 * value if (value == halves).any() else value


class ReininghausAsRun(Reininghaus):
    r"""Reininghaus dissimilarity of one point of each diagram, its constant term left out.

    .. math:: L(D) = k_\sigma(\{p\}, \{p\}) - 2 k_\sigma(\{p\}, \{q\}),

    with p and q the points of largest birth of D and of the reference; it may be negative.

    Args:
        sigma: scale of the kernel, > 0, unit of the diagrams squared.

    >>> bars = torch.tensor([[0.0, 1.0], [0.5, 1.5]])
    >>> ReininghausAsRun(sigma=0.05)(bars, bars)
    tensor(-0.7904)
    """

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        diagram, reference = as_diagrams(diagram, reference)
        point, target = youngest(diagram), youngest(reference)
        return self._kernel(point, point) - 2 * self._kernel(point, target)

    def _kernel(self, diagram: Tensor, other: Tensor) -> Tensor:
        """Scale-space kernel as a difference of two exponentials, in the precision of the diagrams."""

        def heat(mirrored: Tensor) -> Tensor:
            squares = (diagram[:, None] - mirrored[None, :]).square().sum(dim=2)
            return torch.exp(-squares / (8 * self.sigma)).sum()

        return (heat(other) - heat(other.flip(1))) / (8 * math.pi * self.sigma)


class EntropyAsRun(Entropy):
    r"""Squared difference of two entropies, of which that of the generated diagram has a single term.

    .. math::
        L(D) = \left(-\tfrac{\ell}{L} \log \tfrac{\ell}{L} - G_\delta(D_0)\right)^2,

    with :math:`\ell` the lifetime of the point of largest birth, and L the sum of all lifetimes above delta.
    If that point's lifetime is not above delta, there is no term: the value is :math:`G_\delta(D_0)^2`,
    without a gradient.

    Args:
        delta: lifetimes up to delta are left out; unit of the distances, >= 0.

    >>> bars = torch.tensor([[0.0, 1.0], [0.5, 1.5]])
    >>> EntropyAsRun(delta=0.1)(bars, bars)  # (log(2)/2 - log(2))^2
    tensor(0.1201)
    >>> EntropyAsRun(delta=0.1)(torch.tensor([[0.0, 1.0], [0.5, 0.55]]), bars)  # no term: log(2)^2
    tensor(0.4805)
    """

    def forward(self, diagram: DiagramLike, reference: DiagramLike) -> Tensor:
        diagram, reference = as_diagrams(diagram, reference)
        lifetimes, last = ((bars[:, 1] - bars[:, 0]).abs() for bars in (diagram, youngest(diagram)))
        # The youngest point is picked before the short ones are left out, as in the scripts.
        share = last[last > self.delta] / lifetimes[lifetimes > self.delta].sum()
        value: Tensor = torch.special.entr(share).sum() - entropy(reference, self.delta)
        return value.square()


class LifetimeDensityAsRun(LifetimeDensity):
    """4SGDE with the third power of the lifetimes; else as :class:`torchrips.regularizers.LifetimeDensity`.

    >>> loss = LifetimeDensityAsRun(start=0.0, stop=2.0, points=2, sigma=1.0, scale=1.0)
    >>> loss(torch.tensor([[0.0, 2.0]]), torch.zeros(0, 2))  # 8^2 at x = 2, next to nothing at x = 0
    tensor(64.0215)
    """

    power = 3


AS_RUN: dict[str, type[nn.Module]] = {
    "as_run_bottleneck": BottleneckAsRun,
    "as_run_reininghaus": ReininghausAsRun,
    "as_run_entropy": EntropyAsRun,
    "as_run_4sgde": LifetimeDensityAsRun,
}
