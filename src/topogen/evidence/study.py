"""Effects of a study: what its models differ in from their baselines, by one rule and within its families."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from topogen.evaluation.metrics import METRICS
from topogen.evaluation.names import EMBEDDING
from topogen.evidence.effects import effects
from topogen.evidence.front import beyond_front
from topogen.evidence.rule import judged

# Measures besides those of METRICS, and in which direction they are better.
FURTHER = {"holes": 1, "bce_test": -1, "flow_matching": -1, **EMBEDDING}
LAST = -1  # as a step: the last one
KEYS = ["comparison", "model", "baseline", "measure", "step"]


def measured(values: pd.DataFrame, measure: str, step: int) -> pd.Series:
    """One measure at one step, by model and seed.

    Args:
        values: columns model, seed, step, measure, value.
        measure: its name.
        step: of the training; -1: the last one at which it was measured.

    """
    rows = values[values["measure"] == measure]
    if step == LAST:
        rows = rows[rows["step"] == rows.groupby(["model", "seed"])["step"].transform("max")]
    else:
        rows = rows[rows["step"] == step]
    return rows.set_index(["model", "seed"])["value"]


def better(values: pd.DataFrame, measure: str, step: int) -> pd.Series:
    """A measure at one step, by model and seed, with the sign that makes higher values better."""
    return (FURTHER.get(measure) or METRICS[measure].direction) * measured(values, measure, step)


def differences(
    values: pd.DataFrame,
    comparisons: Mapping[str, Mapping[str, str]],
    fronts: Mapping[str, Sequence[str]],
    entry: Mapping[str, Any],
) -> pd.DataFrame:
    """Differences of all models in one measure, paired by seed: from their baselines, or from a front.

    Arguments are those of :func:`study_effects`; ``entry`` is one of its measures.
    """
    measure, step = entry["measure"], entry["step"]
    found, name, beyond = better(values, measure, step), measure, entry.get("beyond")
    models = {name for baselines in comparisons.values() for pair in baselines.items() for name in pair}
    if missing := models - set(found.dropna().index.get_level_values("model")):
        raise ValueError(f"{measure} at step {step} is not measured for {', '.join(sorted(missing))}")
    if beyond:
        name = f"{measure} beyond {beyond['sweep']}"
        found = beyond_front(found, better(values, beyond["price"], step), fronts[beyond["sweep"]])
    rows = []
    for comparison, baselines in comparisons.items():
        if beyond and comparison == beyond["sweep"]:
            continue
        for model, baseline in baselines.items():
            if not found.loc[model].index.equals(found.loc[baseline].index):
                raise ValueError(f"{model} and its baseline {baseline} differ in seeds")
            difference = found.loc[model] - (0 if beyond else found.loc[baseline])
            if unknown := list(difference.index[~np.isfinite(difference)]):
                raise ValueError(
                    f"{measure} at step {step} of {model} or {baseline} is not a finite number for seed "
                    f"{unknown[0]}; look at that evaluation, or leave the measure out"
                )
            labels = {"comparison": comparison, "model": model, "baseline": baseline}
            rows.append(difference.rename("difference").reset_index().assign(**labels))
    table: pd.DataFrame = pd.concat(rows).assign(measure=name, step=step)
    return table


def study_effects(
    values: pd.DataFrame,
    comparisons: Mapping[str, Mapping[str, str]],
    measures: Sequence[Mapping[str, Any]],
    fronts: Mapping[str, Sequence[str]],
    *,
    confidence: float,
    power: float,
) -> pd.DataFrame:
    """Effects of all models of a study, with their verdicts.

    The primary measures of all models are one family of tests, the others another one.

    Args:
        values: columns model, seed, step, measure, value.
        comparisons: name -> model -> the model it is compared with, of the same seed.
        measures: entries {measure, step, margin, rank, beyond}. With beyond: {sweep, price}, the difference
            is not from the baseline, but :func:`topogen.evidence.front.beyond_front`.
        fronts: sweep -> its models and their baselines.
        confidence: of :func:`topogen.evidence.effects.paired_effect`.
        power: of :func:`topogen.evidence.rule.judged`.

    Returns:
        Columns comparison, model, baseline, measure, step, rank and those of
        :func:`topogen.evidence.rule.judged`. Means are positive where the model is better.

    Raises:
        ValueError: a model and its baseline do not have the same seeds, or a measure is missing.

    """
    tables = [
        effects(
            differences(values, comparisons, fronts, entry),
            KEYS,
            "difference",
            confidence=confidence,
            margin=entry["margin"],
        ).assign(rank=entry["rank"])
        for entry in measures
    ]
    return by_rank(pd.concat(tables, ignore_index=True), confidence=confidence, power=power)


def by_rank(effect: pd.DataFrame, *, confidence: float, power: float) -> pd.DataFrame:
    """Effects with their verdicts, if all tests of one rank are a family.

    Args:
        effect: columns :data:`KEYS`, rank and those of :func:`topogen.evidence.effects.effects`.
        confidence: of :func:`topogen.evidence.effects.paired_effect`.
        power: of :func:`topogen.evidence.rule.judged`.

    """
    families = effect[KEYS].assign(family=effect["rank"], rows=1)
    return judged(effect, families, confidence=confidence, power=power)


def cosine_effects(
    cosines: pd.DataFrame,
    baselines: Mapping[str, str],
    *,
    margin: float,
    confidence: float,
    power: float,
) -> pd.DataFrame:
    """Mean cosine of the gradients of regularizers and of the data term, over the steps of each training.

    Args:
        cosines: columns model, seed, step, cosine; NaN, in steps without a gradient, are left out.
        baselines: model -> the model that is trained.
        margin: a mean up to this counts as none.
        confidence: of :func:`topogen.evidence.effects.paired_effect`.
        power: of :func:`topogen.evidence.rule.judged`.

    Returns:
        Columns of :func:`study_effects`. All models are one family. A model without any gradient in a
        training has the cosine 0 there.

    """
    means = cosines.groupby(["model", "seed"], sort=False)["cosine"].mean().fillna(0).reset_index()
    table = means.assign(
        baseline=means["model"].map(baselines), comparison="alignment", measure="cosine", step=LAST
    )
    effect = effects(table, KEYS, "cosine", confidence=confidence, margin=margin)
    return by_rank(effect.assign(rank="primary"), confidence=confidence, power=power)
