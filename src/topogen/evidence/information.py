"""What metrics tell of another metric that the likelihood does not: predictions for seeds left out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from topogen.evidence.effects import effects
from topogen.evidence.study import KEYS, by_rank, measured

PENALTIES = np.logspace(-4, 4, 17)  # of which ridge regression chooses


def squared_errors(table: pd.DataFrame, predictors: Sequence[str], target: str) -> NDArray[np.float64]:
    """Squared errors of a metric as predicted by others, of every seed from the other seeds, in variances.

    The prediction is a sum of smooth functions of the predictors, each a cubic spline with three pieces, by
    ridge regression.

    Args:
        table: a column for each metric, and seed; one row for each model and seed.
        predictors: names of metrics.
        target: name of a metric.

    Returns:
        One for each row, divided by the variance of the target over all rows.

    """
    smooth = make_pipeline(
        StandardScaler(),
        # Other extrapolations explode beyond the seeds seen.
        SplineTransformer(n_knots=4, degree=3, extrapolation="constant"),
        StandardScaler(),
        RidgeCV(alphas=PENALTIES),
    )
    predicted = cross_val_predict(
        smooth, table[list(predictors)], table[target], groups=table["seed"], cv=LeaveOneGroupOut()
    )
    errors: NDArray[np.float64] = (table[target].to_numpy() - predicted) ** 2 / table[target].var()
    return errors


def information(
    values: pd.DataFrame,
    *,
    known: Sequence[str],
    added: Mapping[str, Sequence[str]],
    targets: Sequence[str],
    steps: Sequence[int],
    margin: float,
    confidence: float,
    power: float,
) -> pd.DataFrame:
    """How much better metrics are predicted if others are known besides the first ones.

    Args:
        values: columns model, seed, step, measure, value.
        known: metrics that are known anyway, such as bce.
        added: name -> metrics that are known besides.
        targets: metrics that are predicted.
        steps: of the trainings; -1: the last one. Each is looked at by itself.
        margin: a mean gain up to this, in variances of the target, counts as none.
        confidence: of :func:`topogen.evidence.effects.paired_effect`.
        power: of :func:`topogen.evidence.rule.judged`.

    Returns:
        Columns of :func:`topogen.evidence.study.study_effects`. The difference is the mean squared error of a
        seed that was left out, without the added metrics minus with them. Errors of different seeds share
        most of the seeds that they were predicted from, so the tests are approximate.

    """
    rows = []
    for step in steps:
        metrics = [*known, *targets, *(metric for names in added.values() for metric in names)]
        columns = {metric: measured(values, metric, step) for metric in dict.fromkeys(metrics)}
        table = pd.DataFrame(columns).reset_index()
        for target in targets:
            before = squared_errors(table, known, target)
            for name, names in added.items():
                gains = before - squared_errors(table, [*known, *names], target)
                found = pd.Series(gains).groupby(table["seed"]).mean().rename("difference").reset_index()
                labels = {"model": f"{' + '.join(known)} + {name}", "baseline": " + ".join(known)}
                rows.append(found.assign(comparison="information", measure=target, step=step, **labels))
    effect = effects(pd.concat(rows), KEYS, "difference", confidence=confidence, margin=margin)
    return by_rank(effect.assign(rank="primary"), confidence=confidence, power=power)
