"""Persistence diagrams, the complexes they come from, and functions of them (F3-F5, F7, F8)."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[Any]

COLOURS = sns.color_palette("colorblind")
MARKERS = ("o", "^", "s")  # of degree 0, 1, 2


def draw_complex(ax: Axes, points: Array, edges: Array, triangles: Array, opacity: float = 1) -> Axes:
    """Draw a complex of points in the plane, its triangles filled.

    Args:
        ax: where to draw.
        points: shape (n, 2).
        edges: vertices, shape (e, 2).
        triangles: vertices, shape (t, 3).
        opacity: of a triangle; below 1 shows where triangles overlap.
    """
    filled = PolyCollection(
        list(points[triangles]),
        facecolor="lightsteelblue",
        edgecolor="none",
        alpha=opacity,
        zorder=1,
        rasterized=True,  # thousands of triangles would make an SVG that no viewer opens
    )
    ax.add_collection(filled)
    ax.add_collection(LineCollection(list(points[edges]), colors="steelblue", linewidths=0.6, zorder=2))
    ax.scatter(points[:, 0], points[:, 1], s=9, color="black", zorder=3)
    margin = 0.06 * np.ptp(points, axis=0).max()
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    ax.set(xticks=[], yticks=[], aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    return ax


def _counts(edges: Array, triangles: Array, betti: Array) -> str:
    return rf"{len(edges)} edges, {len(triangles)} triangles, $\beta_0 = {betti[0]}$, $\beta_1 = {betti[1]}$"


def rips_filtration(arrays: Mapping[str, Array]) -> Figure:
    """Rips complexes of one planar cloud, one panel for each scale (F4).

    Args:
        arrays: of :func:`topogen.theory.concepts.filtration`.
    """
    scales = arrays["scales"]
    figure, axes = plt.subplots(1, len(scales), figsize=(3 * len(scales), 3.3), layout="constrained")
    for k, (scale, ax) in enumerate(zip(scales, axes, strict=True)):
        edges, triangles = arrays[f"edges_{k}"], arrays[f"triangles_{k}"]
        draw_complex(ax, arrays["points"], edges, triangles)
        ax.set_title(rf"$\varepsilon = {scale:g}$")
        ax.set_xlabel(_counts(edges, triangles, arrays[f"betti_{k}"]), fontsize="small")
    return figure


def geometric_complex(arrays: Mapping[str, Array]) -> Figure:
    """Draw a geometric simplicial complex beside the Rips complex of the same cloud and scale (F3).

    Args:
        arrays: of :func:`topogen.theory.concepts.filtration`.
    """
    titles = {"delaunay": "geometric simplicial complex", "rips": "Rips complex, drawn in the plane"}
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        edges, triangles = arrays[f"edges_{name}"], arrays[f"triangles_{name}"]
        draw_complex(ax, arrays["points"], edges, triangles, opacity=1 if name == "delaunay" else 0.5)
        ax.set_title(rf"{title}, $\varepsilon = {arrays['geometric_scale']:g}$")
        ax.set_xlabel(
            f"{len(arrays['points'])} vertices, {_counts(edges, triangles, arrays[f'betti_{name}'])}"
        )
    return figure


def half_plane(ax: Axes, lower: float, upper: float) -> Axes:
    """Axes of a persistence diagram: the diagonal, and grey below it."""
    ax.plot([lower, upper], [lower, upper], color="black", linewidth=0.8)
    ax.fill_between([lower, upper], [lower, upper], lower, color="0.92", linewidth=0)
    ax.set(xlabel="birth", ylabel="death", xlim=(lower, upper), ylim=(lower, upper), aspect="equal")
    ax.grid(visible=False)
    return ax


def degree_points(ax: Axes, diagram: Array, degree: int, size: float = 34) -> Axes:
    """Points (birth, death) of one degree, in the colour and with the marker of the degree."""
    ax.scatter(
        diagram[:, 0],
        diagram[:, 1],
        s=size,
        color=COLOURS[degree],
        marker=MARKERS[degree],
        edgecolor="white",
        linewidth=0.4,
        label=f"$H_{degree}$",
        zorder=3,
        clip_on=False,
    )
    return ax


def persistence_diagram(ax: Axes, diagrams: Mapping[int, Array]) -> Axes:
    """Draw a diagram of several degrees, with the diagonal and a line at infinity.

    Args:
        ax: where to draw.
        diagrams: degree -> finite points (birth, death), shape (k, 2), k may be 0; of the component that
            never dies a point is added on the line at infinity.
    """
    upper = 1.08 * max(d.max() for d in diagrams.values() if d.size)
    infinity = 1.1 * upper
    half_plane(ax, 0, upper)
    for degree, diagram in diagrams.items():
        degree_points(ax, np.append(diagram, [[0, infinity]], axis=0) if degree == 0 else diagram, degree)
    ax.plot([0, upper], [infinity, infinity], color="black", linewidth=0.8, linestyle="--")
    ax.text(1.02 * upper, infinity, r"$\infty$", va="center", fontsize=14)
    ax.set_ylim(top=1.17 * upper)
    ax.set_yticks([tick for tick in ax.get_yticks() if tick <= upper])
    return ax


def diagram_of_cloud(arrays: Mapping[str, Array]) -> Figure:
    """Persistence diagram of the cloud whose filtration is shown (F5), the scales of the filtration dotted.

    Args:
        arrays: of :func:`topogen.theory.concepts.filtration`.
    """
    figure, ax = plt.subplots(figsize=(5.4, 5.8), layout="constrained")
    persistence_diagram(ax, {0: arrays["diagram_0"], 1: arrays["diagram_1"]})
    top = ax.get_ylim()[1]
    for scale in arrays["scales"]:
        ax.plot([0, scale, scale], [scale, scale, top], color="grey", linewidth=0.8, linestyle=":")
        ax.text(scale, 1.005 * top, f"{scale:g}", ha="center", va="bottom", color="grey", fontsize=8)
    ax.legend(loc="lower right")
    return figure


def density_over_diagram(ax: Axes, diagram: Array, positions: Array, density: Array, label: str = "") -> Axes:
    """Draw a density of deaths sideways over a diagram of degree 0: position upwards, density rightwards."""
    ax.plot(density, positions, linewidth=1.1, label=label)
    births, deaths = diagram.T
    ax.scatter(births, deaths, s=16, color="black", linewidths=0, alpha=0.6, zorder=3, clip_on=False)
    ax.set_xlabel("birth (points), density (curve)")
    return ax


def densities_of_clusters(arrays: Mapping[str, Array]) -> Figure:
    """4SGDE of the diagram of the four clusters, one panel for each sigma (F7).

    Args:
        arrays: of :func:`topogen.theory.concepts.density_curves`.
    """
    count = len(arrays["sigmas"])
    figure, axes = plt.subplots(
        1, count, figsize=(3.4 * count, 4.2), sharex=True, sharey=True, layout="constrained"
    )
    for ax, sigma, density in zip(axes, arrays["sigmas"], arrays["densities"], strict=True):
        density_over_diagram(ax, arrays["diagram"], arrays["positions"], density)
        ax.set_title(rf"$\sigma = {sigma:g}$, $s = {arrays['scales'][0]:g}$")
    _density_axes(axes, arrays["positions"])
    return figure


def _density_axes(axes: Sequence[Axes], positions: Array) -> None:
    for ax in axes:
        ax.set_xlim(left=-0.03 * ax.get_xlim()[1])
        ax.set_ylim(positions[0], positions[-1])
    axes[0].set_ylabel("death (points), $x$ (curve)")


def densities_of_batch(by_sigma: Mapping[str, Array], by_scale: Mapping[str, Array]) -> Figure:
    """4SGDE of the diagram of a real batch: one panel for each sigma, and one with several s (F7).

    Args:
        by_sigma: of :func:`topogen.theory.concepts.density_curves`, for several sigmas at one s, with marks.
        by_scale: likewise, for several s at one sigma.
    """
    count = len(by_sigma["sigmas"])
    figure, axes = plt.subplots(
        1, count + 1, figsize=(3.3 * (count + 1), 4.6), sharey=True, layout="constrained"
    )
    panels = [(by_sigma, k, ax) for k, ax in enumerate(axes[:-1])]
    panels += [(by_scale, k, axes[-1]) for k in range(len(by_scale["scales"]))]
    for arrays, k, ax in panels:
        sigma, scale, density = (arrays[name][k] for name in ("sigmas", "scales", "densities"))
        density_over_diagram(ax, arrays["diagram"], arrays["positions"], density, f"$s = {scale:g}$")
        ax.scatter(
            arrays["marked"][k], arrays["marks"], s=11, color=ax.lines[-1].get_color(), marker="D", zorder=4
        )
        ax.set_title(rf"$\sigma = {sigma:g}$")
        ax.legend(loc="upper right")
    _density_axes(axes, by_sigma["positions"])
    return figure


def delta_selection(arrays: Mapping[str, Array]) -> Figure:
    """What delta-selective leaves of the terms of the persistent entropy, beside all of them (F8).

    Args:
        arrays: of :func:`topogen.theory.concepts.delta_selection`.
    """
    diagram, delta = arrays["diagram"], float(arrays["delta"])
    lower, upper = 0.8 * diagram.min(), 1.04 * diagram.max()
    titles = {"plain": "plain", "selective": rf"$\delta$-selective, $\delta = {delta:g}$"}
    largest = max(arrays[f"terms_{name}"].max() for name in titles)
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    for ax, (name, title) in zip(axes, titles.items(), strict=False):
        half_plane(ax, lower, upper)
        terms = arrays[f"terms_{name}"]
        kept = terms > 0
        dots = ax.scatter(
            *diagram[kept].T, c=terms[kept], s=60, cmap="viridis", vmin=0, vmax=largest, zorder=3
        )
        ax.set_title(f"{title}: entropy {terms.sum():.3f} of {kept.sum()} points")
        if name == "selective":
            ends = np.array([lower, upper])
            ax.fill_between(ends, ends, ends + delta, color="salmon", alpha=0.5, linewidth=0)
            ax.scatter(*diagram[~kept].T, s=60, color="white", edgecolor="black", marker="X", zorder=3)
    figure.colorbar(dots, ax=axes[:2], label="term of the point", shrink=0.8)
    _terms_by_lifetime(axes[2], arrays)
    return figure


def _terms_by_lifetime(ax: Axes, arrays: Mapping[str, Array]) -> None:
    lifetimes = arrays["diagram"][:, 1] - arrays["diagram"][:, 0]
    for name, style in (("plain", "-"), ("selective", "--")):
        line = ax.plot(arrays["lifetimes"], arrays[f"curve_{name}"], linestyle=style, label=name)[0]
        ax.scatter(lifetimes, arrays[f"terms_{name}"], s=18, color=line.get_color(), zorder=3)
    ax.axvspan(0, float(arrays["delta"]), color="salmon", alpha=0.5, linewidth=0)
    ax.set(xlabel=r"lifetime $\ell = d - b$", ylabel=r"term $-(\ell/L)\,\log(\ell/L)$")
    ax.legend()
