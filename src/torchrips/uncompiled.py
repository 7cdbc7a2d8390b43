"""Functions as torch.compile shall see them: left out of the graph, which breaks there.

``torch.compiler.disable`` imports the compiler, which takes a second. So it is applied when the compiler asks
for a name of this module.
"""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

FUNCTIONS: dict[str, Callable[..., Any]] = {}  # torchrips.graphs registers them


@cache
def __getattr__(name: str) -> Any:
    if name not in FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = FUNCTIONS[name]
    reason = (
        f"{function.__qualname__} works outside of PyTorch, so that a graph must break there: "
        "use fullgraph=False"
    )
    # torch 2.7 takes no reason; its error names the function.
    known = "reason" in inspect.signature(torch.compiler.disable).parameters
    return torch.compiler.disable(function, **{"reason": reason} if known else {})
