"""Training of one model from one seed: the VAE's loss plus a weighted sum of regularizers.

Common random numbers: the initial weights are the first draws of the seed's stream and the sampling noise
the draws that follow, all on the CPU. So models of one latent dimension and one seed start as clones, see
the same batches in the same order and sample with the same noise, whatever their regularizers and device,
unless their configuration gives one of them other draws.
"""

import io
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from topogen.data.batches import batch_slices, scaled
from topogen.files import save_buffer
from topogen.models.vae import VAE, Forward, binary_cross_entropy, kl_divergence
from topogen.training.noise import SamplingNoise, independent_stream
from topogen.training.terms import Term, build_terms
from torchrips.persistence import rips_diagrams

PICTURES = 32  # images of a batch that a snapshot keeps: 4 rows of 8 (thesis, section 4)
LATENT_SAMPLE = 1000  # images whose latents are kept (thesis, F14)


class TrainingError(RuntimeError):
    """A value that must be finite is not; the message names the step.

    Attributes:
        history: the rows of the steps before it, where :func:`train` raised it.

    """

    history = pd.DataFrame()


class Trainer:
    """A model in training; :meth:`step` is one update.

    Args:
        images: grey levels 0 ... 255, shape (n, 28, 28); may be memory-mapped.
        references: D0 of every batch, ``references[batch][degree]`` of shape (k, 2).
        regularizers: entries {name, degree, weight, parameters, cloud, reference_scale}; empty for VAE0.
        latent_dim: dimension of the latent space.
        seed: decides the initial weights and the noise.
        batch_size: images of a step, in the order of the data.
        learning_rate: of Adam.
        device: any torch device, or auto: CUDA where there is one. Of several GPUs the seed picks one.
        kld_weight: factor of KLD in the loss; 1 in the thesis.
        noise: {stream, offset, stride} of the sampling noise, see
            :class:`topogen.training.noise.SamplingNoise`. stream 0 continues where the initial weights
            ended, others are independent of it.
        direction: ``gradient``, or ``random``: a placebo, whose every step has the size of the regularizers'
            gradient and a direction drawn from a stream of its own.

    Raises:
        ValueError: the device is a GPU and torch finds none.

    """

    def __init__(
        self,
        images: NDArray[Any],
        references: Sequence[Sequence[NDArray[Any]]],
        *,
        regularizers: Sequence[dict[str, Any]],
        latent_dim: int,
        seed: int,
        batch_size: int,
        learning_rate: float,
        device: str = "auto",
        kld_weight: float = 1,
        noise: Mapping[str, int] | None = None,
        direction: str = "gradient",
    ) -> None:
        self.images, self.references = images, references
        self.batches = batch_slices(len(images), batch_size)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"device {device}: torch finds no GPU")
        if self.device == torch.device("cuda"):  # trainings of several seeds share out the GPUs
            self.device = torch.device("cuda", seed % torch.cuda.device_count())
        draws = {"stream": 0, "offset": 0, "stride": 1, **(noise or {})}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = VAE(latent_dim).to(self.device)
            stream = torch.Generator()
            stream.set_state(torch.get_rng_state())  # the noise continues where the weights ended
        if draws["stream"] > 0:
            stream = independent_stream(seed, draws["stream"])
        self.noise = SamplingNoise(
            stream,
            offset=draws["offset"],
            stride=draws["stride"],
            dimension=latent_dim,
            batch_size=batch_size,
        )
        self.directions = independent_stream(seed, 0) if direction == "random" else None
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=learning_rate)
        self.kld_weight = float(kld_weight)
        self.terms = build_terms(regularizers)
        for term in self.terms:
            term.module.to(self.device)
        self.steps_done = 0
        self.topology_seconds = 0.0

    def step(self) -> tuple[dict[str, float], Forward]:
        """One update on the next batch.

        Returns:
            The row of the history (step, bce, kld, each topological term without its weight; and of bce and
            the terms, weighted, the size of the gradient, see :meth:`_topology`), and the forward pass before
            the update.

        Raises:
            TrainingError: a term is NaN or infinite; the model is left as it was before the step.

        """
        batch = self.steps_done % len(self.batches)  # no shuffling: batch k is the same in every epoch
        images = scaled(self.images[self.batches[batch]]).to(self.device)
        forward = self.model(images, self.noise.draw(len(images)).to(self.device))
        bce = binary_cross_entropy(forward.logits, images)
        kld = kl_divergence(forward.mean, forward.log_variance)
        row: dict[str, float] = {"step": self.steps_done, "bce": bce.item(), "kld": kld.item()}
        row["gradient_bce"] = _size(forward.images.detach() - images)
        self._demand_finite(row)

        started = time.perf_counter()
        topology, places, gradients = self._topology(forward, self.references[batch])
        self.topology_seconds = time.perf_counter() - started
        row |= topology

        self.optimizer.zero_grad()
        torch.autograd.backward([bce + self.kld_weight * kld, *places], [None, *gradients])
        self.optimizer.step()
        self.steps_done += 1
        return row, forward

    def _topology(
        self, forward: Forward, reference: Sequence[NDArray[Any]]
    ) -> tuple[dict[str, float], list[Tensor], list[Tensor]]:
        """Values of the terms and sizes of their weighted gradients, and what they add to the backward pass.

        The gradients are taken on a detached copy of the cloud, so that the topological part of a step is one
        piece, forward and backward, that can be timed and looked at by itself. Those on the output are
        carried on to the logits, where BCE's gradient, output minus image, is bounded: there sizes compare.

        Returns:
            NAME_DEGREE and gradient_NAME_DEGREE of every term; logits or latents; the gradient on each.
        """
        row: dict[str, float] = {}
        places, gradients = [], []
        for name in dict.fromkeys(term.cloud for term in self.terms):
            terms = [term for term in self.terms if term.cloud == name]
            output = forward.images.detach()
            cloud = output.flatten(1) if name == "output" else forward.latents.detach()
            try:
                parts = self._weighted_gradients(terms, cloud.requires_grad_(), reference, row)
            except ValueError as error:
                raise TrainingError(f"step {self.steps_done}, {name} cloud: {error}") from error
            place = forward.logits if name == "output" else forward.latents
            parts = [part.reshape(place.shape) for part in parts]
            if name == "output":
                parts = [part * output * (1 - output) for part in parts]  # derivative of the sigmoid
            row |= {f"gradient_{term.column}": _size(part) for term, part in zip(terms, parts, strict=True)}
            self._demand_finite(row)
            places.append(place)
            gradients.append(self._directed(torch.stack(parts).sum(dim=0)))
        return row, places, gradients

    def _weighted_gradients(
        self, terms: list[Term], cloud: Tensor, reference: Sequence[NDArray[Any]], row: dict[str, float]
    ) -> list[Tensor]:
        """Weighted gradient of each term of one cloud; their values are noted in the row."""
        degrees = sorted({term.degree for term in terms})
        diagrams = dict(zip(degrees, rips_diagrams(cloud, degrees), strict=True))
        gradients = []
        for term in terms:
            target = torch.from_numpy(reference[term.degree]).to(cloud) * term.reference_scale
            value = term.module(diagrams[term.degree], target)
            row[term.column] = value.item()
            # A term without a path to the cloud (an empty diagram, say) has gradient zero.
            (gradient,) = torch.autograd.grad(
                term.weight * value, cloud, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            gradients.append(gradient)
        return gradients

    def _directed(self, gradient: Tensor) -> Tensor:
        """The gradient as it is, or a random one of its size."""
        if self.directions is None:
            return gradient
        direction = torch.randn(gradient.shape, generator=self.directions).to(gradient)
        return direction * (_size(gradient) / _size(direction))

    def _demand_finite(self, row: dict[str, float]) -> None:
        faults = [name for name, value in row.items() if not math.isfinite(value)]
        if faults:
            raise TrainingError(f"step {self.steps_done}: not finite: {', '.join(faults)}")

    def latents_of(self, images: NDArray[Any], noise: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Sampled z and posterior mean of images, by the model as it stands; each (n, latent_dim)."""
        with torch.no_grad():
            mean, _, z = self.model.encode(
                scaled(images).to(self.device), torch.from_numpy(noise).to(self.device)
            )
        return {"z": z.cpu().numpy(), "mean": mean.cpu().numpy()}

    def weights(self) -> dict[str, NDArray[Any]]:
        """Copy of the model's weights, by name."""
        return {name: value.cpu().numpy().copy() for name, value in self.model.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """All that is needed to go on: model, optimizer, noise stream, number of steps done."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "streams": [stream.get_state() for stream in self._streams()],
            "steps_done": self.steps_done,
        }

    def _streams(self) -> list[torch.Generator]:
        return [self.noise.stream, *([self.directions] if self.directions else [])]

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state` was taken, bit for bit."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for stream, saved in zip(self._streams(), state["streams"], strict=True):
            stream.set_state(saved)
        self.steps_done = state["steps_done"]

    def checkpoint(self) -> io.BytesIO:
        """The :meth:`state` as a file in memory."""
        return _in_memory(self.state())


def _size(gradient: Tensor) -> float:
    """Euclidean norm; in float64, where the square of no float32 overflows."""
    return float(torch.linalg.vector_norm(gradient, dtype=torch.float64))


def _in_memory(content: dict[str, Any]) -> io.BytesIO:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    buffer.seek(0)
    return buffer


@dataclass
class Run:
    """What training one model from one seed leaves behind.

    Attributes:
        history: one row per step: what :meth:`Trainer.step` returns.
        timing: one row per step: step, model_seconds, topology_seconds.
        snapshots: ``truth_S`` and ``output_S``, shape (32, 28, 28), in [0, 1], at the snapshot steps S.
        weights: ``S/name`` of every weight, before the update of the snapshot step S.
        latents: ``z_before``, ``mean_before``, ``z_after``, ``mean_after``, (m, latent_dim), and ``label``
            (m,), of the same m random training images (1000, or all where there are fewer).
        checkpoint: of the last step, as a file in memory.

    """

    history: pd.DataFrame
    timing: pd.DataFrame
    latents: dict[str, NDArray[Any]]
    checkpoint: io.BytesIO
    snapshots: dict[str, NDArray[Any]] = field(default_factory=dict)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass
class _Progress:
    """What a training has gathered until now; the fields are those of :class:`Run`."""

    before: dict[str, NDArray[Any]]
    history: list[dict[str, float]] = field(default_factory=list)
    timing: list[dict[str, float]] = field(default_factory=list)
    snapshots: dict[str, NDArray[Any]] = field(default_factory=dict)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)

    def save(self, file: Path, trainer: Trainer, identity: str) -> None:
        arrays = {
            name: {key: torch.from_numpy(value) for key, value in getattr(self, name).items()}
            for name in ("before", "snapshots", "weights")
        }
        rows = {"history": self.history, "timing": self.timing}
        save_buffer(file, _in_memory({"identity": identity, "trainer": trainer.state(), **arrays, **rows}))

    @classmethod
    def load(cls, file: Path, trainer: Trainer, identity: str) -> "_Progress | None":
        """What :meth:`save` wrote, the trainer brought to that step; None for none or that of another run."""
        if not file.exists():
            return None
        content = torch.load(file, weights_only=True, map_location="cpu")
        if content["identity"] != identity:
            return None
        trainer.restore(content["trainer"])
        arrays = {
            name: {key: value.numpy() for key, value in content[name].items()}
            for name in ("before", "snapshots", "weights")
        }
        return cls(**arrays, history=content["history"], timing=content["timing"])


def train(
    images: NDArray[Any],
    labels: NDArray[Any],
    references: Sequence[Sequence[NDArray[Any]]],
    *,
    seed: int,
    epochs: int,
    snapshot_steps: Sequence[int],
    steps: int | None = None,
    partial: Path | None = None,
    identity: str = "",
    **model: Any,
) -> Run:
    """Train one model from one seed.

    Where ``partial`` is given, it is written after every epoch but the last, and a training that finds one of
    its own identity goes on from there, to the same result as without a break. The caller removes it.

    Args:
        images: grey levels 0 ... 255, shape (n, 28, 28); may be memory-mapped.
        labels: classes, shape (n,).
        references: D0 of every batch.
        seed: decides weights, noise, and the images whose latents are kept.
        epochs: passes through the data.
        snapshot_steps: zero-based steps whose forward pass is kept.
        steps: end after so many steps, where the epochs have more.
        partial: file that keeps the training until its end.
        identity: tells trainings apart: arguments, data and code.
        model: the remaining arguments of :class:`Trainer`.

    Raises:
        ValueError: a snapshot step lies beyond the last step.
        TrainingError: a value that must be finite is not, at the step that the message names; it carries the
            history of the steps before.

    """
    trainer = Trainer(images, references, seed=seed, **model)
    whole = epochs * len(trainer.batches)
    last = min(steps, whole) if steps else whole
    if late := [step for step in snapshot_steps if step >= last]:
        raise ValueError(f"snapshot steps {late}: the training has {last} steps, the first is 0")
    sample, noise = _latent_sample(len(images), trainer.noise.dimension, seed)
    progress = partial and _Progress.load(partial, trainer, identity)
    progress = progress or _Progress(trainer.latents_of(images[sample], noise))
    if trainer.steps_done > 0:
        print(f"goes on at step {trainer.steps_done}", flush=True)

    for step in tqdm(range(trainer.steps_done, last), unit="step", mininterval=5):
        if step in snapshot_steps:
            progress.weights |= {f"{step}/{name}": value for name, value in trainer.weights().items()}
        started = time.perf_counter()
        try:
            row, forward = trainer.step()
        except TrainingError as error:
            error.history = pd.DataFrame(progress.history)
            raise
        seconds = time.perf_counter() - started
        progress.history.append(row)
        progress.timing.append(
            {
                "step": step,
                "model_seconds": seconds - trainer.topology_seconds,
                "topology_seconds": trainer.topology_seconds,
            }
        )
        if step in snapshot_steps:
            batch = trainer.batches[step % len(trainer.batches)]
            progress.snapshots[f"truth_{step}"] = scaled(images[batch][:PICTURES])[:, 0].numpy()
            progress.snapshots[f"output_{step}"] = forward.images.detach()[:PICTURES, 0].cpu().numpy()
        if partial and trainer.steps_done % len(trainer.batches) == 0 and trainer.steps_done < last:
            progress.save(partial, trainer, identity)

    after = trainer.latents_of(images[sample], noise)
    latents = {f"{name}_before": value for name, value in progress.before.items()}
    latents |= {f"{name}_after": value for name, value in after.items()} | {"label": labels[sample]}
    return Run(
        pd.DataFrame(progress.history),
        pd.DataFrame(progress.timing),
        latents,
        trainer.checkpoint(),
        progress.snapshots,
        progress.weights,
    )


def _latent_sample(images: int, latent_dim: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images whose latents are kept and their noise: a stream of its own, so that training is untouched."""
    stream = np.random.default_rng(seed)
    sample = np.sort(stream.choice(images, min(LATENT_SAMPLE, images), replace=False))
    return sample, stream.standard_normal((len(sample), latent_dim), dtype=np.float32)
