"""The schematic of a topology-informed VAE, with real images and diagrams in it (F2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from numpy.typing import NDArray

from topogen.plotting.diagrams import degree_points, half_plane
from topogen.plotting.images import COLUMNS, image_grid

Array = NDArray[Any]
Place = tuple[float, float]


def working_principle(
    arrays: Mapping[str, Array], regularizers: Sequence[Mapping[str, Any]], title: str
) -> Figure:
    """Schematic of a topology-informed VAE, with the images and diagrams of one real batch (F2).

    Args:
        arrays: of :func:`topogen.theory.schematic.forward_pass`.
        regularizers: entries {name, degree, weight or share} of the model, in the order of its terms.
        title: of the model and where its weights come from.
    """
    width, height = 12.0, 6.2
    figure = plt.figure(figsize=(width, height))
    canvas = figure.add_axes((0, 0, 1, 1))
    canvas.set(xlim=(0, width), ylim=(0, height))
    canvas.axis("off")

    def inset(left: float, bottom: float, wide: float, high: float) -> Axes:
        return figure.add_axes((left / width, bottom / height, wide / width, high / height))

    count = len(arrays["images"])
    shown = min(32, count // COLUMNS * COLUMNS)
    for left, name, label in ((0.3, "images", "batch $x$"), (9.5, "outputs", r"reconstruction $\hat{x}$")):
        title_of_images = f"{label}, {shown} of {count} images"
        image_grid(inset(left, 4.15, 2.2, 1.2), arrays[name][:shown], title_of_images)
    _network(canvas, 3.3, 4.75, (0.8, 0.4), "encoder")
    _network(canvas, 7.3, 4.75, (0.4, 0.8), "decoder")
    _box(canvas, (5.3, 4.35), (1.4, 0.8), "$z = \\mu + \\varsigma \\odot \\xi$\n$\\xi \\sim N(0, 1)$")
    for start, stop in ((2.55, 3.25), (4.75, 5.25), (6.75, 7.25), (8.75, 9.45)):
        _arrow(canvas, (start, 4.8), (stop, 4.8))
        if start > 4:
            _arrow(canvas, (stop, 4.55), (start, 4.55), gradient=True)

    pair = {name: [arrays[f"{name}_{degree}"] for degree in (0, 1)] for name in ("reference", "diagram")}
    space = f"$R^{{{arrays['images'][0].size}}}$"
    limit = 1.03 * max(float(diagram.max()) for both in pair.values() for diagram in both if diagram.size)
    for left, name, label in ((0.75, "reference", "$D_0$, fixed"), (9.75, "diagram", "$D$")):
        ax = half_plane(inset(left, 0.6, 2.0, 2.0), 0, limit)
        for degree, diagram in enumerate(pair[name]):
            degree_points(ax, diagram, degree, size=9)
        ax.set_title(label)
        ax.legend(loc="lower right", fontsize="x-small", handletextpad=0.1)
        _arrow(canvas, (left + 0.95, 4.1), (left + 0.95, 2.95))
        canvas.text(left + 1.05, 3.5, f"Rips filtration of\n{count} points in {space}", va="center")

    _box(canvas, (4.1, 0.85), (3.8, 1.6), _loss(arrays, regularizers), "seashell")
    _arrow(canvas, (3.0, 1.65), (4.05, 1.65))
    _arrow(canvas, (9.2, 1.85), (7.95, 1.85))
    _arrow(canvas, (7.95, 1.4), (9.2, 1.4), gradient=True)
    _arrow(canvas, (10.35, 2.95), (10.35, 4.1), gradient=True)
    canvas.text(
        6, 3.3, "dashed: gradient of the regularizers, through the diagram", ha="center", color="firebrick"
    )
    canvas.text(6, 5.95, title, ha="center", va="center", fontsize="large")
    return figure


def _loss(arrays: Mapping[str, Array], regularizers: Sequence[Mapping[str, Any]]) -> str:
    """The loss as a formula, and the values of its terms."""
    formula = (
        r"$\mathcal{L} = \mathrm{BCE}(x, \hat{x}) + \mathrm{KLD} + \Sigma_i \, w_i\,\mathcal{L}_i(D, D_0)$"
    )
    sums = f"BCE: {arrays['bce']:.0f}, KLD: {arrays['kld']:.0f}"
    values = [
        f"{entry['name']}, degree {entry['degree']}, {key} {entry[key]:g}: {value:.3g}"
        for entry, value in zip(regularizers, arrays["terms"], strict=True)
        for key in ("weight", "share")
        if key in entry
    ]
    return "\n".join([formula, sums, *values])


def _network(ax: Axes, left: float, middle: float, heights: Place, label: str) -> None:
    first, second = heights
    corners = [(0, first), (1.4, second), (1.4, -second), (0, -first)]
    shape = [(left + x, middle + y) for x, y in corners]
    ax.add_patch(Polygon(shape, facecolor="lightsteelblue", edgecolor="steelblue"))
    ax.text(left + 0.7, middle, label, ha="center", va="center")


def _box(ax: Axes, corner: Place, size: Place, text: str, colour: str = "white") -> None:
    ax.add_patch(FancyBboxPatch(corner, *size, boxstyle="round,pad=0.05", facecolor=colour, edgecolor="grey"))
    ax.text(corner[0] + size[0] / 2, corner[1] + size[1] / 2, text, ha="center", va="center", linespacing=1.6)


def _arrow(ax: Axes, start: Place, stop: Place, gradient: bool = False) -> None:
    arrow = FancyArrowPatch(start, stop, arrowstyle="-|>", mutation_scale=12, shrinkA=0, shrinkB=0)
    arrow.set(color="firebrick" if gradient else "black", linestyle="--" if gradient else "-", linewidth=1.1)
    ax.add_patch(arrow)
