"""The regularizers of a training: what they add to a step, and as what it is noted in the history.

The gradient of a term is taken on a detached copy of its cloud, so that this part of a step is one piece,
forward and backward, that can be timed and examined by itself. The copy is on the host, whatever the device
of the model: homology and matchings are computed there, so a cloud on a GPU comes down once and its gradients
go up together. They are then carried on to the cloud's place, where the size of each is that of its weight,
or of its share of the data term's gradient there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from topogen.models.families import Cloud
from topogen.training.noise import independent_stream
from topogen.training.references import Reference
from topogen.training.terms import Term, build_terms
from topogen.training.views import Seen, View

# A gradient that is smaller than this, relative to the data term's, has no direction to scale.
VANISHING = 1e-8


class TrainingError(RuntimeError):
    """A value that must be finite is not; the message names the step.

    Attributes:
        seed: of the training; None until it is known.
        history: the rows of the steps before it, if :func:`topogen.training.run.train` raised it.

    """

    seed: int | None = None
    history = pd.DataFrame()


@dataclass(frozen=True)
class Step:
    """One step, as a cloud meets it.

    Attributes:
        batch: number of the batch.
        number: of the step.
        data_size: size of the data term's gradient at the place of the cloud; NaN if no term asks for it.
        row: of the history, which grows.

    """

    batch: int
    number: int
    data_size: float
    row: dict[str, float]


class Regularization:
    """The terms of a model, and their gradients in a step.

    Args:
        regularizers: entries {name, degree, weight or share, parameters, cloud, reference_scale, metric,
            neighbours, diffusion_time, subset}.
        reference: what D0 is of.
        wrong: for a control, what the regularizers are compared with instead; None: with D0. The
            gradient of each term has the size that it would have with D0: that of its weight, or its share.
        direction: ``gradient``, or for controls another direction of the same size: ``opposite``;
            ``permuted``, in which the images have one another's gradients, though a few may keep their own;
            or ``random``. The last two are drawn at every step from a stream of their own.
        seed: of everything that is drawn.

    """

    def __init__(
        self,
        regularizers: Sequence[dict[str, Any]],
        reference: Reference,
        wrong: Reference | None,
        *,
        direction: str,
        seed: int,
    ) -> None:
        self.terms = build_terms(regularizers)
        self.reference, self.wrong = reference, wrong
        self.direction, self.seed = direction, seed
        self.directions = independent_stream(seed, 0) if direction in ("permuted", "random") else None

    @property
    def clouds(self) -> list[str]:
        """Names of the clouds that the terms look at."""
        return list(dict.fromkeys(term.cloud for term in self.terms))

    @property
    def clouds_of_shares(self) -> list[str]:
        """Those of terms with a share, at whose places the size of the data term's gradient is needed."""
        return list(dict.fromkeys(term.cloud for term in self.terms if term.share is not None))

    def of_step(
        self, clouds: Mapping[str, Cloud], data_sizes: Mapping[str, float], *, batch: int, step: int
    ) -> tuple[dict[str, float], list[Tensor], list[Tensor]]:
        """Values of the terms and sizes of their gradients, and what they add to the backward pass.

        Args:
            clouds: those of :attr:`clouds`.
            data_sizes: sizes of the data term's gradient at the places of :attr:`clouds_of_shares`.
            batch: number of the batch.
            step: number of the step.

        Returns:
            The row of the history: NAME_DEGREE and gradient_NAME_DEGREE of every term, and
            weight_NAME_DEGREE, the weight in effect, of every term with a share; the places; the gradient on
            each.

        Raises:
            TrainingError: a value or a size is NaN or infinite, or a cloud has no diagram.

        """
        row: dict[str, float] = {}
        places, gradients = [], []
        for name, cloud in clouds.items():
            terms = [term for term in self.terms if term.cloud == name]
            try:
                parts = self._parts(terms, cloud, Step(batch, step, data_sizes.get(name, math.nan), row))
            except ValueError as error:
                raise TrainingError(f"step {step}, {name} cloud: {error}") from error
            row |= {
                f"gradient_{term.column}": size for term, size in zip(terms, sizes_of(parts), strict=True)
            }
            demand_finite(row, step)
            places.append(cloud.place)
            gradients.append(self._directed(torch.stack(parts).sum(dim=0)))
        return row, places, gradients

    def _parts(self, terms: list[Term], cloud: Cloud, step: Step) -> list[Tensor]:
        """Gradient of each term of one cloud on its place; values and weights in effect go into the row."""
        points = cloud.points.cpu().requires_grad_()
        found: dict[str, list[Tensor]] = {}
        for view in dict.fromkeys(term.view for term in terms):
            seen = [term for term in terms if term.view == view]
            found |= self._gradients_of_view(view, seen, points, step)
        carried = iter(
            cloud.carry(torch.stack([gradient for term in terms for gradient in found[term.column]]))
        )
        return [_part(term, [next(carried) for _ in found[term.column]], step) for term in terms]

    def _gradients_of_view(
        self, view: View, terms: list[Term], points: Tensor, step: Step
    ) -> dict[str, list[Tensor]]:
        """Gradients on the points of the terms that see a cloud in one way, by the column of the term.

        That of the right reference comes first, and that of the wrong one last. A term with a share needs
        one of them.
        """
        keys = list(dict.fromkeys(term.key for term in terms))
        drawn = view.drawn(len(points), self.seed, step.number)
        seen = view.of_points(points if drawn is None else points[drawn], keys)

        def given(reference: Reference) -> Seen:
            found = reference.seen(view, keys, drawn, batch=step.batch, step=step.number)
            return {key: values.to(seen[key]) for key, values in found.items()}

        def gradients(term: Term) -> list[Tensor]:
            needed = [references for references in (right, wrong) if references]
            if term.share is not None:
                needed = needed[-1:]
            return [_gradient(term, points, seen, references, step.row) for references in needed]

        wrong = given(self.wrong) if self.wrong else {}
        only_wrong = wrong and all(term.share is not None for term in terms)
        right = {} if only_wrong else given(self.reference)
        return {term.column: gradients(term) for term in terms}

    def _directed(self, gradient: Tensor) -> Tensor:
        """The gradient as it is, or one of its size in another direction."""
        if self.direction == "opposite":
            return -gradient
        if self.directions is None:
            return gradient
        if self.direction == "permuted":
            images = torch.randperm(len(gradient), generator=self.directions)
            return gradient[images.to(gradient.device)]
        direction = torch.randn(gradient.shape, generator=self.directions).to(gradient)
        return resized(direction, size_of(gradient))


def _gradient(term: Term, points: Tensor, seen: Seen, references: Seen, row: dict[str, float]) -> Tensor:
    """Weighted gradient of a term on the points of its cloud; its value is noted in the row."""
    value = term.value(seen, references)
    row[term.column] = value.item()
    # A term without a path to the cloud (an empty diagram, say) has gradient zero.
    (gradient,) = torch.autograd.grad(
        term.weight * value, points, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return gradient


def _part(term: Term, carried: list[Tensor], step: Step) -> Tensor:
    """What a term adds to the gradient on the place: of its share or, if it has none, of its weight.

    Args:
        term: a regularizer.
        carried: its gradients on the place, with the right reference first and a wrong one last.
        step: gets the weight in effect.

    """
    if term.share is not None:
        weight = weight_of_share(term.share, size_of(carried[0]), step.data_size)
        step.row[f"weight_{term.column}"] = weight
        return weight * carried[0]
    weighted, *wrong = carried
    return resized(wrong[0], size_of(weighted)) if wrong else weighted


def weight_of_share(share: float, size: float, data: float) -> float:
    """Weight that makes a gradient the share of the data term's; 0 if there is next to no gradient.

    Args:
        share: of the size of the data term's gradient; negative: the opposite direction.
        size: of the gradient without a weight.
        data: size of the data term's gradient.

    >>> weight_of_share(-0.1, size=2, data=40)
    -2.0
    >>> weight_of_share(0.1, size=1e-7, data=40)
    0.0
    """
    return 0.0 if size == 0 or size < VANISHING * data else share * data / size


def resized(gradient: Tensor, size: float) -> Tensor:
    """A gradient of the same direction and of another size; zero stays zero."""
    return gradient * (size / (size_of(gradient) or 1.0))


def size_of(gradient: Tensor) -> float:
    """Euclidean norm; in float64, where the square of no float32 overflows."""
    return sizes_of([gradient])[0]


def sizes_of(gradients: Sequence[Tensor], *numbers: Tensor) -> list[float]:
    """Some numbers, then Euclidean norms. They leave a GPU together, since every transfer waits for it."""
    norms = [torch.linalg.vector_norm(gradient, dtype=torch.float64) for gradient in gradients]
    sizes: list[float] = torch.stack([*(number.double() for number in numbers), *norms]).tolist()
    return sizes


def demand_finite(row: Mapping[str, float], step: int) -> None:
    """Stop a training at a value that is NaN or infinite.

    Raises:
        TrainingError: the message names the step and the columns.

    """
    faults = [name for name, value in row.items() if not math.isfinite(value)]
    if faults:
        raise TrainingError(f"step {step}: not finite: {', '.join(faults)}")
