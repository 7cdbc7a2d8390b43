"""Matrix products that torch.autocast does not round."""

import torch
from torch import Tensor


def product(first: Tensor, second: Tensor) -> Tensor:
    """Matrix product in the precision of its factors, for which torch.autocast would take half precision."""
    kind = first.device.type
    if not torch.amp.is_autocast_available(kind) or not torch.is_autocast_enabled(kind):
        return first @ second
    with torch.autocast(kind, enabled=False):
        return first @ second
