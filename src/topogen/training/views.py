"""What regularizers see of a cloud: some of its points, and the diagrams of these in a metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from topogen.stored import is_stored
from topogen.training.noise import SUBSET, stream_of_step
from torchrips.graph_distances import diffusion_distances, effective_resistances
from torchrips.metrics import Metric
from torchrips.persistence import rips_diagrams

Seen = dict[int | None, Tensor]  # what regularizers take: diagrams by degree; None: the points themselves


@dataclass(frozen=True)
class View:
    """How diagrams are taken of a cloud.

    Attributes:
        metric: euclidean or cosine; effective_resistance or diffusion, in the graph of nearest neighbours.
        neighbours: of a point in that graph.
        time: steps of the diffusion.
        subset: number of points that are drawn in every step; None: all of them.

    """

    metric: str = "euclidean"
    neighbours: int = 15
    time: int = 8
    subset: int | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "View":
        """The view of a regularizer's entry in the configuration."""
        keys = {"metric": "metric", "neighbours": "neighbours", "diffusion_time": "time", "subset": "subset"}
        return cls(**{name: entry[key] for key, name in keys.items() if key in entry})

    def drawn(self, points: int, seed: int, step: int) -> Tensor | None:
        """Numbers of the points that are seen in a step, in their order, of so many; None: all of them."""
        if self.subset is None or self.subset >= points:
            return None
        return (
            torch.randperm(points, generator=stream_of_step(seed, SUBSET, step))[: self.subset].sort().values
        )

    def of_points(self, points: Tensor, keys: Sequence[int | None]) -> Seen:
        """What is asked for of a cloud of shape (n, d), differentiable; a diagram has the shape (k, 2)."""
        degrees = sorted(key for key in keys if key is not None)
        seen: Seen = {None: points} if None in keys else {}
        metric: Metric = "cosine" if self.metric == "cosine" else "euclidean"
        if self.metric == "effective_resistance":
            points, metric = effective_resistances(points, self.neighbours), "precomputed"
        if self.metric == "diffusion":
            points, metric = diffusion_distances(points, self.neighbours, self.time), "precomputed"
        diagrams = rips_diagrams(points, degrees, metric=metric) if degrees else ()
        return seen | dict(zip(degrees, diagrams, strict=True))

    def is_stored(self, key: int | None) -> bool:
        """Whether D0 is stored; key: a degree, or None for the points."""
        return is_stored(key, metric=self.metric, subset=self.subset)
