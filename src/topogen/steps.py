"""How many steps a training has, and whether it reaches those that are asked for."""

import ast
from collections.abc import Sequence
from pathlib import Path

# Kind of dataset -> its images for training, if they need no download and so are always the same.
MADE_HERE = {
    "digits": 1437,
    "planted_circle": 3840,
    "planted_torus": 3840,
    "planted_components": 3840,
    "spheres": 9000,
}


def steps_of_training(steps_per_epoch: int, epochs: int, steps: int | None) -> int:
    """Number of steps.

    Args:
        steps_per_epoch: batches of the dataset; the last one may be smaller.
        epochs: passes through the data.
        steps: end after so many steps, if the epochs have more.

    >>> steps_of_training(12, 40, None), steps_of_training(12, 40, 50)
    (480, 50)
    """
    return min(steps or epochs * steps_per_epoch, epochs * steps_per_epoch)


def demand_reached(last: int, **steps: Sequence[int]) -> None:
    """Refuse steps, by kind, that a training of so many steps does not reach.

    Raises:
        ValueError: the message names the steps.

    """
    for kind, steps_of_kind in steps.items():
        if late := [step for step in steps_of_kind if step >= last]:
            raise ValueError(
                f"{kind} {late}: the steps of the training are 0 to {last - 1}; "
                "train for more epochs, or take out these steps"
            )


def training_images(kind: str, prepared: Path | None) -> int | None:
    """Number of a dataset's images for training; None if nobody knows it yet.

    Args:
        kind: of the dataset.
        prepared: the array of its images, in the format of NumPy, which need not be there; None if it is
            made anew.

    """
    if prepared is None or not prepared.is_file():
        return MADE_HERE.get(kind)
    with prepared.open("rb") as file:
        file.seek(8)  # behind the name and the version of the format
        length = int.from_bytes(file.read(2), "little")
        header = ast.literal_eval(file.read(length).decode("latin1"))
    images: int = header["shape"][0]
    return images
