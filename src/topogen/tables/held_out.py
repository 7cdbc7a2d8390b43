"""The table of held-out metrics."""

from collections.abc import Mapping

import pandas as pd

from topogen.evaluation.metrics import METRICS
from topogen.tables.forms import decimals, mean_with_interval


def held_out_table(rows: pd.DataFrame, yardstick: Mapping[str, float]) -> pd.DataFrame:
    """Held-out metrics of all models and what they gain over their baselines, cells formatted as text.

    Args:
        rows: columns model, step, metric, n, mean, low, high, difference, difference_low, difference_high, in
            the order of the table.
        yardstick: metric -> its value for real images in place of sampled ones; a metric may be missing.

    Returns:
        One row per metric and model: what the metric judges, which way is better, the number of seeds, the
        mean and the paired difference to the baseline, each with its interval in brackets, and the yardstick.
    """

    def text(prefix: str, mean: str, sign: str = "") -> pd.Series:
        numbers = zip(rows[mean], rows[f"{prefix}low"], rows[f"{prefix}high"], strict=True)
        return pd.Series([mean_with_interval(*three, decimals(three, 4), sign) for three in numbers])

    directions = {1: "higher", -1: "lower", 0: ""}
    return pd.DataFrame(
        {
            "about": rows["metric"].map({name: metric.about for name, metric in METRICS.items()}),
            "metric": rows["metric"],
            "better": rows["metric"].map({name: directions[m.direction] for name, m in METRICS.items()}),
            "real images": rows["metric"].map(lambda name: _significant(yardstick.get(name))),
            "model": rows["model"],
            "step": rows["step"].astype(str),
            "seeds": rows["n"].astype(str),
            "mean": text("", "mean"),
            "minus baseline": text("difference_", "difference", "+").where(
                rows["difference"].notna().to_numpy(), ""
            ),
        }
    )


def _significant(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
