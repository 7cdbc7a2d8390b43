"""Figure of a sweep: effects over the values of the keys that vary."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from topogen.plotting.evidence import intervals_that_fit


def sweep_grid(effects: pd.DataFrame, variants: Sequence[Mapping[str, Any]], confidence: float) -> Figure:
    """Mean r(s) of all variants: one row of panels for each model and its keys, one column for each step.

    Two keys make a heat map; otherwise the means are drawn over the values, with their intervals. Filled dots
    and stars are effects whose direction the test finds, corrected for the number of variants and steps.

    Args:
        effects: columns model, step, n, mean, sd, low, high, p_holm.
        variants: of each the ``model``, the model that it has ``varied``, and the ``values`` of its keys.
        confidence: of the intervals; the tests have level 1 - confidence.

    """
    effects, interval = intervals_that_fit(effects, confidence)
    rows: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for variant in variants:
        rows.setdefault((variant["varied"], *variant["values"]), []).append(variant)
    steps = effects["step"].unique()
    figure, axes = plt.subplots(
        len(rows),
        len(steps),
        figsize=(2.4 * len(steps) + 0.6, 2 * len(rows) + 0.4),
        squeeze=False,
        layout="constrained",
    )
    for row, ((model, *keys), alike) in enumerate(rows.items()):
        for column, step in enumerate(steps):
            ax = axes[row, column]
            found = effects[effects["step"] == step].set_index("model").loc[[v["model"] for v in alike]]
            found = found.assign(found=found["p_holm"] < 1 - confidence)
            values = [v["values"] for v in alike]
            if len(keys) == 2:
                heat_map(ax, found, values)
            else:
                intervals(ax, found, values)
                ax.set_ylabel(f"mean r(s) in %\n{interval}", fontsize=8)
            ax.set_title(f"{model}, s = {step}", fontsize=9)
    return figure


def intervals(ax: Axes, effects: pd.DataFrame, values: Sequence[Mapping[str, Any]]) -> Axes:
    """Means with their intervals, in the order of the values; a filled dot if the test finds an effect.

    Args:
        ax: where to draw.
        effects: columns mean, low, high and found (by the test), one row for each variant.
        values: of its keys, for each variant.

    """
    ax.axhline(0, color="black", linewidth=0.8)
    places = range(len(effects))
    ax.vlines(places, effects["low"], effects["high"], color="C0", linewidth=1.5)
    for place, (_, row) in zip(places, effects.iterrows(), strict=True):
        ax.plot(place, row["mean"], "o", color="C0", markerfacecolor="C0" if row["found"] else "white")
    ax.set_xticks(places, [", ".join(map(str, entry.values())) for entry in values], fontsize=8)
    ax.set_xlim(-0.5, len(effects) - 0.5)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel(", ".join(values[0]))
    return ax


def heat_map(ax: Axes, effects: pd.DataFrame, values: Sequence[Mapping[str, Any]]) -> Axes:
    """Means by the values of two keys, red above 0 and blue below; a star if the test finds an effect.

    Args:
        ax: where to draw.
        effects: columns mean and found (by the test), one row for each variant.
        values: of its two keys, for each variant.

    """
    across, down = values[0]
    columns = list(dict.fromkeys(entry[across] for entry in values))
    rows = list(dict.fromkeys(entry[down] for entry in values))
    text = effects["mean"].map("{:.2f}".format) + effects["found"].map({True: "*", False: ""})
    cells = pd.DataFrame(values).assign(mean=effects["mean"].to_numpy(), text=text.to_numpy())
    means, texts = (
        cells.pivot(index=down, columns=across, values=name).loc[rows, columns] for name in ("mean", "text")
    )
    end = max(effects["mean"].abs().max(), 1e-9)
    sns.heatmap(
        means, ax=ax, vmin=-end, vmax=end, cmap="vlag", annot=texts, fmt="", cbar=False, annot_kws={"size": 7}
    )
    return ax
