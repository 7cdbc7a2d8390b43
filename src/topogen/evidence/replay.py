"""The replay of the author's loop: his average over his seeds, beside the digits that he printed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from topogen.evidence.improvement import mean_over_seeds, ratio_of_means

DECIMALS = 1  # of the percentages in Table 1 of the thesis
AVERAGES = ("without", "run", "paired")  # of :func:`replay`, each of one comparison
QUANTITIES = ("without", "run")  # columns of :func:`replay` that are compared with the published digits


def replay(
    improvements: Mapping[str, pd.DataFrame],
    lists: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    replicates: Mapping[str, Sequence[str]],
    published: Mapping[str, Mapping[str, float]],
    at_steps: Sequence[int],
    confidence: float,
) -> pd.DataFrame:
    """The author's average for every list of seeds, row of Table 1 and step.

    Args:
        improvements: comparison -> columns model, seed, step, bce_difference, bce_baseline, r.
        lists: pairs of a name and {without, run, paired: comparison, likely: rows}; a list of which a
            comparison has not been measured is left out.
        replicates: model -> the rows of Table 1 that it is compared with.
        published: row -> step -> percent.
        at_steps: those that are reported.
        confidence: of the interval.

    Returns:
        Columns list, row, likely, step, published (NaN if the thesis has no such value); the ratio of means,
        in percent, without regularizer, as run, and paired, which is as run against the VAE0 of the same
        draws; mean, low, high of the paired r(s) with its t interval; n seeds, of which so many differ from
        that VAE0 at all.
    """
    tables = [
        _of_list(improvements, entry, replicates, confidence).assign(list=name)
        for name, entry in lists
        if all(entry[column] in improvements for column in AVERAGES)
    ]
    table = pd.concat(tables, ignore_index=True)
    table = table[table["step"].isin(at_steps) & table["row"].isin(list(published))]
    places = zip(table["row"], table["step"], strict=True)
    table = table.assign(published=[published[row].get(str(step), np.nan) for row, step in places])
    columns = ["list", "row", "likely", "step", "published", *AVERAGES]
    return table[[*columns, "mean", "low", "high", "n", "differ"]].reset_index(drop=True)


def _of_list(
    improvements: Mapping[str, pd.DataFrame],
    entry: Mapping[str, Any],
    replicates: Mapping[str, Sequence[str]],
    confidence: float,
) -> pd.DataFrame:
    """Averages of one list of seeds, all steps."""
    found = {}
    for column in AVERAGES:
        means = ratio_of_means(improvements[entry[column]])
        means = means.assign(row=means["model"].map(replicates)).explode("row")
        found[column] = means.rename(columns={"ratio_of_means": column}).drop(columns="model")
    paired = improvements[entry["paired"]]
    changed = paired.assign(differ=paired["bce_difference"] != 0).groupby(["model", "step"])["differ"].sum()
    spread = mean_over_seeds(paired, "r", confidence).merge(changed.reset_index())
    spread = spread.assign(row=spread["model"].map(replicates)).explode("row").drop(columns="model")
    table = found["run"].merge(found["without"]).merge(found["paired"]).merge(spread)
    return table.assign(likely=table["row"].isin(entry["likely"]))


def near_published(table: pd.DataFrame) -> pd.DataFrame:
    """How many published numbers lie within one unit of their last digit of what the replay gives.

    Args:
        table: what :func:`replay` returned; each row counts on its likely list only.

    Returns:
        Columns quantity (without or run), unrounded, printed (both rounded as the thesis prints), published:
        two numbers of values and how many there are.
    """
    likely = table[table["likely"] & table["published"].notna()]
    unit = 10.0**-DECIMALS + 1e-9  # a little more, because no decimal fraction is exact
    rows = []
    for quantity in QUANTITIES:
        exact = likely[quantity]
        unrounded, printed = (
            int(((values - likely["published"]).abs() <= unit).sum())
            for values in (exact, exact.round(DECIMALS))
        )
        counts = {"unrounded": unrounded, "printed": printed, "published": len(likely)}
        rows.append({"quantity": quantity} | counts)
    return pd.DataFrame(rows)
