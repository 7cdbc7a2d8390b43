"""Held-out metrics: what models gain over their baselines, and pictures of what they sample."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from topogen.evaluation.metrics import METRICS
from topogen.plotting.images import image_grid
from topogen.plotting.style import model_colours

COLUMNS = 3
WIDTH = 0.7  # of the points of one step, side by side


def gains(ax: Axes, summary: pd.DataFrame, metric: str, colours: Mapping[str, Any]) -> Axes:
    """Draw the paired differences of one metric over steps, one point with its interval per model.

    The unit is the standard deviation of the baseline over seeds; above 0 is better than the baseline,
    whichever way the metric itself points. Nothing is drawn if the baseline does not vary.

    Args:
        ax: where to draw.
        summary: columns model, step, metric, difference, difference_low, difference_high, spread.
        metric: a key of :data:`topogen.evaluation.metrics.METRICS`.
        colours: of the models.
    """
    of_metric = summary[summary["metric"] == metric]
    steps = sorted(of_metric["step"].unique())
    sign = METRICS[metric].direction or 1
    for place, (model, colour) in enumerate(colours.items()):
        rows = of_metric[of_metric["model"] == model].set_index("step").loc[steps]
        spread = rows["spread"].where(rows["spread"] > 0)
        scaled = rows[["difference", "difference_low", "difference_high"]].div(spread, axis=0) * sign
        x = np.arange(len(steps)) + WIDTH * ((place + 0.5) / len(colours) - 0.5)
        ends = scaled[["difference_low", "difference_high"]]
        ax.vlines(x, ends.min(axis=1), ends.max(axis=1), color=colour, linewidth=1.6)
        ax.plot(x, scaled["difference"], "o", color=colour, markersize=4, label=model)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(title=metric, xticks=range(len(steps)), xlim=(-0.5, len(steps) - 0.5))
    ax.set_xticklabels([str(step) for step in steps])
    ax.grid(visible=False, axis="x")
    for edge in np.arange(len(steps) - 1) + 0.5:
        ax.axvline(edge, color="lightgrey", linewidth=0.8)
    return ax


def paired_gains(summary: pd.DataFrame, models: Sequence[str], metrics: Sequence[str]) -> Figure:
    """One panel per metric: what the models gain over their baselines, over steps.

    Args:
        summary: columns model, step, metric, difference, difference_low, difference_high, spread.
        models: those with a baseline, in the order of the colours.
        metrics: keys of :data:`topogen.evaluation.metrics.METRICS`.
    """
    rows = -(-len(metrics) // COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(10, 2.1 * rows + 0.9), squeeze=False, layout="constrained"
    )
    colours = model_colours(list(models))
    for ax in axes.flat[len(metrics) :]:
        ax.remove()
    for metric, ax in zip(metrics, axes.flat, strict=False):
        gains(ax, summary, metric, colours)
    figure.supxlabel("training step")
    figure.supylabel(
        "gain over the baseline (above 0: better), in standard deviations of the baseline over seeds"
    )
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(models))
    return figure


def trade_off(ax: Axes, rows: pd.DataFrame, price: str, gain: str, colours: Mapping[str, Any]) -> Axes:
    """Draw what each model gains over its baseline in one metric against what it pays in another.

    To the right the model is worse than its baseline in the one metric, and above 0 better in the other, each
    in its own unit. The crosses are the paired intervals.

    Args:
        ax: where to draw.
        rows: of one step; columns model, metric, difference, difference_low, difference_high.
        price: a key of :data:`topogen.evaluation.metrics.METRICS` with a direction.
        gain: likewise.
        colours: of the models.

    """
    for model, colour in colours.items():
        by_metric = rows[rows["model"] == model].set_index("metric")
        x, y = (
            by_metric.loc[metric, ["difference", "difference_low", "difference_high"]] * sign
            for metric, sign in ((price, -METRICS[price].direction), (gain, METRICS[gain].direction))
        )
        ax.hlines(y.iloc[0], *sorted(x.iloc[1:]), color=colour, linewidth=1.6)
        ax.vlines(x.iloc[0], *sorted(y.iloc[1:]), color=colour, linewidth=1.6)
        ax.plot(x.iloc[0], y.iloc[0], "o", color=colour, markersize=5, label=model)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axvline(0, color="black", linewidth=0.8)
    return ax


def price_and_gain(summary: pd.DataFrame, models: Sequence[str], price: str, gains: Sequence[str]) -> Figure:
    """One row per gain, one column per step: :func:`trade_off`.

    Args:
        summary: columns model, step, metric, difference, difference_low, difference_high.
        models: those with a baseline, in the order of the colours.
        price: what is paid, a key of :data:`topogen.evaluation.metrics.METRICS` with a direction.
        gains: what is gained, likewise.

    Source:
        Y. Blau, T. Michaeli, *The perception-distortion tradeoff*, 2018.

    """
    steps = sorted(summary["step"].unique())
    figure, axes = plt.subplots(
        len(gains),
        len(steps),
        figsize=(3.4 * len(steps), 2.1 * len(gains) + 0.9),
        squeeze=False,
        sharex="col",
        layout="constrained",
    )
    colours = model_colours(list(models))
    for gain, row in zip(gains, axes, strict=True):
        row[0].set_ylabel(fill(gain.replace("_", " "), 20))
        for step, ax in zip(steps, row, strict=True):
            trade_off(ax, summary[summary["step"] == step], price, gain, colours)
    for step, ax in zip(steps, axes[0], strict=True):
        ax.set_title(f"step {step}")
    figure.align_ylabels(axes[:, 0])
    figure.supxlabel(f"price: loss of {price} against the baseline, {METRICS[price].unit}")
    figure.supylabel("gain over the baseline (above 0: better), in the unit of the metric")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(models))
    return figure


def prior_samples(samples: Mapping[str, Mapping[int, NDArray[Any]]]) -> Figure:
    """One row per model, one column per step: what it makes of the same draws from the prior.

    Args:
        samples: model -> step -> images in [0, 1], shape (n, channels, height, width), n a multiple of 8.
    """
    steps = list(next(iter(samples.values())))
    figure, axes = plt.subplots(
        len(samples),
        len(steps),
        figsize=(3.6 * len(steps), 2.1 * len(samples)),
        squeeze=False,
        layout="constrained",
    )
    for row, (model, images) in zip(axes, samples.items(), strict=True):
        for ax, step in zip(row, steps, strict=True):
            image_grid(ax, images[step], f"{model}, step {step}")
    return figure
