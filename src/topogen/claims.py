"""The claims of the thesis, each beside what was measured, and the verdict that the rule gives.

The rule is :func:`topogen.inference.verdict`; what counts as no effect, the margin, is written in the
configuration. Every function returns rows of one long table: columns claim, model, measure, unit, source (the
comparison that was measured), thesis (the published value, NaN for a direction only), n, mean, low, high,
p_holm, p_equivalence, verdict. Means are positive in the direction of the claim.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from topogen.inference import effects, verdict

COLUMNS = ["claim", "model", "measure", "unit", "source", "thesis", "n", "mean", "low", "high"]
TESTS = ["p_holm", "p_equivalence", "verdict"]


def _judged(effect: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Rows with their verdicts, in the columns of every claim."""
    verdicts = [
        verdict(row, None if np.isnan(row["thesis"]) else row["thesis"], confidence)
        for _, row in effect.iterrows()
    ]
    return effect.assign(verdict=verdicts)[COLUMNS + TESTS]


def improvement_claims(
    effect: pd.DataFrame,
    source: str,
    replicates: Mapping[str, str],
    published: Mapping[str, Any],
    confidence: float,
) -> pd.DataFrame:
    """Published values of r(s) against the effects of one comparison.

    Args:
        effect: columns model, step and those of :func:`topogen.inference.effects`.
        source: name of the comparison.
        replicates: model -> the model of the thesis whose row it stands for.
        published: model of the thesis -> {rbar: {step: percent}}.
        confidence: 1 - level.
    """
    rows = effect.assign(
        claim="lower BCE at one step",
        model=effect["model"].map(replicates),
        measure=[f"r({step})" for step in effect["step"]],
        unit="%",
        source=source,
    )
    values = [
        published.get(model, {}).get("rbar", {}).get(str(step), np.nan)
        for model, step in zip(rows["model"], rows["step"], strict=True)
    ]
    rows = rows.assign(thesis=values)
    return _judged(rows[rows["thesis"].notna()], confidence)


def decay_claims(
    improvement: pd.DataFrame,
    source: str,
    replicates: Mapping[str, str],
    steps: int,
    rules: Mapping[str, float],
) -> pd.DataFrame:
    """Faster decay of BCE: r(s) averaged over the first steps of each seed.

    Args:
        improvement: columns model, seed, step, r.
        source: name of the comparison.
        replicates: model -> the model of the thesis whose row it stands for.
        steps: how many steps are the first.
        rules: confidence, margin and power of :func:`topogen.inference.effects`.
    """
    first = improvement[improvement["step"] < steps]
    table = first.groupby(["model", "seed"], sort=False)["r"].mean().reset_index()
    effect = effects(table, ["model"], "r", **rules)
    effect["model"] = effect["model"].map(replicates)
    named = effect.assign(
        claim=f"faster decay of BCE in the first {steps} steps",
        measure="mean of r(s)",
        unit="%",
        source=source,
        thesis=np.nan,
    )
    return _judged(named, rules["confidence"])


def held_out_claims(
    differences: pd.DataFrame,
    claim: str,
    source: str,
    directions: Mapping[str, int],
    rules: Mapping[str, float],
) -> pd.DataFrame:
    """A claim in words, against paired differences of held-out measures in percent of the baseline's mean.

    Args:
        differences: columns model, seed, metric, value (of the model), baseline (value of its baseline).
        claim: in words.
        source: name of the comparison.
        directions: metric -> 1 where more is better, -1 where less is.
        rules: confidence, margin (percent) and power of :func:`topogen.inference.effects`.
    """
    part = differences[differences["metric"].isin(directions)]
    scale = part.groupby(["model", "metric"])["baseline"].transform("mean").abs()
    gain = 100 * part["metric"].map(directions) * (part["value"] - part["baseline"]) / scale
    effect = effects(part.assign(gain=gain), ["model", "metric"], "gain", **rules)
    named = effect.assign(
        claim=claim, measure=effect["metric"].str.replace("_", " "), unit="%", source=source, thesis=np.nan
    )
    return _judged(named, rules["confidence"])


def time_claims(
    rounds: pd.DataFrame,
    baselines: Mapping[str, str],
    published: Mapping[str, Any],
    rules: Mapping[str, float],
) -> pd.DataFrame:
    """Slowdown over the baseline: by how many percent a step takes longer, against the thesis' times.

    Args:
        rounds: columns model, round, seconds; a round plays the part of a seed.
        baselines: model -> its baseline, of the models that the thesis gives times of.
        published: model of the thesis -> {seconds}.
        rules: confidence, margin (percent) and power of :func:`topogen.inference.effects`.
    """
    wide = rounds.pivot(index="round", columns="model", values="seconds")
    tables = [
        pd.DataFrame({"model": model, "seed": wide.index, "slower": 100 * (wide[model] / wide[baseline] - 1)})
        for model, baseline in baselines.items()
    ]
    effect = effects(pd.concat(tables, ignore_index=True), ["model"], "slower", **rules)
    thesis = [
        100 * (published[model]["seconds"] / published[baselines[model]]["seconds"] - 1)
        for model in effect["model"]
    ]
    named = effect.assign(
        claim="a training step takes longer", measure="time of a step", unit="%", source="time", thesis=thesis
    )
    return _judged(named, rules["confidence"])


def proposition_claims(
    worst: pd.DataFrame, agreement: pd.DataFrame, regularizers: Sequence[str]
) -> pd.DataFrame:
    """Stability and differentiability: replicated where no trial speaks against them, else contradicted.

    Args:
        worst: what :func:`topogen.theory.worst_ratios` returned.
        agreement: columns degree, regularizer, clouds, agree (share of clouds).
        regularizers: those that the thesis' theorem is about.
    """
    own = agreement[agreement["regularizer"].isin(regularizers)]
    trials = {
        "stability: the bottleneck distance is below 2 eps": (
            "violations",
            int(worst["perturbations"].sum()),
            int(worst["above_bound"].sum()),
        ),
        "regularizers are generically differentiable": (
            "disagreements with finite differences",
            int(own["clouds"].sum()),
            int((own["clouds"] * (1 - own["agree"])).round().sum()),
        ),
    }
    rows = [
        {
            "claim": claim,
            "model": "",
            "measure": measure,
            "unit": "",
            "source": "theory",
            "thesis": 0.0,
            "n": n,
            "mean": float(against),
            "verdict": "contradicted" if against else "replicated",
        }
        for claim, (measure, n, against) in trials.items()
    ]
    return pd.DataFrame(rows).reindex(columns=COLUMNS + TESTS)
