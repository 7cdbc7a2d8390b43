"""Mode collapse for real (F1): a small GAN on a ring of Gaussians, plain and with one remedy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from topogen.synthetic.ring import Ring, Streams, normal
from topogen.training.adam import Adam
from topogen.training.terms import Term, build_terms
from torchrips.persistence import batched_rips_diagrams

BETAS = (0.5, 0.999)  # of Adam, as is usual for GANs


class Perceptrons(nn.Module):
    """Perceptrons of one shape side by side, one for each seed; ReLU between the layers.

    Weights and biases are uniform up to the inverse root of the number of inputs, torch's default.

    Args:
        sizes: numbers of inputs, of units of each hidden layer, of outputs.
        streams: from which the weights are drawn, one for each perceptron.

    Shape:
        input (s, n, sizes[0]), result (s, n, sizes[-1]).

    """

    def __init__(self, sizes: Sequence[int], streams: Streams) -> None:
        super().__init__()
        shapes = [(rows + 1, columns) for rows, columns in pairwise(sizes)]
        self.layers = nn.ParameterList(
            (2 * torch.stack([torch.rand(shape, generator=g) for g in streams]) - 1) / math.sqrt(shape[0] - 1)
            for shape in shapes
        )

    def forward(self, points: Tensor) -> Tensor:
        for place, layer in enumerate(self.layers):
            if place:
                points = points.relu()
            points = torch.baddbmm(layer[:, -1:], points, layer[:, :-1])  # the last row is the bias
        return points


def nearest_distances(clouds: Tensor) -> Tensor:
    """Sum over the points of each cloud of the distance to the nearest other; shape (s, n, d) to (s,)."""
    itself = torch.eye(clouds.shape[1], dtype=torch.bool)
    return _distances(clouds).masked_fill(itself, torch.inf).amin(dim=2).sum(dim=1)


def mean_distances(clouds: Tensor) -> Tensor:
    """Sum over the points of each cloud of the mean distance to the others; shape (s, n, d) to (s,)."""
    return _distances(clouds).sum(dim=(1, 2)) / (clouds.shape[1] - 1)


def _distances(clouds: Tensor) -> Tensor:
    """Distances within each cloud, by differences: of points of a collapsed cloud nothing cancels."""
    return torch.cdist(clouds, clouds, compute_mode="donot_use_mm_for_euclid_dist")


# Repulsions without topology, by name. Like push in degree 0 they are sums over about as many distances as
# there are points, so that a weight means about the same.
REPULSIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "nearest": nearest_distances,
    "pairwise": mean_distances,
}


@dataclass(frozen=True)
class Remedy:
    """What is added to a plain GAN; the defaults add nothing.

    Attributes:
        terms: of the generator's loss, on the diagrams of a generated and a real batch.
        repulsions: name in :data:`REPULSIONS` -> weight. The generator's loss is lowered by weight times sum.
        gradient_penalty: gamma of R1. The discriminator's loss is raised by gamma / 2 times the mean squared
            norm of the gradient of its log odds at real points.
        packed: number of points that the discriminator judges together, as in PacGAN; 1 for a plain one.

    Sources:
        L. Mescheder, A. Geiger, S. Nowozin, *Which training methods for GANs do actually converge?*, 2018
        (R1); Z. Lin, A. Khetan, G. Fanti, S. Oh, *PacGAN: the power of two samples in generative adversarial
        networks*, 2018.

    """

    terms: Sequence[Term] = ()
    repulsions: Mapping[str, float] = field(default_factory=dict)
    gradient_penalty: float = 0
    packed: int = 1

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Remedy":
        """From its entry in the configuration, whose ``regularizers`` are terms."""
        rest = {key: value for key, value in entry.items() if key != "regularizers"}
        return cls(terms=build_terms(entry.get("regularizers", [])), **rest)


def train(
    ring: Ring,
    remedy: Remedy,
    *,
    seeds: Sequence[int],
    steps: int,
    every: int,
    batch_size: int,
    samples: int,
    latent_dim: int,
    hidden: Sequence[int],
    learning_rates: Mapping[str, float],
) -> tuple[list[int], Tensor]:
    r"""GANs, one from each seed, with a remedy against mode collapse.

    With the log odds D and the generator G, batches x and z, and what the remedy adds, R,

    .. math::
        L_D = \overline{\log(1 + e^{-D(x)}) + \log(1 + e^{D(G(z))})} + R_D(x), \qquad
        L_G = \overline{\log(1 + e^{-D(G(z))})} + R_G(G(z), x).

    The seeds do not depend on each other; they are side by side for speed. What is drawn does not depend on
    the remedy: the same seeds have the same weights at the start and the same batches and noise. A packed
    discriminator has more weights, and so it has other ones.

    Args:
        ring: what is to be learnt.
        remedy: what is added to the losses.
        seeds: of weights, batches and noise.
        steps: each updates first D, then G.
        every: steps from one look at the samples to the next.
        batch_size: points of x and z; a multiple of ``remedy.packed``.
        samples: of each generator that are looked at, always of the same z.
        latent_dim: dimension of z, which is normal.
        hidden: units of the hidden layers of both networks.
        learning_rates: of ``generator`` and ``discriminator``, for Adam.

    Returns:
        The steps after which the samples are looked at, and these, shape (looks, s, samples, 2).

    Source:
        I. Goodfellow et al., *Generative adversarial nets*, 2014, with its non-saturating loss of G.

    """
    streams = [torch.Generator().manual_seed(seed) for seed in seeds]
    generator = Perceptrons([latent_dim, *hidden, 2], streams)
    discriminator = Perceptrons([2 * remedy.packed, *hidden, 1], [_branch(stream) for stream in streams])
    shown = normal((samples, latent_dim), streams)
    update_generator, update_discriminator = (
        Adam(network.parameters(), learning_rates[name], BETAS)
        for name, network in (("generator", generator), ("discriminator", discriminator))
    )
    looks, seen = [], []
    for step in range(steps + 1):
        if step % every == 0:
            looks.append(step)
            seen.append(generator(shown).detach())
        real = ring.sample(batch_size, streams)
        made = generator(normal((batch_size, latent_dim), streams))
        _update(update_discriminator, _discriminator_loss(discriminator, real, made.detach(), remedy))
        _update(update_generator, _generator_loss(discriminator, real, made, remedy))
    return looks, torch.stack(seen)


def _branch(stream: torch.Generator) -> torch.Generator:
    """A stream of its own, so that however much is drawn from it, the other goes on alike."""
    seed = torch.empty((), dtype=torch.int64).random_(generator=stream)
    return torch.Generator().manual_seed(int(seed))


def _update(optimizer: Adam, loss: Tensor) -> None:
    """One step down the loss. Gradients of the other network, which it has as well, are not computed."""
    optimizer.zero_grad()
    torch.autograd.backward(loss, inputs=optimizer.weights)
    optimizer.step()


def _packs(points: Tensor, packed: int) -> Tensor:
    """Points that are judged together in one row, shape (s, n / packed, 2 packed)."""
    return points.reshape(len(points), -1, 2 * packed)


def _discriminator_loss(discriminator: nn.Module, real: Tensor, made: Tensor, remedy: Remedy) -> Tensor:
    """Loss of the discriminators, summed over the seeds."""
    real, made = _packs(real, remedy.packed), _packs(made, remedy.packed)
    real.requires_grad_(remedy.gradient_penalty > 0)
    odds_of_real = discriminator(real)
    loss = (softplus(-odds_of_real) + softplus(discriminator(made))).mean(dim=1).sum()
    if remedy.gradient_penalty > 0:
        (slopes,) = torch.autograd.grad(odds_of_real.sum(), real, create_graph=True)
        loss = loss + remedy.gradient_penalty / 2 * slopes.square().sum(dim=2).mean(dim=1).sum()
    return loss


def _generator_loss(discriminator: nn.Module, real: Tensor, made: Tensor, remedy: Remedy) -> Tensor:
    """Loss of the generators, summed over the seeds."""
    loss = softplus(-discriminator(_packs(made, remedy.packed))).mean(dim=1).sum()
    for name, weight in remedy.repulsions.items():
        loss = loss - weight * REPULSIONS[name](made).sum()
    if remedy.terms:
        loss = loss + _regularization(made, real, remedy.terms)
    return loss


def _regularization(made: Tensor, real: Tensor, terms: Sequence[Term]) -> Tensor:
    """Weighted sum of the terms, and over the seeds."""
    degrees = sorted({term.degree for term in terms})
    values = [
        term.weighted(dict(zip(degrees, diagrams, strict=True)), dict(zip(degrees, references, strict=True)))
        for diagrams, references in zip(
            batched_rips_diagrams(made, degrees, threads=1),
            batched_rips_diagrams(real, degrees, threads=1),
            strict=True,
        )
        for term in terms
    ]
    return torch.stack(values).sum()
