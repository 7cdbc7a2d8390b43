"""From histories of runs to what is reported: r(s), its mean over seeds, and intervals."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import stats


def collect_histories(histories: Mapping[tuple[str, int], pd.DataFrame]) -> pd.DataFrame:
    """Histories of several runs, keyed by (model, seed), as one table with columns model and seed."""
    return pd.concat(
        [table.assign(model=model, seed=seed) for (model, seed), table in histories.items()],
        ignore_index=True,
    )


def improvement(histories: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    r"""Relative improvement of the reconstruction, per seed and step, in percent.

    .. math:: r(s) = 100 \, \frac{BCE_{VAE0}(s) - BCE_{TopoVAE}(s)}{BCE_{VAE0}(s)}.

    Args:
        histories: columns model, seed, step, bce.
        baselines: model -> the model it is compared with, of the same seed.

    Returns:
        Columns model, seed, step, r. Positive: the model reconstructs better than its baseline.

    Raises:
        ValueError: a model and its baseline do not have the same seeds and steps.

    Source:
        Thesis, section 4.

    """
    bce = histories.set_index(["model", "seed", "step"])["bce"].sort_index()
    tables = []
    for model, baseline in baselines.items():
        ours, theirs = bce.loc[model], bce.loc[baseline]
        if not ours.index.equals(theirs.index):
            raise ValueError(f"{model} and its baseline {baseline} differ in seeds or steps")
        tables.append((100 * (theirs - ours) / theirs).rename("r").reset_index().assign(model=model))
    table: pd.DataFrame = pd.concat(tables, ignore_index=True)[["model", "seed", "step", "r"]]
    return table


def mean_over_seeds(table: pd.DataFrame, value: str, confidence: float) -> pd.DataFrame:
    r"""Mean over seeds with its t interval, per model and step.

    The interval is :math:`\bar r \pm t_{n-1} \, \mathrm{sd} / \sqrt n`. Of r(s), itself a difference within
    a seed, it is the paired t interval. With one seed there is no interval: low and high are NaN.

    Args:
        table: columns model, seed, step and ``value``.
        value: the column to average.
        confidence: coverage of the interval, such as 0.95.

    Returns:
        Columns model, step, n, mean, low, high.

    """
    grouped = table.groupby(["model", "step"], sort=False)[value]
    means = grouped.agg(n="count", mean="mean", sd="std").reset_index()
    half = stats.t.ppf((1 + confidence) / 2, means["n"] - 1) * means["sd"] / np.sqrt(means["n"])
    return means.assign(low=means["mean"] - half, high=means["mean"] + half).drop(columns="sd")


def at_steps(means: pd.DataFrame, steps: Iterable[int]) -> pd.DataFrame:
    """The rows of the steps that are reported; the last step of the training always belongs to them."""
    return means[means["step"].isin({*steps, means["step"].max()})].reset_index(drop=True)


def median_times(rounds: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """Median over rounds of the time of some steps, and the slowdown over the baseline.

    Args:
        rounds: columns model, round, seconds.
        baselines: model -> the model it is compared with; a model that is no key is its own baseline.

    Returns:
        Columns model, seconds, slowdown; slowdown is the median over rounds of the ratio within a round.

    """
    wide = rounds.pivot(index="round", columns="model", values="seconds")
    models = list(dict.fromkeys(rounds["model"]))
    slowdowns = [(wide[model] / wide[baselines.get(model, model)]).median() for model in models]
    return pd.DataFrame({"model": models, "seconds": wide[models].median().to_numpy(), "slowdown": slowdowns})
