"""Several models of one family in one pass: their weights have one more axis, as if they were one model.

On a GPU, a kernel for one small model takes about as long to start as to compute. One pass of a stack starts
as many kernels as that of one model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from topogen.models.families import Family


@dataclass(frozen=True)
class Passed:
    """What several models computed of their images.

    Attributes:
        of_models: of each model what :meth:`topogen.models.families.Family.forward` returns.
        stacks: the same tensors of all models in one, whose first axis numbers the models; none of one model
            that passed by itself.

    """

    of_models: list[tuple[Tensor, ...]]
    stacks: tuple[Tensor, ...] = ()

    def gradients(self, losses: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor | None]:
        """Gradient of each model's loss at a place of its graph; None where the loss does not reach it.

        What a model computed is a branch of the stack, which later layers continue. So the gradient is found
        at the stack: of all models at once, because no model's loss depends on another model.
        """
        for stack, *values in zip(self.stacks, *self.of_models, strict=False):
            if values[0] is places[0]:
                (gradient,) = torch.autograd.grad(losses, stack, retain_graph=True, allow_unused=True)
                return [None] * len(losses) if gradient is None else [*gradient]
        return [
            torch.autograd.grad(loss, place, retain_graph=True, allow_unused=True)[0]
            for loss, place in zip(losses, places, strict=True)
        ]


def pass_together(models: Sequence[Family], images: Sequence[Tensor], noise: Tensor) -> Passed:
    """What each model computes of its images, equal within rounding to its pass by itself.

    Gradients reach the weights of every model. Batch normalisation and its like learn from the pass as ever.

    Args:
        models: of one family that is stackable, built alike, each with weights of its own.
        images: of each model, all of one shape (b, channels, height, width); or of all models together, one
            batch.
        noise: shape (models, b, noise_dim).

    """
    first, *others = models
    if not others:
        return Passed([first(images[0], noise[0])])
    weights = _stacked([dict(model.named_parameters()) for model in models])
    layers = _stacked([dict(model.named_buffers()) for model in models])

    def one(
        weights: dict[str, Tensor], layers: dict[str, Tensor], images: Tensor, noise: Tensor
    ) -> tuple[Tensor, ...]:
        passed: tuple[Tensor, ...] = functional_call(first, (weights, layers), (images, noise))
        return passed

    seen, axis = (images[0], None) if len(images) == 1 else (torch.stack([*images]), 0)
    stacks = vmap(one, in_dims=(0, 0, axis, 0))(weights, layers, seen, noise)
    for place, model in enumerate(models):
        for name, values in model.named_buffers():
            values.copy_(layers[name][place])
    return Passed([*zip(*(stack.unbind() for stack in stacks), strict=True)], stacks)


def _stacked(models: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of one name as one tensor, whose first axis numbers the models."""
    return {name: torch.stack([model[name] for model in models]) for name in models[0]}
