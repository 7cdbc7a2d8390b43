"""Differentiable Rips persistence diagrams and losses of them, for PyTorch.

For a training loop of one's own: the functions of this package's top level make diagrams of clouds,
:mod:`torchrips.regularizers` holds losses of diagrams as modules, :mod:`torchrips.distances` the functions
behind them. Everything is imported at first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchrips import distances, graph_distances, regularizers, vectorizations
    from torchrips.generators import representatives
    from torchrips.layer import RipsDiagrams
    from torchrips.persistence import batched_rips_diagrams, pad_diagrams, rips_diagrams
    from torchrips.plots import plot_barcode, plot_diagram
    from torchrips.sampling import landmarks
    from torchrips.spreading import random_subsets, spread_gradient

__version__ = "0.2.0.dev0"

__all__ = [
    "RipsDiagrams",
    "__version__",
    "batched_rips_diagrams",
    "distances",
    "graph_distances",
    "landmarks",
    "pad_diagrams",
    "plot_barcode",
    "plot_diagram",
    "random_subsets",
    "regularizers",
    "representatives",
    "rips_diagrams",
    "spread_gradient",
    "vectorizations",
]

_HOMES = {
    "RipsDiagrams": "layer",
    "batched_rips_diagrams": "persistence",
    "landmarks": "sampling",
    "pad_diagrams": "persistence",
    "plot_barcode": "plots",
    "plot_diagram": "plots",
    "random_subsets": "spreading",
    "representatives": "generators",
    "rips_diagrams": "persistence",
    "spread_gradient": "spreading",
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"torchrips.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"torchrips.{name}")
    raise AttributeError(f"module 'torchrips' has no attribute {name!r}")
