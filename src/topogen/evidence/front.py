"""Whether a model reaches what another knob cannot: how far it lies beyond the front of a sweep."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def beyond_front(gain: pd.Series, price: pd.Series, front: Sequence[str]) -> pd.Series:
    """By how much models are better in one metric than the front of a sweep at the same price, seed by seed.

    The front of a seed joins, by straight lines, the models of the sweep that no other one of it beats in
    both metrics. What is cheaper than all of them is compared with the cheapest one, and what is dearer
    than all of them with the best one.

    Args:
        gain: metric by model and seed, higher is better.
        price: metric that is paid with, by model and seed, higher is better too.
        front: models of the sweep.

    Returns:
        Gain minus that of the front, by model and seed; at most 0 for models of the sweep.

    Raises:
        ValueError: a metric is missing, or a seed lacks a model of the sweep.

    """
    points = pd.DataFrame({"gain": gain, "cost": -price})
    if missing := list(points.index[points.isna().any(axis=1)]):
        model, seed = missing[0]
        raise ValueError(
            f"a front needs both metrics of every model and seed; {model}, seed {seed} lacks one"
        )
    parts = []
    for seed, of_seed in points.groupby(level="seed", sort=False):
        models = of_seed.index.get_level_values("model")
        if lacking := set(front) - set(models):
            raise ValueError(
                f"the front of seed {seed} lacks {sorted(lacking)}; train them from that seed too"
            )
        swept = of_seed[models.isin(front)].sort_values(["cost", "gain"], ascending=[True, False])
        best = swept[swept["gain"] > swept["gain"].cummax().shift(fill_value=-np.inf)]
        reached = np.interp(of_seed["cost"], best["cost"], best["gain"])
        parts.append(of_seed["gain"] - reached)
    beyond: pd.Series = pd.concat(parts)
    return beyond
