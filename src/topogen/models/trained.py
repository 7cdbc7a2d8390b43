"""A trained model, from the files that its training or an archive left."""

from pathlib import Path

import torch

from topogen.models.families import Family, rebuild


def load(run: str | Path) -> Family:
    """The model of a training as its last step left it, on the CPU and set to evaluation.

    Args:
        run: folder of the training, such as ``results/FashionMNIST/runs/TopoVAE3/1``; that of an unpacked
            archive does as well. Nothing in it is executed.

    Raises:
        FileNotFoundError: the folder holds no ``checkpoint.pt``.

    """
    checkpoint = Path(run, "checkpoint.pt")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return rebuild(state["built"], state["model"])
