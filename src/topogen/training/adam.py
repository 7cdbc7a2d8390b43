"""Adam by torch's function of that name: the class ``torch.optim.Adam`` gives the same bits, but starts late.

The class imports ``torch._dynamo`` when it is made, which takes as long as twenty steps. The function takes
all weights together (``fused``): on a CPU that saves a twentieth of a step of VAE0, on a GPU most kernels.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """The optimizer of weights that are on one device.

    Args:
        weights: what is learned.
        learning_rate: about the size of a weight's change in a step.
        betas: decays of the means of gradients and of their squares.
        weight_decay: so many times the weights are added to their gradients.

    Source:
        D. P. Kingma, J. Ba, *Adam: a method for stochastic optimization*, 2015, algorithm 1.

    """

    def __init__(
        self,
        weights: Iterable[Tensor],
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0,
    ) -> None:
        self.weights = list(weights)
        self.learning_rate, self.betas, self.weight_decay = learning_rate, betas, weight_decay
        # Of each weight: means of its gradients and of their squares, and how often it was updated.
        self.means = [torch.zeros_like(weight) for weight in self.weights]
        self.squares = [torch.zeros_like(weight) for weight in self.weights]
        self.updates = [weight.new_zeros(()) for weight in self.weights]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update the weights that have a gradient."""
        state = zip(self.weights, self.means, self.squares, self.updates, strict=True)
        reached = [entry for entry in state if entry[0].grad is not None]
        weights, means, squares, updates = map(list, zip(*reached, strict=True))
        gradients = [weight.grad for weight in weights]
        adam(
            weights,
            gradients,
            means,
            squares,
            [],
            updates,
            fused=True,
            amsgrad=False,
            eps=1e-8,
            maximize=False,
            lr=self.learning_rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=self.weight_decay,
        )

    def state_dict(self) -> dict[str, list[Tensor]]:
        """What the steps have gathered, for :meth:`load_state_dict` to go on with."""
        return {"means": self.means, "squares": self.squares, "updates": self.updates}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        """Go on where the state was taken."""
        for name, tensors in self.state_dict().items():
            for tensor, saved in zip(tensors, state[name], strict=True):
                tensor.copy_(saved)
