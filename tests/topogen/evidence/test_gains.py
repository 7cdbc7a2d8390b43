import numpy as np
import pandas as pd
import pytest
from scipy import stats

from topogen.evaluation.metrics import METRICS
from topogen.evidence.gains import in_order, summarise
from topogen.evidence.improvement import table_of_runs
from topogen.tables.held_out import held_out_table

STEPS, METRICS_SHOWN = (50, 469), ("bce", "recall")
VALUES = np.random.default_rng(0).normal(10, 2, (2, 5, 2, 2))  # model, seed, step, metric


def evaluation(values):
    rows = [
        (step, metric, values[i, j]) for i, step in enumerate(STEPS) for j, metric in enumerate(METRICS_SHOWN)
    ]
    return pd.DataFrame(rows, columns=["step", "metric", "value"])


def evaluations(seeds=range(5)):
    runs = {
        (name, seed): evaluation(VALUES[model, seed])
        for model, name in enumerate(("VAE0", "TopoVAE1"))
        for seed in seeds
    }
    return table_of_runs(runs)


def test_means_and_differences_are_those_of_scipy():
    summary = summarise(evaluations(), {"TopoVAE1": "VAE0"}, 0.9)
    assert len(summary) == 2 * 2 * 2
    row = summary.set_index(["model", "step", "metric"]).loc[("TopoVAE1", 469, "recall")]
    theirs, ours = VALUES[:, :, 1, 1]
    assert row["n"] == 5
    assert row["mean"] == pytest.approx(ours.mean())
    paired = stats.ttest_rel(ours, theirs).confidence_interval(0.9)
    assert [row["difference_low"], row["difference_high"]] == pytest.approx([paired.low, paired.high])
    assert row["difference"] == pytest.approx((ours - theirs).mean())
    assert row["spread"] == pytest.approx(theirs.std(ddof=1))
    assert row["baseline"] == "VAE0"
    assert summary.loc[summary["model"] == "VAE0", "difference"].isna().all()


def test_one_seed_has_no_interval():
    summary = summarise(evaluations(seeds=[0]), {"TopoVAE1": "VAE0"}, 0.95)
    assert summary[["low", "high", "difference_low", "spread"]].isna().all(axis=None)
    assert summary["difference"].notna().sum() == 4


def test_a_missing_seed_is_an_error():
    table = evaluations()
    with pytest.raises(ValueError, match="differ in seeds"):
        summarise(table[~((table["model"] == "VAE0") & (table["seed"] == 2))], {"TopoVAE1": "VAE0"}, 0.95)


def test_the_table_says_which_way_is_better_and_what_real_images_reach():
    summary = summarise(evaluations(), {"TopoVAE1": "VAE0"}, 0.95)
    rows = in_order(summary, ["recall", "bce"])
    assert rows["step"].is_monotonic_increasing
    table = held_out_table(rows, {"recall": 0.9}).query("step == '469'")
    assert table["metric"].tolist() == ["recall"] * 2 + ["bce"] * 2
    assert table["better"].tolist() == ["higher"] * 2 + ["lower"] * 2
    assert table["real images"].tolist() == ["0.9"] * 2 + [""] * 2
    gains = dict(zip(table["model"] + table["metric"], table["minus baseline"], strict=True))
    assert gains["VAE0bce"] == ""
    assert gains["TopoVAE1bce"][0] in "+-"
    assert gains["TopoVAE1bce"].endswith("]")


def test_the_rounding_of_a_mean_is_not_shown():
    rows = summarise(evaluations(), {"TopoVAE1": "VAE0"}, 0.95)
    rounded = {"difference": 1.7e-19, "difference_low": -0.0007452, "difference_high": 0.0007452}
    table = held_out_table(rows.assign(**rounded), {})
    assert set(table["minus baseline"]) == {"+0.0000000 [-0.0007452, +0.0007452]"}


def test_kld_points_nowhere():
    assert METRICS["kld"].direction == 0
