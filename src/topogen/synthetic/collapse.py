"""How far GANs collapse, with and without a remedy: measures paired by seed, and the best strength."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from topogen.intervals import half_width
from topogen.synthetic.gan import Remedy, train
from topogen.synthetic.ring import Ring

Array = NDArray[Any]

PLAIN = "plain"  # name of the GAN without a remedy
MEASURES = ["modes", "near", "mmd"]
QUARTILES = (0.25, 0.75)


def measured(
    entry: Mapping[str, Any],
    *,
    ring: Mapping[str, Any],
    share: float,
    kernel_widths: Sequence[float],
    seeds: Sequence[int],
    **training: Any,
) -> tuple[pd.DataFrame, Array]:
    """GANs of one variant, and how far they collapse.

    Args:
        entry: of the variant in the configuration, see :class:`topogen.synthetic.gan.Remedy`.
        ring: arguments of :class:`topogen.synthetic.ring.Ring`.
        share: of the samples that must lie near a mode, for it to be covered.
        kernel_widths: of the kernels of the MMD.
        seeds: as in :func:`topogen.synthetic.gan.train`.
        training: the other arguments of :func:`topogen.synthetic.gan.train`.

    Returns:
        Columns seed, step, modes (that are covered), near (share of samples near any mode) and mmd (squared,
        of the samples and the ring); and the samples after the last step, shape (s, n, 2).

    """
    truth = Ring(**ring)
    looks, seen = train(truth, Remedy.of(entry), seeds=seeds, **training)
    tables = []
    for step, samples in zip(looks, seen, strict=True):
        shares = truth.shares(samples)
        columns = {
            "modes": (shares >= share).sum(dim=1),
            "near": shares.sum(dim=1),
            "mmd": truth.discrepancy(samples, kernel_widths),
        }
        row = {name: values.numpy() for name, values in columns.items()}
        tables.append(pd.DataFrame({"seed": list(seeds), "step": step} | row))
    return pd.concat(tables, ignore_index=True), seen[-1].numpy()


def by_seed(table: pd.DataFrame) -> pd.DataFrame:
    """Measures of each seed at the last step, and on average over all looks.

    Args:
        table: columns variant, strength, seed, step and the :data:`MEASURES`.

    Returns:
        Columns variant, strength, seed, time (``at the end`` or ``over all steps``) and the measures.

    Raises:
        ValueError: a measure is not a number, so that a GAN diverged; means over the others would hide it.

    """
    if len(diverged := table[~np.isfinite(table[MEASURES]).all(axis=1)]):
        first = diverged.iloc[0]
        raise ValueError(
            f"the GAN {first['variant']}, strength {first['strength']}, seed {first['seed']} diverged before "
            f"step {first['step']}; take a smaller strength, or leave it out"
        )
    keys = ["variant", "strength", "seed"]
    last = table[table["step"] == table["step"].max()]
    times = {
        "at the end": last[[*keys, *MEASURES]],
        "over all steps": table.groupby(keys, sort=False)[MEASURES].mean().reset_index(),
    }
    parts = [part.assign(time=time) for time, part in times.items()]
    together: pd.DataFrame = pd.concat(parts, ignore_index=True)[[*keys, "time", *MEASURES]]
    return together


def best_strength(seeds: pd.DataFrame) -> str:
    """Strength whose squared MMD, over all steps and seeds, is lowest on average.

    Args:
        seeds: of :func:`by_seed`, of one variant.

    """
    rows = seeds[seeds["time"] == "over all steps"]
    return str(rows.groupby("strength", sort=False)["mmd"].mean().idxmin())


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Measures over the steps: columns variant, step, measure, mean over seeds, and quartiles low, high."""
    long = table.melt(["variant", "step"], MEASURES, var_name="measure")
    grouped = long.groupby(["variant", "step", "measure"], sort=False)["value"]
    low, high = (grouped.quantile(quantile) for quantile in QUARTILES)
    return pd.DataFrame({"mean": grouped.mean(), "low": low, "high": high}).reset_index()


def most_collapsed(seeds: pd.DataFrame) -> int:
    """Seed whose plain GAN covers the fewest modes at the end, of several the fewest over all steps.

    Args:
        seeds: of :func:`by_seed`.

    """
    plain = seeds[seeds["variant"] == PLAIN].pivot(index="seed", columns="time", values="modes")
    return int(plain.sort_values(["at the end", "over all steps"], kind="stable").index[0])


def paired_differences(seeds: pd.DataFrame, confidence: float) -> pd.DataFrame:
    r"""Measures of each variant minus those of every variant before it, seed by seed.

    The interval is the paired t interval :math:`\bar d \pm t_{n-1} \, \mathrm{sd} / \sqrt n`, which is not
    corrected for the number of pairs; NaN with one seed.

    Args:
        seeds: of :func:`by_seed`; all variants have the same seeds.
        confidence: coverage of the interval, such as 0.95.

    Returns:
        Columns variant, baseline, measure, time, n; mean and baseline_mean over seeds; their difference, low,
        high; and less, equal, more: the number of seeds in which the variant's measure is less than, equal
        to, or more than the baseline's.

    """
    rows = []
    for time, part in seeds.groupby("time", sort=False):
        values = part.set_index(["variant", "seed"])[MEASURES]
        for baseline, variant in combinations(part["variant"].unique(), 2):
            for measure in MEASURES:
                mine, other = values.loc[variant, measure], values.loc[baseline, measure]
                difference = mine - other
                n, mean = len(difference), difference.mean()
                half = half_width(difference.std(), n, confidence)
                names = {"variant": variant, "baseline": baseline, "measure": measure, "time": time, "n": n}
                means = {"mean": mine.mean(), "baseline_mean": other.mean()}
                interval = {"difference": mean, "low": mean - half, "high": mean + half}
                signs = {"less": difference < 0, "equal": difference == 0, "more": difference > 0}
                counts = {name: int(which.sum()) for name, which in signs.items()}
                rows.append(names | means | interval | counts)
    return pd.DataFrame(rows)


def summary(
    table: pd.DataFrame, samples: Mapping[str, Array], ring: Mapping[str, Any], confidence: float
) -> dict[str, pd.DataFrame]:
    """What is shown of some variants.

    Args:
        table: of :func:`measured`, of all variants, with columns variant and strength.
        samples: variant -> of all its seeds, shape (s, n, 2).
        ring: arguments of :class:`topogen.synthetic.ring.Ring`.
        confidence: as in :func:`paired_differences`.

    Returns:
        ``seeds``, ``curves`` and ``effects``: of :func:`by_seed`, :func:`curves` and
        :func:`paired_differences`. ``samples``: of the seed of :func:`most_collapsed`, columns variant
        (``real``: of the ring), seed, x, y.

    """
    seeds = by_seed(table)
    seed = most_collapsed(seeds)
    place = list(table["seed"].unique()).index(seed)
    clouds = {variant: cloud[place] for variant, cloud in samples.items()}
    stream = torch.Generator().manual_seed(seed)
    (real,) = Ring(**ring).sample(len(clouds[PLAIN]), [stream]).numpy()
    shown = [
        pd.DataFrame({"variant": variant, "seed": seed, "x": cloud[:, 0], "y": cloud[:, 1]})
        for variant, cloud in {"real": real, **clouds}.items()
    ]
    return {
        "seeds": seeds,
        "curves": curves(table),
        "effects": paired_differences(seeds, confidence),
        "samples": pd.concat(shown, ignore_index=True),
    }


def collapse(
    *,
    ring: Mapping[str, Any],
    variants: Sequence[tuple[str, Mapping[str, Any]]],
    confidence: float,
    **settings: Any,
) -> dict[str, pd.DataFrame]:
    """The plain GAN and some variants, as they are in the configuration: their :func:`summary`.

    Args:
        ring: arguments of :class:`topogen.synthetic.ring.Ring`.
        variants: names, and their entries in the configuration.
        confidence: as in :func:`paired_differences`.
        settings: the other arguments of :func:`measured`.

    """
    tables, samples = [], {}
    for name, entry in [(PLAIN, {}), *variants]:
        table, samples[name] = measured(entry, ring=ring, **settings)
        tables.append(table.assign(variant=name, strength="1"))
    return summary(pd.concat(tables, ignore_index=True), samples, ring, confidence)
