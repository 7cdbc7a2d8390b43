"""One step of training after the other: the loss of the model's family plus a weighted sum of regularizers.

Common random numbers: the initial weights are the first draws of the seed's stream and the sampling noise
the draws that follow, all on the CPU. So models of one family, latent dimension and seed start as clones, see
the same batches in the same order and sample with the same noise, whatever their regularizers and device,
unless their configuration gives one of them other draws.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogen.data.batches import scaled
from topogen.data.orders import ordered_batches
from topogen.models.families import Cloud, Outcome, build
from topogen.training.noise import SamplingNoise, independent_stream
from topogen.training.terms import ByDegree, Term, build_terms
from torchrips.persistence import rips_diagrams


class TrainingError(RuntimeError):
    """A value that must be finite is not; the message names the step.

    Attributes:
        history: the rows of the steps before it, if :func:`topogen.training.run.train` raised it.

    """

    history = pd.DataFrame()


class Trainer:
    """A model in training; :meth:`step` is one update.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        references: D0 of every batch in this order, ``references[batch][degree]`` of shape (k, 2).
        regularizers: entries {name, degree, weight, parameters, cloud, reference_scale}; empty for VAE0.
        seed: decides the initial weights and the noise.
        batch_size: images of a step.
        learning_rate: of Adam.
        device: any torch device, or auto: CUDA if there is one. Of several GPUs the seed picks one.
        noise: {stream, offset, stride, loader, pictures} of the sampling noise, see
            :class:`topogen.training.noise.SamplingNoise`. stream 0 continues where the initial weights
            ended, others are independent of it.
        order: seed of the order of the images, see :func:`topogen.data.orders.ordered_batches`.
        direction: ``gradient``, or for controls another direction of the same size: ``opposite``;
            ``permuted``, in which each image has the gradient of another image; or ``random``. The last two
            are drawn at every step from a stream of their own.
        wrong_references: for a control, diagrams that the regularizers are compared with instead of D0. The
            gradient of each term has the size that it would have with D0.
        architecture: family of the model, see :mod:`topogen.models.families`.
        options: of the family, such as ``latent_dim``.

    Raises:
        ValueError: the device is a GPU and torch finds none.

    """

    def __init__(
        self,
        images: NDArray[Any],
        references: Sequence[Sequence[NDArray[Any]]],
        *,
        regularizers: Sequence[dict[str, Any]],
        seed: int,
        batch_size: int,
        learning_rate: float,
        device: str = "auto",
        noise: Mapping[str, Any] | None = None,
        order: int | None = None,
        direction: str = "gradient",
        wrong_references: Sequence[Sequence[NDArray[Any]]] | None = None,
        architecture: str = "vae",
        **options: Any,
    ) -> None:
        self.images, self.references, self.wrong_references = images, references, wrong_references
        self.batches = ordered_batches(len(images), batch_size, order)
        self.device = _device(device, seed)
        self.built: dict[str, Any] = {
            "architecture": architecture,
            "shape": images.shape[1:],
            "options": options,
        }
        draws = {"stream": 0, "offset": 0, "stride": 1, **(noise or {})}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = build(**self.built).to(self.device)
            stream = torch.Generator()
            stream.set_state(torch.get_rng_state())  # the noise continues where the weights ended
        if draws["stream"] > 0:
            stream = independent_stream(seed, draws["stream"])
        self.noise = SamplingNoise(
            stream,
            **{key: value for key, value in draws.items() if key != "stream"},
            dimension=self.model.noise_dim,
            batch_size=batch_size,
        )
        self.direction = direction
        self.directions = independent_stream(seed, 0) if direction in ("permuted", "random") else None
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=learning_rate)
        self.terms = build_terms(regularizers)
        for term in self.terms:
            term.module.to(self.device)
        self.steps_done = 0
        self.topology_seconds = 0.0

    def step(self) -> tuple[dict[str, float], Outcome]:
        """One update on the next batch.

        Returns:
            The row of the history, and what the model made of the batch before the update. The row holds
            step, the terms of the family's loss, the size of the data term's gradient, the topological terms
            without their weights, and the sizes of their weighted gradients, see :meth:`_topology`.

        Raises:
            TrainingError: a term is NaN or infinite; the model is left as it was before the step.

        """
        batch = self.steps_done % len(self.batches)  # no shuffling: batch k is the same in every epoch
        images = scaled(self.images[self.batches[batch]]).to(self.device)
        noise = self.noise.draw(len(images), self.steps_done).to(self.device)
        outcome = self.model.outcome(self.model(images, noise), images)
        row: dict[str, float] = {"step": self.steps_done}
        row |= {name: loss.item() for name, loss in outcome.losses.items()}
        row[f"gradient_{next(iter(outcome.losses))}"] = _size(outcome.data_gradient)
        self._demand_finite(row)

        started = time.perf_counter()
        topology, places, gradients = self._topology(outcome, batch)
        self.topology_seconds = time.perf_counter() - started
        row |= topology

        self.optimizer.zero_grad()
        torch.autograd.backward([outcome.loss, *places], [None, *gradients])
        self.optimizer.step()
        self.steps_done += 1
        return row, outcome

    def _topology(self, outcome: Outcome, batch: int) -> tuple[dict[str, float], list[Tensor], list[Tensor]]:
        """Values of the terms and sizes of their weighted gradients, and what they add to the backward pass.

        The gradients are taken on a detached copy of the cloud, so that the topological part of a step is one
        piece, forward and backward, that can be timed and examined by itself. They are then carried on to
        the cloud's place.

        Returns:
            NAME_DEGREE and gradient_NAME_DEGREE of every term; the places; the gradient on each.
        """
        row: dict[str, float] = {}
        places, gradients = [], []
        for name in dict.fromkeys(term.cloud for term in self.terms):
            terms = [term for term in self.terms if term.cloud == name]
            if name not in outcome.clouds:
                family, offered = self.built["architecture"], ", ".join(outcome.clouds)
                raise ValueError(f"{family} has no cloud {name}; choose one of: {offered}")
            cloud = outcome.clouds[name]
            try:
                parts = self._parts(terms, cloud, batch, row)
            except ValueError as error:
                raise TrainingError(f"step {self.steps_done}, {name} cloud: {error}") from error
            row |= {f"gradient_{term.column}": _size(part) for term, part in zip(terms, parts, strict=True)}
            self._demand_finite(row)
            places.append(cloud.place)
            gradients.append(self._directed(torch.stack(parts).sum(dim=0)))
        return row, places, gradients

    def _parts(self, terms: list[Term], cloud: Cloud, batch: int, row: dict[str, float]) -> list[Tensor]:
        """Weighted gradient of each term of one cloud, on its place; their values are noted in the row."""
        degrees = sorted({term.degree for term in terms})
        points = cloud.points.requires_grad_()
        diagrams = dict(zip(degrees, rips_diagrams(points, degrees), strict=True))

        def gradients(reference: Sequence[NDArray[Any]]) -> list[Tensor]:
            given = {degree: torch.from_numpy(reference[degree]).to(points) for degree in degrees}
            return [cloud.carry(_gradient(term, points, diagrams, given, row)) for term in terms]

        parts = gradients(self.references[batch])
        if self.wrong_references is None:
            return parts
        wrong = gradients(self.wrong_references[batch])
        return [_resized(part, _size(own)) for part, own in zip(wrong, parts, strict=True)]

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
        return _resized(direction, _size(gradient))

    def _demand_finite(self, row: dict[str, float]) -> None:
        faults = [name for name, value in row.items() if not math.isfinite(value)]
        if faults:
            raise TrainingError(f"step {self.steps_done}: not finite: {', '.join(faults)}")

    def latents_of(self, images: NDArray[Any], noise: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Latents of images by name, such as ``z`` and ``mean``, by the model as it stands; each (n, d)."""
        pixels, draws = scaled(images).to(self.device), torch.from_numpy(noise).to(self.device)
        with torch.no_grad():
            latents = self.model.outcome(self.model(pixels, draws), pixels).latents
        return {name: values.cpu().numpy() for name, values in latents.items()}

    def bce_at_mean(self, images: NDArray[Any]) -> float:
        """BCE of images and their reconstructions from the posterior mean, by the model as it stands.

        Nothing is drawn and nothing is learned, so the training is not disturbed.

        Args:
            images: levels 0 ... 255, shape (n, channels, height, width).

        Returns:
            Summed over pixels and images, as in the history; NaN if the family's loss has no ``bce``.

        """
        self.model.eval()  # a family may have layers that draw or learn in a forward pass
        with torch.no_grad():
            losses = self.model.outcome_at_mean(scaled(images).to(self.device)).losses
        self.model.train()
        return losses["bce"].item() if "bce" in losses else math.nan

    def weights(self) -> dict[str, NDArray[Any]]:
        """Copy of the model's weights, by name."""
        return {name: value.cpu().numpy().copy() for name, value in self.model.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """All that is needed to rebuild the model and to resume its training."""
        return {
            "built": self.built,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "streams": [stream.get_state() for stream in self._streams()],
            "steps_done": self.steps_done,
        }

    def _streams(self) -> list[torch.Generator]:
        return [self.noise.stream, *([self.directions] if self.directions else [])]

    def restore(self, state: dict[str, Any]) -> None:
        """Resume where :meth:`state` was taken, bit for bit."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for stream, saved in zip(self._streams(), state["streams"], strict=True):
            stream.set_state(saved)
        self.steps_done = state["steps_done"]


def _gradient(
    term: Term, points: Tensor, diagrams: ByDegree, references: ByDegree, row: dict[str, float]
) -> Tensor:
    """Weighted gradient of a term on the points of its cloud; its value is noted in the row."""
    value = term.value(diagrams, references)
    row[term.column] = value.item()
    # A term without a path to the cloud (an empty diagram, say) has gradient zero.
    (gradient,) = torch.autograd.grad(
        term.weight * value, points, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return gradient


def _resized(gradient: Tensor, size: float) -> Tensor:
    """A gradient of the same direction and of another size; zero stays zero."""
    return gradient * (size / (_size(gradient) or 1.0))


def _size(gradient: Tensor) -> float:
    """Euclidean norm; in float64, where the square of no float32 overflows."""
    return float(torch.linalg.vector_norm(gradient, dtype=torch.float64))


def _device(name: str, seed: int) -> torch.device:
    """The device of a name; of several GPUs the seed picks one, so that trainings share them out."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {name}: torch finds no GPU")
    if device == torch.device("cuda"):
        return torch.device("cuda", seed % torch.cuda.device_count())
    return device
