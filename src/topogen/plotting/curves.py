"""Curves over training steps."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from topogen.plotting.style import model_colours


def band(ax: Axes, means: pd.DataFrame, label: str, colour: tuple[float, float, float]) -> Axes:
    """Draw the mean over steps with its interval as a band.

    Args:
        ax: where to draw.
        means: columns step, mean, low, high.
        label: for the legend.
        colour: of line and band.
    """
    ax.plot(means["step"], means["mean"], label=label, color=colour, linewidth=1)
    ax.fill_between(means["step"], means["low"], means["high"], color=colour, alpha=0.25, linewidth=0)
    return ax


def _pair_axes(pairs: Mapping[str, str], ylabel: str) -> tuple[Figure, dict[str, Axes]]:
    rows = -(-len(pairs) // 2)
    figure, axes = plt.subplots(
        rows, min(len(pairs), 2), figsize=(10, 3.2 * rows), squeeze=False, sharex=True, layout="constrained"
    )
    for ax in axes.flat[len(pairs) :]:
        ax.remove()
    for ax, (model, baseline) in zip(axes.flat, pairs.items(), strict=False):
        ax.set(title=f"{model} and {baseline}", xlabel="training step", ylabel=ylabel)
    return figure, dict(zip(pairs, axes.flat, strict=False))


def bce_of_one_seed(histories: Mapping[str, pd.DataFrame], pairs: Mapping[str, str]) -> Figure:
    """BCE of each model and of its baseline, logarithmic.

    Args:
        histories: model -> its history, columns step and bce.
        pairs: model -> baseline, one panel each.
    """
    colours = model_colours(list(histories))
    figure, axes = _pair_axes(pairs, "BCE of the batch (sum over pixels)")
    for model, ax in axes.items():
        for name in (pairs[model], model):
            ax.plot(
                histories[name]["step"], histories[name]["bce"], label=name, color=colours[name], linewidth=1
            )
        ax.set_yscale("log")
        ax.legend()
    return figure


def bce_on_average(means: pd.DataFrame, models: Sequence[str], pairs: Mapping[str, str]) -> Figure:
    """Mean BCE over seeds of each model and of its baseline, with bands, logarithmic.

    Args:
        means: columns model, step, mean, low, high.
        models: in the order of the colours.
        pairs: model -> baseline, one panel each.
    """
    colours = model_colours(list(models))
    figure, axes = _pair_axes(pairs, "BCE of the batch, mean over seeds")
    for model, ax in axes.items():
        for name in (pairs[model], model):
            band(ax, means[means["model"] == name], name, colours[name])
        ax.set_yscale("log")
        ax.legend()
    return figure


def improvement_curves(means: pd.DataFrame, models: Sequence[str], steps: Sequence[int]) -> Figure:
    """Mean improvement r(s) of each model over all steps, with its band.

    Args:
        means: columns model, step, n, mean, low, high, and band_low, band_high, of a band that should contain
            the whole curve.
        models: one panel each.
        steps: marked by dotted lines: those of the table.
    """
    figure, axes = plt.subplots(
        len(models), 1, figsize=(10, 2.3 * len(models)), sharex=True, squeeze=False, layout="constrained"
    )
    colours = model_colours(list(models))
    for model, ax in zip(models, axes.flat, strict=True):
        rows = means[means["model"] == model]
        band(ax, rows, f"{model}, mean of {rows['n'].max()} seeds", colours[model])
        ax.fill_between(
            rows["step"], rows["band_low"], rows["band_high"], color=colours[model], alpha=0.12, linewidth=0
        )
        ax.axhline(0, color="black", linewidth=0.8)
        for step in steps:
            ax.axvline(step, color="grey", linewidth=0.8, linestyle=":")
        ax.set(ylabel="r(s) in %")
        ax.legend(loc="lower right")
    axes.flat[-1].set_xlabel("training step s")
    return figure


def all_losses(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw every loss of the histories over the steps, one panel each, of the models that have it."""
    names = dict.fromkeys(name for table in histories.values() for name in table.columns if name != "step")
    columns = [name for name in names if not name.startswith(("gradient_", "weight_"))]
    colours = model_colours(list(histories))
    rows = -(-len(columns) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(10, 3.2 * rows), squeeze=False, layout="constrained")
    for ax in axes.flat[len(columns) :]:
        ax.remove()
    titles = {"bce": "BCE", "kld": "KLD"}
    for column, ax in zip(columns, axes.flat, strict=False):
        for model, table in histories.items():
            if column in table:
                ax.plot(table["step"], table[column], label=model, color=colours[model], linewidth=1)
        ax.set(
            title=titles.get(column, column),
            xlabel="training step",
            yscale="log" if column in titles else "linear",
        )
        ax.legend()
    return figure
