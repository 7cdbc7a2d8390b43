"""What the clouds of a step are compared with: diagrams that were stored, or what is made in the step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from topogen.data.batches import scaled
from topogen.data.orders import Places
from topogen.data.references import WRONG_CLOUDS
from topogen.training.noise import REFERENCE, stream_of_step
from topogen.training.views import Seen, View

Stored = Sequence[Sequence[NDArray[Any]]]  # [batch][degree], each of shape (k, 2)


@dataclass(frozen=True)
class TrainingData:
    """Images of a training.

    Attributes:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        batches: where the images of each batch are.
        labels: classes, shape (n,); none, shape (0,), if nobody asks for them.
        shuffled: whether the batches are others than those whose diagrams are stored.

    """

    images: NDArray[Any]
    batches: Sequence[Places]
    labels: NDArray[Any]
    shuffled: bool = False


@dataclass(frozen=True)
class Reference:
    """The clouds that D0 is of, one in each step.

    Attributes:
        kind: batch, the images of the batch; prior, draws of the prior; a name in
            :data:`topogen.data.references.WRONG_CLOUDS`; or stored, of which only the diagrams are known.
        data: of the training.
        stored: its diagrams of every batch in degrees 0 and 1; None: none are stored.
        dimension: of the prior.
        seed: of the draws.

    Raises:
        ValueError: the kind needs labels, which there are not, or draws of a prior that the model lacks.

    """

    kind: str
    data: TrainingData
    stored: Stored | None
    dimension: int
    seed: int

    def __post_init__(self) -> None:
        if self.kind == "one_class" and not len(self.data.labels) and self.stored is None:
            raise ValueError("reference: one_class needs the classes of the images")
        if self.kind == "prior" and self.dimension == 0:
            raise ValueError(
                "reference: prior needs a model with a prior, but this family draws no noise; leave it out, "
                "or take another architecture"
            )

    def points(self, batch: int, step: int) -> Tensor:
        """The cloud of a step, shape (n, d), on the host."""
        images, batches = self.data.images, self.data.batches
        if self.kind == "prior":
            size = len(images[batches[batch]])
            stream = stream_of_step(self.seed, REFERENCE, step)
            return torch.randn(size, self.dimension, generator=stream)
        if self.kind == "batch":
            return scaled(images[batches[batch]]).flatten(1)
        return WRONG_CLOUDS[self.kind](images, self.data.labels, batches, batch)

    def seen(
        self, view: View, keys: Sequence[int | None], drawn: Tensor | None, *, batch: int, step: int
    ) -> Seen:
        """What regularizers take of the cloud of a step, on the host.

        Args:
            view: in which the cloud is seen.
            keys: homology degrees of diagrams; None: the points.
            drawn: numbers of the points that are seen; None: all of them.
            batch: number of the batch.
            step: number of the step.

        """
        seen: Seen = {}
        if self.stored is not None:
            given = self.stored[batch]
            seen = {
                key: torch.from_numpy(given[key]) for key in keys if key is not None and view.is_stored(key)
            }
        if missing := [key for key in keys if key not in seen]:
            points = self.points(batch, step)
            seen |= view.of_points(points if drawn is None else points[drawn[drawn < len(points)]], missing)
        return seen


def references_of(
    data: TrainingData,
    stored: Stored,
    *,
    kind: str | None,
    wrong: Stored | None,
    dimension: int,
    seed: int,
) -> tuple[Reference, Reference | None]:
    """D0 of the batches, and what takes its place in a control, if something does.

    Args:
        data: of the training.
        stored: D0 of every batch.
        kind: of the other reference; None: it is known by its diagrams alone, or there is none.
        wrong: its diagrams of every batch, if they are stored.
        dimension: of the prior.
        seed: of draws.

    """
    known, known_wrong = (None, None) if data.shuffled else (stored, wrong)
    right = Reference("batch", data, known, dimension, seed)
    if kind is None and wrong is None:
        return right, None
    return right, Reference(kind or "stored", data, known_wrong, dimension, seed)
