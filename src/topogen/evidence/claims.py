"""The claims of the thesis, each beside what was measured, and the verdict that the rule gives.

The rule is that of :mod:`topogen.evidence.rule`; what counts as no effect, the margin, is written in the
configuration. Every function returns rows of one long table: columns claim, rank (primary or secondary, of
claims with several metrics), model, measure, unit, source (the comparison that was measured), thesis (the
published value, NaN for a direction only), compatible (whether its size may be that of the effect), those of
:func:`topogen.evidence.effects.paired_effect`, and those of the rule. Means are positive in the direction of
the claim. Times and theorems have numbers and no verdict.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from topogen.evaluation.metrics import METRICS
from topogen.evidence.effects import effects, paired_effect, stochastic_order
from topogen.evidence.rule import compatible, half_of_last_digit, judged

COLUMNS = ["claim", "rank", "model", "measure", "unit", "source", "thesis", "compatible"]
EFFECT = ["n", "mean", "low", "high", "sd", "margin", "better", "better_low", "better_high"]
TESTS = ["p", "p_holm", "p_equivalence", "p_equivalence_holm", "seeds_needed", "seeds_needed_equivalence"]
VERDICT = ["family", "verdict", "before_correction"]
ROW = COLUMNS + EFFECT + TESTS + VERDICT


def _rows(table: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Rows in the columns of every claim; what does not apply is empty."""
    empty: dict[str, Any] = {
        "rank": "",
        "compatible": "",
        "family": "",
        "verdict": "",
        "before_correction": False,
    }
    given = table.assign(**columns)
    return given.assign(**{name: value for name, value in empty.items() if name not in given}).reindex(
        columns=ROW
    )


def _with_rbar(published: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """Model of the thesis -> its published r(s), of those that have some."""
    return {model: entry["rbar"] for model, entry in published.items() if "rbar" in entry}


def _under_thesis_names(
    table: pd.DataFrame, replicates: Mapping[str, Sequence[str]], published: Mapping[str, Any]
) -> pd.DataFrame:
    """Rows under the names of the models of the thesis that they are compared with; others are left out."""
    named = table.assign(model=table["model"].map(replicates)).explode("model", ignore_index=True)
    return named[named["model"].isin(list(_with_rbar(published)))]


def improvement_claims(
    effect: pd.DataFrame,
    source: str,
    replicates: Mapping[str, Sequence[str]],
    published: Mapping[str, Any],
    *,
    seeds: int,
    confidence: float,
) -> pd.DataFrame:
    """Published values of r(s) against the effects of one comparison, which bring their verdicts.

    Args:
        effect: columns model, step and those of :func:`topogen.evidence.rule.judged`.
        source: name of the comparison.
        replicates: model -> the models of the thesis with whose rows it is compared.
        published: model of the thesis -> {rbar: {step: percent}}.
        seeds: of a published value.
        confidence: of the interval that decides whether sizes are compatible.
    """
    rbar = _with_rbar(published)
    rows = _under_thesis_names(effect, replicates, published)
    values = [
        rbar[model].get(str(step), np.nan) for model, step in zip(rows["model"], rows["step"], strict=True)
    ]
    rows = rows.assign(thesis=values)
    rows = rows[rows["thesis"].notna()]
    rounding = half_of_last_digit([value for entry in rbar.values() for value in entry.values()])
    return _rows(
        rows,
        claim="lower BCE at one step",
        measure=[f"r({step})" for step in rows["step"]],
        unit="%",
        source=source,
        compatible=compatible(rows, rows["thesis"], seeds=seeds, rounding=rounding, confidence=confidence),
    )


def decay_claims(
    means: pd.DataFrame,
    source: str,
    replicates: Mapping[str, Sequence[str]],
    published: Mapping[str, Any],
    *,
    steps: int,
    tested: bool,
    confidence: float,
    margin: float,
    power: float,
) -> pd.DataFrame:
    """Faster decay of BCE: r(s) averaged over the first steps of each seed. The models are one family.

    Args:
        means: what :func:`topogen.evidence.improvement.mean_of_first_steps` returned.
        source: name of the comparison.
        replicates: model -> the models of the thesis with whose rows it is compared.
        published: model of the thesis -> {rbar: ...}.
        steps: how many steps are the first.
        tested: whether the comparison puts this question; if not, its numbers are shown and get no verdict.
        confidence: of :func:`topogen.evidence.effects.paired_effect`.
        margin: likewise, percent.
        power: of :func:`topogen.evidence.rule.judged`.
    """
    effect = effects(means, ["model"], "r", confidence=confidence, margin=margin)
    beside = {model: len(_with_rbar(published).keys() & replicates[model]) for model in effect["model"]}
    families = pd.DataFrame(
        [(model, "published", rows) for model, rows in beside.items() if rows and tested],
        columns=["model", "family", "rows"],
    )
    return _rows(
        _under_thesis_names(
            judged(effect, families, confidence=confidence, power=power), replicates, published
        ),
        claim=f"faster decay of BCE in the first {steps} steps",
        measure="mean of r(s)",
        unit="%",
        source=source,
        thesis=np.nan,
    )


def held_out_margin(
    metric: str, baseline: float, yardstick: Mapping[str, float], margins: Mapping[str, Any], images: int
) -> float:
    """What counts as no effect on a held-out metric, in its unit.

    A share of the gap between the baseline and real images; of the baseline, or an absolute number, where
    the configuration says so. Never less than one image, of a metric that is a share of images.

    Args:
        metric: its name.
        baseline: its mean over seeds of the baseline.
        yardstick: metric -> its value of real images in place of sampled ones.
        margins: gap, in percent, and metrics, of which each has ``real``, in place of a missing yardstick,
            ``baseline``, in percent, or ``absolute``.
        images: number of images.

    Raises:
        ValueError: there is no value of real images, and the configuration says nothing in its place.
    """
    rule = margins["metrics"].get(metric, {})
    if "absolute" in rule:
        return float(rule["absolute"])
    resolution = 1 / images if METRICS[metric].unit == "share" else 0.0
    if "baseline" in rule:
        return float(max(rule["baseline"] / 100 * abs(baseline), resolution))
    real = rule.get("real", yardstick.get(metric, np.nan))
    if np.isnan(real):
        raise ValueError(
            f"claims.margins.held_out.metrics: {metric} has no value of real images; "
            "give it one (real), or a margin (baseline or absolute)"
        )
    return float(max(margins["gap"] / 100 * abs(baseline - real), resolution))


def held_out_claims(
    evaluations: pd.DataFrame,
    claims: Sequence[Mapping[str, Any]],
    *,
    yardstick: Mapping[str, float],
    margins: Mapping[str, Any],
    images: int,
    thesis: Sequence[str],
    confidence: float,
    power: float,
) -> pd.DataFrame:
    """Claims in words, against paired gains of held-out metrics in the metric's unit.

    Each claim has one primary metric. The primary metrics of all claims are one family; the others are
    secondary, and a family within their claim. Models that are not of the thesis are a family apart, unless
    a claim is about no other. Where a model and its baseline are at 0 in every seed, nothing was measured.

    Args:
        evaluations: columns model, seed, step, metric, value.
        claims: claim, in words; source, the comparison; baselines, model -> its baseline; step, -1 for the
            last; primary, a metric; metrics, of :data:`topogen.evaluation.metrics.METRICS`, each with a
            direction.
        yardstick: see :func:`held_out_margin`.
        margins: likewise.
        images: likewise.
        thesis: the models of the thesis.
        confidence: of :func:`topogen.evidence.effects.paired_effect`.
        power: of :func:`topogen.evidence.rule.judged`.
    """
    rows = []
    for claim in claims:
        step = evaluations["step"].max() if claim["step"] == -1 else claim["step"]
        at_step = evaluations[evaluations["step"] == step].set_index("seed")
        values = dict(list(at_step.groupby(["model", "metric"])["value"]))
        known = set(thesis) & set(claim["baselines"])
        for model, baseline in claim["baselines"].items():
            for metric in dict.fromkeys([claim["primary"], *claim["metrics"]]):
                ours, theirs = values[model, metric], values[baseline, metric]
                gain = (METRICS[metric].direction * (ours - theirs)).to_numpy()
                margin = held_out_margin(metric, theirs.mean(), yardstick, margins, images)
                rank = "primary" if metric == claim["primary"] else "secondary"
                family = "primary metrics" if rank == "primary" else claim["claim"]
                rows.append(
                    {"claim": claim["claim"], "rank": rank, "model": model, "metric": metric}
                    | {"source": claim["source"], "measured": ours.any() or theirs.any(), "rows": 1}
                    | {"family": family if model in known or not known else f"{family}, further models"}
                    | paired_effect(gain, confidence=confidence, margin=margin)
                )
    effect = pd.DataFrame(rows)
    keys = ["claim", "model", "metric"]
    families = effect.loc[effect["measured"], [*keys, "family", "rows"]]
    found = judged(effect.drop(columns=["family", "rows"]), families, confidence=confidence, power=power)
    return _rows(
        found,
        measure=found["metric"].str.replace("_", " "),
        unit=[METRICS[metric].unit for metric in found["metric"]],
        thesis=np.nan,
        verdict=found["verdict"].where(found["measured"], "not measurable"),
    )


def time_claims(
    rounds: pd.DataFrame,
    baselines: Mapping[str, str],
    published: Mapping[str, Any],
    confidence: float,
) -> pd.DataFrame:
    """Slowdown over the baseline: by how many percent a step takes longer, beside the thesis' times.

    Args:
        rounds: columns model, round, seconds; a round plays the part of a seed.
        baselines: model -> its baseline, of the models that the thesis gives times of.
        published: model of the thesis -> {seconds}.
        confidence: of the interval.
    """
    wide = rounds.pivot(index="round", columns="model", values="seconds")
    rows = [
        {"model": model}
        | paired_effect(
            (100 * (wide[model] / wide[baseline] - 1)).to_numpy(), confidence=confidence, margin=np.nan
        )
        for model, baseline in baselines.items()
    ]
    thesis = [
        100 * (published[model]["seconds"] / published[baseline]["seconds"] - 1)
        for model, baseline in baselines.items()
    ]
    return _rows(
        pd.DataFrame(rows),
        claim="a training step takes longer",
        measure="time of a step",
        unit="%",
        source="time",
        thesis=thesis,
    )


def proposition_claims(
    worst: pd.DataFrame, agreement: pd.DataFrame, regularizers: Sequence[str]
) -> pd.DataFrame:
    """Stability and differentiability: how many trials speak against them, in ``mean``, of ``n``.

    Args:
        worst: what :func:`topogen.theory.stability.worst_ratios` returned.
        agreement: columns degree, regularizer, clouds, agree (share of clouds).
        regularizers: those that the thesis' theorem is about.
    """
    asked = agreement[agreement["regularizer"].isin(regularizers)]
    rows = [
        {
            "claim": "stability: the bottleneck distance is below 2 eps",
            "measure": "violations",
            "n": int(worst["perturbations"].sum()),
            "mean": float(worst["above_bound"].sum()),
        },
        {
            "claim": "regularizers are generically differentiable",
            "measure": "disagreements with finite differences",
            "n": int(asked["clouds"].sum()),
            "mean": float((asked["clouds"] * (1 - asked["agree"])).round().sum()),
        },
    ]
    return _rows(pd.DataFrame(rows), model="", unit="", source="theory", thesis=0.0)


def chance_of_noise(improvement: pd.DataFrame, published: Mapping[str, Any], seeds: int) -> pd.DataFrame:
    r"""Published means beside what noise alone makes of r(s).

    With the standard deviation over pairs that differ in their noise only, a mean of n seeds has the standard
    error sd / sqrt(n), and exceeds a value v with probability :math:`1 - \Phi(v \sqrt n / sd)`.

    Args:
        improvement: columns seed, step, r, of such pairs.
        published: model of the thesis -> {rbar: {step: percent}}.
        seeds: n, of the published means.

    Returns:
        Columns model, step, thesis, pairs, mean, sd, standard_error, chance.
    """
    rows = []
    for model, entry in published.items():
        for step, value in entry.get("rbar", {}).items():
            r = improvement.loc[improvement["step"] == int(step), "r"]
            error = r.std() / np.sqrt(seeds)
            rows.append(
                {
                    "model": model,
                    "step": int(step),
                    "thesis": value,
                    "pairs": len(r),
                    "mean": r.mean(),
                    "sd": r.std(),
                    "standard_error": error,
                    "chance": stats.norm.sf(value, scale=error),
                }
            )
    return pd.DataFrame(rows)


def stochastic_orders(
    improvement: pd.DataFrame, noise: pd.DataFrame, steps: Sequence[int], seeds: int, confidence: float
) -> pd.DataFrame:
    """Almost stochastic order of a model over its baseline, and how often noise alone passes for it.

    Scores are minus BCE. The null rate is the share of groups of as many seeds, drawn at random among pairs
    that differ in their noise only, whose bound lies below 1/2, where the author calls it significant.

    Args:
        improvement: columns seed, step, bce_difference, bce_baseline of one model.
        noise: the same of the pairs.
        steps: steps to report.
        seeds: size of a group.
        confidence: of the bound.

    Returns:
        Columns step, n, epsilon, null_rate, groups.
    """
    stream = np.random.default_rng(0)
    groups = 100
    rows = []
    for step in steps:

        def order(table: pd.DataFrame) -> float:
            theirs = -table["bce_baseline"].to_numpy()
            ours = theirs + table["bce_difference"].to_numpy()
            return stochastic_order(ours, theirs, confidence=confidence, seed=0)

        own = improvement[improvement["step"] == step]
        pairs = noise[noise["step"] == step]
        bounds = [order(pairs.iloc[stream.choice(len(pairs), seeds, replace=False)]) for _ in range(groups)]
        row = {"step": step, "n": len(own), "epsilon": order(own)}
        rows.append(row | {"null_rate": float(np.mean(np.array(bounds) < 0.5)), "groups": groups})
    return pd.DataFrame(rows)
