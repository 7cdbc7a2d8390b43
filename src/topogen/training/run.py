"""A training from its first step to its last: what is kept of it, and how it resumes after a break."""

import io
import math
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from topogen.data.batches import scaled
from topogen.files import save_buffer
from topogen.models.families import Outcome
from topogen.steps import demand_reached, steps_of_training
from topogen.training.regularization import TrainingError
from topogen.training.trainer import Trainer, device_of, step_together

PICTURES = 32  # images of a batch that a snapshot keeps: 4 rows of 8 (thesis, section 4)
ROWS = ("history", "timing", "monitored_bce")  # tables that grow during a training
LATENT_SAMPLE = 1000  # images whose latents are kept (thesis, F14)
STOPPING_BCE = "stopping_bce"  # column of the history


@dataclass(frozen=True)
class Stopping:
    """When a training ends before its last epoch: when BCE has found no new lowest value for some epochs.

    Attributes:
        images: on which BCE is measured after each epoch, levels 0 ... 255, shape (m, channels, height,
            width).
        patience: number of epochs without a new lowest value.

    """

    images: NDArray[Any]
    patience: int

    @classmethod
    def on_last(cls, test_images: NDArray[Any], *, images: int, patience: int, evaluated: int) -> "Stopping":
        """By the last test images, if the first ones, on which the model is judged, are others.

        Raises:
            ValueError: there are too few of them.

        """
        if images + evaluated > len(test_images):
            raise ValueError(
                f"stop_early.images: {images} and the {evaluated} images on which the model is judged are "
                f"more than the {len(test_images)} test images; take fewer, because they must not be the same"
            )
        return cls(test_images[-images:], patience)


@dataclass
class Run:
    """What training one model from one seed leaves behind.

    Attributes:
        history: one row per step: what :meth:`Trainer.step` returns; and, of a training that may end early,
            stopping_bce, BCE of the images of :class:`Stopping` after each epoch.
        timing: one row per step: step, model_seconds, topology_seconds.
        monitored_bce: columns step and bce, what :meth:`Trainer.bce_at_mean` returns for the monitored images
            before the update of the step.
        snapshots: ``truth_S`` and, if the model reconstructs, ``output_S`` at the snapshot steps S, levels in
            [0, 1], shape (32, channels, height, width).
        weights: ``S/name`` of every weight, before the update of the snapshot step S.
        latents: ``label`` (m,) of m random training images (1000, or all if there are fewer), and of the
            same images, if the model encodes, ``z_before``, ``mean_before``, ``z_after`` and ``mean_after``,
            (m, latent_dim).
        checkpoint: of the last step, as a file in memory.

    """

    history: pd.DataFrame
    timing: pd.DataFrame
    latents: dict[str, NDArray[Any]]
    checkpoint: io.BytesIO
    monitored_bce: pd.DataFrame
    snapshots: dict[str, NDArray[Any]] = field(default_factory=dict)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)


def train(
    images: NDArray[Any],
    labels: NDArray[Any],
    references: Sequence[Sequence[NDArray[Any]]],
    *,
    seeds: Sequence[int],
    epochs: int,
    snapshot_steps: Sequence[int],
    steps: int | None = None,
    keep_epochs: bool = False,
    stopping: Stopping | None = None,
    monitored: NDArray[Any] | None = None,
    monitored_steps: Sequence[int] = (),
    partial: Path | None = None,
    identity: str = "",
    device: str = "auto",
    **model: Any,
) -> list[Run]:
    """Train one model from one seed, or from several at a time, in one stack.

    If ``partial`` is given, it is written after every epoch but the last, and a training that finds one of
    its own identity resumes there, to the same result as without a break. The caller removes it.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        labels: classes, shape (n,).
        references: D0 of every batch.
        seeds: each decides weights, noise, and the images whose latents are kept.
        epochs: passes through the data.
        snapshot_steps: zero-based steps whose outcome is kept.
        steps: end after so many steps, if the epochs have more.
        keep_epochs: whether the outcome of the first step of each further epoch is kept as well.
        stopping: when it ends before, though not before the last snapshot step and the last monitored step.
            BCE of the monitored images is then also measured at the last step of each epoch.
        monitored: test images, levels 0 ... 255, shape (m, channels, height, width), whose BCE is measured.
        monitored_steps: steps at which it is measured; the last step of the training is always added.
        partial: file that keeps the training until its end.
        identity: tells trainings apart: arguments, data and code.
        device: as in :func:`topogen.training.trainer.device_of`. Of several GPUs the seed picks one, or the
            identity, of several seeds.
        model: the remaining arguments of :class:`Trainer`.

    Returns:
        Of every seed what it leaves behind.

    Raises:
        ValueError: a snapshot step or a monitored step lies beyond the last step; or several seeds cannot be
            one stack, because their family is not stackable or each may end at a step of its own.
        TrainingError: a value that must be finite is not, at the step that the message names; it carries the
            seed, and the history of the steps before.

    """
    # Stacks of different models begin with the same seed.
    place = device_of(device, seeds[0] if len(seeds) == 1 else crc32(identity.encode()))
    model |= {"labels": labels, "device": place}
    trainers = [Trainer(images, references, seed=seed, **model) for seed in seeds]
    _check_stack(trainers, stopping)
    epoch = trainers[0].steps_per_epoch
    last = steps_of_training(epoch, epochs, steps)
    demand_reached(last, snapshot_steps=snapshot_steps, monitored_steps=monitored_steps)
    _check_last_batch(trainers[0], last)
    progress = (partial and _load(partial, trainers, identity)) or [
        _Progress(_latents(trainer)) for trainer in trainers
    ]
    measured = {*monitored_steps, last - 1, *(range(epoch - 1, last, epoch) if stopping else ())}
    kept = {*snapshot_steps, *(range(epoch, last, epoch) if keep_epochs else ())}
    earliest = max([*snapshot_steps, *monitored_steps], default=0)
    if (done := trainers[0].steps_done) > 0:
        print(f"resumes at step {done}", flush=True)

    for step in tqdm(range(done, last), unit="step", mininterval=5):
        if monitored is not None and step in measured:
            for trainer, so_far in zip(trainers, progress, strict=True):
                so_far.monitored_bce.append({"step": step, "bce": trainer.bce_at_mean(monitored)})
        _take_step(trainers, progress, keep=step in kept)
        if (step + 1) % epoch:
            continue
        if stopping and progress[0].has_stalled(trainers[0], stopping) and step >= earliest:
            print(f"ends early, after {step + 1} steps", flush=True)
            break
        if partial and step + 1 < last:
            _save(partial, trainers, progress, identity)

    return [so_far.result(trainer, labels) for so_far, trainer in zip(progress, trainers, strict=True)]


def _check_last_batch(trainer: Trainer, steps: int) -> None:
    """Stop before the first step if a batch will have one image, and the model cannot learn from one alone.

    Batch normalisation cannot, if it sees one number of each kind. So a copy of the model tries.
    """
    last = trainer.images[trainer.batches[-1]]
    if steps < trainer.steps_per_epoch or len(last) > 1:
        return
    model, image = deepcopy(trainer.model), scaled(last).to(trainer.device)
    try:
        model.adversary_loss(model(image, image.new_zeros(1, model.noise_dim)), image)
    except ValueError as error:
        raise ValueError(
            f"batch_size: of {len(trainer.images)} images the last batch has one alone, from which this "
            f"{trainer.built['architecture']} cannot learn; choose another size ({error})"
        ) from error


def _check_stack(trainers: Sequence[Trainer], stopping: Stopping | None) -> None:
    """Refuse several trainings that cannot take their steps together."""
    if len(trainers) < 2:
        return
    if stopping:
        raise ValueError("stop_early: trainings in one stack take the same steps; train each seed by itself")
    if not trainers[0].model.stackable:
        family = trainers[0].built["architecture"]
        raise ValueError(f"{family}: its models cannot be trained in one stack; train each seed by itself")


def _latent_sample(trainer: Trainer) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Images whose latents are kept and their noise: a stream of its own, so that training is untouched."""
    stream, images = np.random.default_rng(trainer.seed), len(trainer.images)
    sample = np.sort(stream.choice(images, min(LATENT_SAMPLE, images), replace=False))
    return sample, stream.standard_normal((len(sample), trainer.noise.dimension), dtype=np.float32)


def _latents(trainer: Trainer) -> dict[str, NDArray[Any]]:
    """Latents of these images, by the model as it stands."""
    sample, noise = _latent_sample(trainer)
    return trainer.latents_of(trainer.images[sample], noise)


def _take_step(trainers: Sequence[Trainer], progress: Sequence["_Progress"], *, keep: bool) -> None:
    """One step of all trainers, whose weights and images are kept if asked for."""
    if keep:
        for trainer, so_far in zip(trainers, progress, strict=True):
            weights = trainer.weights().items()
            so_far.weights |= {f"{trainer.steps_done}/{name}": value for name, value in weights}
    started = time.perf_counter()
    try:
        taken = step_together(trainers)
    except TrainingError as error:
        found = zip(trainers, progress, strict=True)
        (error.history,) = (pd.DataFrame(so_far.history) for one, so_far in found if one.seed == error.seed)
        raise
    seconds = time.perf_counter() - started - sum(trainer.topology_seconds for trainer in trainers)
    for trainer, so_far, (row, outcome) in zip(trainers, progress, taken, strict=True):
        times = {"model_seconds": seconds / len(trainers), "topology_seconds": trainer.topology_seconds}
        so_far.timing.append({"step": row["step"]} | times)
        so_far.take(row, outcome, trainer, keep=keep)


@dataclass
class _Progress:
    """What a training has gathered until now; the fields are those of :class:`Run`."""

    before: dict[str, NDArray[Any]]
    history: list[dict[str, float]] = field(default_factory=list)
    timing: list[dict[str, float]] = field(default_factory=list)
    monitored_bce: list[dict[str, float]] = field(default_factory=list)
    snapshots: dict[str, NDArray[Any]] = field(default_factory=dict)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)

    def take(self, row: dict[str, float], outcome: Outcome, trainer: Trainer, *, keep: bool) -> None:
        """Add what a step said of itself, and its images if they are to be kept."""
        self.history.append(row)
        step = int(row["step"])
        if keep:
            batch = trainer.batches[step % len(trainer.batches)]
            self.snapshots[f"truth_{step}"] = scaled(trainer.images[batch][:PICTURES]).numpy()
        if keep and outcome.reconstructions is not None:
            self.snapshots[f"output_{step}"] = outcome.reconstructions[:PICTURES].cpu().numpy()

    def has_stalled(self, trainer: Trainer, stopping: Stopping) -> bool:
        """Measure BCE for the last row of the history; whether it has found no new lowest value for too long.

        Raises:
            ValueError: it is not a number.

        """
        bce = trainer.bce_at_mean(stopping.images)
        if math.isnan(bce):
            raise ValueError("stop_early: BCE is not a number; the loss of the model's family may have none")
        self.history[-1][STOPPING_BCE] = bce
        known = [row[STOPPING_BCE] for row in self.history if STOPPING_BCE in row]
        before, since = known[: -stopping.patience], known[-stopping.patience :]
        return bool(before) and min(since) >= min(before)

    def result(self, trainer: Trainer, labels: NDArray[Any]) -> Run:
        """All of it at the end of the training, with the latents that the trained model gives."""
        sample, _ = _latent_sample(trainer)
        latents = {f"{name}_before": value for name, value in self.before.items()}
        latents |= {f"{name}_after": value for name, value in _latents(trainer).items()}
        return Run(
            pd.DataFrame(self.history),
            pd.DataFrame(self.timing),
            latents | {"label": labels[sample]},
            _in_memory(trainer.state()),
            pd.DataFrame(self.monitored_bce, columns=["step", "bce"]),
            self.snapshots,
            self.weights,
        )

    def state(self) -> dict[str, Any]:
        """All of it, as torch saves it."""
        arrays = {
            name: {key: torch.from_numpy(value) for key, value in getattr(self, name).items()}
            for name in ("before", "snapshots", "weights")
        }
        return arrays | {name: getattr(self, name) for name in ROWS}

    @classmethod
    def of(cls, state: dict[str, Any]) -> "_Progress":
        """What :meth:`state` gave."""
        arrays: dict[str, Any] = {
            name: {key: value.numpy() for key, value in state[name].items()}
            for name in ("before", "snapshots", "weights")
        }
        return cls(**arrays | {name: state[name] for name in ROWS})


def _save(file: Path, trainers: Sequence[Trainer], progress: Sequence[_Progress], identity: str) -> None:
    """Everything that trainings at one step need to go on there."""
    content = {
        "identity": identity,
        "trainers": [trainer.state() for trainer in trainers],
        "progress": [so_far.state() for so_far in progress],
    }
    save_buffer(file, _in_memory(content))


def _load(file: Path, trainers: Sequence[Trainer], identity: str) -> list[_Progress] | None:
    """What :func:`_save` wrote, the trainers brought to that step; None for none or that of another run."""
    if not file.exists():
        return None
    content = torch.load(file, weights_only=True, map_location="cpu")
    if content["identity"] != identity:
        return None
    for trainer, state in zip(trainers, content["trainers"], strict=True):
        trainer.restore(state)
    return [_Progress.of(state) for state in content["progress"]]


def _in_memory(content: dict[str, Any]) -> io.BytesIO:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    buffer.seek(0)
    return buffer
