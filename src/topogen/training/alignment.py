"""Whether the gradient of regularizers points where that of the data term points, in the weights.

A model is trained without regularizers. In every step others, which have some, are given its weights, and see
the same batch with the same noise. They say where their regularizers would pull, but nothing follows from it.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from topogen.training.references import Stored
from topogen.training.trainer import Trainer


def cosine(gradient: Tensor, other: Tensor) -> float:
    """Cosine of the angle between two vectors, in float64; NaN if one of them is zero.

    >>> cosine(Tensor([1, 0]), Tensor([-2, 0]))
    -1.0
    """
    gradient, other = gradient.double(), other.double()
    sizes = float(gradient.norm() * other.norm())
    return float(gradient @ other) / sizes if sizes else math.nan


def alignment(
    images: NDArray[Any],
    labels: NDArray[Any],
    references: Stored,
    wrong_references: Mapping[str, Stored],
    *,
    baseline: dict[str, Any],
    models: Mapping[str, dict[str, Any]],
    wrong: Mapping[str, str],
    steps: int,
) -> pd.DataFrame:
    """Train a model and compare its data term's gradient with the gradients that other models would add.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width); may be memory-mapped.
        labels: classes, shape (n,).
        references: D0 of every batch.
        wrong_references: kind -> wrong diagrams of every batch.
        baseline: arguments of :class:`topogen.training.trainer.Trainer` of the model that is trained.
        models: name -> those of a model with regularizers, of the same seed, family and noise.
        wrong: name -> kind of its wrong diagrams; models that have none are not keys.
        steps: of the training.

    Returns:
        Columns model, step, cosine: of the gradients of the data term and of the model's regularizers in all
        weights, before the update; NaN where the regularizers have no gradient. ratio: size of the latter
        relative to the former.

    """
    trained = Trainer(images, references, labels=labels, **baseline)
    others = {
        name: Trainer(
            images,
            references,
            labels=labels,
            wrong_references=wrong_references[wrong[name]] if name in wrong else None,
            **arguments,
        )
        for name, arguments in models.items()
    }
    rows = []
    for step in range(steps):
        for name, other in others.items():
            other.model.load_state_dict(trained.model.state_dict())
            data, topology = other.weight_gradients()
            ratio = float(topology.double().norm() / data.double().norm())
            rows.append((name, step, cosine(data, topology), ratio))
        trained.step()
    return pd.DataFrame(rows, columns=["model", "step", "cosine", "ratio"])
