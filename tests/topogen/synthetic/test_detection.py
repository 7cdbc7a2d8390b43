"""Which distances see which damage."""

import numpy as np
import pandas as pd
import pytest
from strategies import synthetic_images

from topogen.synthetic.damage import CLEAN
from topogen.synthetic.detection import area, areas, responses

IMAGES, LABELS = synthetic_images(80), np.arange(80) % 4
DISTANCES = [
    {"name": "wasserstein", "degree": 0, "parameters": {"order": 2, "ground_norm": 2}},
    {"name": "bottleneck", "degree": 1, "metric": "cosine"},
    {"name": "total_variance"},
]
SETTINGS = {"size": 10, "repetitions": 6, "distances": DISTANCES, "seed": 3}


def test_every_pair_is_compared_by_every_distance():
    table = responses(IMAGES, LABELS, damages={"duplicates": [0.8], "blur": [1, 3]}, **SETTINGS)
    assert len(table) == 6 * 4 * 3
    assert set(zip(table["damage"], table["level"], strict=True)) == {
        (CLEAN, 0.0),
        ("duplicates", 0.8),
        ("blur", 1),
        ("blur", 3),
    }
    assert list(dict.fromkeys(table["distance"])) == [
        "wasserstein 0",
        "bottleneck 1, cosine",
        "total_variance",
    ]
    again = responses(IMAGES, LABELS, damages={"duplicates": [0.8], "blur": [1, 3]}, **SETTINGS)
    assert again.equals(table)


def test_copies_of_two_images_are_seen_and_no_damage_is_not():
    damages = {"duplicates": [0.8], "noise": [0.0]}
    found = areas(responses(IMAGES, LABELS, damages=damages, **SETTINGS), confidence=0.95, seed=1)
    by_distance = found.set_index(["damage", "distance"])["area"]
    assert by_distance["duplicates", "wasserstein 0"] == 1
    assert (by_distance["noise"] == 0.5).all()
    assert (found["low"] <= found["area"]).all()
    assert (found["area"] <= found["high"]).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_the_area_is_the_share_of_pairs_of_different_repetitions(axis):
    stream = np.random.default_rng(0)
    damaged, real = stream.integers(0, 4, (2, 5)).astype(float)
    drawn = stream.integers(0, 5, (3, 5))
    expected = [
        np.mean([(damaged[i] > real[j]) + (damaged[i] == real[j]) / 2 for i in row for j in row if i != j])
        for row in drawn
    ]
    given = drawn if axis == 1 else drawn.T
    np.testing.assert_allclose(area(damaged, real, given, axis=axis), expected)


def test_what_is_a_little_larger_than_its_own_pair_alone_is_not_seen():
    """Each damaged set is farther than the same set undamaged, by next to nothing: 0.5 is the truth."""
    real = np.random.default_rng(1).normal(size=30)
    rows = [
        (i, damage, level, "d", value + level)
        for damage, level in ((CLEAN, 0.0), ("noise", 1e-9))
        for i, value in enumerate(real)
    ]
    table = pd.DataFrame(rows, columns=["repetition", "damage", "level", "distance", "value"])
    (found,) = areas(table, confidence=0.95, seed=0).itertuples()
    assert found.area == 0.5
    assert found.low <= 0.5 <= found.high


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="two sets of 40 need more than the 80 images"):
        responses(IMAGES, LABELS, damages={}, **SETTINGS | {"size": 40})
