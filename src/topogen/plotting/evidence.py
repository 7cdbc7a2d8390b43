"""Figures of what the comparisons say."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from topogen.intervals import half_width, interval_name
from topogen.plotting.curves import band


def intervals_that_fit(effects: pd.DataFrame, confidence: float) -> tuple[pd.DataFrame, str]:
    """Effects with intervals that can be drawn, and the name of these intervals.

    Those of the sign-flip test, or the t intervals if there are too few seeds for one of them, which is then
    infinite.

    Args:
        effects: columns mean, low, high, sd, n.
        confidence: of the intervals.
    """
    if np.isfinite(effects[["low", "high"]]).all(axis=None):
        return effects, interval_name(confidence)
    half = half_width(effects["sd"], effects["n"], confidence)
    shown = effects.assign(low=effects["mean"] - half, high=effects["mean"] + half)
    return shown, f"{100 * confidence:g} % t interval"


def forest(
    effects: Mapping[str, pd.DataFrame],
    published: Mapping[str, Any],
    replicates: Mapping[str, Sequence[str]],
    margin: float,
    confidence: float,
) -> Figure:
    """Mean r(s) with its interval, one panel per model and one column per step, beside the published value.

    Args:
        effects: comparison -> columns model, step, n, mean, sd, low, high.
        published: model of the thesis -> {rbar: {step: percent}}: a row of panels each, a column per step.
        replicates: model -> the models of the thesis with whose rows it is compared.
        margin: half width of the grey strip, where a mean counts as no effect.
        confidence: of the intervals.
    """
    joined, interval = intervals_that_fit(pd.concat(effects, names=["comparison"]), confidence)
    tables = [joined.loc[name] for name in effects]
    models = [model for model, entry in published.items() if entry.get("rbar")]
    steps = sorted({int(step) for model in models for step in published[model]["rbar"]})
    figure, axes = plt.subplots(
        len(models),
        len(steps),
        figsize=(10, 1.5 * len(models) + 0.8),
        sharey=True,
        sharex="row",
        squeeze=False,
        layout="constrained",
    )
    colours = sns.color_palette("colorblind", len(effects))
    for row, model in enumerate(models):
        for column, step in enumerate(steps):
            ax = axes[row, column]
            ax.axvspan(-margin, margin, color="0.9", zorder=0)
            ax.axvline(0, color="black", linewidth=0.8)
            for place, table in enumerate(tables):
                beside = [model in replicates[name] for name in table["model"]]
                own = table[np.array(beside) & (table["step"] == step)]
                for _, found in own.iterrows():
                    ax.plot([found["low"], found["high"]], [place, place], color=colours[place], linewidth=2)
                    ax.plot(found["mean"], place, "o", color=colours[place], markersize=5)
            value = published[model]["rbar"].get(str(step))
            if value is not None:
                ax.axvline(value, color="firebrick", linestyle="--", linewidth=1.2)
            ax.set_yticks(range(len(effects)), list(effects))
            ax.set_ylim(len(effects) - 0.5, -0.5)
            ax.grid(visible=False, axis="y")
            ax.set_title(f"{model}, s = {step}", fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel(f"mean r(s) in %\n{interval}")
    return figure


def replayed(replay: pd.DataFrame) -> Figure:
    """The author's averages as replayed: a row of panels for each list of seeds, a column for each step.

    Args:
        replay: what :func:`topogen.evidence.replay.replay` returned.
    """
    lists, steps = (list(replay[key].unique()) for key in ("list", "step"))
    size = (3.2 * len(steps), 2.2 * len(lists) + 0.8)
    figure, axes = plt.subplots(
        len(lists), len(steps), figsize=size, sharex="col", sharey="row", squeeze=False, layout="constrained"
    )
    quantities = {"without": ("no regularizer", "0.3"), "run": ("as run", "C0"), "paired": ("paired", "C2")}
    for (name, step), part in replay.groupby(["list", "step"], sort=False):
        ax = axes[lists.index(name), steps.index(step)]
        places = np.arange(len(part))
        ax.axvline(0, color="black", linewidth=0.8)
        ax.barh(places, 0.2, left=part["published"] - 0.1, height=0.8, color="0.88", zorder=0)
        ax.vlines(part["published"], places - 0.4, places + 0.4, color="firebrick", linestyle="--")
        for shift, (column, (_, colour)) in zip((-0.2, 0, 0.2), quantities.items(), strict=True):
            faces = [colour if likely else "white" for likely in part["likely"]]
            ax.scatter(part[column], places + shift, c=faces, edgecolors=colour, s=24, zorder=3)
        ax.set_yticks(places, part["row"])
        ax.set_ylim(len(part) - 0.5, -0.5)
        ax.grid(visible=False, axis="y")
        ax.set_title(f"{name} list, s = {step}", fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel("ratio of means in %")
    marks = [
        Line2D([], [], color=colour, marker="o", linestyle="", label=label)
        for label, colour in quantities.values()
    ]
    marks.append(Line2D([], [], color="firebrick", linestyle="--", label="thesis"))
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), fontsize=8)
    return figure


def gradient_size_curves(sizes: pd.DataFrame) -> Figure:
    """Size of each term's weighted gradient relative to BCE's over the steps, logarithmic.

    Args:
        sizes: columns model, term, step, mean, low, high; one panel per model.
    """
    models = list(sizes["model"].unique())
    columns = min(len(models), 4)
    rows = -(-len(models) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.2 * columns, 2.6 * rows), sharey=True, squeeze=False, layout="constrained"
    )
    names = sizes["term"].str.removeprefix("as_run_").unique()  # as run in the colour of as defined
    colours = dict(zip(names, sns.color_palette("husl", len(names)), strict=True))
    for ax in axes.flat[len(models) :]:
        ax.remove()
    for ax, model in zip(axes.flat, models, strict=False):
        own = sizes[sizes["model"] == model]
        for term in own["term"].unique():
            part = own[own["term"] == term]
            seen = part.where(part["mean"] > 0)  # a gradient of zero has no place on this axis
            colour = colours[term.removeprefix("as_run_")]
            band(ax, seen.assign(low=seen["low"].clip(lower=1e-9)), term.replace("_", " "), colour)
        ax.axhline(1, color="black", linewidth=0.8, linestyle=":")
        ax.set(title=model, yscale="log", ylim=(1e-5, 10), xlabel="training step")
        ax.legend(fontsize=7, loc="lower right")
    for ax in axes[:, 0]:
        ax.set_ylabel("gradient / gradient of BCE")
    return figure


def noise_alone(
    improvement: pd.DataFrame, published: Mapping[str, Any], steps: Sequence[int], seeds: int
) -> Figure:
    """What noise alone makes: r(s) of single pairs, and means of as many seeds as the thesis has.

    Args:
        improvement: columns seed, step, r, of two models that differ in their noise only.
        published: model of the thesis -> {rbar: {step: percent}}: marked.
        steps: one panel each.
        seeds: of a mean.
    """
    figure, axes = plt.subplots(
        1, len(steps), figsize=(10, 3), sharey=True, squeeze=False, layout="constrained"
    )
    stream = np.random.default_rng(0)
    for step, ax in zip(steps, axes.flat, strict=True):
        r = improvement.loc[improvement["step"] == step, "r"].to_numpy()
        means = stream.choice(r, (5000, seeds)).mean(axis=1)
        ends = max(np.abs(r).max(), 0.1)
        bins = np.linspace(-ends, ends, 31)
        ax.hist(r, bins, density=True, color="0.75", label=f"single pairs (n = {len(r)})")
        ax.hist(means, bins, density=True, histtype="step", color="C0", label=f"means of {seeds}")
        values = [
            entry["rbar"][str(step)] for entry in published.values() if str(step) in entry.get("rbar", {})
        ]
        for place, value in enumerate(values):
            ax.axvline(
                value,
                color="firebrick",
                linestyle="--",
                linewidth=1,
                label=None if place else "published means",
            )
        ax.set(title=f"s = {step}", xlabel="r(s) in %")
    axes[0, 0].set_ylabel("density")
    axes[0, 0].legend(fontsize=7)
    return figure


def verdicts_over_effects(chances: pd.DataFrame, margin: float) -> Figure:
    """Share of each verdict over the size of a known effect, one row of panels per comparison, by seeds.

    Args:
        chances: columns comparison, n, effect (percent), and the share of each verdict, a row for each row of
            a family, over which the mean is taken.
        margin: marked, in percent.

    Without any row, the figure says so.
    """
    if chances.empty:
        figure, ax = plt.subplots(figsize=(6, 1))
        ax.set_axis_off()
        ax.text(0.5, 0.5, "No r(s) varies over the seeds, so there is nothing to draw.", ha="center")
        return figure
    verdicts = ["positive", "negligible", "undecided", "negative"]
    colours = sns.color_palette("colorblind")
    shades = [colours[2], colours[0], "0.85", colours[3]]
    comparisons, seeds = chances["comparison"].unique(), chances["n"].unique()
    figure, axes = plt.subplots(
        len(comparisons),
        len(seeds),
        figsize=(3.2 * len(seeds) + 0.6, 2.2 * len(comparisons) + 0.6),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    shares = chances.groupby(["comparison", "n", "effect"])[verdicts].mean()
    for row, comparison in enumerate(comparisons):
        for column, number in enumerate(seeds):
            ax, panel = axes[row, column], shares.loc[(comparison, number)]
            ax.stackplot(panel.index, panel.to_numpy().T, labels=verdicts, colors=shades)
            ax.axvline(margin, color="black", linestyle=":", linewidth=1)
            ax.set(xlim=(panel.index.min(), panel.index.max()), ylim=(0, 1))
            ax.set_title(f"{comparison.replace('_', ' ')}, n = {number}", fontsize=9)
    figure.supxlabel("true effect on r(s) in %")
    figure.supylabel("chance of the verdict, mean over the rows")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right upper")
    return figure


def study_forest(effects: pd.DataFrame, confidence: float) -> Figure:
    """Effects of a study: one panel for each measure and step, one line for each model and its baseline.

    Args:
        effects: what :func:`topogen.evidence.study.study_effects` returned.
        confidence: of the intervals; the tests have level 1 - confidence.

    """
    effects, interval = intervals_that_fit(effects, confidence)
    effects = effects.assign(line=effects["model"] + " - " + effects["baseline"])
    lines = list(effects["line"].unique())
    panels = list(effects.groupby(["measure", "step"], sort=False))
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(3.6 * columns + 1.5, (0.24 * len(lines) + 1.2) * rows),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    for ax, (_, part) in zip(axes.flat, panels, strict=False):
        places = part["line"].map(lines.index)
        measure, step = part["measure"].iloc[0], int(part["step"].iloc[0])
        margin = part["margin"].iloc[0]
        ax.axvspan(-margin, margin, color="0.9", zorder=0)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.hlines(places, part["low"], part["high"], color="C0", linewidth=1.5)
        faces = ["C0" if p < 1 - confidence else "white" for p in part["p_holm"]]
        ax.scatter(part["mean"], places, c=faces, edgecolors="C0", s=22, zorder=3)
        ax.set_yticks(range(len(lines)), lines, fontsize=8)
        ax.set_ylim(len(lines) - 0.5, -0.5)
        ax.grid(visible=False, axis="y")
        ax.tick_params(axis="x", labelsize=8)
        ax.locator_params(axis="x", nbins=5)
        ax.set_title(f"{measure}\n{'last step' if step < 0 else f'step {step}'}", fontsize=9)
        ax.set_xlabel(f"mean difference\n{interval}", fontsize=8)
    return figure


def alignment_curves(curves: pd.DataFrame) -> Figure:
    """Mean cosine of the gradients of regularizers and of the data term, over the steps of a training.

    Args:
        curves: columns model, step, mean, low, high; one panel per model.

    """
    models = list(curves["model"].unique())
    columns = min(len(models), 3)
    rows = -(-len(models) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(3.6 * columns, 2.3 * rows),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax in axes.flat[len(models) :]:
        ax.remove()
    steps = range(int(curves["step"].min()), int(curves["step"].max()) + 1)
    for ax, model in zip(axes.flat, models, strict=False):
        part = curves[curves["model"] == model].set_index("step").reindex(steps)
        band(ax, part.reset_index(), model, sns.color_palette("colorblind")[0])
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_title(model, fontsize=9)
    figure.supxlabel("training step", fontsize=9)
    figure.supylabel("cosine of the gradients", fontsize=9)
    return figure
