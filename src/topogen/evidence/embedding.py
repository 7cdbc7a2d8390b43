"""Quality of embeddings over seeds: means beside published values, and models against their baselines."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from topogen.evaluation.names import EMBEDDING
from topogen.evidence.rule import compatible, half_a_unit
from topogen.evidence.study import LAST, study_effects

NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)")  # as a paper prints it
PUBLISHED = ["dataset", "model", "measure", "value", "runs"]


def published_values(files: Iterable[str | Path], dataset: str) -> pd.DataFrame:
    """Published values of a dataset, as their files have them.

    Args:
        files: CSV with the columns dataset, model, measure, value, and runs, of which the value is the mean;
            further columns are ignored, and so are lines that begin with #.
        dataset: name.

    Returns:
        Columns model, measure, value, runs, and half, half a unit of the last digit of the value.

    Raises:
        ValueError: a file lacks a column; a measure is unknown; a value is no number or runs are no
            positive whole number; a model has two values of one measure.

    """
    tables = [_published(Path(file)) for file in files]
    table = pd.concat([pd.DataFrame(columns=[*PUBLISHED, "half"]), *tables])
    table = table[table["dataset"] == dataset]
    if (twice := table[table.duplicated(["model", "measure"])]).size:
        model, measure = twice.iloc[0][["model", "measure"]]
        raise ValueError(f"published values: {model} has two values of {measure} on {dataset}; leave one")
    return table.drop(columns="dataset").astype({"value": float, "runs": float, "half": float})


def _published(file: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(file, comment="#", dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # empty, ragged, of another encoding, a folder
        raise ValueError(f"{file} cannot be read: {error}") from error
    if missing := [name for name in PUBLISHED if name not in table]:
        raise ValueError(f"{file}: it has no column {missing[0]}; it needs {', '.join(PUBLISHED)}")
    for model, measure, value, runs in zip(*(table[name] for name in PUBLISHED[1:]), strict=True):
        if measure not in EMBEDDING:
            raise ValueError(f"{file}: unknown measure {measure!r}; choose from {', '.join(EMBEDDING)}")
        if not NUMBER.fullmatch(value) or not runs.isdecimal() or int(runs) < 1:
            raise ValueError(
                f"{file}: {model} has the value {value!r} of {measure} and {runs!r} runs; a value is a "
                "number such as 0.0917, and runs are 1 or more"
            )
    return table[PUBLISHED].assign(half=table["value"].map(half_a_unit))


def means_beside_published(
    values: pd.DataFrame, published: pd.DataFrame, *, confidence: float
) -> pd.DataFrame:
    """Means and standard deviations over seeds, and what is published.

    Args:
        values: columns model (or method), seed, measure, value.
        published: of :func:`published_values`; any models.
        confidence: of :func:`topogen.evidence.rule.compatible`.

    Returns:
        Columns model, measure, mean, sd, seeds, published, runs, compatible. The last three are empty if
        nothing is published. The last one is also empty if a method gives every seed the same: then no spread
        of seeds says how far another experiment may be.

    """
    groups = values.groupby(["model", "measure"], sort=False)["value"]
    table = groups.agg(mean="mean", sd="std", n="count", different="nunique").reset_index()
    known = published.rename(columns={"value": "published"})
    table = table.merge(known, on=["model", "measure"], how="left")
    answers = compatible(
        table, table["published"], seeds=table["runs"], rounding=table["half"], confidence=confidence
    )
    table["compatible"] = answers.mask(table["different"] == 1, "")
    return table.drop(columns=["half", "different"]).rename(columns={"n": "seeds"})


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
