"""Effects of a study: what its models differ in from their baselines, by one rule and within its families."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from topogen.evaluation.metrics import METRICS
from topogen.evidence.effects import effects
from topogen.evidence.rule import judged

# Measures besides those of METRICS, and in which direction they are better.
FURTHER = {"holes": 1, "bce_test": -1}
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


def study_effects(
    values: pd.DataFrame,
    comparisons: Mapping[str, Mapping[str, str]],
    measures: Sequence[Mapping[str, Any]],
    *,
    confidence: float,
    power: float,
) -> pd.DataFrame:
    """Effects of all models of a study, with their verdicts.

    The primary measures of all models are one family of tests, the others another one.

    Args:
        values: columns model, seed, step, measure, value.
        comparisons: name -> model -> the model it is compared with, of the same seed.
        measures: entries {measure, step, margin, rank}.
        confidence: of :func:`topogen.evidence.effects.paired_effect`.
        power: of :func:`topogen.evidence.rule.judged`.

    Returns:
        Columns comparison, model, baseline, measure, step and those of
        :func:`topogen.evidence.rule.judged`. Means are positive where the model is better.

    Raises:
        ValueError: a model and its baseline do not have the same seeds.

    """
    tables = []
    for entry in measures:
        found = measured(values, entry["measure"], entry["step"])
        direction = FURTHER.get(entry["measure"]) or METRICS[entry["measure"]].direction
        rows = []
        for name, baselines in comparisons.items():
            for model, baseline in baselines.items():
                if not found.loc[model].index.equals(found.loc[baseline].index):
                    raise ValueError(f"{model} and its baseline {baseline} differ in seeds")
                difference = direction * (found.loc[model] - found.loc[baseline])
                labels = {"comparison": name, "model": model, "baseline": baseline}
                rows.append(difference.rename("difference").reset_index().assign(**labels))
        table = pd.concat(rows).assign(measure=entry["measure"], step=entry["step"])
        margin = entry["margin"]
        tables.append(
            effects(table, KEYS, "difference", confidence=confidence, margin=margin).assign(
                rank=entry["rank"]
            )
        )
    effect = pd.concat(tables, ignore_index=True)
    families = effect[KEYS].assign(family=effect["rank"], rows=1)
    return judged(effect, families, confidence=confidence, power=power)
