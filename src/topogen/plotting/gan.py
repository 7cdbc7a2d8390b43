"""Mode collapse of a GAN (F1)."""

import math
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from topogen.plotting.style import model_colours

PER_ROW = 4  # clouds of samples
STYLES = ("-", "--", ":", "-.")  # of lines, since some of seven colours look alike
LABELS = {"modes": "modes covered", "near": "share of samples near a mode", "mmd": "squared MMD"}


def mode_collapse(seeds: pd.DataFrame, curves: pd.DataFrame, samples: pd.DataFrame, modes: int) -> Figure:
    """Samples of one seed, above, and the measures over the steps, below.

    Args:
        seeds: columns variant, seed, time, modes, near, as :func:`topogen.synthetic.collapse.by_seed` gives.
        curves: of :func:`topogen.synthetic.collapse.curves`.
        samples: columns variant (``real``: of the ring), seed, x, y.
        modes: of the ring.
    """
    variants = [str(variant) for variant in curves["variant"].unique()]
    rows = math.ceil((len(variants) + 1) / PER_ROW)
    figure = plt.figure(figsize=(11, 2.9 * rows + 3.4), layout="constrained")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=[2.9 * rows, 3.4]))
    _clouds(above, seeds, samples, modes)
    colours = model_colours(variants)
    axes = below.subplots(1, len(LABELS))
    for ax, (measure, label) in zip(axes, LABELS.items(), strict=True):
        for variant, style in zip(variants, cycle(STYLES), strict=False):
            curve = curves[(curves["measure"] == measure) & (curves["variant"] == variant)]
            colour = colours[variant]
            ax.plot(curve["step"], curve["mean"], style, color=colour, label=variant)
            ax.fill_between(curve["step"], curve["low"], curve["high"], color=colour, alpha=0.15, linewidth=0)
        ax.set(xlabel="step", title=label)
    lines, names = axes[0].get_legend_handles_labels()
    below.legend(lines, names, loc="outside lower center", ncols=len(variants))
    return figure


def _clouds(figure: SubFigure, seeds: pd.DataFrame, samples: pd.DataFrame, modes: int) -> None:
    names = [str(name) for name in samples["variant"].unique()]
    real = samples[samples["variant"] == "real"]
    seed = samples["seed"].iloc[0]
    at_end = seeds[(seeds["time"] == "at the end") & (seeds["seed"] == seed)].set_index("variant")
    axes = np.ravel(figure.subplots(math.ceil(len(names) / PER_ROW), PER_ROW))
    limit = 1.35 * real[["x", "y"]].abs().to_numpy().max()
    for ax, name in zip(axes, names, strict=False):
        _cloud(ax, real, "0.75")
        title = "real samples"
        if name != "real":
            _cloud(ax, samples[samples["variant"] == name], "firebrick")
            title = f"{name}: {at_end['modes'][name]:.0f} of {modes}, {100 * at_end['near'][name]:.0f} % near"
        ax.set_title(title, fontsize="medium")
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    figure.suptitle(f"samples of seed {seed} after the last step: modes covered, share near a mode")


def _cloud(ax: Axes, points: pd.DataFrame, colour: str) -> None:
    ax.scatter(points["x"], points["y"], s=5, color=colour, linewidths=0, rasterized=True)
