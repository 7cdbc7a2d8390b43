"""Terms of a loss, from their entries in the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from topogen.training.as_run import AS_RUN
from torchrips.regularizers import REGULARIZERS

ByDegree = Mapping[int, Tensor] | Sequence[Tensor]  # a diagram for each homology degree


@dataclass
class Term:
    """One regularizer of a model: weight times ``module(diagram of the cloud, reference)``.

    Attributes:
        module: called with (diagram, reference).
        degree: homology degree of the diagrams.
        weight: factor in the loss; 1 if there is a share.
        cloud: name of a cloud that the model's family offers, such as ``output`` or ``latent``.
        reference_scale: factor on the reference diagram.
        column: its name in the history, such as ``entropy_0``.
        share: size of the gradient, relative to that of the data term, to which a training scales it in every
            step; None: it is that of the weight.

    """

    module: nn.Module
    degree: int
    weight: float
    cloud: str
    reference_scale: float
    column: str
    share: float | None = None

    def value(self, diagrams: ByDegree, references: ByDegree) -> Tensor:
        """The module on the diagram and the scaled reference of its degree, without the weight; shape ()."""
        value: Tensor = self.module(diagrams[self.degree], self.reference_scale * references[self.degree])
        return value

    def weighted(self, diagrams: ByDegree, references: ByDegree) -> Tensor:
        """What the term adds to a loss: weight times value."""
        return self.weight * self.value(diagrams, references)


def build_terms(regularizers: Sequence[dict[str, Any]]) -> list[Term]:
    """Terms of a model from its entry in the configuration, defaults filled in."""
    return [
        Term(
            module=(REGULARIZERS | AS_RUN)[entry["name"]](**entry.get("parameters", {})),
            degree=entry["degree"],
            weight=float(entry.get("weight", 1)),  # torch takes no integer as large as a float can be
            cloud=entry.get("cloud", "output"),
            reference_scale=float(entry.get("reference_scale", 1)),
            column=f"{entry['name']}_{entry['degree']}",
            share=entry.get("share"),
        )
        for entry in regularizers
    ]
