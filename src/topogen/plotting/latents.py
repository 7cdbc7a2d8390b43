"""Latent vectors in the plane, coloured by class."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray


def latent_scatter(ax: Axes, latents: NDArray[Any], labels: NDArray[Any], title: str) -> Axes:
    """Scatter the first two latent coordinates.

    Args:
        ax: where to draw.
        latents: shape (n, d), d >= 2.
        labels: classes, shape (n,).
        title: of the panel.
    """
    ax.scatter(latents[:, 0], latents[:, 1], c=labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=9, linewidths=0)
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
    for row, (model, arrays) in zip(axes, latents.items(), strict=True):
        for ax, moment in zip(row, ("before", "after"), strict=True):
            latent_scatter(ax, arrays[f"z_{moment}"], arrays["label"], f"{model}, {moment} training")
    palette = sns.color_palette("tab10", 10)
    dots = [Line2D([], [], marker="o", linestyle="", color=palette[label]) for label in range(10)]
    figure.legend(dots, [str(label) for label in range(10)], title="class", loc="outside right center")
    return figure
