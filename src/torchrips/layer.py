"""Diagrams as a layer of a network."""

import math
from collections.abc import Callable, Iterable

from torch import Tensor, nn

from torchrips.metrics import Metric
from torchrips.persistence import Degrees, Diagrams, batched_rips_diagrams, question, rips_diagrams


class RipsDiagrams(nn.Module):
    """Persistence diagrams of Rips filtrations, as a module without parameters.

    Called with one cloud of shape (n, d) it is :func:`rips_diagrams`; with clouds of shape (b, n, d), or with
    several of any sizes, it is :func:`batched_rips_diagrams`. A batch of b images is ONE cloud of b points:
    flatten each image to a vector first.

    Args:
        degrees: homology degrees, each a whole number >= 0, or one such number.
        metric: as of :func:`rips_diagrams`.
        max_edge_length: as of :func:`rips_diagrams`.
        essential: as of :func:`rips_diagrams`.

    Raises:
        ValueError: a degree, the metric or the limit is not one.

    >>> import torch
    >>> RipsDiagrams(degrees=1)(torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    (tensor([[1.0000, 1.4142]]),)

    """

    def __init__(
        self,
        degrees: Degrees = (0, 1),
        *,
        metric: Metric = "euclidean",
        max_edge_length: float = math.inf,
        essential: bool = False,
    ) -> None:
        super().__init__()
        self.degrees = tuple(question(degrees, metric, max_edge_length, essential).degrees)
        self.metric, self.max_edge_length, self.essential = metric, max_edge_length, essential

    def forward(self, points: Tensor | Iterable[Tensor]) -> Diagrams | list[Diagrams]:
        one = isinstance(points, Tensor) and points.ndim == 2
        function: Callable[..., Diagrams | list[Diagrams]] = rips_diagrams if one else batched_rips_diagrams
        return function(
            points,
            self.degrees,
            metric=self.metric,
            max_edge_length=self.max_edge_length,
            essential=self.essential,
        )

    def extra_repr(self) -> str:
        """Options, as repr shows them."""
        return (
            f"degrees={self.degrees}, metric={self.metric!r}, max_edge_length={self.max_edge_length}, "
            f"essential={self.essential}"
        )
