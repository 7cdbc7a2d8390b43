"""Tables of effects, gradients and verdicts, as text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from topogen.tables.forms import decimals, mean_with_interval


def _interval(row: Mapping[Any, Any]) -> str:
    """Mean and interval: percent with two decimals, other units with three digits of the largest number."""
    numbers = (row["mean"], row["low"], row["high"])
    return mean_with_interval(*numbers, 2 if row.get("unit", "%") == "%" else decimals(numbers, 3))


def _verdict(row: Mapping[Any, Any]) -> str:
    mark = " (0 excluded before correction)" if row["before_correction"] else ""
    return f"{row['verdict']}{mark}"


def _tests(row: Mapping[Any, Any]) -> dict[str, str]:
    """The tests behind a verdict; empty for a row in no family, of which nothing is asked."""
    cells = {
        "p (sign flips)": f"{row['p']:.3f}",
        "p (Holm)": f"{row['p_holm']:.3f}",
        "p (equivalence)": f"{row['p_equivalence']:.3f}",
        "p (equivalence, Holm)": f"{row['p_equivalence_holm']:.3f}",
        "seeds needed": f"{row['seeds_needed']:.0f}",
        "seeds needed (equivalence)": f"{row['seeds_needed_equivalence']:.0f}",
    }
    return cells if row["family"] else dict.fromkeys(cells, "")


def effect_table(
    effects: Mapping[str, pd.DataFrame], on_test: Mapping[str, pd.DataFrame], interval: str
) -> pd.DataFrame:
    """What every comparison says of r(s), cells formatted as text.

    Args:
        effects: comparison -> columns model, step, those of :func:`topogen.evidence.rule.judged`, and
            ratio_of_means and mean_r_star.
        on_test: the same for BCE on test images in place of the training batch.
        interval: its name, such as "95 % interval (sign flips)".
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
            f"mean r (%), {interval}": _interval(row),
            "ratio of means (%)": f"{row['ratio_of_means']:z.2f}",
            "mean r* (%)": f"{row['mean_r_star']:z.2f}",
            "sd (%)": f"{row['sd']:.2f}",
            "better (equal: half)": _better(row),
            **_tests(row),
            "verdict": _verdict(row),
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
        "no regularizer (%)": replay["without"].map("{:z.2f}".format),
        "no regularizer, printed": replay["without"].map("{:z.1f}".format),
        "as run (%)": replay["run"].map("{:z.2f}".format),
        "as run, printed": replay["run"].map("{:z.1f}".format),
        "paired (%)": replay["paired"].map("{:z.2f}".format),
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


def claim_tests(verdicts: pd.DataFrame, interval: str) -> pd.DataFrame:
    """The tests behind every verdict, one row each, cells formatted as text.

    Args:
        verdicts: the long table of :mod:`topogen.evidence.claims`; what was counted, not averaged, has no
            tests.
        interval: its name, such as "95 % interval (sign flips)".
    """
    rows = []
    for row in verdicts.to_dict("records"):
        counted = np.isnan(row["low"])
        measured = {
            "unit": row["unit"],
            "margin": "" if np.isnan(row["margin"]) else f"{row['margin']:.2g}",
            "sd": f"{row['sd']:.3g}",
            "better (equal: half)": _better(row),
        }
        rows.append(
            {name: row[name] for name in ("claim", "rank", "model", "measure", "source")}
            | {"n": str(row["n"]), f"mean, {interval}": _mean(row)}
            | (dict.fromkeys(measured, "") if counted else measured)
            | _tests(row)
            | {"verdict": _verdict(row), "size compatible with the published value": row["compatible"]}
        )
    return pd.DataFrame(rows)


def verdict_table(verdicts: pd.DataFrame, headings: Mapping[str, str], interval: str) -> pd.DataFrame:
    """Every claim beside the thesis' value and ours, one row each, cells formatted as text.

    Args:
        verdicts: the long table of :mod:`topogen.evidence.claims`, and chance, that noise alone makes the
            published value or more.
        headings: comparison -> heading of its column; one that is not named stands in the first.
        interval: its name, such as "95 % interval (sign flips)", which follows each heading.

    Returns:
        Columns claim, rank, model, measure, thesis, chance of noise alone, and the headings; empty ones left
        out.
    """
    columns = verdicts["source"].map(headings).fillna(next(iter(headings.values())))
    rows = []
    keys = ["claim", "rank", "model", "measure"]
    for group, part in verdicts.assign(column=columns).groupby(keys, sort=False):
        found = dict(zip(part["column"], map(_verdict_cell, part.to_dict("records")), strict=True))
        first = part.iloc[0]
        thesis = "yes" if np.isnan(first["thesis"]) else f"{first['thesis']:.4g} {first['unit']}".strip()
        chance = "" if np.isnan(first["chance"]) else f"{first['chance']:.2f}"
        rows.append(
            dict(zip(keys, group, strict=True))
            | {"measure": _with_unit(first["measure"], first["unit"])}
            | {"thesis": thesis, "chance of noise alone": chance}
            | {f"{heading}: mean, {interval}": found.get(heading, "") for heading in headings.values()}
        )
    table = pd.DataFrame(rows)
    return table.loc[:, (table != "").any()]


def claims_by_dataset(
    verdicts: Mapping[str, pd.DataFrame], headings: Mapping[str, str], intervals: Mapping[str, str]
) -> pd.DataFrame:
    """Every claim and on how many datasets it holds, one row each, cells formatted as text.

    Args:
        verdicts: dataset -> the long table of :mod:`topogen.evidence.claims`. Propositions are about no
            dataset and are left out.
        headings: comparison -> what it is called; one that is not named keeps its name.
        intervals: dataset -> name of its interval, such as "95 % interval (sign flips)".

    Returns:
        Columns claim, rank, model, measure, source, holds on, and one for each dataset. ``holds on`` counts
        the positive verdicts among all verdicts, as in "1 of 2"; it is empty if there are none.
    """
    together = pd.concat([table.assign(dataset=name) for name, table in verdicts.items()])
    rows = []
    keys = ["claim", "rank", "model", "measure", "unit", "source"]
    for group, part in together[together["source"] != "theory"].groupby(keys, sort=False):
        row = dict(zip(keys, map(str, group), strict=True))
        unit = row.pop("unit")
        found = dict(zip(part["dataset"], map(_verdict_cell, part.to_dict("records")), strict=True))
        asked = part.loc[~part["verdict"].isin(["", "not measurable"]), "verdict"]
        holds = f"{(asked == 'positive').sum()} of {len(asked)}" if len(asked) else ""
        rows.append(
            row
            | {"measure": _with_unit(row["measure"], unit)}
            | {"source": headings.get(row["source"], row["source"]), "holds on": holds}
            | {f"{name}: mean, {interval}": found.get(name, "") for name, interval in intervals.items()}
        )
    return pd.DataFrame(rows)


def _with_unit(measure: str, unit: str) -> str:
    """A measure with its unit, if cells do not name that: percent."""
    return measure if unit in ("", "%") else f"{measure} ({unit})"


def _verdict_cell(row: Mapping[Any, Any]) -> str:
    verdict = f"{_verdict(row)}: " if row["verdict"] else ""
    unit = " %" if row["unit"] == "%" else ""
    return f"{verdict}{_mean(row)}" + ("" if np.isnan(row["low"]) else f"{unit}, n = {row['n']}")


def _mean(row: Mapping[Any, Any]) -> str:
    """Mean with its interval; what was counted has none."""
    return f"{row['mean']:.0f} in {row['n']}" if np.isnan(row["low"]) else _interval(row)


def smallest_effects_found(chances: pd.DataFrame, power: float) -> pd.DataFrame:
    """From which effect on the rule says positive often enough, cells formatted as text.

    Args:
        chances: columns comparison, model, step, sd, n, effect (percent) and positive, of
            :func:`topogen.evidence.calibration.calibration`.
        power: the least chance.

    Returns:
        One row for each comparison, model and step, one column for each number of seeds.
    """
    rows = []
    keys = ["comparison", "model", "step"]
    for group, part in chances.groupby(keys, sort=False):
        row = dict(zip(keys, map(str, group), strict=True)) | {"sd (%)": f"{part['sd'].iloc[0]:.2f}"}
        for seeds, tried in part.groupby("n"):
            # The smallest effect after the last one that is missed too often.
            missed = tried.loc[tried["positive"] < power, "effect"].max()
            enough = tried.loc[~(tried["effect"] <= missed), "effect"]
            row[f"found, n = {seeds} (%)"] = f"{enough.min():g}" if len(enough) else "-"
        rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else [*keys, "sd (%)"])


def wrong_verdicts(errors: pd.DataFrame) -> pd.DataFrame:
    """How often any row of a family gets a wrong verdict, cells formatted as text.

    Args:
        errors: columns comparison, n, effect (percent), wrong_direction and wrongly_negligible, of
            :func:`topogen.evidence.calibration.calibration`.
    """
    negligible = errors["wrongly_negligible"]
    return pd.DataFrame(
        {
            "comparison": errors["comparison"],
            "n": errors["n"].astype(str),
            "effect (%)": errors["effect"].map("{:g}".format),
            "any wrong direction (%)": (100 * errors["wrong_direction"]).map("{:.1f}".format),
            "any wrongly negligible (%)": (100 * negligible).map("{:.1f}".format).mask(negligible.isna(), ""),
        }
    )


def study_table(effects: pd.DataFrame, interval: str) -> pd.DataFrame:
    """Effects of a study, cells formatted as text.

    Args:
        effects: what :func:`topogen.evidence.study.study_effects` returned.
        interval: its name, such as "95 % interval (sign flips)".

    """
    rows = [
        {
            "comparison": row["comparison"],
            "model": row["model"],
            "baseline": row["baseline"],
            "measure": row["measure"],
            "step": "last" if row["step"] < 0 else str(row["step"]),
            "rank": row["rank"],
            "n": str(row["n"]),
            f"mean difference, {interval}": _interval(row | {"unit": ""}),
            "margin": f"{row['margin']:g}",
            "better (equal: half)": _better(row),
            **_tests(row),
            "verdict": _verdict(row),
        }
        for row in effects.to_dict("records")
    ]
    return pd.DataFrame(rows)
