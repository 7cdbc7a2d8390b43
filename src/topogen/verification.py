"""Numbers of a run beside those of an archive: equal, within the archived interval, or apart.

``python -m topogen.verification ARCHIVE`` compares those of ``results/``. Its exit status is not 0 if a
verdict is another one, if the archive is damaged, or if the two have no number in common.
"""

import io
import sys
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pandas as pd

from topogen.archive import SUMS, damaged
from topogen.crate import CRATE

PLACES = EQUAL, WITHIN, APART = "equal", "within", "apart"
# Columns that tell the rows of a table of means apart; a table has some of them.
KEYS = ["claim", "rank", "measure", "source", "metric", "list", "row", "model", "term", "step"]


def compared(packed: ZipFile, folder: Path) -> pd.DataFrame:
    """Every number that a run and an archive have in common.

    Args:
        packed: the archive.
        folder: the working directory of the run; results that are not there are left out.

    Returns:
        Rows of :func:`means_beside` for the tables of statistics that have intervals, and rows of
        :func:`histories_beside` for the trainings, with a column file.
    """
    found = []
    for name in packed.namelist():
        path = Path(folder, name)
        if not path.is_file() or path.suffix != ".parquet":
            continue
        if path.name != "history.parquet" and "statistics" not in path.parts:
            continue
        archived, made = pd.read_parquet(io.BytesIO(packed.read(name))), pd.read_parquet(path)
        if path.name == "history.parquet":
            found.append(histories_beside(archived, made).assign(file=name))
        elif {"mean", "low", "high"} <= set(archived) & set(made):
            found.append(means_beside(archived, made).assign(file=name))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def means_beside(archived: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """Means of an archive and of a run, and where each mean of the run lies.

    Args:
        archived: mean, low, high, some of the columns :data:`KEYS`, and verdict if there are some.
        made: the same columns.

    Returns:
        One row for each mean that both have: row (its keys as text), mean, mean_archived, verdict and
        verdict_archived (empty if there is none), and place: equal, within (from ``low`` to ``high`` of the
        archive) or apart.
    """
    keys = [key for key in KEYS if key in archived]
    columns = [*keys, "mean", "low", "high", "verdict"]
    pairs = made.reindex(columns=columns).merge(
        archived.reindex(columns=columns), on=keys, suffixes=("", "_archived"), validate="one_to_one"
    )
    within = pairs["mean"].between(pairs["low_archived"], pairs["high_archived"])
    return pd.DataFrame(
        {
            "row": [", ".join(map(str, row)) for row in pairs[keys].to_numpy()],
            "mean": pairs["mean"],
            "mean_archived": pairs["mean_archived"],
            "verdict": pairs["verdict"].astype(object).fillna(""),
            "verdict_archived": pairs["verdict_archived"].astype(object).fillna(""),
            "place": _place(pairs, within),
        }
    )


def histories_beside(archived: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """Losses of one training in an archive and in a run, step by step; a loss has no interval and no verdict.

    Args:
        archived: step, and the data term of the loss in the next column.
        made: the same columns.

    Returns:
        Columns of :func:`means_beside`.
    """
    term = archived.columns[1]
    pairs = made[["step", term]].merge(archived[["step", term]], on="step", suffixes=("", "_archived"))
    pairs = pairs.rename(columns={term: "mean", f"{term}_archived": "mean_archived"})
    nowhere = pd.Series(False, index=pairs.index)
    return pairs.assign(
        row=pairs["step"].astype(str), verdict="", verdict_archived="", place=_place(pairs, nowhere)
    ).drop(columns="step")


def _place(pairs: pd.DataFrame, within: "pd.Series[bool]") -> "pd.Series[str]":
    unknown = pairs["mean"].isna() & pairs["mean_archived"].isna()
    equal = unknown | (pairs["mean"] == pairs["mean_archived"])
    return pd.Series(APART, index=pairs.index).mask(within, WITHIN).mask(equal, EQUAL)


def changed_verdicts(numbers: pd.DataFrame) -> list[str]:
    """A line for each verdict that is not that of the archive."""
    changed = numbers[numbers["verdict"] != numbers["verdict_archived"]]
    return [
        f"{row['file']}: {row['row']}: {row['verdict'] or 'no verdict'} ({row['mean']:.4g}), "
        f"in the archive {row['verdict_archived'] or 'no verdict'} ({row['mean_archived']:.4g})"
        for row in changed.to_dict("records")
    ]


def summary(numbers: pd.DataFrame) -> pd.DataFrame:
    """How many numbers of each file are equal, within or apart; the trainings of a model are one row."""
    of_trainings = numbers["file"].str.replace(r"[^/]+/history.parquet$", "*/history.parquet", regex=True)
    counts = pd.crosstab(of_trainings, numbers["place"]).reindex(columns=list(PLACES), fill_value=0)
    return counts.rename_axis(index="file", columns=None).reset_index()


def verify(archive: str | Path, folder: Path) -> str:
    """Compare a run with an archive, and print what is equal.

    Returns:
        What is wrong; empty if nothing is.

    Raises:
        OSError: the archive cannot be read.
        BadZipFile: it is not an archive.

    """
    with ZipFile(archive) as packed:
        if missing := {SUMS, CRATE} - set(packed.namelist()):
            return (
                f"{archive} is not the archive of a run, because it has no {min(missing)}; "
                "name a file that `make archive` wrote"
            )
        if files := damaged(packed):
            return f"{archive} is damaged: {files[0]} is not what its checksum says; obtain the archive again"
        numbers = compared(packed, folder)
    if not len(numbers):
        return f"{folder}/results has no numbers of the archive; make some: snakemake --cores all table1"
    print(summary(numbers).to_string(index=False))
    if changes := changed_verdicts(numbers):
        return "\n".join([f"{len(changes)} verdicts are not those of the archive:", *changes])
    print("No verdict differs from the archive.")
    return ""


if __name__ == "__main__":
    try:
        sys.exit(verify(sys.argv[1], Path()) or 0)
    except (OSError, BadZipFile) as error:
        sys.exit(f"verify: {error}")
