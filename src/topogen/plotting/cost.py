"""What the topological terms cost."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from topogen.plotting.diagrams import COLOURS

PARTS = {"model": "model (VAE, BCE, KLD, update)", "topology": "topology (diagrams, terms, gradients)"}


def cost(costs: pd.DataFrame, slowdowns: pd.DataFrame) -> Figure:
    """Time of one step, slowdown next to that of the thesis, and time of all trainings; one bar per model.

    Args:
        costs: of :func:`topogen.cost.step_costs`.
        slowdowns: of :func:`topogen.cost.slowdowns`.
    """
    height = 0.4 * len(costs) + 1.8
    figure, (steps, factors, totals) = plt.subplots(1, 3, figsize=(12, height), layout="constrained")
    milliseconds = {part: 1000 * costs[f"{part}_seconds"] for part in PARTS}
    minutes = {part: costs[f"{part}_total"] / 60 for part in PARTS}
    _stacked(steps, costs["model"], milliseconds).set(title="one training step", xlabel="median time in ms")
    _beside(factors, slowdowns).set(title="slowdown over the baseline", xlabel="times as long")
    _stacked(totals, costs["model"], minutes).set(title="all its trainings", xlabel="time in minutes")
    figure.legend(*steps.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    figure.legend(*factors.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


def _stacked(ax: Axes, models: pd.Series, parts: Mapping[str, pd.Series]) -> Axes:
    """One bar per model, its parts one after another, with the share of the topology written behind it."""
    start = pd.Series(0.0, index=models.index)
    for (part, label), colour in zip(PARTS.items(), COLOURS, strict=False):
        ax.barh(models, parts[part], left=start, label=label, color=colour)
        start = start + parts[part]
    for model, end, share in zip(models, start, parts["topology"] / start, strict=True):
        if share >= 0.0005:
            ax.text(end, model, f" {100 * share:.1f} %", va="center", fontsize="small")
    ax.set_xlim(0, 1.2 * start.max())
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    return ax


def _beside(ax: Axes, slowdowns: pd.DataFrame) -> Axes:
    """Two bars per model, of this run and of the thesis; logarithmic, so that 1/2 and 2 are as far from 1."""
    places = np.arange(len(slowdowns))
    for shift, (column, label), colour in zip(
        (-0.2, 0.2), {"ours": "ours", "thesis": "thesis"}.items(), ("black", "silver"), strict=True
    ):
        known = slowdowns[column].notna().to_numpy()
        values = slowdowns[column][known]
        ax.barh(places[known] + shift, values - 1, height=0.4, left=1, label=label, color=colour)
        for place, value in zip(places[known] + shift, values, strict=True):
            ax.text(max(value, 1), place, f" {value:.2f}", va="center", fontsize="small")
    ax.set(xscale="log", yticks=places, yticklabels=slowdowns["model"], xlim=(0.7, 2 * _largest(slowdowns)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.axvline(1, color="black", linewidth=0.8)
    ax.set_ylim(len(slowdowns) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    return ax


def _largest(slowdowns: pd.DataFrame) -> float:
    return float(np.nanmax(slowdowns[["ours", "thesis"]].to_numpy()))
