"""Known effects through the whole rule: residuals with an effect added, and a history with one built in."""

import numpy as np
import pandas as pd
import pytest

from topogen.evidence.calibration import calibration, drawn_seeds, residuals
from topogen.evidence.effects import effects
from topogen.evidence.improvement import improvement
from topogen.evidence.rule import judged

SEEDS, STEPS = 10, (25, 50, 75)
RULES = {"margin": 0.1, "confidence": 0.95}


def noise(sd, models=4):
    """r(s) of models that vary from seed to seed, and of one that is its baseline."""
    stream = np.random.default_rng(0)
    rows = [
        {"model": f"M{model}", "seed": seed, "step": step, "r": 3 + stream.normal(0, sd)}
        for model in range(models)
        for seed in range(SEEDS)
        for step in (*STEPS, 99)
    ]
    equal = [{"model": "equal", "seed": seed, "step": 25, "r": 0.0} for seed in range(SEEDS)]
    return pd.DataFrame(rows + equal)


def test_residuals_have_no_mean_and_the_variance_of_the_seeds():
    table = noise(0.5)
    found = residuals(table, STEPS)
    assert set(found.columns) == {(f"M{model}", step) for model in range(4) for step in STEPS}
    assert found.mean().to_numpy() == pytest.approx(0, abs=1e-12)
    first = table[(table["model"] == "M0") & (table["step"] == 25)]["r"]
    assert (found["M0", 25] ** 2).mean() == pytest.approx(first.var())


def test_a_drawn_seed_is_a_seed_up_to_its_sign():
    rows = np.arange(6.0).reshape(3, 2) + 1
    drawn = drawn_seeds(rows, 500, np.random.default_rng(0))
    assert {tuple(row) for row in np.abs(drawn)} == {tuple(row) for row in rows}
    assert (np.sign(drawn[:, 0]) == np.sign(drawn[:, 1])).all()
    assert abs(drawn.mean()) < 0.5


def test_the_rule_finds_large_effects_and_seldom_what_is_not_there():
    table = residuals(noise(0.1), STEPS)
    draws = {"seeds": [10], "trials": 60, "seed": 1}
    chances, errors = calibration(table, [1] * 12, effects=[0, 0.1, 0.5], **draws, **RULES)
    shares = chances.groupby("effect")[["positive", "negative", "negligible", "undecided"]].mean()
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1)
    assert shares.loc[0.5, "positive"] > 0.9
    assert shares.loc[0, ["positive", "negative"]].sum() < 0.05
    wrong = errors.set_index("effect")
    assert np.isnan(wrong.loc[0, "wrongly_negligible"])
    assert wrong.loc[0, "wrong_direction"] < 0.15
    assert wrong.loc[0.1, "wrongly_negligible"] < 0.15  # as large as the margin


@pytest.mark.parametrize(("margin", "verdict"), [(0.25, "negligible"), (0.05, "positive")])
def test_two_permille_of_bce_are_negligible_or_positive_as_the_margin_says(margin, verdict):
    """A model whose BCE is that of VAE0 times 0.998, at every step: r(s) is 0.2 %."""
    bce = np.random.default_rng(0).normal(300, 20, (SEEDS, len(STEPS)))
    histories = pd.DataFrame(
        [
            {"model": model, "seed": seed, "step": step, "bce": factor * bce[seed, place], "floor": 200.0}
            for model, factor in (("VAE0", 1.0), ("Better", 0.998))
            for seed in range(SEEDS)
            for place, step in enumerate(STEPS)
        ]
    )
    table = improvement(histories, {"Better": "VAE0"})
    effect = effects(table, ["model", "step"], "r", confidence=0.95, margin=margin)
    family = effect[["model", "step"]].assign(family="one", rows=1)
    found = judged(effect, family, confidence=0.95, power=0.8)
    assert found["mean"].to_numpy() == pytest.approx(0.2)
    assert found["verdict"].tolist() == [verdict] * 3
