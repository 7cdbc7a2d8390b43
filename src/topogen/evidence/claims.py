"""The claims of the thesis, each beside what was measured, and the verdict that the rule gives.

The rule is :func:`topogen.evidence.effects.verdict`; what counts as no effect, the margin, is written in the
configuration. Every function returns rows of one long table: columns claim, model, measure, unit, source (the
comparison that was measured), thesis (the published value, NaN for a direction only), the columns of
:func:`topogen.evidence.effects.paired_effect`, seeds_needed, p_holm, verdict. Means are positive in the
direction of the claim.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from topogen.evaluation.metrics import METRICS
from topogen.evidence.effects import effects, stochastic_order, verdict

COLUMNS = ["claim", "model", "measure", "unit", "source", "thesis", "n", "mean", "low", "high", "sd"]
TESTS = ["better", "better_low", "better_high", "p", "p_holm", "p_equivalence", "seeds_needed", "verdict"]


def _judged(effect: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Rows with their verdicts, in the columns of every claim."""
    verdicts = [
        verdict(row, None if np.isnan(row["thesis"]) else row["thesis"], confidence)
        for _, row in effect.iterrows()
    ]
    return effect.assign(verdict=verdicts)[COLUMNS + TESTS]


def _under_thesis_names(
    table: pd.DataFrame, replicates: Mapping[str, Sequence[str]], published: Mapping[str, Any]
) -> pd.DataFrame:
    """Rows under the names of the models of the thesis that they stand beside; others are left out."""
    named = table.assign(model=table["model"].map(replicates)).explode("model", ignore_index=True)
    return named[named["model"].isin([model for model, entry in published.items() if "rbar" in entry])]


def improvement_claims(
    effect: pd.DataFrame,
    source: str,
    replicates: Mapping[str, Sequence[str]],
    published: Mapping[str, Any],
    confidence: float,
) -> pd.DataFrame:
    """Published values of r(s) against the effects of one comparison.

    Args:
        effect: columns model, step and those of :func:`topogen.evidence.effects.effects`.
        source: name of the comparison.
        replicates: model -> the models of the thesis whose rows it stands beside.
        published: model of the thesis -> {rbar: {step: percent}}.
        confidence: 1 - level.
    """
    rows = _under_thesis_names(effect, replicates, published)
    rows = rows.assign(
        claim="lower BCE at one step",
        measure=[f"r({step})" for step in rows["step"]],
        unit="%",
        source=source,
    )
    values = [
        published[model]["rbar"].get(str(step), np.nan)
        for model, step in zip(rows["model"], rows["step"], strict=True)
    ]
    rows = rows.assign(thesis=values)
    return _judged(rows[rows["thesis"].notna()], confidence)


def decay_claims(
    improvement: pd.DataFrame,
    source: str,
    replicates: Mapping[str, Sequence[str]],
    published: Mapping[str, Any],
    *,
    steps: int,
    rules: Mapping[str, float],
) -> pd.DataFrame:
    """Faster decay of BCE: r(s) averaged over the first steps of each seed.

    Args:
        improvement: columns model, seed, step, r.
        source: name of the comparison.
        replicates: model -> the models of the thesis whose rows it stands beside.
        published: model of the thesis -> {rbar: ...}.
        steps: how many steps are the first.
        rules: confidence, margin and power of :func:`topogen.evidence.effects.effects`.
    """
    first = improvement[improvement["step"] < steps]
    table = first.groupby(["model", "seed"], sort=False)["r"].mean().reset_index()
    effect = effects(table, ["model"], "r", **rules)
    named = _under_thesis_names(effect, replicates, published).assign(
        claim=f"faster decay of BCE in the first {steps} steps",
        measure="mean of r(s)",
        unit="%",
        source=source,
        thesis=np.nan,
    )
    return _judged(named, rules["confidence"])


def held_out_claims(
    evaluations: pd.DataFrame,
    *,
    claim: str,
    source: str,
    baselines: Mapping[str, str],
    step: int,
    metrics: Sequence[str],
    rules: Mapping[str, float],
) -> pd.DataFrame:
    """A claim in words, against paired gains of held-out metrics in percent of the baseline's mean.

    Where that mean is 0 (no image within reach, say), the gain is in hundredths of the metric's unit; where
    the model is at 0 as well, in every seed, the verdict is that nothing was measured.

    Args:
        evaluations: columns model, seed, step, metric, value.
        claim: in words.
        source: name of the comparison.
        baselines: model -> its baseline.
        step: at which the models are judged; -1 for the last.
        metrics: of :data:`topogen.evaluation.metrics.METRICS`, each with a direction.
        rules: confidence, margin (percent) and power of :func:`topogen.evidence.effects.effects`.
    """
    step = evaluations["step"].max() if step == -1 else step
    at_step = evaluations[evaluations["step"] == step].set_index("seed")
    values = dict(list(at_step.groupby(["model", "metric"])["value"]))
    tables, nothing = [], set()
    for model, baseline in baselines.items():
        for metric in metrics:
            ours, theirs = values[model, metric], values[baseline, metric]
            if not (ours.any() or theirs.any()):
                nothing.add((model, metric))
            scale = abs(theirs.mean()) or 1.0
            gain = 100 * METRICS[metric].direction * (ours - theirs) / scale
            tables.append(gain.rename("gain").reset_index().assign(model=model, metric=metric))
    effect = effects(pd.concat(tables, ignore_index=True), ["model", "metric"], "gain", **rules)
    named = effect.assign(
        claim=claim, measure=effect["metric"].str.replace("_", " "), unit="%", source=source, thesis=np.nan
    )
    judged = _judged(named, rules["confidence"])
    unmeasured = np.array([pair in nothing for pair in zip(effect["model"], effect["metric"], strict=True)])
    return judged.assign(verdict=judged["verdict"].mask(unmeasured, "not measurable"))


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
        rules: confidence, margin (percent) and power of :func:`topogen.evidence.effects.effects`.
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
        worst: what :func:`topogen.theory.stability.worst_ratios` returned.
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
