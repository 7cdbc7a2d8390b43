"""Diagrams as tensors of a fixed shape, for networks and for statistics.

Each is a module without parameters, called with one diagram of shape (k, 2), rows (birth, death), where k
may be 0. Diagrams of a batch are taken one by one, as in ``torch.stack([image(bars) for bars in diagrams])``.
What is taken for a diagram is the same as for the losses, see :func:`torchrips.arguments.as_diagrams`.
"""

import math

import torch
from torch import Tensor, nn

from torchrips.arguments import DiagramLike, as_diagrams, check_parameters
from torchrips.graphs import left_out
from torchrips.products import product

Range = tuple[float, float]


class PersistenceImage(nn.Module):
    r"""Persistence image: a weighted sum of Gaussians at (birth, lifetime), integrated over pixels.

    .. math::
        I(D)_{rc} = \sum_{(b, d) \in D} w(d - b)
        \int_{\text{lifetimes of row } r} g_\sigma(y - (d - b))\, dy
        \int_{\text{births of column } c} g_\sigma(x - b)\, dx,
        \qquad w(\ell) = \min(\max(\ell / \ell_{\max}, 0), 1),

    where :math:`g_\sigma` is the normal density and :math:`\ell_{\max}` the longest lifetime of the image.
    The weight makes the image a continuous function of the diagram, since bars at the diagonal do not count.
    The integrals are exact. Mass outside of the image is cut off.

    Args:
        births: range of the columns, (lowest, highest), unit of the diagrams. In degree 0, where births are
            0, one column from minus to plus several sigma loses nothing.
        lifetimes: range of the rows, (lowest, highest > 0), unit of the diagrams.
        pixels: number of rows and of columns, whole numbers >= 1.
        sigma: standard deviation of the Gaussians, > 0, unit of the diagrams.

    Returns:
        Of a diagram, shape (rows, columns); lifetimes grow with the row, births with the column.

    Raises:
        ValueError: an argument is out of its range.

    Source:
        H. Adams, T. Emerson, M. Kirby, R. Neville, C. Peterson, P. Shipman, S. Chepushtanova, E. Hanson,
        F. Motta, L. Ziegelmeier, *Persistence images: a stable vector representation of persistent homology*,
        2017, sections 4 and 5.1, with the highest lifetime of the image for that of the data.

    >>> image = PersistenceImage(births=(-9, 9), lifetimes=(0, 2), pixels=(1, 1), sigma=0.01)
    >>> image(torch.tensor([[0.0, 1.0]]))  # weight 1/2, and all of the mass
    tensor([[0.5000]])

    """

    def __init__(self, births: Range, lifetimes: Range, pixels: tuple[int, int], sigma: float) -> None:
        super().__init__()
        check_parameters(sigma=sigma)
        for low, high in (births, lifetimes):
            if not -math.inf < low < high < math.inf:
                raise ValueError(f"a range of the image needs low < high, both finite; got ({low}, {high})")
        if not lifetimes[1] > 0:
            raise ValueError(f"the image needs a highest lifetime > 0, got {lifetimes[1]}")
        for count in pixels:
            check_parameters(pixels=count)
        rows, columns = (int(count) for count in pixels)
        self.births, self.lifetimes, self.pixels, self.sigma = births, lifetimes, (rows, columns), sigma

    @left_out
    def forward(self, diagram: DiagramLike) -> Tensor:
        (diagram,) = as_diagrams(diagram)
        births, lifetimes = diagram[:, 0], diagram[:, 1] - diagram[:, 0]
        shares = lifetimes / self.lifetimes[1]
        clamped = shares.detach().clamp(0, 1)
        # The gradient of clamp at its bounds depends on the version of torch.
        weights = torch.where(shares == clamped, shares, clamped)
        rows = self._masses(lifetimes, self.lifetimes, self.pixels[0])
        columns = self._masses(births, self.births, self.pixels[1])
        return product((weights[:, None] * rows).T, columns)

    def _masses(self, centres: Tensor, span: Range, pixels: int) -> Tensor:
        """Mass of the Gaussian about each centre in each pixel, shape (k, pixels)."""
        # Not a buffer, which module.to() would round, and which a device without float64 would refuse.
        borders = torch.linspace(*span, pixels + 1, dtype=torch.float64, device="cpu")
        borders = borders.to(centres.dtype).to(centres.device)
        below: Tensor = torch.special.ndtr((borders - centres[:, None]) / self.sigma)
        return below.diff(dim=1)


class Landscape(nn.Module):
    r"""Persistence landscape: functions of t, the k-th largest of the tents over the bars.

    .. math::
        \lambda_k(t) = \operatorname{kmax}_{(b, d) \in D} \max(0, \min(t - b, d - t)),

    and 0 if there are fewer than k bars. The gradient is that of the tent that is the k-th. Where tents cross
    it is one of theirs, and where no tent is above 0 it is 0.

    Args:
        start: first t, unit of the diagrams.
        stop: last t, > start.
        points: number of values of t, evenly spaced, a whole number >= 1.
        levels: functions :math:`\lambda_1, \ldots` that are wanted, a whole number >= 1.

    Returns:
        Of a diagram, shape (levels, points), unit of the diagrams.

    Raises:
        ValueError: an argument is out of its range.

    Source:
        P. Bubenik, *Statistical topological data analysis using persistence landscapes*, 2015, definition 3
        and lemma 4, for rows (birth, death).

    >>> Landscape(start=0, stop=4, points=5, levels=2)(torch.tensor([[0.0, 4.0], [1.0, 3.0]]))
    tensor([[0., 1., 2., 1., 0.],
            [0., 0., 1., 0., 0.]])

    """

    def __init__(self, start: float, stop: float, points: int, levels: int) -> None:
        super().__init__()
        if not -math.inf < start < stop < math.inf:
            raise ValueError(f"a landscape needs start < stop, both finite; got {start} and {stop}")
        check_parameters(points=points, levels=levels)
        self.start, self.stop, self.points, self.levels = start, stop, int(points), int(levels)

    @left_out
    def forward(self, diagram: DiagramLike) -> Tensor:
        (diagram,) = as_diagrams(diagram)
        times = torch.linspace(self.start, self.stop, self.points, dtype=torch.float64, device="cpu")
        times = times.to(diagram.dtype).to(diagram.device)
        rising, falling = times - diagram[:, :1], diagram[:, 1:] - times
        # Not minimum and clamp, which share a gradient out at a tie.
        tents = torch.where(rising < falling, rising, falling)
        tents = torch.where(tents > 0, tents, 0)
        missing = tents.new_zeros(self.levels, self.points)
        return torch.cat([tents, missing]).sort(dim=0, descending=True, stable=True).values[: self.levels]
