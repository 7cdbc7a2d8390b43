"""The rule: what effects of one family and of several say together."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from topogen.evidence.effects import effects
from topogen.evidence.rule import (
    compatible,
    half_of_last_digit,
    holm,
    judged,
    seeds_for_equivalence,
    seeds_to_find,
)

SEEDS = 10
SETTINGS = {"confidence": 0.95, "margin": 0.2}
QUESTION = {"rows": 12, "level": 0.05, "power": 0.8}


def verdicts(differences, families=None):
    """Verdicts on effects by name; all of them one family, if none are given: name -> (family, rows)."""
    rows = [
        {"model": model, "seed": seed, "r": value}
        for model, values in differences.items()
        for seed, value in enumerate(values)
    ]
    effect = effects(pd.DataFrame(rows), ["model"], "r", **SETTINGS)
    families = dict.fromkeys(differences, ("one", 1)) if families is None else families
    table = pd.DataFrame(
        [(model, *family) for model, family in families.items()], columns=["model", "family", "rows"]
    )
    return judged(effect, table, confidence=0.95, power=0.8).set_index("model")


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        (np.linspace(0.5, 1.5, SEEDS), "positive"),
        (np.linspace(-1.5, -0.5, SEEDS), "negative"),
        (np.linspace(-0.1, 0.1, SEEDS), "negligible"),
        (np.linspace(0.05, 0.1, SEEDS), "negligible"),  # significant besides
        (np.linspace(-9, 9, SEEDS), "undecided"),
        (np.zeros(SEEDS), "equal in every seed"),
        (np.linspace(0.5, 1.5, 5), "undecided"),  # too few seeds for any test
    ],
)
def test_verdicts_follow_the_rule(differences, expected):
    row = verdicts({"A": differences}).loc["A"]
    assert row["verdict"] == expected
    assert not row["before_correction"]


def test_what_only_the_uncorrected_interval_excludes_is_undecided_and_marked():
    stream = np.random.default_rng(0)
    alone = {"A": np.linspace(-0.3, 1.5, SEEDS)}
    assert verdicts(alone).loc["A", "verdict"] == "positive"
    found = verdicts(alone | {f"noise {k}": stream.normal(size=SEEDS) for k in range(11)}).loc["A"]
    assert (found["verdict"], found["before_correction"]) == ("undecided", True)
    assert found["low"] > 0
    assert found["p_holm"] == pytest.approx(12 * found["p"])


def test_a_row_counts_as_many_as_it_stands_for():
    pair = {"A": np.linspace(-0.3, 1.5, SEEDS), "B": np.linspace(-2, 1, SEEDS)}
    copies = {f"{name} {copy}": values for name, values in pair.items() for copy in range(4)}
    weighted, repeated = verdicts(pair, dict.fromkeys(pair, ("one", 4))), verdicts(copies)
    for column in ("p_holm", "p_equivalence_holm", "seeds_needed", "verdict"):
        assert weighted[column].tolist() == repeated.loc[["A 0", "B 0"], column].tolist()


def test_the_correction_is_that_of_holm():
    p = np.random.default_rng(6).uniform(size=9) ** 3
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p, np.ones(9, int)), expected)


def test_another_family_and_rows_in_none_change_no_verdict():
    stream = np.random.default_rng(1)
    asked = {name: stream.normal(0.3, 0.4, SEEDS) for name in "ABC"}
    families = dict.fromkeys(asked, ("published", 1))
    more = asked | {"last step": np.ones(SEEDS), "equal": np.zeros(SEEDS)}
    more |= {f"new {k}": stream.normal(size=SEEDS) for k in range(20)}
    wider = families | {f"new {k}": ("further", 1) for k in range(20)} | {"equal": ("published", 1)}
    before, after = verdicts(asked, families), verdicts(more, wider)
    pd.testing.assert_frame_equal(before, after.loc[list(asked)])
    assert after.loc[["last step", "equal"], "p_holm"].isna().all()
    assert after.loc[["last step", "equal"], "verdict"].tolist() == ["", "equal in every seed"]


@pytest.mark.slow
def test_both_tests_keep_their_level_over_a_family(monkeypatch):
    # Slow, and not asked here.
    for name in ("seeds_to_find", "seeds_for_equivalence"):
        monkeypatch.setattr(f"topogen.evidence.rule.{name}", lambda *_, **__: 2)
    stream = np.random.default_rng(4)
    families, wrong = 60, {"no effect": 0, "effects of the margin": 0}
    for _ in range(families):
        noise = {str(k): stream.normal(size=SEEDS) for k in range(6)}
        found = verdicts(noise)
        assert (found["p_holm"] >= found["p"]).all()
        wrong["no effect"] += found["verdict"].isin(["positive", "negative"]).any()
        at_margin = {name: 0.2 + values / 10 for name, values in noise.items()}
        wrong["effects of the margin"] += (verdicts(at_margin)["verdict"] == "negligible").any()
    for count in wrong.values():
        assert count / families <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / families)


def test_so_many_seeds_find_the_margin_as_often_as_promised():
    n = int(seeds_to_find(0.2, 0.3, **QUESTION))
    stream = np.random.default_rng(2)
    samples = stream.normal(0.2, 0.3, (10_000, n))
    found = (stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05 / 12).mean()
    assert found == pytest.approx(0.8, abs=0.03)
    signs = stream.choice([-1.0, 1.0], (2000, n))
    sums = np.abs(samples[:200] @ signs.T)
    p = (sums >= np.abs(samples[:200].sum(axis=1, keepdims=True))).mean(axis=1)
    assert (p < 0.05 / 12).mean() == pytest.approx(0.8, abs=0.1)


def test_so_many_seeds_show_equivalence_as_often_as_promised():
    n = int(seeds_for_equivalence(0.2, 0.3, **QUESTION))
    samples = np.random.default_rng(3).normal(0, 0.3, (10_000, n))
    below, above = (
        stats.ttest_1samp(samples, end, axis=1, alternative=way).pvalue < 0.05 / 12
        for end, way in ((0.2, "less"), (-0.2, "greater"))
    )
    assert (below & above).mean() == pytest.approx(0.8, abs=0.03)


def test_seeds_of_one_mind_are_still_as_many_as_the_signs_need():
    """2/2^9 times 12 rows is below .05, 2/2^8 times 12 is not."""
    for sd in (0, 1e-15, 0.01):
        assert seeds_to_find(0.2, sd, **QUESTION) == 9
    assert seeds_to_find(0.2, 0, rows=1, level=0.05, power=0.8) == 6
    assert seeds_for_equivalence(0.2, 0, **QUESTION) == 2
    assert seeds_to_find(0, 1, **QUESTION) == seeds_for_equivalence(0, 1, **QUESTION) == math.inf
    assert math.isnan(seeds_to_find(0.2, math.nan, **QUESTION))


def test_means_of_two_alike_experiments_are_compatible_as_often_as_promised():
    stream = np.random.default_rng(5)
    trials = 4000
    ours, theirs = stream.normal(0, 1, (trials, SEEDS)), stream.normal(0, 1, (trials, 8)).mean(axis=1)
    effect = pd.DataFrame({"n": SEEDS, "mean": ours.mean(axis=1), "sd": ours.std(axis=1, ddof=1)})
    settings = {"seeds": 8, "confidence": 0.95}
    answers = compatible(effect, pd.Series(theirs), rounding=0, **settings)
    assert (answers == "yes").mean() == pytest.approx(0.95, abs=0.012)
    rounded = compatible(effect, pd.Series(theirs), rounding=0.5, **settings)
    assert ((answers == "no") & (rounded == "yes")).any()
    assert set(compatible(effect, effect["mean"] * np.nan, rounding=0, **settings)) == {""}


def test_digits_are_counted_over_the_whole_table():
    assert half_of_last_digit([0.3, 1.2, 1]) == pytest.approx(0.05)
    assert half_of_last_digit([3, 10]) == pytest.approx(0.5)
