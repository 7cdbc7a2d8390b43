"""Which distances see which damage."""

import numpy as np
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
def test_the_area_is_the_share_of_pairs(axis):
    stream = np.random.default_rng(0)
    damaged, real = stream.integers(0, 4, (2, 3, 5)).astype(float)
    expected = []
    for first, second in zip(np.moveaxis(damaged, axis, -1), np.moveaxis(real, axis, -1), strict=True):
        pairs = [(a > b) + (a == b) / 2 for a in first for b in second]
        expected.append(np.mean(pairs))
    np.testing.assert_allclose(area(damaged, real, axis=axis), expected)


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="two sets of 50 need more than the 80 images"):
        responses(IMAGES, LABELS, damages={}, **SETTINGS | {"size": 50})
