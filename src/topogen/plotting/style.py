"""One look for all figures, and one way to save them."""

from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.figure import Figure

from topogen.files import atomic


def use_style() -> None:
    """White background, light grid, readable at column width; equal figures become equal SVG bytes."""
    sns.set_theme(style="whitegrid", context="paper", font_scale=1.1)
    mpl.rcParams.update({"svg.hashsalt": "topogen", "figure.dpi": 110, "savefig.dpi": 160})


def save(figure: Figure, *paths: str | Path) -> None:
    """Save in the formats that the paths name, without dates."""
    for path in paths:
        kind = Path(path).suffix[1:]
        metadata = {"svg": {"Date": None}, "png": {"Software": None}}[kind]
        with atomic(path) as temporary:
            figure.savefig(temporary, format=kind, bbox_inches="tight", metadata=metadata)


def save_animation(animation: FuncAnimation, path: str | Path, frames_per_second: int) -> None:
    """Save as GIF, which repeats without end."""
    with atomic(path) as temporary:
        animation.save(temporary, writer=PillowWriter(fps=frames_per_second), dpi=90)


def model_colours(models: list[str]) -> dict[str, tuple[float, float, float]]:
    """Colour of each model: the same in every figure that lists the models in the same order."""
    return dict(zip(models, sns.color_palette("colorblind", len(models)), strict=True))
