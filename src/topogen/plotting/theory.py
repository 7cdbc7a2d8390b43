"""The numerical checks of the thesis' propositions: stability (F6), differentiability (X1)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from topogen.plotting.diagrams import COLOURS

Colour = tuple[float, float, float]


def stability_scatter(table: pd.DataFrame) -> Figure:
    """Bottleneck distance against the size of the perturbation, with both bounds; below, their ratio (F6).

    Args:
        table: of :func:`topogen.theory.stability.stability`: columns degree, move, epsilon, distance, ratio.
    """
    degrees, moves = table["degree"].unique(), list(table["move"].unique())
    figure, axes = plt.subplots(
        2,
        len(degrees),
        figsize=(4.2 * len(degrees), 6.6),
        sharex=True,
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    colours = dict(zip(moves, COLOURS, strict=False))
    ends = np.array([table["epsilon"].min(), table["epsilon"].max()])
    for (scatter, ratios), degree in zip(axes.T, degrees, strict=True):
        for move in moves:
            rows = table[(table["degree"] == degree) & (table["move"] == move)]
            _dots(scatter, rows["epsilon"], rows["distance"], colours[move])
            _dots(ratios, rows["epsilon"], rows["ratio"], colours[move])
        for ax, unit in ((scatter, ends), (ratios, np.ones(2))):
            ax.plot(ends, 2 * unit, color="black", linewidth=1)
            ax.plot(ends, np.sqrt(2) * unit, color="black", linewidth=1, linestyle="--")
        scatter.set(title=f"degree {degree}", xscale="log", yscale="log", ylim=(ends[0] / 300, 3 * ends[1]))
        ratios.set(xlabel=r"$\varepsilon = \Vert P - P^\prime \Vert_2$", ylim=(-0.05, 2.1))
    axes[0, 0].set_ylabel(r"$d_\infty(B_k(P), B_k(P^\prime))$")
    axes[1, 0].set_ylabel(r"$d_\infty / \varepsilon$")
    dots = [Line2D([], [], marker="o", linestyle="", color=colours[move], label=move) for move in moves]
    lines = [
        Line2D([], [], color="black", linestyle="-", label=r"$2\varepsilon$"),
        Line2D([], [], color="black", linestyle="--", label=r"$\sqrt{2}\,\varepsilon$"),
    ]
    figure.legend(handles=[*dots, *lines], loc="outside right center", title="moved")
    return figure


def _dots(ax: Axes, x: ArrayLike, y: ArrayLike, colour: Colour) -> None:
    """Thousands of small dots; as a picture, since as shapes they would make an SVG that opens slowly."""
    ax.scatter(x, y, s=7, color=colour, linewidths=0, alpha=0.6, rasterized=True)


def gradient_checks(errors: pd.DataFrame, along: pd.DataFrame, tie: str, tolerance: float) -> Figure:
    """Errors of automatic gradients by regularizer and degree, and what happens at the exceptions (X1).

    Args:
        errors: columns degree, regularizer, error.
        along: of :func:`topogen.theory.differentiability.along_paths`.
        tie: the regularizer whose path through a tie is shown.
        tolerance: error up to which two gradients agree, marked.
    """
    figure = plt.figure(figsize=(14, 7), layout="constrained")
    halves = figure.add_gridspec(1, 2, width_ratios=(1, 1.15))
    gradient_errors(figure.add_subplot(halves[0]), errors, tolerance)
    shown = along[(along["exception"] != along["exception"].iloc[0]) | (along["regularizer"] == tie)]
    paths = list(shown.groupby(["exception", "regularizer"], sort=False))
    grid = halves[1].subgridspec(len(paths), 2)
    for row, (names, path) in enumerate(paths):
        axes = [figure.add_subplot(grid[row, column]) for column in (0, 1)]
        path_through_exception(axes, path, *map(str, names))
        if row == 0:
            axes[1].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize="small")
    return figure


def gradient_errors(ax: Axes, errors: pd.DataFrame, tolerance: float) -> Axes:
    """Draw the relative errors, one row for each regularizer; an error of 0 stands at the left edge."""
    floor = 1e-13
    names, degrees = errors["regularizer"].unique(), errors["degree"].unique()
    height = 0.8 / len(degrees)  # of the lane of one degree, in which its dots are spread evenly
    for lane, degree in enumerate(degrees):
        for row, name in enumerate(names):
            part = errors.loc[(errors["regularizer"] == name) & (errors["degree"] == degree), "error"]
            middle = row + (lane - (len(degrees) - 1) / 2) * height
            places = middle + np.linspace(-0.4, 0.4, len(part)) * height
            _dots(ax, part.clip(lower=floor), places, COLOURS[degree])
        ax.scatter([], [], s=20, color=COLOURS[degree], label=f"{degree}")
    ax.axvline(tolerance, color="black", linewidth=1, linestyle="--")
    ax.text(tolerance, -0.62, " tolerance", ha="left", va="center", fontsize="small")
    ax.set(
        xlabel="relative error of the automatic gradient (left edge: 0)", xscale="log", xlim=(floor / 2, 1)
    )
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.legend(title="degree", loc="lower right")
    return ax


def path_through_exception(
    axes: Sequence[Axes], path: pd.DataFrame, exception: str, regularizer: str
) -> None:
    """Draw the value of a regularizer along a path, and beside it its slope, computed in both ways.

    Args:
        axes: two of them.
        path: columns t, value, automatic, difference.
        exception: what happens at t = 0.
        regularizer: its name.
    """
    value, slope = axes
    for ax, name in ((value, "value"), (slope, "automatic")):
        for part in (path[path["t"] < 0], path[path["t"] > 0]):  # no line across the exception
            ax.plot(part["t"], part[name], color=COLOURS[0], linewidth=1.4)
        ax.plot(0, path.loc[path["t"] == 0, name], "o", color=COLOURS[0], markersize=5)
    slope.plot([], [], "-o", color=COLOURS[0], markersize=5, label="automatic, dot: at $t = 0$")
    slope.plot(path["t"], path["difference"], ".", color=COLOURS[1], markersize=3, label="central difference")
    value.set(title=f"{regularizer}: {exception}", ylabel="value", xlabel="$t$")
    slope.set(ylabel="slope", xlabel="$t$")


def entropy_near_diagonal(table: pd.DataFrame) -> Figure:
    """Plain and delta-selective entropy as one point goes to the diagonal: value and slope (X1).

    Args:
        table: columns delta, lifetime, value, slope; delta = 0 is the plain entropy.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for colour, delta in zip(COLOURS, sorted(table["delta"].unique()), strict=False):
        curve = table[table["delta"] == delta]
        label = rf"$\delta$-selective, $\delta = {delta:g}$" if delta else "plain"
        for half in (curve[curve["lifetime"] <= delta], curve[curve["lifetime"] > delta]):
            for ax, column in zip(axes, ("value", "slope"), strict=True):
                ax.plot(half["lifetime"], half[column], color=colour, linestyle="--" if delta else "-")
        axes[0].plot([], [], color=colour, linestyle="--" if delta else "-", label=label)
    for ax, ylabel in zip(axes, ("entropy", "its slope"), strict=True):
        ax.set(xlabel="lifetime of the point that goes to the diagonal", ylabel=ylabel, xscale="log")
    axes[0].legend()
    return figure
