"""How stored images become batches: one place for their order and their scale."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def scaled(images: NDArray[Any]) -> Tensor:
    """Levels in [0, 1] as float32 of integers 0 ... 255, shape (b, channels, height, width)."""
    return torch.from_numpy(np.array(images, dtype=np.float32)) / 255


def batch_slices(images: int, batch_size: int) -> list[slice]:
    """Batches in the order of the data, not shuffled; the last one may be smaller."""
    return [slice(start, min(start + batch_size, images)) for start in range(0, images, batch_size)]
