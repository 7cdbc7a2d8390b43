"""Where the random numbers of a training come from: one stream for each purpose, all drawn on the CPU."""

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

PRIOR, SUBSET, REFERENCE = 1, 2, 3  # purposes of streams of single steps


def independent_stream(seed: int, *number: int) -> torch.Generator:
    """Stream of a seed that is another one than the seed's own, and than that of another number.

    torch takes 32 bits of the state. So two streams are the same by chance, once in 2^32 pairs.
    """
    state = np.random.SeedSequence([seed, *number]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def stream_of_step(seed: int, purpose: int, step: int) -> torch.Generator:
    """Stream of a seed for one purpose in one step; so a training that resumes needs no state of it."""
    return independent_stream(seed, 0, purpose, step)


class SamplingNoise:
    """The noise of z: some of the draws of one stream, as models get that take turns in it.

    Draw t of a model is draw ``offset + t * stride`` of the stream, a draw being one batch of standard normal
    vectors. Models of equal offset share their noise; with stride 2, offsets 0 and 1 alternate. ``loader``
    and ``pictures`` take out of the stream what else the thesis' scripts took out of it.

    Args:
        stream: from which the draws are taken; it belongs to this object from now on.
        offset: draws left out before the first, of ``batch_size`` vectors each.
        stride: draws from one to the next.
        dimension: of a vector.
        batch_size: vectors of a full batch.
        loader: before its first draw the stream gives the base seed of 64 bits that ``iter`` of torch's
            DataLoader takes.
        pictures: after these steps every model that takes turns makes one more draw, which nobody uses.

    Source:
        Thesis, section 5, "noise of z".
    """

    def __init__(
        self,
        stream: torch.Generator,
        *,
        offset: int,
        stride: int,
        dimension: int,
        batch_size: int,
        loader: bool = False,
        pictures: Collection[int] = (),
    ) -> None:
        self.stream, self.stride, self.dimension = stream, stride, dimension
        self.pictures = frozenset(pictures)
        if loader:
            torch.empty((), dtype=torch.int64).random_(generator=stream)
        for _ in range(offset):
            self._take(batch_size)

    def draw(self, vectors: int, step: int) -> Tensor:
        """The draw of a step, shape (vectors, dimension); those skipped after it have the same size."""
        noise = self._take(vectors)
        turns = 2 if step in self.pictures else 1
        for _ in range(turns * self.stride - 1):
            self._take(vectors)
        return noise

    def _take(self, vectors: int) -> Tensor:
        return torch.randn(vectors, self.dimension, generator=self.stream)
