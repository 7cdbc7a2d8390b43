"""Tables as text: Table 1, those of the numerical checks, and held-out metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from topogen.metrics import METRICS


def table_1(
    models: Sequence[str], published: Mapping[str, Any], times: pd.DataFrame, effects: pd.DataFrame
) -> pd.DataFrame:
    """Table 1 of the thesis: its values beside ours, cells formatted as text.

    Args:
        models: one row each; a baseline has no r(s).
        published: model -> {seconds, rbar: {step: percent}}; a model may be missing.
        times: columns model, seconds, slowdown.
        effects: columns model, step, n, mean, low, high.

    Returns:
        Columns model, time and slowdown of the thesis and of ours, and for each reported step s the mean
        r(s) of the thesis and ours with its interval in brackets; all in the units of the header.
    """
    measured = times.set_index("model")[["seconds", "slowdown"]].to_dict("index")
    means = effects.set_index(["model", "step"])
    rows = []
    for model in models:
        theirs = published.get(model, {})
        row = {
            "model": model,
            "10 steps, thesis (s)": _text(theirs.get("seconds"), "{:.1f}"),
            "10 steps, ours (s)": f"{measured[model]['seconds']:.2f}",
            "slowdown, ours": f"{measured[model]['slowdown']:.2f}",
        }
        for step in sorted(effects["step"].unique()):
            if str(step) in {key for entry in published.values() for key in entry.get("rbar", {})}:
                row[f"r({step}), thesis (%)"] = _text(theirs.get("rbar", {}).get(str(step)), "{:.1f}")
            ours = means.loc[(model, step)] if (model, step) in means.index else None
            row[f"r({step}), ours (%)"] = (
                "" if ours is None else f"{ours['mean']:.2f} [{ours['low']:.2f}, {ours['high']:.2f}]"
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(row: Mapping[Any, Any]) -> str:
    return f"{row['mean']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def effect_table(effects: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What every comparison says of r(s), cells formatted as text.

    Args:
        effects: comparison -> columns model, step and those of :func:`topogen.inference.effects`, and
            ratio_of_means.
    """
    rows = [
        {
            "comparison": comparison,
            "model": row["model"],
            "step": str(row["step"]),
            "n": str(row["n"]),
            "mean r (%)": _interval(row),
            "ratio of means (%)": f"{row['ratio_of_means']:.2f}",
            "sd (%)": f"{row['sd']:.2f}",
            "better (equal: half)": _better(row),
            "p (sign flips)": f"{row['p']:.3f}",
            "p (Holm)": f"{row['p_holm']:.3f}",
            "p (equivalence)": f"{row['p_equivalence']:.3f}",
            "seeds needed": f"{row['seeds_needed']:.0f}",
        }
        for comparison, table in effects.items()
        for row in table.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _better(row: Mapping[Any, Any]) -> str:
    shares = [100 * row[name] for name in ("better", "better_low", "better_high")]
    return "{:.0f} % [{:.0f}, {:.0f}]".format(*shares)


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
        verdicts: the long table of :mod:`topogen.claims`; what was counted, not averaged, has no tests.
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
        verdicts: the long table of :mod:`topogen.claims`, and chance, that noise alone makes the published
            value or more.
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


def _text(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def stability_table(worst: pd.DataFrame) -> pd.DataFrame:
    """How near perturbations come to the stability bound, cells formatted as text.

    Args:
        worst: columns degree, move, perturbations, mean, worst, above_tight, above_bound.
    """
    return pd.DataFrame(
        {
            "degree": worst["degree"].astype(str),
            "moved": worst["move"],
            "perturbations": worst["perturbations"].astype(str),
            "mean of distance / eps": worst["mean"].map("{:.3f}".format),
            "largest": worst["worst"].map("{:.6f}".format),
            "above sqrt(2)": worst["above_tight"].astype(str),
            "2 or more": worst["above_bound"].astype(str),
        }
    )


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Automatic gradients against central differences, cells formatted as text.

    Args:
        agreement: columns degree, regularizer, clouds, agree, median, largest, flat.
    """
    return pd.DataFrame(
        {
            "regularizer": agreement["regularizer"],
            "degree": agreement["degree"].astype(str),
            "clouds": agreement["clouds"].astype(str),
            "agree (%)": (100 * agreement["agree"]).map("{:.1f}".format),
            "median error": agreement["median"].map("{:.1e}".format),
            "largest error": agreement["largest"].map("{:.1e}".format),
            "gradient zero (%)": (100 * agreement["flat"]).map("{:.1f}".format),
        }
    )


def exception_table(slopes: pd.DataFrame) -> pd.DataFrame:
    """One-sided slopes at the exceptions and what is computed there, cells formatted as text.

    Args:
        slopes: columns exception, regularizer, jump, before, after, automatic, difference.
    """
    text = {
        "exception": slopes["exception"],
        "regularizer": slopes["regularizer"],
        "jump of the value": slopes["jump"],
        "slope before": slopes["before"],
        "slope after": slopes["after"],
        "automatic gradient": slopes["automatic"],
        "central difference": slopes["difference"],
    }
    return pd.DataFrame(
        {
            name: column if name in ("exception", "regularizer") else column.map(_rounded)
            for name, column in text.items()
        }
    )


def half_loss_table(halves: pd.DataFrame) -> pd.DataFrame:
    """How many steps point clouds need for half of the way down, cells formatted as text.

    Args:
        halves: columns experiment, gradient, first, last, half, steps.
    """
    steps = halves["steps"].map("{:.0f}".format).where(halves["steps"].notna(), "never")
    return pd.DataFrame(
        {
            "experiment": halves["experiment"],
            "gradient": halves["gradient"],
            "first loss": halves["first"].map("{:.3f}".format),
            "last loss": halves["last"].map("{:.3f}".format),
            "half": halves["half"].map("{:.3f}".format),
            "steps to half": steps,
        }
    )


def moved_table(moved: pd.DataFrame) -> pd.DataFrame:
    """How many images of a batch each gradient moves, over batches, cells formatted as text.

    Args:
        moved: columns regularizer, batch, moved, images.
    """
    grouped = moved.groupby("regularizer", sort=False)
    counts = grouped["moved"].agg(["median", "min", "max"]).astype(int).astype(str)
    counts["images"] = grouped["images"].first().astype(str)
    names = {"median": "moved, median", "min": "least", "max": "most", "images": "of images"}
    return counts.rename(columns=names).reset_index()


def collapse_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Modes that regularized GANs cover beside plain ones of the same seeds, cells formatted as text.

    Args:
        differences: of :func:`topogen.gan.paired_differences`.
    """
    interval = zip(differences["difference"], differences["low"], differences["high"], strict=True)
    return pd.DataFrame(
        {
            "GAN": differences["variant"],
            "modes covered": differences["measure"],
            "seeds": differences["n"].astype(str),
            "plain": differences["plain_modes"].map("{:.2f}".format),
            "regularized": differences["modes"].map("{:.2f}".format),
            "difference": [f"{mean:.2f} [{low:.2f}, {high:.2f}]" for mean, low, high in interval],
            "near a mode, plain (%)": (100 * differences["plain_near"]).map("{:.0f}".format),
            "near a mode, regularized (%)": (100 * differences["near"]).map("{:.0f}".format),
            "seeds with fewer, equal, more": [
                f"{fewer}, {equal}, {more}"
                for fewer, equal, more in zip(
                    differences["fewer"], differences["equal"], differences["more"], strict=True
                )
            ],
        }
    )


def _rounded(value: float) -> str:
    return f"{round(value, 8) + 0.0:.4g}"  # 0.0: no minus zero


def held_out_table(rows: pd.DataFrame, yardstick: Mapping[str, float]) -> pd.DataFrame:
    """Held-out metrics of all models and what they gain over their baselines, cells formatted as text.

    Args:
        rows: columns model, step, metric, n, mean, low, high, difference, difference_low, difference_high, in
            the order of the table.
        yardstick: metric -> its value for real images in place of sampled ones; a metric may be missing.

    Returns:
        One row per metric and model: which way is better, the number of seeds, the mean and the paired
        difference to the baseline, each with its interval in brackets, and the yardstick.
    """

    def interval(prefix: str, mean: str, form: str) -> pd.Series:
        columns = [rows[name] for name in (mean, f"{prefix}low", f"{prefix}high")]
        texts = zip(*(column.map(lambda value: f"{value:{form}.4g}") for column in columns), strict=True)
        return pd.Series([f"{middle} [{low}, {high}]" for middle, low, high in texts])

    directions = {1: "higher", -1: "lower", 0: ""}
    return pd.DataFrame(
        {
            "metric": rows["metric"],
            "better": rows["metric"].map({name: directions[m.direction] for name, m in METRICS.items()}),
            "real images": rows["metric"].map(lambda name: _significant(yardstick.get(name))),
            "model": rows["model"],
            "step": rows["step"].astype(str),
            "seeds": rows["n"].astype(str),
            "mean": interval("", "mean", ""),
            "minus baseline": interval("difference_", "difference", "+").where(
                rows["difference"].notna().to_numpy(), ""
            ),
        }
    )


def _significant(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def cost_table(costs: pd.DataFrame, slowdowns: pd.DataFrame) -> pd.DataFrame:
    """Time of a step and of all trainings of each model, cells formatted as text.

    Args:
        costs: of :func:`topogen.cost.step_costs`.
        slowdowns: of :func:`topogen.cost.slowdowns`; a baseline has none.
    """
    factors = slowdowns.set_index("model").reindex(costs["model"]).reset_index()
    whole = costs["model_seconds"] + costs["topology_seconds"]
    total = costs["model_total"] + costs["topology_total"]
    return pd.DataFrame(
        {
            "model": costs["model"],
            "step, model (ms)": (1000 * costs["model_seconds"]).map("{:.1f}".format),
            "step, topology (ms)": (1000 * costs["topology_seconds"]).map("{:.2f}".format),
            "topology's share (%)": (100 * costs["topology_seconds"] / whole).map("{:.1f}".format),
            "slowdown, ours": _known(factors["ours"]),
            "slowdown, thesis": _known(factors["thesis"]),
            "trainings": costs["runs"].astype(str),
            "all trainings (min)": (total / 60).map("{:.1f}".format),
        }
    )


def _known(values: pd.Series) -> pd.Series:
    return values.map(lambda value: "" if pd.isna(value) else f"{value:.2f}")
