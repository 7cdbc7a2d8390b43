"""What torch.compile leaves out."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import torch

from torchrips import uncompiled

Function = TypeVar("Function", bound=Callable[..., Any])


def left_out(function: Function) -> Function:
    """Leave a function out of the graphs of torch.compile, which break where it is called.

    Such a call is made as without torch.compile and returns the same. With ``fullgraph=True`` it is an error,
    which names the function.
    """
    name = f"{function.__module__}.{function.__qualname__}".replace(".", "_")
    uncompiled.FUNCTIONS[name] = function

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        if torch.compiler.is_compiling():
            return getattr(uncompiled, name)(*arguments, **options)
        return function(*arguments, **options)

    return call  # type: ignore[return-value]
