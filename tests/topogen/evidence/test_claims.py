"""Claims beside measurements: what is matched with what, and in which direction."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from topogen.evidence.claims import (
    chance_of_noise,
    decay_claims,
    held_out_claims,
    improvement_claims,
    proposition_claims,
    stochastic_orders,
    time_claims,
)
from topogen.evidence.effects import effects
from topogen.tables.evidence import claim_tests, effect_table, verdict_table

RULES = {"confidence": 0.95, "margin": 0.2, "power": 0.8}
SEEDS = range(10)
PUBLISHED = {"VAE0": {"seconds": 2.0}, "TopoVAE1": {"seconds": 8.0, "rbar": {"25": 0.5, "50": 9.0}}}


def improvement_of(model, gain):
    """r = gain + noise of mean 0 at steps 0, 25, 50 and 99."""
    noise = np.linspace(-0.3, 0.3, len(SEEDS))
    rows = [
        {"model": model, "seed": seed, "step": step, "r": gain + noise[seed]}
        for seed in SEEDS
        for step in (0, 25, 50, 99)
    ]
    return pd.DataFrame(rows)


def test_a_published_value_meets_the_model_that_stands_for_it():
    table = improvement_of("TopoVAE1-run", 0.5)
    effect = effects(table[table["step"] > 0], ["model", "step"], "r", **RULES)
    claims = improvement_claims(effect, "run", {"TopoVAE1-run": ["TopoVAE1"]}, PUBLISHED, 0.95)
    assert claims[["model", "measure", "thesis", "verdict"]].to_numpy().tolist() == [
        ["TopoVAE1", "r(25)", 0.5, "replicated"],
        ["TopoVAE1", "r(50)", 9.0, "partly"],  # step 99 has no published value
    ]
    assert (claims["source"] == "run").all()
    beside = improvement_claims(effect, "run", {"TopoVAE1-run": ["VAE0", "TopoVAE1"]}, PUBLISHED, 0.95)
    assert set(beside["model"]) == {"TopoVAE1"}  # VAE0 has no published r(s)


def test_decay_averages_the_first_steps_of_each_seed():
    table = improvement_of("TopoVAE1", -1.0)
    table.loc[table["step"] == 99, "r"] = 1e6  # beyond the first 99
    (row,) = decay_claims(
        table, "defined", {"TopoVAE1": ["TopoVAE1"]}, PUBLISHED, steps=99, rules=RULES
    ).to_dict("records")
    assert row["mean"] == pytest.approx(-1)
    assert row["verdict"] == "contradicted"


@pytest.mark.parametrize(("metric", "verdict"), [("coverage", "replicated"), ("bce", "contradicted")])
def test_a_higher_value_is_a_gain_where_the_metric_says_so(metric, verdict):
    rows = [
        {"model": model, "seed": seed, "step": step, "metric": metric, "value": value + 0.01 * seed}
        for model, value in (("VAE0", 100.0), ("TopoVAE1", 103.0))
        for seed in SEEDS
        for step in (50, 468)
    ]
    claims = held_out_claims(
        pd.DataFrame(rows),
        claim="better",
        source="defined",
        baselines={"TopoVAE1": "VAE0"},
        step=-1,
        metrics=[metric],
        rules=RULES,
    )
    (row,) = claims.to_dict("records")
    assert abs(row["mean"]) == pytest.approx(3, rel=1e-2)  # percent of the baseline's mean
    assert row["verdict"] == verdict


def test_a_baseline_at_zero_gives_a_gain_as_well():
    rows = [
        {"model": model, "seed": seed, "step": 50, "metric": "recall", "value": value}
        for model, value in (("VAE0", 0.0), ("TopoVAE1", 0.03))
        for seed in SEEDS
    ]
    settings = {"claim": "", "source": "defined", "baselines": {"TopoVAE1": "VAE0"}, "step": 50}
    (row,) = held_out_claims(pd.DataFrame(rows), **settings, metrics=["recall"], rules=RULES).to_dict(
        "records"
    )
    assert row["mean"] == pytest.approx(3)


def test_where_both_are_at_zero_nothing_was_measured():
    rows = [
        {"model": model, "seed": seed, "step": 50, "metric": metric, "value": value}
        for metric, value in (("recall", 0.0), ("coverage", 0.5))
        for model in ("VAE0", "TopoVAE1")
        for seed in SEEDS
    ]
    settings = {"claim": "", "source": "defined", "baselines": {"TopoVAE1": "VAE0"}, "step": 50}
    claims = held_out_claims(pd.DataFrame(rows), **settings, metrics=["recall", "coverage"], rules=RULES)
    assert claims["verdict"].tolist() == ["not measurable", "equivalent to nothing"]


def test_times_are_compared_as_slowdowns_within_a_round():
    rounds = pd.DataFrame(
        [
            {"model": model, "round": number, "seconds": seconds * (1 + number / 10)}
            for model, seconds in (("VAE0", 1.0), ("TopoVAE1", 1.5))
            for number in range(10)
        ]
    )
    (row,) = time_claims(rounds, {"TopoVAE1": "VAE0"}, PUBLISHED, RULES).to_dict("records")
    assert (row["thesis"], row["mean"]) == (300, pytest.approx(50))  # of 8 s and 2 s; of 1.5 s and 1 s
    assert row["verdict"] == "partly"  # slower, but not as much


@pytest.mark.parametrize(("violations", "verdict"), [(0, "replicated"), (1, "contradicted")])
def test_one_violation_contradicts_a_proposition(violations, verdict):
    worst = pd.DataFrame({"perturbations": [100, 50], "above_bound": [0, violations]})
    agreement = pd.DataFrame({"regularizer": ["push", "fisher"], "clouds": [20, 20], "agree": [1.0, 0.5]})
    stability, differentiability = proposition_claims(worst, agreement, ["push"]).to_dict("records")
    assert (stability["n"], stability["verdict"]) == (150, verdict)
    assert (differentiability["n"], differentiability["verdict"]) == (20, "replicated")


def test_the_chance_of_noise_is_that_of_a_mean_of_as_many():
    r = np.random.default_rng(0).normal(0, 2, 100)
    noise = pd.DataFrame({"seed": range(100), "step": 25, "r": r})
    published = {"TopoVAE1": {"rbar": {"25": 0.5}}}
    (row,) = chance_of_noise(noise, published, 10).to_dict("records")
    means = np.random.default_rng(1).choice(r - r.mean(), (20_000, 10)).mean(axis=1)
    assert row["chance"] == pytest.approx((means > 0.5).mean(), abs=0.02)
    assert row["chance"] == pytest.approx(stats.norm.sf(0.5, scale=r.std(ddof=1) / np.sqrt(10)))


def test_noise_passes_for_a_stochastic_order_more_often_than_its_level():
    stream = np.random.default_rng(0)
    baseline, differences = stream.normal(100, 1, 100), stream.normal(0, 1, 100)
    noise = pd.DataFrame(
        {"seed": range(100), "step": 25, "bce_baseline": baseline, "bce_difference": differences}
    )
    better = noise[:10].assign(bce_difference=9.0)
    (row,) = stochastic_orders(better, noise, [25], 10, 0.95).to_dict("records")
    assert (row["n"], row["epsilon"]) == (10, 0)
    assert 0.02 < row["null_rate"] < 0.5


def test_tables_show_every_claim_once_with_all_its_sources():
    table = improvement_of("TopoVAE1", 0.5)
    effect = effects(table[table["step"] == 25], ["model", "step"], "r", **RULES)
    own = {"TopoVAE1": ["TopoVAE1"]}
    claims = [improvement_claims(effect, source, own, PUBLISHED, 0.95) for source in ("defined", "run")]
    worst = pd.DataFrame({"perturbations": [100], "above_bound": [0]})
    agreement = pd.DataFrame({"regularizer": ["push"], "clouds": [20], "agree": [1.0]})
    claims.append(proposition_claims(worst, agreement, ["push"]))
    verdicts = pd.concat(claims, ignore_index=True).assign(chance=[0.25, 0.25, np.nan, np.nan])
    shown = verdict_table(verdicts, {"defined": "as defined", "run": "as run"})
    assert shown["thesis"].tolist() == ["0.5 %", "0", "0"]
    assert shown["chance of noise alone"].tolist() == ["0.25", "", ""]
    assert shown["as run"].tolist()[0].startswith("replicated: 0.50 [")
    assert shown["as defined"].tolist()[1] == "replicated: 0 in 100"
    tests = claim_tests(verdicts)
    assert tests["source"].tolist() == ["defined", "run", "theory", "theory"]
    assert tests["p (Holm)"].tolist() == ["0.002", "0.002", "", ""]
    assert tests["n"].tolist() == ["10", "10", "100", "20"]
    found = {"defined": effect.assign(ratio_of_means=0.4, mean_r_star=0.7)}
    rows = effect_table(found, found).to_dict("records")
    assert [row["data"] for row in rows] == ["training batch", "test images"]
    row = rows[0]
    assert (row["n"], row["ratio of means (%)"], row["p (Holm)"]) == ("10", "0.40", "0.002")
    assert row["mean r* (%)"] == "0.70"
