"""Images of a batch, side by side."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

COLUMNS = 8


def image_grid(ax: Axes, images: NDArray[Any], title: str) -> Axes:
    """Draw images row by row, eight to a row, grey or in colour, levels in the common range [0, 1].

    Args:
        ax: where to draw.
        images: shape (n, channels, height, width), n a multiple of 8, one channel or three.
        title: of the panel.
    """
    n, channels, height, width = images.shape
    rows = n // COLUMNS
    grid = images.reshape(rows, COLUMNS, channels, height, width).transpose(0, 3, 1, 4, 2)
    tiled = grid.reshape(rows * height, COLUMNS * width, channels)
    shown = tiled[:, :, 0] if channels == 1 else tiled
    ax.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set(title=title, xticks=[], yticks=[])
    ax.grid(visible=False)
    return ax


def compare_images(panels: Mapping[str, NDArray[Any]]) -> Figure:
    """One panel per title, side by side."""
    figure, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 2.3), layout="constrained")
    for ax, (title, images) in zip(axes, panels.items(), strict=True):
        image_grid(ax, images, title)
    return figure
