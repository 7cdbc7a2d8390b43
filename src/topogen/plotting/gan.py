"""Mode collapse of a GAN (F1)."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from topogen.plotting.style import model_colours

Array = NDArray[Any]


def mode_collapse(table: pd.DataFrame, arrays: Mapping[str, Array], modes: int) -> Figure:
    """Samples of one seed, above, and modes covered over the steps, below; one column for each variant.

    Args:
        table: of :func:`topogen.synthetic.gan.collapse`: columns variant, seed, step, modes.
        arrays: of the same: real, seed, samples_VARIANT.
        modes: of the ring.
    """
    variants = list(table["variant"].unique())
    colours = model_colours(variants)
    figure, axes = plt.subplots(
        2, len(variants) + 1, figsize=(3.4 * len(variants) + 3.4, 6.6), layout="constrained"
    )
    limit = 1.35 * np.abs(arrays["real"]).max()
    _samples(axes[0, 0], arrays["real"], np.zeros((0, 2)), "real", limit)
    for ax, name in zip(axes[0, 1:], variants, strict=True):
        final = table.loc[(table["variant"] == name) & (table["seed"] == arrays["seed"])]
        count = final.sort_values("step")["modes"].iloc[-1]
        title = f"{name}, seed {arrays['seed']}: {count} of {modes}"
        _samples(ax, arrays["real"], arrays[f"samples_{name}"], title, limit)
    for ax, name in zip(axes[1, 1:], variants, strict=True):
        own = table[table["variant"] == name]
        for _, curve in own.groupby("seed"):
            ax.plot(curve["step"], curve["modes"], color=colours[name], linewidth=0.7, alpha=0.45)
        _mean(ax, own, name, colours[name])
        _mean(axes[1, 0], own, name, colours[name])
        ax.set_title(f"{name}: each seed, and mean", fontsize="medium")
    axes[1, 0].set(title="mean over seeds", ylabel="modes covered")
    axes[1, 0].legend(loc="center right", bbox_to_anchor=(1, 0.78))
    for ax in axes[1]:
        ax.set(xlabel="step", ylim=(-0.3, modes + 0.3))
    return figure


def _samples(ax: Axes, real: Array, samples: Array, title: str, limit: float) -> None:
    ax.scatter(real[:, 0], real[:, 1], s=5, color="0.75", linewidths=0, rasterized=True)
    ax.scatter(samples[:, 0], samples[:, 1], s=5, color="firebrick", linewidths=0, rasterized=True)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    ax.set_title(title, fontsize="medium")


def _mean(ax: Axes, own: pd.DataFrame, name: str, colour: tuple[float, float, float]) -> None:
    means = own.groupby("step")["modes"].mean()
    ax.plot(means.index, means, color=colour, linewidth=2, label=name)
