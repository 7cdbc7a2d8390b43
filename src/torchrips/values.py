"""Values of tensors, whichever transforms of torch.func are on."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual
from torch.func import debug_unwrap

from torchrips.arguments import NO_VMAP

Result = TypeVar("Result")


def transformed(tensor: Tensor) -> bool:
    """Whether a transform of torch.func is on, which wraps what is computed of a tensor."""
    values = tensor.detach()
    return debug_unwrap(values) is not values


def has_tangent(tensor: Tensor) -> bool:
    """Whether a tensor is one of forward-mode differentiation."""
    return unpack_dual(tensor).tangent is not None


def of_values(function: Callable[..., Result], *tensors: Tensor) -> Result:
    """What a function makes of the values of some tensors, which has no derivative.

    The function gets plain tensors on the host, also within the transforms of torch.func. These wrap all
    other tensors, whose numbers cannot be read.

    Args:
        function: of as many tensors.
        tensors: on any device.

    Raises:
        RuntimeError: torch.func.vmap maps over one of the tensors.

    """
    results: list[Result] = []
    _OfValues.apply(lambda *values: results.append(function(*values)), *tensors)
    return results[0]


class _OfValues(torch.autograd.Function):
    """Calls a function in its forward pass, the one place that no transform reaches."""

    @staticmethod
    def forward(function: Callable[..., None], *tensors: Tensor) -> Tensor:
        function(*(tensor.detach().cpu() for tensor in tensors))
        return torch.empty(0, device="cpu")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, ...]:
        return (None,) * len(ctx.needs_input_grad)

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> None:
        return None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, None]:
        raise RuntimeError(NO_VMAP)  # its presence lets those through that map over derivatives only
