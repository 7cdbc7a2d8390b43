"""Mode collapse for real (F1): a small GAN on a ring of Gaussians, with and without regularizers."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import softplus

from topogen.intervals import half_width
from topogen.training.terms import Term, build_terms
from torchrips.persistence import batched_rips_diagrams

Generators = Sequence[torch.Generator]

PLAIN = "plain"  # name of the GAN without regularizers
NEAR = 3.0  # standard deviations from its mean within which a sample is of a mode
BETAS = (0.5, 0.999)  # of Adam, as is usual for GANs


class Ring:
    """Normal laws, evenly spaced on a circle about 0.

    Args:
        modes: number of them.
        radius: of the circle.
        sd: standard deviation of each.

    """

    def __init__(self, modes: int, radius: float, sd: float) -> None:
        angles = torch.arange(modes) * (2 * math.pi / modes)
        self.means = radius * torch.stack([angles.cos(), angles.sin()], dim=1)
        self.sd = sd

    def sample(self, count: int, generators: Generators) -> Tensor:
        """Points, one cloud for each generator, shape (s, count, 2)."""
        chosen = torch.stack([torch.randint(len(self.means), (count,), generator=g) for g in generators])
        return self.means[chosen] + self.sd * _normal((count, 2), generators)

    def shares(self, samples: Tensor) -> Tensor:
        """Share of the samples that are within :data:`NEAR` standard deviations of each mode.

        Args:
            samples: shape (s, n, 2).

        Returns:
            Shape (s, modes).

        """
        distances = torch.cdist(samples, self.means.expand(len(samples), -1, -1))
        return (distances <= NEAR * self.sd).float().mean(dim=1)


def _normal(shape: tuple[int, ...], generators: Generators) -> Tensor:
    return torch.stack([torch.randn(shape, generator=generator) for generator in generators])


class Perceptrons(nn.Module):
    """Perceptrons of one shape side by side, one for each seed; ReLU between the layers.

    Weights and biases are uniform up to the inverse root of the number of inputs, torch's default.

    Args:
        sizes: numbers of inputs, of units of each hidden layer, of outputs.
        generators: streams from which the weights are drawn, one for each perceptron.

    Shape:
        input (s, n, sizes[0]), result (s, n, sizes[-1]).

    """

    def __init__(self, sizes: Sequence[int], generators: Generators) -> None:
        super().__init__()
        shapes = [(rows + 1, columns) for rows, columns in pairwise(sizes)]
        self.layers = nn.ParameterList(
            (2 * torch.stack([torch.rand(shape, generator=g) for g in generators]) - 1)
            / math.sqrt(shape[0] - 1)
            for shape in shapes
        )

    def forward(self, points: Tensor) -> Tensor:
        for place, layer in enumerate(self.layers):
            if place:
                points = points.relu()
            points = torch.baddbmm(layer[:, -1:], points, layer[:, :-1])  # the last row is the bias
        return points


def train(
    ring: Ring,
    terms: Sequence[Term],
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
    r"""GANs, one from each seed, with regularizers on the generated batch.

    With the logarithms of the odds D and the generator G, batches x and z,

    .. math::
        L_D = \overline{\log(1 + e^{-D(x)}) + \log(1 + e^{D(G(z))})}, \qquad
        L_G = \overline{\log(1 + e^{-D(G(z))})} + \sum_i w_i \, L_i(B_{p_i}(G(z)), B_{p_i}(x)).

    The seeds do not depend on each other; they are side by side for speed. What is drawn does not depend on
    the terms: the same seeds have the same weights at the start and the same batches and noise.

    Args:
        ring: what is to be learnt.
        terms: of the generator's loss; none for a plain GAN.
        seeds: of weights, batches and noise.
        steps: each updates first D, then G.
        every: steps from one look at the samples to the next.
        batch_size: points of x and z.
        samples: of each generator that are looked at, always of the same z.
        latent_dim: dimension of z, which is normal.
        hidden: units of the hidden layers of both networks.
        learning_rates: of ``generator`` and ``discriminator``, for Adam.

    Returns:
        The steps after which the samples are looked at, and these, shape (looks, s, samples, 2).

    Source:
        I. Goodfellow et al., *Generative adversarial nets*, 2014, with its non-saturating loss of G.

    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    generator = Perceptrons([latent_dim, *hidden, 2], generators)
    discriminator = Perceptrons([2, *hidden, 1], generators)
    shown = _normal((samples, latent_dim), generators)
    update_generator, update_discriminator = (
        torch.optim.Adam(network.parameters(), learning_rates[name], BETAS)
        for name, network in (("generator", generator), ("discriminator", discriminator))
    )
    looks, seen = [], []
    for step in range(steps + 1):
        if step % every == 0:
            looks.append(step)
            seen.append(generator(shown).detach())
        real, made = (
            ring.sample(batch_size, generators),
            generator(_normal((batch_size, latent_dim), generators)),
        )

        update_discriminator.zero_grad()
        odds = softplus(-discriminator(real)) + softplus(discriminator(made.detach()))
        torch.autograd.backward(odds.mean(dim=1).sum())  # summed over the seeds
        update_discriminator.step()

        update_generator.zero_grad()
        loss = softplus(-discriminator(made)).mean(dim=1).sum()
        if terms:
            loss = loss + _regularization(made, real, terms)
        torch.autograd.backward(loss)
        update_generator.step()
    return looks, torch.stack(seen)


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


def collapse(
    *,
    ring: Mapping[str, Any],
    variants: Mapping[str, Sequence[dict[str, Any]]],
    share: float,
    seeds: Sequence[int],
    **training: Any,
) -> tuple[pd.DataFrame, dict[str, NDArray[Any]]]:
    """Modes that each variant of the GAN covers, and samples of the seed that collapses most.

    Before the variants comes the plain GAN. That seed is the one whose plain GAN covers the fewest modes at
    the end; of several the one with the fewest on average over all looks.

    Args:
        ring: arguments of :class:`Ring`.
        variants: name -> regularizers, entries {name, degree, weight, parameters}.
        share: of the samples that must lie near a mode, for it to be covered.
        seeds: as in :func:`train`.
        training: the other arguments of :func:`train`.

    Returns:
        Columns variant, seed, step, modes (that are covered), near (share of samples near any mode); and
        arrays: real, a batch; seed; samples_VARIANT of it after the last step, shape (n, 2).

    """
    truth = Ring(**ring)
    tables, last = [], {}
    for name, regularizers in {PLAIN: [], **variants}.items():
        looks, seen = train(truth, build_terms(regularizers), seeds=seeds, **training)
        last[name] = seen[-1]
        for step, samples in zip(looks, seen, strict=True):
            shares = truth.shares(samples)
            columns = {"modes": (shares >= share).sum(dim=1), "near": shares.sum(dim=1)}
            row = {name: values.numpy() for name, values in columns.items()}
            tables.append(pd.DataFrame(row | {"variant": name, "seed": list(seeds), "step": step}))
    table = pd.concat(tables, ignore_index=True)[["variant", "seed", "step", "modes", "near"]]
    chosen = most_collapsed(table)
    stream = torch.Generator().manual_seed(int(chosen))
    arrays = {"real": truth.sample(len(last[name][0]), [stream])[0].numpy(), "seed": np.array(chosen)}
    arrays |= {f"samples_{name}": own[list(seeds).index(chosen)].numpy() for name, own in last.items()}
    return table, arrays


def most_collapsed(table: pd.DataFrame) -> int:
    """Seed whose plain GAN covers the fewest modes at the end, of several the fewest on average."""
    plain = table[table["variant"] == PLAIN].sort_values("step")
    modes = plain.groupby("seed", sort=False)["modes"].agg(["last", "mean"])
    return int(modes.sort_values(["last", "mean"], kind="stable").index[0])


def paired_differences(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    r"""Modes of each variant minus those of the plain GAN of the same seed.

    Two measures: at the last step, and the mean over all looks. The interval is the paired t interval
    :math:`\bar d \pm t_{n-1} \, \mathrm{sd} / \sqrt n`; NaN with one seed.

    Args:
        table: of :func:`collapse`.
        confidence: coverage of the interval, such as 0.95.

    Returns:
        Columns variant, measure (``at the end`` or ``over all steps``), n; modes and near, means of the
        variant over seeds; plain_modes and plain_near, likewise of the plain GAN; difference of the modes,
        low, high; and fewer, equal, more: in how many seeds the variant covers fewer, as many, or more modes.

    """
    columns = ["modes", "near"]
    measures = {
        "at the end": table[table["step"] == table["step"].max()].set_index(["variant", "seed"])[columns],
        "over all steps": table.groupby(["variant", "seed"], sort=False)[columns].mean(),
    }
    rows = []
    for variant in table.loc[table["variant"] != PLAIN, "variant"].unique():
        for measure, values in measures.items():
            ours, theirs = values.loc[variant], values.loc[PLAIN]
            difference = ours["modes"] - theirs["modes"]
            n, mean = len(difference), difference.mean()
            half = half_width(difference.std(), n, confidence)
            means = {name: ours[name].mean() for name in columns}
            means |= {f"plain_{name}": theirs[name].mean() for name in columns}
            signs = {"fewer": difference < 0, "equal": difference == 0, "more": difference > 0}
            counts = {name: int(which.sum()) for name, which in signs.items()}
            interval = {"difference": mean, "low": mean - half, "high": mean + half}
            rows.append({"variant": variant, "measure": measure, "n": n} | means | interval | counts)
    return pd.DataFrame(rows)
