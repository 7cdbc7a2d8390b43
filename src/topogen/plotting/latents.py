"""Latent vectors in the plane, coloured by class."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray


def class_colours(classes: int) -> ListedColormap:
    """A colour for each class: the first ones of tab10, or, if there are more than ten, as many hues."""
    return ListedColormap(sns.color_palette("tab10" if classes <= 10 else "husl", classes))


def latent_scatter(
    ax: Axes, latents: NDArray[Any], labels: NDArray[Any], colours: ListedColormap, title: str
) -> Axes:
    """Scatter the first two latent coordinates.

    Args:
        ax: where to draw.
        latents: shape (n, d), d >= 2.
        labels: classes 0 ... c - 1, shape (n,).
        colours: at least c, see :func:`class_colours`.
        title: of the panel.
    """
    x, y, top = latents[:, 0], latents[:, 1], colours.N - 0.5
    ax.scatter(x, y, c=labels, cmap=colours, vmin=-0.5, vmax=top, s=9, linewidths=0)
    ax.set(title=title, xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax


def before_and_after(latents: Mapping[str, Mapping[str, NDArray[Any]]]) -> Figure:
    """One row per model: its sampled latent vectors before and after training.

    Args:
        latents: model -> arrays ``z_before`` and ``z_after`` of shape (n, d) and ``label`` of shape (n,).
    """
    figure, axes = plt.subplots(
        len(latents), 2, figsize=(10, 4.6 * len(latents)), squeeze=False, layout="constrained"
    )
    colours = class_colours(1 + max(int(arrays["label"].max()) for arrays in latents.values()))
    for row, (model, arrays) in zip(axes, latents.items(), strict=True):
        for ax, moment in zip(row, ("before", "after"), strict=True):
            title = f"{model}, {moment} training"
            latent_scatter(ax, arrays[f"z_{moment}"], arrays["label"], colours, title)
    dots = [Line2D([], [], marker="o", linestyle="", color=colours(label)) for label in range(colours.N)]
    figure.legend(
        dots,
        [str(label) for label in range(colours.N)],
        title="class",
        loc="outside right center",
        ncols=-(-colours.N // 20),
    )
    return figure


def embeddings(panels: Mapping[str, Mapping[str, NDArray[Any]]]) -> Figure:
    """One panel per method: where it puts the test in the plane.

    Args:
        panels: method -> arrays ``embedding`` of shape (n, 2) and ``label`` of shape (n,).
    """
    rows = -(-len(panels) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(12, 4 * rows), squeeze=False, layout="constrained")
    colours = class_colours(1 + max(int(arrays["label"].max()) for arrays in panels.values()))
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (method, arrays) in zip(axes.flat, panels.items(), strict=False):
        latent_scatter(ax, arrays["embedding"], arrays["label"], colours, method)
    return figure
