"""From histories of runs to what is reported: r(s), its mean over seeds with intervals, times, gradients.

Everything is paired: each seed gives one number, the difference of a model and its baseline.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from topogen.data.orders import ordered_batches
from topogen.intervals import half_width


def table_of_runs(tables: Mapping[tuple[str, int], pd.DataFrame]) -> pd.DataFrame:
    """Tables of several runs, keyed by (model, seed), as one with columns model and seed."""
    return pd.concat(
        [table.assign(model=model, seed=seed) for (model, seed), table in tables.items()],
        ignore_index=True,
    )


def lowest_bce(images: NDArray[np.uint8]) -> float:
    r"""The lowest BCE that any reconstruction of images has: the entropy of their grey levels.

    .. math:: -\sum x \log x + (1 - x) \log(1 - x)

    over all pixels, with x in [0, 1]: a reconstruction equal to the image attains it.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width).

    Returns:
        Summed over pixels and images, in nats, as BCE is.

    """
    levels = np.arange(256) / 255
    counts = np.bincount(images.ravel(), minlength=256)
    return float(counts @ (special.entr(levels) + special.entr(1 - levels)))


def floors_of_batches(
    images: NDArray[np.uint8], batch_size: int, order: int | None = None
) -> NDArray[np.float64]:
    """The :func:`lowest_bce` of every batch of :func:`topogen.data.orders.ordered_batches`."""
    batches = ordered_batches(len(images), batch_size, order)
    return np.array([lowest_bce(images[places]) for places in batches])


def also_of_baseline(table: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """Rows of the steps that the model's baseline has as well.

    A baseline that is trained for longer has another last step, so that of the model has no counterpart.

    Args:
        table: columns model, seed and step.
        baselines: model -> the model it is compared with.

    """
    steps = table.groupby("model")["step"].agg(set)
    pairs = zip(table["model"], table["step"], strict=True)
    return table[[step in steps[baselines.get(model, model)] for model, step in pairs]]


def improvement(histories: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    r"""Relative improvement of the reconstruction, per seed and step, in percent.

    .. math::
        r(s) = 100 \, \frac{BCE_{VAE0}(s) - BCE_{TopoVAE}(s)}{BCE_{VAE0}(s)}, \qquad
        r^*(s) = 100 \, \frac{BCE_{VAE0}(s) - BCE_{TopoVAE}(s)}{BCE_{VAE0}(s) - floor(s)},

    in which floor(s) is the lowest BCE possible on these images, see :func:`lowest_bce`: r* is the share of
    what there is to gain.

    Args:
        histories: columns model, seed, step, bce, floor.
        baselines: model -> the model it is compared with, of the same seed.

    Returns:
        Columns model, seed, step, bce_difference (baseline minus model), bce_baseline, r, r_star, of all
        steps until the first of the two trainings ends. Positive: the model reconstructs better than its
        baseline.

    Raises:
        ValueError: a model and its baseline do not have the same seeds, or the model has, of some seed, other
            steps than of another or than its baseline; or no model's loss has a BCE.

    Source:
        Thesis, section 4, for r(s).

    """
    if "bce" not in histories:
        models = ", ".join(sorted(set(histories["model"])))
        raise ValueError(f"r(s) compares bce, which {models} do not have; write `target: study` instead")
    measured = histories.set_index(["model", "seed", "step"]).sort_index()
    bce = measured["bce"]
    tables = []
    for model, baseline in baselines.items():
        ours, theirs = bce.loc[model], bce.loc[baseline]
        ours = ours[ours.index.get_level_values("step") <= theirs.index.get_level_values("step").max()]
        seeds, steps = (theirs.index.unique("seed"), ours.index.unique("step"))
        pairs = pd.MultiIndex.from_product([seeds, steps], names=["seed", "step"])
        if not (ours.index.equals(pairs) and pairs.isin(theirs.index).all()):
            raise ValueError(f"{model} and its baseline {baseline} differ in seeds or steps")
        theirs = theirs.loc[ours.index]
        difference, floor = theirs - ours, measured["floor"].loc[model].loc[ours.index]
        columns = {
            "bce_difference": difference,
            "bce_baseline": theirs,
            "r": 100 * difference / theirs,
            "r_star": 100 * difference / (theirs - floor),
        }
        tables.append(pd.DataFrame(columns).reset_index().assign(model=model))
    return pd.concat(tables, ignore_index=True)[
        ["model", "seed", "step", "bce_difference", "bce_baseline", "r", "r_star"]
    ]


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
    half = half_width(means["sd"], means["n"], confidence)
    return means.assign(low=means["mean"] - half, high=means["mean"] + half).drop(columns="sd")


def at_steps(table: pd.DataFrame, steps: Iterable[int]) -> pd.DataFrame:
    """The rows of the steps that are reported; the last step of the training always belongs to them.

    Raises:
        ValueError: a step lies beyond the last one.
    """
    last = table["step"].max()
    if late := sorted(step for step in steps if step > last):
        raise ValueError(f"steps {late} are to be reported, but the last step is {last}")
    return table[table["step"].isin({*steps, last})].reset_index(drop=True)


def mean_of_first_steps(improvement: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Mean of r(s) over the first steps of each run: columns model, seed, r."""
    first = improvement[improvement["step"] < steps]
    return first.groupby(["model", "seed"], sort=False)["r"].mean().reset_index()


def one_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of several comparisons as one, whose first column, comparison, names them."""
    table = pd.concat([part.assign(comparison=name) for name, part in tables.items()], ignore_index=True)
    return table[["comparison", *table.columns.drop("comparison")]]


def ratio_of_means(improvement: pd.DataFrame) -> pd.DataFrame:
    r"""The author's average over seeds, in percent: :math:`100 \, \sum_i (B_i - T_i) / \sum_i B_i`.

    Args:
        improvement: what :func:`improvement` returned.

    Returns:
        Columns model, step, ratio_of_means.

    Source:
        Thesis, section 5, "as run"; the definition is the mean of the ratios.
    """
    sums = improvement.groupby(["model", "step"], sort=False)[["bce_difference", "bce_baseline"]].sum()
    ratio = 100 * sums["bce_difference"] / sums["bce_baseline"]
    return ratio.rename("ratio_of_means").reset_index()


def gradient_sizes(
    histories: pd.DataFrame, terms: Mapping[str, Sequence[str]], confidence: float
) -> pd.DataFrame:
    """Size of each term's weighted gradient relative to that of BCE's, both on the logits, mean over seeds.

    Args:
        histories: columns model, seed, step, gradient_bce and gradient_TERM.
        terms: model -> its terms on the output.
        confidence: coverage of the t intervals.

    Returns:
        Columns model, term, step, n, mean, low, high.
    """
    tables = [
        mean_over_seeds(
            own.assign(ratio=own[f"gradient_{term}"] / own["gradient_bce"]), "ratio", confidence
        ).assign(term=term)
        for model, names in terms.items()
        for own in [histories[histories["model"] == model]]
        for term in names
    ]
    columns = {"model": str, "term": str, "step": int, "n": int, "mean": float, "low": float, "high": float}
    return pd.concat([pd.DataFrame(columns=list(columns)), *tables])[list(columns)].astype(columns)
