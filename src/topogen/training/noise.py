"""Where the random numbers of a training come from: one stream for each purpose, all drawn on the CPU."""

import numpy as np
import torch
from torch import Tensor


def independent_stream(seed: int, number: int) -> torch.Generator:
    """Stream of a seed that shares no draws with the seed's own, nor with that of another number."""
    state = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


class SamplingNoise:
    """The noise of z: some of the draws of one stream, as models get that take turns in it.

    Draw t of a model is draw ``offset + t * stride`` of the stream, a draw being one batch of standard normal
    vectors. Models of equal offset share their noise; with stride 2, offsets 0 and 1 alternate.

    Args:
        stream: from which the draws are taken; it belongs to this object from now on.
        offset: draws left out before the first, of ``batch_size`` vectors each.
        stride: draws from one to the next.
        dimension: of a vector.
        batch_size: vectors of a full batch.
    """

    def __init__(
        self, stream: torch.Generator, *, offset: int, stride: int, dimension: int, batch_size: int
    ) -> None:
        self.stream, self.stride, self.dimension = stream, stride, dimension
        for _ in range(offset):
            self._take(batch_size)

    def draw(self, vectors: int) -> Tensor:
        """The next draw, shape (vectors, dimension); those skipped after it have the same size."""
        noise = self._take(vectors)
        for _ in range(self.stride - 1):
            self._take(vectors)
        return noise

    def _take(self, vectors: int) -> Tensor:
        return torch.randn(vectors, self.dimension, generator=self.stream)
