"""Differentiable Rips persistence diagrams and losses of them, for PyTorch.

For a training loop of one's own: the functions of this package's top level make diagrams of clouds,
:mod:`torchrips.regularizers` holds losses of diagrams as modules, :mod:`torchrips.distances` the functions
behind them. Everything is imported at first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchrips import distances, regularizers
    from torchrips.persistence import batched_rips_diagrams, pad_diagrams, rips_diagrams
    from torchrips.spreading import random_subsets, spread_gradient

__version__ = "0.2.0.dev0"

__all__ = [
    "__version__",
    "batched_rips_diagrams",
    "distances",
    "pad_diagrams",
    "random_subsets",
    "regularizers",
    "rips_diagrams",
    "spread_gradient",
]

_HOMES = {
    "batched_rips_diagrams": "persistence",
    "pad_diagrams": "persistence",
    "rips_diagrams": "persistence",
    "random_subsets": "spreading",
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
