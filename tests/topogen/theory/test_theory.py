import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, generic_clouds
from torch import nn

from topogen.theory import differentiability as theory
from topogen.theory import stability
from torchrips.distances import bottleneck
from torchrips.persistence import rips_diagrams
from torchrips.regularizers import REGULARIZERS

CLOUDS = [{"shape": "sphere", "dimension": 3, "points": 16, "degrees": [0, 1, 2]}]
PARAMETERS = {
    "push": {},
    "bottleneck": {},
    "reininghaus": {"sigma": 0.05},
    "4sgde": {"start": 0, "stop": 2, "points": 9, "sigma": 0.3, "scale": 0.5},
    "entropy": {"delta": 0.02},
}


@pytest.mark.parametrize("shape", theory.SHAPES)
def test_shapes_are_clouds_of_the_seed(shape):
    first, second = (theory.SHAPES[shape](np.random.default_rng(3), 7, 4) for _ in range(2))
    assert first.shape == (7, 4)
    np.testing.assert_array_equal(first, second)


# Stability.


@given(cloud=generic_clouds(min_size=3, dimensions=(2, 3)), seed=SEEDS, degree=st.integers(0, 2))
def test_diagrams_differ_by_at_most_the_largest_change_of_a_distance(cloud, seed, degree):
    moves = torch.from_numpy(np.random.default_rng(seed).standard_normal(cloud.shape))
    moved = cloud + 0.3 * moves
    (before,), (after,) = (rips_diagrams(points, (degree,)) for points in (cloud, moved))
    change = (torch.pdist(moved) - torch.pdist(cloud)).abs().max().item()
    assert bottleneck(before, after).item() <= change + 1e-12
    assert change <= math.sqrt(2) * (moved - cloud).norm().item() + 1e-12


@pytest.mark.parametrize("degree", [0, 1])
def test_the_adversary_moves_two_points_apart_and_attains_the_sharp_bound(degree):
    stream = np.random.default_rng(0)
    cloud = theory.SHAPES["sphere"](stream, 12, 2)
    move = stability.MOVES["critical edge"](stream, cloud, degree)
    ends = np.flatnonzero(move.any(axis=1))
    assert len(ends) == 2
    np.testing.assert_allclose(move[ends[0]], -move[ends[1]])
    moved = cloud + 1e-6 * move / np.linalg.norm(move)
    (before,), (after,) = (rips_diagrams(torch.from_numpy(points), (degree,)) for points in (cloud, moved))
    assert bottleneck(before, after).item() == pytest.approx(math.sqrt(2) * 1e-6, rel=1e-6)


def test_the_adversary_of_an_empty_diagram_moves_two_points():
    cloud = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    move = stability.MOVES["critical edge"](np.random.default_rng(0), cloud, 1)
    assert len(np.flatnonzero(move.any(axis=1))) == 2


def test_stability_holds_and_is_reproducible():
    table, again = (stability.stability(CLOUDS, 5, (0.001, 0.1), seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(table, again)
    assert len(table) == 5 * len(stability.MOVES) * 3
    assert table["epsilon"].between(0.001 - 1e-9, 0.1 + 1e-9).all()
    worst = stability.worst_ratios(table)
    assert (worst["above_tight"] == 0).all()
    assert (worst["above_bound"] == 0).all()
    assert worst.loc[worst["move"] == "critical edge", "worst"].max() == pytest.approx(math.sqrt(2), rel=1e-9)


def test_violations_would_be_counted():
    ratios = [0.5, math.sqrt(2), 1.5, 2.0, 3.0]
    worst = stability.worst_ratios(pd.DataFrame({"degree": 0, "move": "one point", "ratio": ratios})).iloc[0]
    assert (worst["perturbations"], worst["above_tight"], worst["above_bound"]) == (5, 3, 2)
    assert (worst["mean"], worst["worst"]) == (pytest.approx(np.mean(ratios)), 3.0)


# Differentiability.


def test_gradients_agree_with_differences_at_random_clouds():
    errors = theory.gradient_errors(CLOUDS, PARAMETERS, count=2, step=1e-6, seed=0)
    agreement = theory.gradient_agreement(errors, tolerance=1e-5)
    rows = {(row.degree, row.regularizer) for row in agreement.itertuples()}
    assert rows == {(k, name) for k in (0, 1, 2) for name in PARAMETERS if k == 0 or name != "4sgde"}
    assert (agreement["agree"] == 1).all()
    assert (agreement.loc[agreement["regularizer"] == "push", "flat"] < 1).all()


def test_a_wrong_gradient_is_noticed(monkeypatch):
    class Doubled(nn.Module):
        def forward(self, diagram, reference):
            value = diagram.sum()
            return 2 * value - value.detach()

    monkeypatch.setitem(REGULARIZERS, "push", Doubled)
    clouds = [CLOUDS[0] | {"degrees": [0, 1]}]
    errors = theory.gradient_errors(clouds, {"push": {}}, count=1, step=1e-6, seed=0)
    assert errors["error"].to_numpy() == pytest.approx(0.5)
    assert (theory.gradient_agreement(errors, 1e-5)["agree"] == 0).all()


def test_a_gradient_of_zero_agrees_with_differences_of_zero(monkeypatch):
    class Constant(nn.Module):
        def forward(self, diagram, reference):
            return reference.sum() + 0 * diagram.sum()

    monkeypatch.setitem(REGULARIZERS, "push", Constant)
    errors = theory.gradient_errors(CLOUDS, {"push": {}}, count=1, step=1e-6, seed=0)
    assert not errors[["error", "norm"]].to_numpy().any()
    assert (theory.gradient_agreement(errors, 1e-5)["flat"] == 1).all()


@pytest.fixture(scope="module")
def paths():
    return theory.exception_paths(PARAMETERS, delta=0.1)


def test_slopes_at_the_exceptions_are_known(paths):
    slopes = theory.slopes_at_exceptions(paths, 1e-6).set_index(["exception", "regularizer"])
    tie = slopes.loc[("tie of two distances", "push")]
    assert (tie["before"], tie["after"]) == (
        pytest.approx(-0.5 / 1.3, abs=1e-5),
        pytest.approx(0.5 / 1.3, abs=1e-5),
    )
    pair = slopes.loc[("critical pair changes", "bottleneck")]
    assert (pair["before"], pair["after"]) == (pytest.approx(-1), pytest.approx(1))
    crossing = slopes.loc[("lifetime crosses delta", "entropy")]

    def entropy(*lifetimes):
        return -sum(x / sum(lifetimes) * math.log(x / sum(lifetimes)) for x in lifetimes)

    assert crossing["jump"] == pytest.approx(entropy(1.5, 1, 0.1) ** 2 - entropy(1.5, 1) ** 2, abs=1e-6)
    assert crossing["before"] == 0


def test_every_tie_is_a_kink_at_which_the_automatic_gradient_is_that_of_one_side(paths):
    ties = theory.slopes_at_exceptions(paths, 1e-6).query("exception == 'tie of two distances'")
    assert set(ties["regularizer"]) == set(PARAMETERS)
    for row in ties.itertuples():
        assert row.jump == pytest.approx(0, abs=1e-9)
        assert abs(row.before - row.after) > 1e-4
        assert min(abs(row.automatic - row.before), abs(row.automatic - row.after)) < 1e-5
        assert row.difference == pytest.approx((row.before + row.after) / 2, abs=1e-5)


def test_paths_agree_with_differences_away_from_the_exception(paths):
    table = theory.along_paths(paths)
    assert (table.groupby(["exception", "regularizer"]).size() == 81).all()
    away = table[table["t"].abs() > theory.STENCIL * 1.001]
    np.testing.assert_allclose(away["automatic"], away["difference"], rtol=0.05, atol=1e-3)


def test_only_the_plain_entropy_is_steep_near_the_diagonal():
    table = theory.entropy_near_diagonal([0, 0.1])
    plain, selective = (table[table["delta"] == delta] for delta in (0, 0.1))
    t = plain["lifetime"]
    total = 2.5 + t
    expected = -(np.log(t / total) + plain["value"]) / total
    np.testing.assert_allclose(plain["slope"], expected, rtol=1e-7)
    assert plain["slope"].iloc[0] > 7
    assert not selective.loc[selective["lifetime"] < 0.1, "slope"].any()
    above = t > 0.1
    np.testing.assert_allclose(selective["slope"][above.to_numpy()], plain["slope"][above])
