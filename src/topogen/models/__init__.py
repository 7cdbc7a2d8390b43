"""Families of models; each is one module. ``load`` gives back a model that was trained."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topogen.models.trained import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """Import ``load`` at first use, so that a change of it concerns no training."""
    if name == "load":
        return import_module("topogen.models.trained").load
    raise AttributeError(f"module 'topogen.models' has no attribute {name!r}")
