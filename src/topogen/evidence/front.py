"""Whether a model reaches what another knob cannot: how far it lies beyond the front of a sweep."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def beyond_front(gain: pd.Series, price: pd.Series, front: Sequence[str]) -> pd.Series:
    r"""By how much models are better in one metric than the front of a sweep at the same price, by seed.

    The front joins, by straight lines, the models of the sweep that no other one of it beats in the means of
    both metrics over seeds. At the mean cost c of a model, cost being minus the price, it gives the models i
    of the sweep the weights :math:`w_i`, which sum to 1 and have :math:`\sum_i w_i c_i = c`. What is cheaper
    than the whole front is compared with its cheapest model, and what is dearer with its dearest one, which
    is the best. With the slope s of the front, 0 outside of it, a seed has the value

    .. math:: g - \sum_i w_i g_i - s \left(c - \sum_i w_i c_i\right).

    The mean over seeds is how far the model's means lie beyond the front. The last term has the mean 0; it is
    how a seed moves the point of the front that a model is compared with (the delta method). A front
    of every seed by itself would be too high: the price is noisy too, and the best of noisy models is chosen.

    Args:
        gain: metric by model and seed, higher is better.
        price: metric that is paid with, by model and seed, higher is better too.
        front: models of the sweep.

    Returns:
        The values, by model and seed; their mean is at most 0 for models of the sweep.

    Raises:
        ValueError: a metric is missing, or a seed lacks a model.

    """
    points = pd.DataFrame({"gain": gain, "cost": -price})
    if missing := list(points.index[points.isna().any(axis=1)]):
        model, seed = missing[0]
        raise ValueError(
            f"a front needs both metrics of every model and seed; {model}, seed {seed} lacks one"
        )
    gains, costs = (points[name].unstack("model") for name in points)
    if lacking := {*front} - {*gains} or {*gains.columns[gains.isna().any()]}:
        raise ValueError(f"a front needs all models from the same seeds; train {sorted(lacking)} from all")
    means = points.groupby(level="model").mean()
    swept = means.loc[[*front]].sort_values(["cost", "gain"], ascending=[True, False])
    best = swept[swept["gain"] > swept["gain"].cummax().shift(fill_value=-np.inf)]
    beyond = {}
    for model, cost in means["cost"].items():
        weights, slope = _front_at(best, cost)
        gain_there, cost_there = ((table[best.index] * weights).sum(axis=1) for table in (gains, costs))
        beyond[model] = gains[model] - gain_there - slope * (costs[model] - cost_there)
    values: pd.Series = pd.concat(beyond, names=["model"])
    return values


def _front_at(best: pd.DataFrame, cost: float) -> tuple[list[float], float]:
    """Weights of the models on a front at a cost, and the slope of the front there.

    Args:
        best: columns cost and gain of the models on the front, both ascending.
        cost: of the point that is asked for.

    """
    weights = [float(np.interp(cost, best["cost"], row)) for row in np.eye(len(best))]
    place = np.searchsorted(best["cost"], cost)
    if not 0 < place < len(best):
        return weights, 0.0
    before, after = best.iloc[place - 1], best.iloc[place]
    return weights, (after["gain"] - before["gain"]) / (after["cost"] - before["cost"])
