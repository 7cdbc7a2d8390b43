"""Terms of a loss, from their entries in the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from topogen.training.as_run import AS_RUN
from topogen.training.opponents import OPPONENTS
from topogen.training.published import PUBLISHED
from topogen.training.views import View
from torchrips.principal import PrincipalPersistence
from torchrips.regularizers import REGULARIZERS

ByDegree = Mapping[Any, Tensor] | Sequence[Tensor]  # a diagram for each homology degree; None: the points
# Regularizers that are called with points instead of diagrams.
OF_POINTS: dict[str, type[nn.Module]] = {
    **OPPONENTS,
    "principal_persistence": PrincipalPersistence,
    **PUBLISHED,
}


@dataclass
class Term:
    """One regularizer of a model: weight times ``module(diagram of the cloud, reference)``.

    Attributes:
        module: called with (diagram, reference).
        degree: homology degree of the diagrams; 0 if it has none.
        weight: factor in the loss; 1 if there is a share.
        cloud: name of a cloud that the model's family offers, such as ``output`` or ``latent``.
        reference_scale: factor on the reference diagram, or on the points of the reference.
        column: its name in the history, such as ``entropy_0``.
        share: size of the gradient, relative to that of the data term, to which a training scales it in every
            step; None: it is that of the weight.
        view: how the diagrams are taken of the cloud, and of its reference.
        of_points: whether the module is called with points instead of diagrams.

    """

    module: nn.Module
    degree: int
    weight: float
    cloud: str
    reference_scale: float
    column: str
    share: float | None = None
    view: View = field(default_factory=View)
    of_points: bool = False

    @property
    def key(self) -> int | None:
        """What the module is called with: diagrams of this degree; None: points."""
        return None if self.of_points else self.degree

    def value(self, seen: ByDegree, references: ByDegree) -> Tensor:
        """The module on what it takes of the cloud and the scaled reference, without the weight; shape ()."""
        key: Any = self.key
        value: Tensor = self.module(seen[key], self.reference_scale * references[key])
        return value

    def weighted(self, seen: ByDegree, references: ByDegree) -> Tensor:
        """What the term adds to a loss: weight times value."""
        return self.weight * self.value(seen, references)


def build_terms(regularizers: Sequence[dict[str, Any]]) -> list[Term]:
    """Terms of a model from its entry in the configuration, defaults filled in."""
    return [_term(entry) for entry in regularizers]


def _term(entry: Mapping[str, Any]) -> Term:
    name, parameters, degree = entry["name"], entry.get("parameters", {}), entry.get("degree")
    if name in OF_POINTS:
        of_degree = {} if degree is None else {"degree": degree}
        module = OF_POINTS[name](**parameters, **of_degree)
    else:
        module = (REGULARIZERS | AS_RUN)[name](**parameters)
    return Term(
        module=module,
        degree=degree or 0,
        weight=float(entry.get("weight", 1)),  # torch takes no integer as large as a float can be
        cloud=entry.get("cloud", "output"),
        reference_scale=float(entry.get("reference_scale", 1)),
        column=name if degree is None else f"{name}_{degree}",
        share=entry.get("share"),
        view=View.of(entry),
        of_points=name in OF_POINTS,
    )
