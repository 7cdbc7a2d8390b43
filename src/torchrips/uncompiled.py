"""The public functions as torch.compile shall see them: left out of the graph, which breaks there.

A call to one of them is made as without torch.compile. ``torch.compiler.disable`` imports the compiler, which
takes a second; so it is applied when the compiler asks for a name of this module.
"""

from typing import Any

import torch

import torchrips


def __getattr__(name: str) -> Any:
    return torch.compiler.disable(
        getattr(torchrips, name),
        reason=f"{name} works outside of PyTorch, so that a graph must break there: use fullgraph=False",
    )
