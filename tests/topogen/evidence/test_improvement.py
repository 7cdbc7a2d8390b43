import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch.nn import functional

from topogen.cost import median_times
from topogen.evidence.improvement import (
    also_of_baseline,
    at_steps,
    floors_of_batches,
    gradient_sizes,
    improvement,
    lowest_bce,
    mean_over_seeds,
    ratio_of_means,
    table_of_runs,
)

PAIR = {"TopoVAE1": "VAE0"}


def history(*bce):
    return pd.DataFrame({"step": range(len(bce)), "bce": bce, "floor": 20.0})


def test_improvement_is_the_thesis_formula_per_seed_and_step():
    histories = table_of_runs(
        {
            ("VAE0", 10): history(200.0, 100.0),
            ("VAE0", 31): history(400.0, 50.0),
            ("TopoVAE1", 10): history(200.0, 90.0),
            ("TopoVAE1", 31): history(300.0, 51.0),
        }
    )
    table = improvement(histories, PAIR)
    assert list(table) == ["model", "seed", "step", "bce_difference", "bce_baseline", "r", "r_star"]
    r = {(seed, step): r for _, seed, step, *_, r, _ in table.itertuples(index=False)}
    assert r == pytest.approx({(10, 0): 0, (10, 1): 10, (31, 0): 25, (31, 1): -2})
    assert set(table["model"]) == {"TopoVAE1"}
    stars = [0, 100 * 10 / (100 - 20), 100 * 100 / (400 - 20), 100 * -1 / (50 - 20)]
    assert table["r_star"].tolist() == pytest.approx(stars)


def test_the_floor_is_the_bce_of_the_images_themselves():
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 4, 3), np.uint8)
    pixels = torch.from_numpy(images / 255)
    floor = functional.binary_cross_entropy(pixels, pixels, reduction="sum").item()
    assert lowest_bce(images) == pytest.approx(floor)
    nearby = (pixels + 0.001).clamp(0, 1)
    assert lowest_bce(images) < functional.binary_cross_entropy(nearby, pixels, reduction="sum").item()
    assert lowest_bce(255 * np.eye(4, dtype=np.uint8)) == 0
    batches = floors_of_batches(images, 2)
    assert len(batches) == 3
    assert batches.sum() == pytest.approx(floor)


@pytest.mark.parametrize(
    "ours",
    [
        {10: history(1.0, 2.0)},
        {10: history(1.0, 2.0), 99: history(1.0, 2.0)},
        {10: history(1.0, 2.0), 31: history(1.0)},
    ],
    ids=["a seed is missing", "another seed", "a step is missing"],
)
def test_runs_that_are_no_pairs_are_refused(ours):
    baseline = {("VAE0", seed): history(1.0, 2.0) for seed in (10, 31)}
    histories = table_of_runs(baseline | {("TopoVAE1", seed): table for seed, table in ours.items()})
    with pytest.raises(ValueError, match="TopoVAE1 and its baseline VAE0 differ in seeds or steps"):
        improvement(histories, PAIR)


def test_models_of_another_loss_are_named():
    runs = {(model, 10): history(1.0).rename(columns={"bce": "error"}) for model in ("VAE0", "TopoVAE1")}
    with pytest.raises(ValueError, match="bce, which TopoVAE1, VAE0 do not have; write `target: study`"):
        improvement(table_of_runs(runs), PAIR)


@pytest.mark.parametrize(("ours", "theirs"), [([3.0], [4.0, 2.0]), ([3.0, 9.0], [4.0])])
def test_two_models_are_compared_until_the_first_of_them_ends(ours, theirs):
    runs = {("VAE0", seed): history(*theirs) for seed in (10, 31)}
    runs |= {("TopoVAE1", seed): history(*ours) for seed in (10, 31)}
    assert improvement(table_of_runs(runs), PAIR)["r"].tolist() == [25, 25]


def test_the_last_step_of_a_short_training_has_no_counterpart_in_a_long_one():
    steps = {"VAE0": [1, 9], "TopoVAE1": [1, 4]}
    runs = {(model, 10): pd.DataFrame({"step": own, "bce": 1.0}) for model, own in steps.items()}
    kept = also_of_baseline(table_of_runs(runs), PAIR)
    assert kept.groupby("model")["step"].agg(list).to_dict() == {"VAE0": [1, 9], "TopoVAE1": [1]}


def test_the_authors_average_weighs_the_seeds_by_their_bce():
    runs = {("VAE0", 10): history(100.0), ("VAE0", 31): history(300.0)}
    runs |= {("TopoVAE1", 10): history(80.0), ("TopoVAE1", 31): history(300.0)}
    table = improvement(table_of_runs(runs), PAIR)
    assert table["r"].mean() == 10
    assert ratio_of_means(table)["ratio_of_means"].tolist() == [5]


def test_gradient_sizes_are_shares_of_that_of_bce():
    sizes = pd.DataFrame({"step": [0], "gradient_bce": [4.0], "gradient_push_0": [1.0], "bce": [0.0]})
    histories = table_of_runs({("TopoVAE1", seed): sizes for seed in (10, 31)})
    table = gradient_sizes(histories, {"TopoVAE1": ["push_0"]}, 0.95)
    assert table[["model", "term", "n", "mean"]].to_numpy().tolist() == [["TopoVAE1", "push_0", 2, 0.25]]
    assert len(gradient_sizes(histories, {}, 0.95)) == 0


def test_order_of_the_runs_does_not_matter():
    runs = {(model, seed): history(seed) for model in ("VAE0", "TopoVAE1") for seed in (10, 31)}
    shuffled = {key: runs[key] for key in [("TopoVAE1", 31), ("VAE0", 10), ("VAE0", 31), ("TopoVAE1", 10)]}
    assert (improvement(table_of_runs(shuffled), PAIR)["r"] == 0).all()


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_intervals_are_those_of_the_t_test(confidence):
    values = np.random.default_rng(0).normal(1, 3, (2, 7))
    rows = [
        {"model": "TopoVAE1", "seed": seed, "step": 25 * step, "r": values[step, seed]}
        for seed in range(7)
        for step in range(2)
    ]
    means = mean_over_seeds(pd.DataFrame(rows), "r", confidence)
    for row, sample in zip(means.itertuples(), values, strict=True):
        interval = stats.ttest_1samp(sample, 0).confidence_interval(confidence)
        assert row.n == 7
        assert (row.mean, row.low, row.high) == pytest.approx((sample.mean(), interval.low, interval.high))


def test_one_seed_has_a_mean_and_no_interval():
    means = mean_over_seeds(pd.DataFrame({"model": ["m"], "seed": [10], "step": [0], "r": [2.5]}), "r", 0.95)
    assert means[["n", "mean"]].to_numpy().tolist() == [[1, 2.5]]
    assert means[["low", "high"]].isna().all(axis=None)


def test_the_last_step_is_always_reported():
    means = pd.DataFrame({"step": range(6), "mean": range(6)})
    assert at_steps(means, [1, 3])["mean"].tolist() == [1, 3, 5]
    with pytest.raises(ValueError, match=r"steps \[6, 99\] are to be reported, but the last step is 5"):
        at_steps(means, [1, 99, 6])


def test_slowdown_is_the_median_of_ratios_within_a_round():
    """A slow spell of the machine, here round 2, meets the model and its baseline alike."""
    rounds = pd.DataFrame(
        [
            {"model": model, "round": number, "seconds": seconds}
            for model, times in {"VAE0": [1.0, 10.0, 2.0], "TopoVAE1": [3.0, 20.0, 5.0]}.items()
            for number, seconds in enumerate(times, start=1)
        ]
    )
    table = median_times(rounds, PAIR)
    assert table.to_dict("list") == {
        "model": ["VAE0", "TopoVAE1"],
        "seconds": [2.0, 5.0],
        "slowdown": [1.0, 2.5],
    }
