"""Held-out metrics on average over seeds, and what a model gains over its baseline, paired by seed."""

from collections.abc import Mapping, Sequence

import pandas as pd

from topogen.evidence.improvement import mean_over_seeds

KEYS = ["model", "step", "metric"]


def summarise(evaluations: pd.DataFrame, baselines: Mapping[str, str], confidence: float) -> pd.DataFrame:
    """Mean of every metric over seeds, and mean paired difference to the baseline, with t intervals.

    Args:
        evaluations: columns model, seed, step, metric, value.
        baselines: model -> the model it is compared with, of the same seed.
        confidence: coverage of the intervals, such as 0.95.

    Returns:
        Columns model, step, metric, n, mean, low, high; baseline; difference, difference_low,
        difference_high, the mean over seeds of model minus baseline; and spread, the standard deviation of
        the baseline's values over seeds. The columns from baseline on are empty for a baseline.

    Raises:
        ValueError: a model and its baseline do not have the same seeds, steps and metrics.

    """
    means = _means(evaluations, confidence)
    values = evaluations.set_index(["model", "seed", "step", "metric"])["value"].sort_index()
    tables = []
    for model, baseline in baselines.items():
        ours, theirs = values.loc[model], values.loc[baseline]
        if not ours.index.equals(theirs.index):
            raise ValueError(f"{model} and its baseline {baseline} differ in seeds, steps or metrics")
        gain = (ours - theirs).reset_index().assign(model=model)
        differences = _means(gain, confidence).drop(columns="n")
        differences.columns = pd.Index([*KEYS, "difference", "difference_low", "difference_high"])
        spread = theirs.groupby(["step", "metric"]).std().rename("spread").reset_index()
        tables.append(differences.merge(spread, on=["step", "metric"]).assign(baseline=baseline))
    columns = [*KEYS, "baseline", "difference", "difference_low", "difference_high", "spread"]
    differences = pd.concat([pd.DataFrame(columns=columns), *tables], ignore_index=True)[columns]
    summary: pd.DataFrame = means.merge(differences.infer_objects(), on=KEYS, how="left")
    return summary


def _means(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Columns model, step, metric, n, mean, low, high, metrics in the order of the table."""
    parts = [
        mean_over_seeds(part, "value", confidence).assign(metric=metric)
        for metric, part in table.groupby("metric", sort=False)
    ]
    return pd.concat(parts, ignore_index=True)[[*KEYS, "n", "mean", "low", "high"]]


def in_order(summary: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """The rows of some metrics by step, in the order of the metrics."""
    tables = [summary[summary["metric"] == metric] for metric in metrics]
    return pd.concat(tables).sort_values("step", kind="stable", ignore_index=True)
