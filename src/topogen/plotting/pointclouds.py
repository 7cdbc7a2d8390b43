"""Point clouds that learn: the first cloud, the last one, and the steps between them."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from topogen.plotting.diagrams import COLOURS, MARKERS, half_plane

Array = NDArray[Any]

GRADIENTS = {"plain": "plain gradient", "spread": "spread gradient"}
PATH = "0.75"  # colour of the way that a point went
INK = "0.15"  # colour of points


def _gradients(arrays: Mapping[str, Array]) -> dict[str, str]:
    """Gradients that moved the cloud, and their names in words."""
    return {name: words for name, words in GRADIENTS.items() if f"clouds_{name}" in arrays}


def _limits(arrays: Mapping[str, Array], of_target: bool) -> tuple[Array, Array]:
    """Corners of the square that holds all clouds."""
    clouds = [arrays[f"clouds_{name}"].reshape(-1, 2) for name in _gradients(arrays)]
    everything = np.concatenate([*clouds, arrays["target"]] if of_target else clouds)
    low, high = everything.min(axis=0), everything.max(axis=0)
    half = 0.55 * (high - low).max()
    return (low + high) / 2 - half, (low + high) / 2 + half


def _cloud_axes(ax: Axes, low: Array, high: Array, title: str) -> Axes:
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", title=title, xticks=[], yticks=[])
    return ax


def _diagram_axes(ax: Axes, arrays: Mapping[str, Array]) -> Axes:
    """Axes of a diagram with the points of the reference, hollow, in it."""
    references = [arrays[f"reference_{degree}"] for degree in (0, 1)]
    bars = [arrays[f"diagrams_{name}"][:, 2:] for name in _gradients(arrays)]
    upper = 1.05 * max(float(points.max()) for points in (*references, *bars) if points.size)
    half_plane(ax, 0, upper)
    for degree, reference in enumerate(references):
        ax.scatter(
            reference[:, 0],
            reference[:, 1],
            s=70,
            facecolor="none",
            edgecolor=COLOURS[degree],
            marker=MARKERS[degree],
            linewidth=1,
            label=f"$H_{degree}$ of the target" if reference.size else None,
            clip_on=False,
        )
    return ax


def _bars(arrays: Mapping[str, Array], name: str, frame: int, degree: int) -> Array:
    rows = arrays[f"diagrams_{name}"]
    return rows[(rows[:, 0] == frame) & (rows[:, 1] == degree), 2:]


def _points(ax: Axes, cloud: Array) -> PathCollection:
    return ax.scatter(cloud[:, 0], cloud[:, 1], s=12, color=INK, linewidths=0, zorder=3)


def _dots(ax: Axes, points: Array, degree: int) -> PathCollection:
    return ax.scatter(
        points[:, 0],
        points[:, 1],
        s=14,
        color=COLOURS[degree],
        marker=MARKERS[degree],
        linewidths=0,
        label=f"$H_{degree}$",
        clip_on=False,
        zorder=3,
    )


def descent_of_cloud(arrays: Mapping[str, Array]) -> Figure:
    """First and last cloud with their diagrams, by the plain and the spread gradient, and the losses.

    Args:
        arrays: of :func:`topogen.synthetic.pointclouds.experiment`.
    """
    last = len(arrays["steps"]) - 1
    panels = [("plain", 0, "first cloud")]
    panels += [(name, last, f"last cloud,\n{words}") for name, words in _gradients(arrays).items()]
    columns = len(panels) + (len(arrays["target"]) > 0)
    figure = plt.figure(figsize=(3 * columns + 3.9, 6), layout="constrained")
    grid = figure.add_gridspec(2, columns + 1, width_ratios=[1] * columns + [1.25])
    limits = _limits(arrays, of_target=True)
    for column, (name, frame, title) in enumerate(panels):
        above, below = (figure.add_subplot(grid[row, column]) for row in (0, 1))
        clouds = arrays[f"clouds_{name}"]
        _cloud_axes(above, *limits, title)
        paths = clouds[: frame + 1].swapaxes(0, 1)
        above.add_collection(LineCollection(list(paths), colors=PATH, linewidths=0.7, zorder=1))
        _points(above, clouds[frame])
        _diagram_axes(below, arrays)
        for degree in (0, 1):
            _dots(below, _bars(arrays, name, frame, degree), degree)
    if len(arrays["target"]):
        above, below = (figure.add_subplot(grid[row, columns - 1]) for row in (0, 1))
        _points(_cloud_axes(above, *limits, "target"), arrays["target"])
        _diagram_axes(below, arrays)
    figure.axes[1].legend(loc="lower right", fontsize="x-small")
    losses(figure.add_subplot(grid[:, -1]), arrays)
    return figure


def losses(ax: Axes, arrays: Mapping[str, Array]) -> Axes:
    """Draw the loss of both descents over the steps."""
    for colour, (name, words) in zip(COLOURS[2:], _gradients(arrays).items(), strict=False):
        ax.plot(arrays[f"losses_{name}"], color=colour, linewidth=1.1, label=words)
    ax.set(xlabel="step", title="loss")
    ax.legend()
    return ax


def animated_descent(arrays: Mapping[str, Array]) -> FuncAnimation:
    """The cloud, above, and its diagram, below, step by step: by the plain and the spread gradient.

    Args:
        arrays: of :func:`topogen.synthetic.pointclouds.experiment`.
    """
    gradients = _gradients(arrays)
    figure, axes = plt.subplots(2, len(gradients), figsize=(2.8 * len(gradients), 5.6), squeeze=False)
    figure.subplots_adjust(left=0.12, right=0.97, bottom=0.09, top=0.89, hspace=0.14, wspace=0.2)
    limits = _limits(arrays, of_target=False)
    artists = {}
    for (above, below), (name, words) in zip(axes.T, gradients.items(), strict=True):
        _cloud_axes(above, *limits, words)
        _diagram_axes(below, arrays).set_ylabel("death" if name == "plain" else "")
        empty = np.zeros((0, 2))
        artists[name] = (
            _points(above, empty),
            [_dots(below, empty, degree) for degree in (0, 1)],
        )
    heading = figure.suptitle("")
    target = "; hollow: target" if len(arrays["target"]) else ""

    def show(frame: int) -> list[Artist]:
        heading.set_text(f"step {arrays['steps'][frame]}{target}")
        for name, (cloud, bars) in artists.items():
            cloud.set_offsets(arrays[f"clouds_{name}"][frame])
            for degree, dots in enumerate(bars):
                dots.set_offsets(_bars(arrays, name, frame, degree))
        return [heading]

    return FuncAnimation(figure, show, frames=len(arrays["steps"]))
