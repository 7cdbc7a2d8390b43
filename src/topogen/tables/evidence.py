"""Tables of effects, gradients and verdicts, as text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def _interval(row: Mapping[Any, Any]) -> str:
    return f"{row['mean']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def effect_table(effects: Mapping[str, pd.DataFrame], on_test: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What every comparison says of r(s), cells formatted as text.

    Args:
        effects: comparison -> columns model, step and those of :func:`topogen.evidence.effects.effects`,
            ratio_of_means and mean_r_star.
        on_test: the same for BCE on test images in place of the training batch.
    """
    tables = [
        (comparison, data, table)
        for comparison in effects
        for data, table in (("training batch", effects[comparison]), ("test images", on_test[comparison]))
    ]
    rows = [
        {
            "comparison": comparison,
            "data": data,
            "model": row["model"],
            "step": str(row["step"]),
            "n": str(row["n"]),
            "mean r (%)": _interval(row),
            "ratio of means (%)": f"{row['ratio_of_means']:.2f}",
            "mean r* (%)": f"{row['mean_r_star']:.2f}",
            "sd (%)": f"{row['sd']:.2f}",
            "better (equal: half)": _better(row),
            "p (sign flips)": f"{row['p']:.3f}",
            "p (Holm)": f"{row['p_holm']:.3f}",
            "p (equivalence)": f"{row['p_equivalence']:.3f}",
            "seeds needed": f"{row['seeds_needed']:.0f}",
        }
        for comparison, data, table in tables
        for row in table.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _better(row: Mapping[Any, Any]) -> str:
    shares = [100 * row[name] for name in ("better", "better_low", "better_high")]
    return "{:.0f} % [{:.0f}, {:.0f}]".format(*shares)


def replay_table(replay: pd.DataFrame) -> pd.DataFrame:
    """The author's averages as replayed, unrounded and as he prints, beside his, cells formatted as text.

    Args:
        replay: what :func:`topogen.evidence.replay.replay` returned.
    """
    published = replay["published"].map("{:.1f}".format).mask(replay["published"].isna(), "")
    columns = {
        "seeds": replay["list"] + " list",
        "row": replay["row"],
        "step": replay["step"].astype(str),
        "likely list": replay["likely"].map({True: "yes", False: ""}),
        "thesis (%)": published,
        "no regularizer (%)": replay["without"].map("{:.2f}".format),
        "no regularizer, printed": replay["without"].map("{:.1f}".format),
        "as run (%)": replay["run"].map("{:.2f}".format),
        "as run, printed": replay["run"].map("{:.1f}".format),
        "paired (%)": replay["paired"].map("{:.2f}".format),
        "paired, mean r (%)": [_interval(row) for row in replay.to_dict("records")],
        "seeds that differ": [
            f"{differ} of {n}" for differ, n in zip(replay["differ"], replay["n"], strict=True)
        ],
    }
    return pd.DataFrame(columns)


def near_table(near: pd.DataFrame) -> pd.DataFrame:
    """How many published numbers are within 0.1 % of the replay, cells formatted as text.

    Args:
        near: what :func:`topogen.evidence.replay.near_published` returned.
    """
    names = {"without": "no regularizer", "run": "as run"}
    counts = {
        heading: near[column].astype(str) + " of " + near["published"].astype(str)
        for column, heading in [("unrounded", "within 0.1 %"), ("printed", "within 0.1 %, as printed")]
    }
    return pd.DataFrame({"replay": near["quantity"].map(names)} | counts)


def gradient_table(sizes: pd.DataFrame) -> pd.DataFrame:
    """Size of every term's gradient relative to BCE's, over the steps, cells formatted as text.

    Args:
        sizes: columns model, term, step, n, mean; a mean over seeds for every step.
    """
    grouped = sizes.groupby(["model", "term"], sort=False)
    columns = {
        "steps": grouped["step"].nunique().astype(str),
        "seeds": grouped["n"].first().astype(str),
        "median": grouped["mean"].median().map("{:.2g}".format),
        "smallest": grouped["mean"].min().map("{:.2g}".format),
        "largest": grouped["mean"].max().map("{:.2g}".format),
    }
    return pd.DataFrame(columns).reset_index()


def claim_tests(verdicts: pd.DataFrame) -> pd.DataFrame:
    """The tests behind every verdict, one row each, cells formatted as text.

    Args:
        verdicts: the long table of :mod:`topogen.evidence.claims`; what was counted, not averaged, has no
            tests.
    """
    counted = verdicts["low"].isna()
    rows = verdicts.to_dict("records")
    columns: dict[str, Any] = {
        "n": verdicts["n"].astype(str),
        "mean": [_interval(row) for row in rows],
        "unit": verdicts["unit"],
        "sd": verdicts["sd"].map("{:.3g}".format),
        "better (equal: half)": [_better(row) for row in rows],
        "p (sign flips)": verdicts["p"].map("{:.3f}".format),
        "p (Holm)": verdicts["p_holm"].map("{:.3f}".format),
        "p (equivalence)": verdicts["p_equivalence"].map("{:.3f}".format),
        "seeds needed": verdicts["seeds_needed"].map("{:.0f}".format),
        "verdict": verdicts["verdict"],
    }
    table = verdicts[["claim", "model", "measure", "source"]].assign(**columns)
    tested = table.columns.difference(["claim", "model", "measure", "source", "n", "mean", "verdict"])
    table.loc[counted, tested] = ""
    table.loc[counted, "mean"] = verdicts.loc[counted, "mean"].map("{:.0f}".format)
    return table


def verdict_table(verdicts: pd.DataFrame, headings: Mapping[str, str]) -> pd.DataFrame:
    """Every claim beside the thesis' value and ours, one row each, cells formatted as text.

    Args:
        verdicts: the long table of :mod:`topogen.evidence.claims`, and chance, that noise alone makes the
            published value or more.
        headings: comparison -> heading of its column; one that is not named stands in the first.

    Returns:
        Columns claim, model, measure, thesis, chance of noise alone, and the headings; empty ones left out.
    """
    columns = verdicts["source"].map(headings).fillna(next(iter(headings.values())))
    rows = []
    for group, part in verdicts.assign(column=columns).groupby(["claim", "model", "measure"], sort=False):
        found = dict(zip(part["column"], map(_verdict_cell, part.to_dict("records")), strict=True))
        first = part.iloc[0]
        thesis = "yes" if np.isnan(first["thesis"]) else f"{first['thesis']:.4g} {first['unit']}".strip()
        chance = "" if np.isnan(first["chance"]) else f"{first['chance']:.2f}"
        rows.append(
            dict(zip(("claim", "model", "measure"), group, strict=True))
            | {"thesis": thesis, "chance of noise alone": chance}
            | {heading: found.get(heading, "") for heading in headings.values()}
        )
    table = pd.DataFrame(rows)
    return table.loc[:, (table != "").any()]


def _verdict_cell(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["low"]):  # counted, not averaged
        return f"{row['verdict']}: {row['mean']:.0f} in {row['n']}"
    return f"{row['verdict']}: {_interval(row)} {row['unit']}, n = {row['n']}"
