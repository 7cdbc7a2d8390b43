"""TopoGen: differentiable Rips persistence diagrams, and topology-informed generative models on them.

For a training loop of one's own: the functions of this package's top level make diagrams of clouds,
:mod:`topogen.regularizers` holds losses of diagrams as modules, :mod:`topogen.distances` the functions behind
them. Everything is imported at first use: who only reads tables of results waits for no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topogen import distances, regularizers
    from topogen.persistence import batched_rips_diagrams, pad_diagrams, rips_diagrams
    from topogen.spreading import random_subsets, spread_gradient

__all__ = [
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


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"topogen.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"topogen.{name}")
    raise AttributeError(f"module 'topogen' has no attribute {name!r}")
