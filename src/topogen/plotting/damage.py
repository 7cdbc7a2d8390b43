"""Responses of regularizers to damaged batches, and batches of one class."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from topogen.plotting.diagrams import COLOURS, degree_points, half_plane
from topogen.plotting.images import image_grid

Array = NDArray[Any]

# Damages in words, and what their levels mean.
WORDS = {
    "noise": "Gaussian noise\n(standard deviation)",
    "dropped": "dropped pixels\n(share)",
    "classes": "fewer classes\n(classes left)",
    "duplicates": "duplicated images\n(share)",
}
FAR = 100  # ratios beyond this, or below its inverse, have the last colour
FLOOR = 1e-3  # of the logarithmic axes


def detection_map(areas: pd.DataFrame) -> Figure:
    """Heat maps of how well distances tell damaged sets of images from real ones, one for each size.

    Args:
        areas: of :func:`topogen.synthetic.detection.areas`: columns size, damage, level, distance, area.

    """
    sizes = list(areas["size"].unique())
    percent = areas.assign(
        damage=areas["damage"] + " " + areas["level"].map("{:g}".format), area=100 * areas["area"]
    )
    names, damages = list(percent["distance"].unique()), list(percent["damage"].unique())
    figure, axes = plt.subplots(
        1,
        len(sizes),
        figsize=(2.6 + 0.34 * len(damages) * len(sizes), 0.27 * len(names) + 1.5),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax, size in zip(axes[0], sizes, strict=True):
        wide = percent[percent["size"] == size].pivot(index="distance", columns="damage", values="area")
        sns.heatmap(
            wide.loc[names, damages],
            ax=ax,
            vmin=0,
            vmax=100,
            cmap="vlag",
            annot=True,
            fmt=".0f",
            cbar=False,
            annot_kws={"size": 6},
        )
        ax.set(title=f"{size} images", xlabel="", ylabel="")
        ax.tick_params(axis="x", labelrotation=90)
    return figure


def damage_map(table: pd.DataFrame, moved: pd.DataFrame) -> Figure:
    """Heat maps of the change relative to clean batches, and how many images each gradient moves.

    Args:
        table: of :func:`topogen.synthetic.damage.noticed`: columns regularizer, damage, level, ratio.
        moved: of :func:`topogen.synthetic.damage.moved_images`: columns regularizer, moved, images.
    """
    names, damages = list(table["regularizer"].unique()), list(table["damage"].unique())
    widths = [table.loc[table["damage"] == name, "level"].nunique() for name in damages]
    figure, axes = plt.subplots(
        1,
        len(damages) + 1,
        figsize=(0.62 * sum(widths) + 5, 0.36 * len(names) + 2),
        width_ratios=[*widths, 3],
        layout="constrained",
    )
    norm = LogNorm(1 / FAR, FAR)
    for ax, name in zip(axes, damages, strict=False):
        rows = table[table["damage"] == name]
        wide = rows.pivot(index="regularizer", columns="level", values="ratio")
        wide = wide.loc[names, rows["level"].unique()]
        text = wide.map(_short)
        sns.heatmap(
            wide.clip(lower=1 / FAR),
            ax=ax,
            norm=norm,
            cmap="vlag",
            annot=text,
            fmt="",
            annot_kws={"size": 8},
            cbar=False,
            linewidths=0.4,
            xticklabels=[f"{level:g}" for level in wide.columns],
        )
        ax.set(title=WORDS[name], xlabel="", ylabel="")
        ax.tick_params(axis="y", labelrotation=0, labelleft=ax is axes[0])
        ax.tick_params(axis="x", labelrotation=0)
    colours = plt.cm.ScalarMappable(norm, "vlag")
    bar = figure.colorbar(colours, ax=list(axes), location="bottom", shrink=0.5, aspect=50, extend="both")
    bar.set_label("mean change over batches / 95 % quantile of the change between two clean batches")
    _moved(axes[-1], moved, names)
    return figure


def _short(ratio: float) -> str:
    """Ratio in two digits, or as a power of ten."""
    if ratio >= 1000:
        return f"$10^{{{np.log10(ratio):.0f}}}$"
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"


def _moved(ax: Axes, moved: pd.DataFrame, names: list[str]) -> None:
    median = moved.groupby("regularizer")["moved"].median().loc[names]
    most = int(moved["images"].max())
    ax.barh(np.arange(len(names)) + 0.5, median, color="0.6")
    for row, value in enumerate(median):
        ax.text(value + 0.02 * most, row + 0.5, f"{value:.0f}", va="center", fontsize=8)
    ax.set(
        title=f"images moved\n(of {most})", xlim=(0, 1.25 * most), ylim=(len(names), 0), yticks=[], xticks=[]
    )
    ax.grid(visible=False)
    sns.despine(ax=ax, left=False, bottom=True)


def damage_curves(table: pd.DataFrame) -> Figure:
    """Change of each regularizer by damage and level, mean and standard deviation over batches.

    Args:
        table: of :func:`topogen.synthetic.damage.noticed`: columns regularizer, damage, level, ratio, sd,
            clean_low.
    """
    names = list(table["regularizer"].unique())
    rows = -(-len(names) // 5)
    figure, axes = plt.subplots(
        rows, 5, figsize=(14, 2.6 * rows + 0.6), sharex=True, squeeze=False, layout="constrained"
    )
    for ax in axes.flat[len(names) :]:
        ax.remove()
    for ax, name in zip(axes.flat, names, strict=False):
        part = table[table["regularizer"] == name]
        ax.axhspan(np.fmax(part["clean_low"].iloc[0], FLOOR), 1, color="0.85", linewidth=0)
        for colour, (kind, curve) in zip(COLOURS, part.groupby("damage", sort=False), strict=False):
            places = np.arange(1, len(curve) + 1)
            low, high = curve["ratio"] - curve["sd"], curve["ratio"] + curve["sd"]
            label = WORDS[str(kind)].split("\n")[0]
            ax.plot(places, curve["ratio"].clip(lower=FLOOR), color=colour, marker=".", label=label)
            ax.fill_between(
                places, low.clip(lower=FLOOR), high.clip(lower=FLOOR), color=colour, alpha=0.2, linewidth=0
            )
        # No number, if clean batches do not change the regularizer: its axis is that of the grey band.
        least = np.nanmin([part["clean_low"].iloc[0], part["ratio"].min(), 1])
        ax.set(title=name, yscale="log", ylim=(max(least / 2, FLOOR), None), xticks=places)
    figure.supxlabel("level of the damage, from left to right as in the heat map")
    figure.supylabel("change / 95 % quantile of clean ones")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def one_class_batches(arrays: Mapping[str, Array]) -> Figure:
    """Diagrams of batches of one class, some of their images in the corner; first a batch of all classes.

    Args:
        arrays: of :func:`topogen.synthetic.damage.one_class_batches`.
    """
    names = [str(name) for name in arrays["names"]]
    diagrams = {name: [arrays[f"diagram_{name}_{degree}"] for degree in (0, 1)] for name in names}
    upper = 1.05 * max(float(d.max()) for both in diagrams.values() for d in both if d.size)
    rows = -(-len(names) // 4)
    figure, axes = plt.subplots(rows, 4, figsize=(14, 3.6 * rows), squeeze=False, layout="constrained")
    for ax in axes.flat[len(names) :]:
        ax.remove()
    for ax, name in zip(axes.flat, names, strict=False):
        half_plane(ax, 0, upper)
        for degree, diagram in enumerate(diagrams[name]):
            degree_points(ax, diagram, degree, size=14)
        image_grid(ax.inset_axes((0.42, 0.03, 0.56, 0.2)), arrays[f"images_{name}"], "")
        median = np.median(diagrams[name][0][:, 1]) if len(diagrams[name][0]) else np.nan
        of_what = "all classes" if name == "all" else f"class {name}"
        ax.set_title(
            f"{of_what}: median death {median:.1f}, {len(diagrams[name][1])} loops", fontsize="medium"
        )
    axes.flat[0].legend(loc="center right")
    return figure
