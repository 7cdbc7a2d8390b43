"""Pictures of diagrams. Matplotlib, which they need, is imported when one is drawn, and not before."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DiagramOrSeveral = Tensor | NDArray[Any] | Sequence[Any]


def plot_diagram(
    diagrams: DiagramOrSeveral, *, degrees: Sequence[int] | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Births and deaths as points over the diagonal; deaths at infinity on a dashed line at the top.

    Args:
        diagrams: as :func:`torchrips.rips_diagrams` returns them, or one of them.
        degrees: of the diagrams, for the legend; 0, 1, ... if None and there are several.
        ax: what is drawn on; a new figure if None.

    Returns:
        What was drawn on. Nothing is saved or shown.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: a diagram is not of shape (k, 2), or there are not as many degrees as diagrams.

    """
    ax = ax or _new_axes()
    several = list(_several(diagrams, degrees))
    finite = np.concatenate([bars[np.isfinite(bars)] for _, bars in several] or [np.zeros(0)])
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    margin = 0.05 * (high - low) or 1.0
    low, top = low - margin, high + 2 * margin
    ax.plot([low, top], [low, top], color="grey", linewidth=0.8, zorder=0)
    if any(np.isinf(bars).any() for _, bars in several):
        ax.axhline(top, color="grey", linewidth=0.8, linestyle="--", zorder=0)
    for number, (label, bars) in enumerate(several):
        deaths = np.where(np.isinf(bars[:, 1]), top, bars[:, 1])
        ax.scatter(bars[:, 0], deaths, s=12, color=f"C{number}", label=label)
    ax.set(xlabel="birth", ylabel="death", xlim=(low, top), ylim=(low, top + margin), aspect="equal")
    _legend(ax)
    return ax


def plot_barcode(
    diagrams: DiagramOrSeveral, *, degrees: Sequence[int] | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Bars as horizontal lines from birth to death, in the order of the diagrams, the first at the top.

    Bars that never die end in an arrow at the right.

    Args:
        diagrams: as of :func:`plot_diagram`.
        degrees: as of :func:`plot_diagram`.
        ax: as of :func:`plot_diagram`.

    Returns:
        What was drawn on. Nothing is saved or shown.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: as :func:`plot_diagram`.

    """
    ax = ax or _new_axes()
    several = list(_several(diagrams, degrees))
    finite = np.concatenate([bars[np.isfinite(bars)] for _, bars in several] or [np.zeros(0)])
    end = 1.05 * finite.max() if len(finite) and finite.max() > 0 else 1.0
    place = 0
    for number, (label, bars) in enumerate(several):
        heights = place + np.arange(len(bars))
        endless = np.isinf(bars[:, 1])
        ax.hlines(
            heights,
            bars[:, 0],
            np.where(endless, end, bars[:, 1]),
            color=f"C{number}",
            linewidth=1,
            label=label,
        )
        ax.plot(np.full(endless.sum(), end), heights[endless], ">", color=f"C{number}", markersize=4)
        place += len(bars)
    ax.set(xlabel="distance", yticks=[])
    ax.invert_yaxis()
    _legend(ax)
    return ax


def _new_axes() -> "Axes":
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("pictures of diagrams need matplotlib: pip install matplotlib") from error
    return pyplot.subplots()[1]


def _several(
    diagrams: DiagramOrSeveral, degrees: Sequence[int] | None
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Label, if any, and bars of each diagram."""
    one = isinstance(diagrams, Tensor | np.ndarray) and diagrams.ndim == 2
    parts: Sequence[Any] = [diagrams] if one else list(diagrams)
    if degrees is None and len(parts) > 1:
        degrees = range(len(parts))
    if degrees is not None and len(degrees) != len(parts):
        raise ValueError(f"expected a degree for each of {len(parts)} diagrams, got {list(degrees)}")
    for place, diagram in enumerate(parts):
        bars = torch.as_tensor(diagram).detach().cpu().double().numpy()
        if bars.ndim != 2 or bars.shape[1] != 2 or np.isnan(bars).any() or (bars == -math.inf).any():
            raise ValueError(
                "expected diagrams of shape (k, 2), rows (birth, death), one or a tuple of them; got "
                f"shape {bars.shape}, or NaN"
            )
        yield "" if degrees is None else f"degree {degrees[place]}", bars


def _legend(ax: "Axes") -> None:
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="lower right")
