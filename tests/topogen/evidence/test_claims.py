"""Claims beside measurements: what is matched with what, and in which direction."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from topogen.evidence.claims import (
    chance_of_noise,
    decay_claims,
    held_out_claims,
    held_out_margin,
    improvement_claims,
    proposition_claims,
    stochastic_orders,
    time_claims,
)
from topogen.evidence.effects import effects
from topogen.evidence.improvement import mean_of_first_steps
from topogen.evidence.rule import judged
from topogen.tables.evidence import claim_tests, claims_by_dataset, effect_table, verdict_table

RULES = {"confidence": 0.95, "margin": 0.2}
SEEDS = range(10)
PUBLISHED = {"VAE0": {"seconds": 2.0}, "TopoVAE1": {"seconds": 8.0, "rbar": {"25": 0.5, "50": 9.0}}}
NAMED = {"TopoVAE1": ["TopoVAE1"]}


def improvement_of(model, gain):
    """r = gain + noise of mean 0 at steps 0, 25, 50 and 99."""
    noise = np.linspace(-0.3, 0.3, len(SEEDS))
    rows = [
        {"model": model, "seed": seed, "step": step, "r": gain + noise[seed]}
        for seed in SEEDS
        for step in (0, 25, 50, 99)
    ]
    return pd.DataFrame(rows)


def judged_effect(table, steps):
    """Effects at some steps, with verdicts, in one family."""
    effect = effects(table[table["step"].isin(steps)], ["model", "step"], "r", **RULES)
    families = effect[["model", "step"]].assign(family="published", rows=1)
    return judged(effect, families, confidence=0.95, power=0.8)


def test_a_published_value_meets_the_model_that_stands_for_it():
    effect = judged_effect(improvement_of("TopoVAE1-run", 0.5), [25, 50, 99])
    settings = {"seeds": 10, "confidence": 0.95}
    claims = improvement_claims(effect, "run", {"TopoVAE1-run": ["TopoVAE1"]}, PUBLISHED, **settings)
    columns = ["model", "measure", "thesis", "verdict", "compatible"]
    assert claims[columns].to_numpy().tolist() == [
        ["TopoVAE1", "r(25)", 0.5, "positive", "yes"],
        ["TopoVAE1", "r(50)", 9.0, "positive", "no"],  # step 99 has no published value
    ]
    assert (claims["source"] == "run").all()
    beside = {"TopoVAE1-run": ["VAE0", "TopoVAE1"]}
    claims = improvement_claims(effect, "run", beside, PUBLISHED, **settings)
    assert set(claims["model"]) == {"TopoVAE1"}  # VAE0 has no published r(s)


def test_decay_is_judged_where_it_is_asked():
    table = improvement_of("TopoVAE1", -1.0)
    table.loc[table["step"] == 99, "r"] = 1e6  # beyond the first 99
    unpublished = improvement_of("TopoVAE5", 5.0)
    means = mean_of_first_steps(pd.concat([table, unpublished]), 99)
    named = NAMED | {"TopoVAE5": ["TopoVAE5"]}
    asked, shown = (
        decay_claims(means, "defined", named, PUBLISHED, steps=99, tested=tested, power=0.8, **RULES)
        for tested in (True, False)
    )
    (row,) = asked.to_dict("records")
    assert row["mean"] == pytest.approx(-1)
    assert row["verdict"] == "negative"
    assert row["p_holm"] == row["p"]  # the model without a published row is in no family
    (row,) = shown.to_dict("records")
    assert row["mean"] == pytest.approx(-1)
    assert row["verdict"] == ""


def evaluations_of(values, steps=(50, 468)):
    """Evaluations: (model, metric) -> value, which grows from seed to seed as the baseline's does."""
    return pd.DataFrame(
        [
            {"model": model, "seed": seed, "step": step, "metric": metric, "value": value + spread * seed}
            for (model, metric), value in values.items()
            for seed in SEEDS
            for step in steps
            for spread in [0.0 if value == 0 else 0.01]
        ]
    )


CLAIM = {"claim": "better", "source": "defined", "baselines": {"TopoVAE1": "VAE0"}, "step": -1}
MARGINS = {"gap": 5, "metrics": {"bce": {"baseline": 0.1}, "silhouette_of_means": {"absolute": 0.02}}}


def held_out(values, *claims, yardstick):
    settings = {"margins": MARGINS, "images": 2000, "thesis": ["VAE0", "TopoVAE1"]}
    table = held_out_claims(
        evaluations_of(values), claims, yardstick=yardstick, confidence=0.95, power=0.8, **settings
    )
    return table.set_index(["model", "measure"])


@pytest.mark.parametrize(("metric", "verdict"), [("coverage", "positive"), ("bce", "negative")])
def test_a_higher_value_is_a_gain_where_the_metric_says_so(metric, verdict):
    values = {("VAE0", metric): 100.0, ("TopoVAE1", metric): 103.0}
    claim = CLAIM | {"primary": metric, "metrics": []}
    (row,) = held_out(values, claim, yardstick={"coverage": 101}).to_dict("records")
    assert abs(row["mean"]) == pytest.approx(3)  # in the unit of the metric
    assert row["verdict"] == verdict
    assert row["rank"] == "primary"


def test_the_margin_of_a_metric_is_a_share_of_the_gap_to_real_images():
    yardstick = {"coverage": 0.9, "density": 1.0}
    asked = {"margins": MARGINS, "images": 2000, "yardstick": yardstick}
    assert held_out_margin("coverage", 0.5, **asked) == pytest.approx(0.02)
    assert held_out_margin("coverage", 0.9, **asked) == 1 / 2000  # one image of so many
    assert held_out_margin("density", 1.0, **asked) == 0
    assert held_out_margin("bce", 300, **asked) == pytest.approx(0.3)
    assert held_out_margin("silhouette_of_means", -0.1, **asked) == 0.02
    with pytest.raises(ValueError, match=r"claims.margins.held_out.metrics: elbo"):
        held_out_margin("elbo", 1.0, **asked)


def test_primary_metrics_are_one_family_and_secondary_ones_that_of_their_claim():
    metrics = ("coverage", "precision", "recall")
    models = {"VAE0": 0.5, "TopoVAE1": 0.52, "TopoVAE5": 0.53}
    values = {(model, metric): value for model, value in models.items() for metric in metrics}
    values |= {("TopoVAE1", "recall"): 0.0, ("VAE0", "recall"): 0.0, ("TopoVAE5", "recall"): 0.0}
    claims = [
        CLAIM | {"primary": "coverage", "metrics": ["precision", "recall"]},
        CLAIM | {"claim": "more", "primary": "precision", "metrics": []},
    ]
    yardstick = dict.fromkeys(metrics, 0.9)
    (first, second), wider = claims, {"baselines": {"TopoVAE1": "VAE0", "TopoVAE5": "VAE0"}}
    found = held_out(values, first, second, yardstick=yardstick).reset_index()
    assert found["family"].tolist() == ["primary metrics", "better", "", "primary metrics"]
    assert found["p_holm"].tolist() == [
        2 * 2 / 2**10,
        2 / 2**10,
        pytest.approx(np.nan, nan_ok=True),
        2 * 2 / 2**10,
    ]
    assert found["verdict"].tolist() == ["positive", "positive", "not measurable", "positive"]
    more = held_out(values, first | wider, second, yardstick=yardstick).reset_index()
    pd.testing.assert_frame_equal(more[more["model"] == "TopoVAE1"].reset_index(drop=True), found)
    assert set(more.loc[more["model"] == "TopoVAE5", "family"]) == {
        "primary metrics, further models",
        "better, further models",
        "",
    }


def test_times_are_compared_as_slowdowns_within_a_round_and_not_judged():
    rounds = pd.DataFrame(
        [
            {"model": model, "round": number, "seconds": seconds * (1 + number / 10)}
            for model, seconds in (("VAE0", 1.0), ("TopoVAE1", 1.5))
            for number in range(10)
        ]
    )
    (row,) = time_claims(rounds, {"TopoVAE1": "VAE0"}, PUBLISHED, 0.95).to_dict("records")
    assert (row["thesis"], row["mean"]) == (300, pytest.approx(50))  # of 8 s and 2 s; of 1.5 s and 1 s
    assert (row["low"], row["high"]) == (pytest.approx(50), pytest.approx(50))
    assert row["verdict"] == ""


def test_violations_of_a_proposition_are_counted():
    worst = pd.DataFrame({"perturbations": [100, 50], "above_bound": [0, 1]})
    agreement = pd.DataFrame({"regularizer": ["push", "fisher"], "clouds": [20, 20], "agree": [1.0, 0.5]})
    stability, differentiability = proposition_claims(worst, agreement, ["push"]).to_dict("records")
    assert (stability["mean"], stability["n"], stability["verdict"]) == (1, 150, "")
    assert (differentiability["mean"], differentiability["n"]) == (0, 20)


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
    effect = judged_effect(improvement_of("TopoVAE1", 0.5), [25])
    settings = {"seeds": 10, "confidence": 0.95}
    claims = [
        improvement_claims(effect, source, NAMED, PUBLISHED, **settings) for source in ("defined", "run")
    ]
    worst = pd.DataFrame({"perturbations": [100], "above_bound": [0]})
    agreement = pd.DataFrame({"regularizer": ["push"], "clouds": [20], "agree": [1.0]})
    claims.append(proposition_claims(worst, agreement, ["push"]))
    verdicts = pd.concat(claims, ignore_index=True).assign(chance=[0.25, 0.25, np.nan, np.nan])
    shown = verdict_table(verdicts, {"defined": "as defined", "run": "as run"}, "95 % interval")
    assert shown["thesis"].tolist() == ["0.5 %", "0", "0"]
    assert shown["chance of noise alone"].tolist() == ["0.25", "", ""]
    assert shown["as run: mean, 95 % interval"].tolist()[0].startswith("positive: 0.50 [")
    assert shown["as defined: mean, 95 % interval"].tolist()[1] == "0 in 100"
    tests = claim_tests(verdicts, "95 % interval")
    assert tests["source"].tolist() == ["defined", "run", "theory", "theory"]
    assert tests["p (Holm)"].tolist() == ["0.002", "0.002", "", ""]
    assert tests["n"].tolist() == ["10", "10", "100", "20"]
    assert tests["size compatible with the published value"].tolist() == ["yes", "yes", "", ""]
    found = {"defined": effect.assign(ratio_of_means=0.4, mean_r_star=0.7)}
    rows = effect_table(found, found, "95 %").to_dict("records")
    assert [row["data"] for row in rows] == ["training batch", "test images"]
    row = rows[0]
    assert (row["n"], row["ratio of means (%)"], row["p (Holm)"]) == ("10", "0.40", "0.002")
    assert (row["mean r* (%)"], row["verdict"]) == ("0.70", "positive")


def test_a_claim_holds_on_the_datasets_that_have_a_positive_verdict():
    def verdicts(mean, source="defined"):
        effect = judged_effect(improvement_of("TopoVAE1", mean), [25])
        claims = improvement_claims(effect, source, NAMED, PUBLISHED, seeds=10, confidence=0.95)
        worst = pd.DataFrame({"perturbations": [100], "above_bound": [0]})
        agreement = pd.DataFrame({"regularizer": ["push"], "clouds": [20], "agree": [1.0]})
        return pd.concat([claims, proposition_claims(worst, agreement, ["push"])], ignore_index=True)

    judged = {
        "FashionMNIST": pd.concat([verdicts(0.5), verdicts(0.5, "run").iloc[:1]]),
        "digits": pd.concat([verdicts(-0.5), verdicts(0.5, "times").iloc[:1].assign(verdict="")]),
    }
    table = claims_by_dataset(judged, {"defined": "as defined"}, {"FashionMNIST": "95 %", "digits": "90 %"})
    assert table["source"].tolist() == ["as defined", "run", "times"]  # no propositions
    assert table["holds on"].tolist() == ["1 of 2", "1 of 1", ""]
    assert table["digits: mean, 90 %"].tolist()[0].startswith("negative: -0.50 [")
    assert table["digits: mean, 90 %"].tolist()[1] == table["FashionMNIST: mean, 95 %"].tolist()[2] == ""


def test_tables_mark_what_correction_undoes_and_say_why_there_is_no_interval():
    effect = judged_effect(improvement_of("TopoVAE1", 0.5).query("seed < 2"), [25])
    undone = {"defined": effect.assign(before_correction=True, ratio_of_means=0.4, mean_r_star=0.7)}
    row, _ = effect_table(undone, undone, "95 %").to_dict("records")
    assert row["mean r (%), 95 %"].endswith(" (too few seeds for an interval)")
    assert row["verdict"] == "undecided (0 excluded before correction)"
