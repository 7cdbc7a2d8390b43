"""Quality of embeddings over seeds: means beside published values, and models against their baselines."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from topogen.evidence.rule import compatible, half_of_last_digit
from topogen.evidence.study import LAST, study_effects

PUBLISHED = ["dataset", "model", "measure", "value", "runs"]


def published_values(files: Iterable[str | Path], dataset: str) -> pd.DataFrame:
    """Published values of a dataset: columns model, measure, value, and runs, of which it is the mean.

    Args:
        files: CSV with these columns and dataset, and others; lines that begin with # are comments.
        dataset: name.

    Raises:
        ValueError: a file lacks a column.

    """
    tables = [pd.DataFrame(columns=PUBLISHED)]
    for file in files:
        table = pd.read_csv(file, comment="#")
        if missing := [name for name in PUBLISHED if name not in table]:
            raise ValueError(f"{file}: it has no column {missing[0]}; it needs {', '.join(PUBLISHED)}")
        tables.append(table[table["dataset"] == dataset])
    return pd.concat(tables)[PUBLISHED[1:]].astype({"value": float, "runs": float})


def means_beside_published(
    values: pd.DataFrame, published: pd.DataFrame, *, confidence: float
) -> pd.DataFrame:
    """Means and standard deviations over seeds, and what is published.

    Args:
        values: columns model (or method), seed, measure, value.
        published: of :func:`published_values`; any rows.
        confidence: of :func:`topogen.evidence.rule.compatible`.

    Returns:
        Columns model, measure, mean, sd, seeds, published, runs, compatible; the last three are empty if
        nothing is published.

    """
    groups = values.groupby(["model", "measure"], sort=False)["value"]
    table = groups.agg(mean="mean", sd="std", n="count").reset_index()
    known = published.rename(columns={"value": "published"})[["model", "measure", "published", "runs"]]
    table = table.merge(known, on=["model", "measure"], how="left")
    theirs = table["published"]
    table["compatible"] = compatible(
        table, theirs, seeds=table["runs"], rounding=theirs.map(_half), confidence=confidence
    )
    return table.rename(columns={"n": "seeds"})


def _half(value: float) -> float:
    """Half a unit of the last digit of a value as it is published."""
    return half_of_last_digit([value])


def embedding_effects(
    values: pd.DataFrame,
    baselines: Mapping[str, str],
    measures: Sequence[Mapping[str, Any]],
    *,
    confidence: float,
    power: float,
) -> pd.DataFrame:
    """Differences of models from their baselines, paired by seed, with verdicts.

    Args:
        values: columns model, seed, measure, value.
        baselines: model -> the model that it is compared with.
        measures: entries {measure, margin, rank}.
        confidence: of :func:`topogen.evidence.study.study_effects`.
        power: of the same.

    Returns:
        As :func:`topogen.evidence.study.study_effects`.

    """
    entries = [{"step": LAST, **entry} for entry in measures]
    at_the_end, comparisons = values.assign(step=LAST), {"embedding": baselines}
    return study_effects(at_the_end, comparisons, entries, {}, confidence=confidence, power=power)
