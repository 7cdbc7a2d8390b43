"""How stored images become what a model sees: one place for their scale."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def scaled(images: NDArray[Any]) -> Tensor:
    """Levels in [0, 1] as float32 of integers 0 ... 255, shape (b, channels, height, width).

    Floating-point numbers are no levels, but coordinates of vectors, and stay as they are.
    """
    numbers = torch.from_numpy(np.array(images, dtype=np.float32))
    return numbers if images.dtype.kind == "f" else numbers / 255
