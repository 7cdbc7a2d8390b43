"""One step of training after the other: the loss of the model's family plus a weighted sum of regularizers.

Several trainings of one model, from several seeds, can take their steps together.

Common random numbers: the initial weights are the first draws of the seed's stream and the sampling noise
the draws that follow, all on the CPU. So models of one family, latent dimension and seed start as clones, see
the same batches in the same order and sample with the same noise, whatever their regularizers and device,
unless their configuration gives one of them other draws.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogen.data.batches import scaled
from topogen.data.orders import Places, ordered_batches, shuffled_batches
from topogen.models.families import Cloud, Outcome, build
from topogen.training.adam import Adam
from topogen.training.noise import PRIOR, SamplingNoise, independent_stream, stream_of_step
from topogen.training.references import Stored, TrainingData, references_of
from topogen.training.regularization import (
    Regularization,
    TrainingError,
    demand_finite,
    size_of,
    sizes_of,
)
from topogen.training.stack import Passed, pass_together

# On a GPU, convolutions in float32 itself and by kernels that give the same bits each time. By default they
# round to the 10 bits of TF32, and no training has the same bits twice.
EXACT = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


class Trainer:
    """A model in training; :meth:`step` is one update.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        references: D0 of every batch in this order, ``references[batch][degree]`` of shape (k, 2).
        regularizers: entries, see :class:`topogen.training.regularization.Regularization`; empty for VAE0.
        seed: decides the initial weights and the noise.
        batch_size: images of a step.
        learning_rate: of Adam.
        weight_decay: of Adam: so many times the weights are added to the gradient of the loss.
        shuffle: number of epochs whose images are shuffled, each in another order; D0 of the batches is then
            computed in every step. None: the same batches in every epoch.
        device: as in :func:`device_of`.
        noise: {stream, offset, stride, loader, pictures} of the sampling noise, see
            :class:`topogen.training.noise.SamplingNoise`. stream 0 continues where the initial weights
            ended, others are independent of it.
        order: seed of the order of the images, see :func:`topogen.data.orders.ordered_batches`.
        direction: of the regularizers' gradient, see
            :class:`topogen.training.regularization.Regularization`.
        reference: what the regularizers are compared with instead of D0, see
            :class:`topogen.training.references.Reference`.
        wrong_references: its diagrams of every batch, if they are stored.
        labels: classes of the images, shape (n,), of which some references are made.
        architecture: family of the model, see :mod:`topogen.models.families`.
        options: of the family, such as ``latent_dim``.

    Raises:
        ValueError: the device is a GPU and torch finds none.

    """

    def __init__(
        self,
        images: NDArray[Any],
        references: Stored,
        *,
        regularizers: Sequence[dict[str, Any]],
        seed: int,
        batch_size: int,
        learning_rate: float,
        weight_decay: float = 0,
        shuffle: int | None = None,
        device: str | torch.device = "auto",
        noise: Mapping[str, Any] | None = None,
        order: int | None = None,
        direction: str = "gradient",
        reference: str | None = None,
        wrong_references: Stored | None = None,
        labels: NDArray[Any] | None = None,
        architecture: str = "vae",
        **options: Any,
    ) -> None:
        self.images, self.seed, self.shuffled = images, seed, bool(shuffle)
        self.batches = _batches(len(images), batch_size, order, seed, shuffle)
        self.steps_per_epoch = len(self.batches) // (shuffle or 1)
        self.device = device_of(device, seed)
        self.built: dict[str, Any] = {
            "architecture": architecture,
            "shape": images.shape[1:],
            "options": options,
        }
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = build(**self.built).to(self.device)
            stream = torch.Generator()
            stream.set_state(torch.get_rng_state())  # the noise continues where the weights ended
        self.noise = _sampling_noise(stream, noise or {}, seed, self.model.noise_dim, batch_size)
        self.optimizer = Adam(self.model.parameters(), learning_rate, self.model.betas, weight_decay)
        classes = np.zeros(0) if labels is None else labels
        data = TrainingData(images, self.batches, classes, shuffled=self.shuffled)
        dimension = self.model.noise_dim
        right, wrong = references_of(
            data, references, kind=reference, wrong=wrong_references, dimension=dimension, seed=seed
        )
        self.regularization = Regularization(regularizers, right, wrong, direction=direction, seed=seed)
        self.steps_done = 0
        self.topology_seconds = 0.0

    def step(self) -> tuple[dict[str, float], Outcome]:
        """One update on the next batch.

        Returns:
            The row of the history, and what the model made of the batch before the update. The row holds
            step, the terms of the family's loss, the size of the data term's gradient, and what
            :meth:`topogen.training.regularization.Regularization.of_step` says of the regularizers: their
            values without weights, and the sizes of their weighted gradients. Of a family with an adversary
            it holds the loss of that before its update.

        Raises:
            TrainingError: a term is NaN or infinite; no weight is updated, except those of an adversary,
                whose loss was finite.

        """
        (taken,) = step_together([self])
        return taken

    def _look_at(self, batch: int, images: Tensor, passed: tuple[Tensor, ...]) -> "_Seen":
        """What a step finds out about the data term, after the model's pass and the adversary's update."""
        row: dict[str, float] = {"step": self.steps_done}
        row |= self._update_adversary(passed, images)
        outcome = self.model.outcome(passed, images)
        columns = [*outcome.losses, f"gradient_{next(iter(outcome.losses))}"]
        values = sizes_of([outcome.data_gradient], *outcome.losses.values())
        row |= dict(zip(columns, values, strict=True))
        demand_finite(row, self.steps_done)
        return _Seen(row, outcome, self._clouds(outcome, batch))

    def _regularize(
        self, seen: "_Seen", data_sizes: Mapping[str, float], batch: int
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Where the regularizers add to the backward pass, and what; the row grows."""
        started = time.perf_counter()
        topology, places, gradients = self.regularization.of_step(
            seen.clouds, data_sizes, batch=batch, step=self.steps_done
        )
        self.topology_seconds = time.perf_counter() - started
        seen.row.update(topology)
        return places, gradients

    def _update_adversary(self, passed: tuple[Tensor, ...], images: Tensor) -> dict[str, float]:
        """One update of the family's adversary, and its loss before; nothing if there is none."""
        loss = self.model.adversary_loss(passed, images)
        if loss is None:
            return {}
        row = {"adversary": loss.item()}
        demand_finite(row, self.steps_done)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()  # weights that the loss does not reach have no gradient, so Adam leaves them
        return row

    @EXACT
    def weight_gradients(self) -> tuple[Tensor, Tensor]:
        """Gradients in all weights on the next batch: of the data term, and of the regularizers together.

        The batch counts as seen, and its noise as drawn, but nothing is learned.

        Returns:
            Both of shape (number of weights,).

        Raises:
            ValueError: the family has an adversary, which a training updates first, so that it follows
                another gradient of the data term than this one.

        """
        batch, images = self._next_images()
        noise = self.noise.draw(len(images), self.steps_done).to(self.device)
        passed = self.model(images, noise)
        if self.model.adversary_loss(passed, images) is not None:
            raise ValueError(
                f"{self.built['architecture']}: its adversary is updated before the gradients of a step, so "
                "they cannot be compared without an update; take a family without an adversary"
            )
        seen = self._look_at(batch, images, passed)
        (sizes,) = _data_sizes(self, [seen], Passed([passed]))
        places, gradients = self._regularize(seen, sizes, batch)
        self.steps_done += 1
        weights = list(self.model.parameters())
        of_data, of_terms = (
            torch.autograd.grad(
                values, weights, factors, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            for values, factors in (([seen.data], None), (places, gradients))
        )
        return _flat(of_data), _flat(of_terms)

    def _next_images(self) -> tuple[int, Tensor]:
        """Number of the next batch, and its images."""
        batch = self.steps_done % len(self.batches)  # no shuffling: batch k is the same in every epoch
        return batch, scaled(self.images[self.batches[batch]]).to(self.device)

    def _clouds(self, outcome: Outcome, batch: int) -> dict[str, Cloud]:
        """The clouds of a batch that the regularizers look at, by name."""
        asked = self.regularization.clouds
        if not asked:  # a family may make a cloud only if it is asked for
            return {}
        offered = dict(outcome.clouds)
        if "prior" in asked:
            stream = stream_of_step(self.seed, PRIOR, self.steps_done)
            images = self.images[self.batches[batch]]
            noise = torch.randn(len(images), self.model.noise_dim, generator=stream)
            made = self.model.prior_cloud(noise.to(self.device))
            offered |= {} if made is None else {"prior": made}
        if missing := [name for name in asked if name not in offered]:
            family = self.built["architecture"]
            raise ValueError(f"{family} has no cloud {missing[0]}; choose one of: {', '.join(offered)}")
        return {name: offered[name] for name in asked}

    @EXACT
    def latents_of(self, images: NDArray[Any], noise: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Latents of images by name, such as ``z`` and ``mean``, by the model as it stands; each (n, d)."""
        pixels, draws = scaled(images).to(self.device), torch.from_numpy(noise).to(self.device)

        def latents(number: int) -> Mapping[str, Tensor]:
            """Of the first images."""
            passed = self.model(pixels[:number], draws[:number])
            return self.model.outcome(passed, pixels[:number]).latents

        self.model.eval()  # a family may have layers that draw or learn in a forward pass
        with torch.no_grad():
            # One image tells whether the family has latents, and costs less than all of them.
            found = latents(len(pixels)) if latents(1) else {}
        self.model.train()
        return {name: values.cpu().numpy() for name, values in found.items()}

    @EXACT
    def bce_at_mean(self, images: NDArray[Any]) -> float:
        """BCE of images and their reconstructions from the posterior mean, by the model as it stands.

        Nothing is drawn and nothing is learned, so the training is not disturbed.

        Args:
            images: levels 0 ... 255, shape (n, channels, height, width).

        Returns:
            Summed over pixels and images, as in the history; NaN if the family's loss has no ``bce``.

        """
        self.model.eval()  # as above
        with torch.no_grad():
            losses = self.model.outcome_at_mean(scaled(images[:1]).to(self.device)).losses
            if "bce" in losses:  # one image tells, and costs less than all of them
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
        directions = self.regularization.directions
        return [self.noise.stream, *([directions] if directions else [])]

    def restore(self, state: dict[str, Any]) -> None:
        """Resume where :meth:`state` was taken, bit for bit."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for stream, saved in zip(self._streams(), state["streams"], strict=True):
            stream.set_state(saved)
        self.steps_done = state["steps_done"]


@dataclass(frozen=True)
class _Seen:
    """What a step found: its row of the history, and what the model made of the batch."""

    row: dict[str, float]
    outcome: Outcome
    clouds: dict[str, Cloud]

    @property
    def data(self) -> Tensor:
        """The data term."""
        return next(iter(self.outcome.losses.values()))


@EXACT
def step_together(trainers: Sequence[Trainer]) -> list[tuple[dict[str, float], Outcome]]:
    """One update of each of several trainings, their models in one stack.

    Args:
        trainers: they differ in their seed alone, are on one device, and have taken equally many steps.

    Returns:
        Of each what :meth:`Trainer.step` returns, equal within rounding to a step by itself.

    Raises:
        TrainingError: as in :meth:`Trainer.step`; it names the seed.

    """
    first, *_ = trainers
    # Without shuffling all of them see one batch.
    batches = [trainer._next_images() for trainer in (trainers if first.shuffled else [first])]
    number, images = batches[0][0], [images for _, images in batches]
    noise = [trainer.noise.draw(len(images[0]), trainer.steps_done) for trainer in trainers]
    passed = pass_together([t.model for t in trainers], images, torch.stack(noise).to(first.device))
    seen, values, gradients = [], [], []
    for trainer, of_model, its_images in zip(trainers, passed.of_models, cycle(images), strict=False):
        with _named(trainer.seed):
            seen.append(trainer._look_at(number, its_images, of_model))
    for trainer, found, sizes in zip(trainers, seen, _data_sizes(first, seen, passed), strict=True):
        with _named(trainer.seed):
            places, on_places = trainer._regularize(found, sizes, number)
        values += [found.outcome.loss, *places]
        gradients += [None, *on_places]
    for trainer in trainers:
        trainer.optimizer.zero_grad()
    torch.autograd.backward(values, gradients)
    for trainer in trainers:
        trainer.optimizer.step()  # weights that the values do not reach have no gradient, so it leaves them
        trainer.steps_done += 1
    return [(found.row, found.outcome) for found in seen]


def _data_sizes(trainer: Trainer, seen: Sequence[_Seen], passed: Passed) -> list[dict[str, float]]:
    """Of each training, sizes of the data term's gradient at the clouds whose terms have a share of it.

    What the data term does not reach is compared with its gradient at the output.
    """
    sizes: list[dict[str, float]] = [{} for _ in seen]
    for name in trainer.regularization.clouds_of_shares:
        places = [found.clouds[name].place for found in seen]
        at_output = [found.outcome.data_gradient for found in seen]
        reached: Sequence[Tensor | None] = at_output
        if places[0] is not seen[0].outcome.clouds["output"].place:
            reached = passed.gradients([found.data for found in seen], places)
        for of_training, gradient, output in zip(sizes, reached, at_output, strict=True):
            of_training[name] = size_of(output if gradient is None else gradient)
    return sizes


@contextmanager
def _named(seed: int) -> Iterator[None]:
    """Tell an error of training its seed."""
    try:
        yield
    except TrainingError as error:
        error.seed = seed
        raise


def _flat(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients])


def _batches(images: int, batch_size: int, order: int | None, seed: int, shuffle: int | None) -> list[Places]:
    """Batches of one epoch, or of all epochs if their images are shuffled."""
    if shuffle:
        return shuffled_batches(images, batch_size, seed, shuffle)
    return ordered_batches(images, batch_size, order)


def _sampling_noise(
    stream: torch.Generator, draws: Mapping[str, Any], seed: int, dimension: int, batch_size: int
) -> SamplingNoise:
    """The noise of a stream, every draw of it unless the configuration says otherwise."""
    if draws.get("stream", 0) > 0:
        stream = independent_stream(seed, draws["stream"])
    rest = {key: value for key, value in draws.items() if key != "stream"}
    return SamplingNoise(
        stream, **{"offset": 0, "stride": 1, **rest}, dimension=dimension, batch_size=batch_size
    )


def device_of(name: str | torch.device, seed: int) -> torch.device:
    """The device of a name, or auto: CUDA if there is one. Of several GPUs the seed picks one.

    So trainings share them out.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {name}: torch finds no GPU")
    if device == torch.device("cuda"):
        return torch.device("cuda", seed % torch.cuda.device_count())
    return device
