"""How long training steps take: several models in turn, in one process."""

import random
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from topogen.training.trainer import Trainer


def measure_step_times(
    images: NDArray[Any],
    references: Sequence[Sequence[NDArray[Any]]],
    models: dict[str, dict[str, Any]],
    *,
    steps: int,
    rounds: int,
) -> pd.DataFrame:
    """Time the first steps of training of several models in turn.

    Each round times every model on the same batches, so that a slow spell of the machine meets all of
    them, and each round in another random order; one round that is not counted warms up.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width).
        references: D0 of every batch.
        models: model name -> arguments of :class:`Trainer`.
        steps: steps per measurement, loading of the batch included, D0 excluded.
        rounds: measurements per model.

    Returns:
        Columns model, round, seconds (of all ``steps``).

    """
    rows = []
    for round_number in tqdm(range(rounds + 1), unit="round"):
        for model in random.Random(round_number).sample(list(models), len(models)):
            trainer = Trainer(images, references, **models[model])
            started = time.perf_counter()
            for _ in range(steps):
                trainer.step()
            seconds = time.perf_counter() - started
            if round_number > 0:
                rows.append({"model": model, "round": round_number, "seconds": seconds})
    return pd.DataFrame(rows)
