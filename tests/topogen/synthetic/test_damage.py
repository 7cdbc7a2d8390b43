import numpy as np
import pytest
from strategies import synthetic_images

from topogen.data.batches import scaled
from topogen.synthetic import damage

IMAGES, LABELS = synthetic_images(60), np.arange(60) % 10
REGULARIZERS = [
    {"name": "bottleneck", "degree": 0, "weight": 1},
    {"name": "bottleneck", "degree": 1, "weight": 1},
    {"name": "entropy", "degree": 0, "weight": 2, "parameters": {"delta": 0}},
    {"name": "push", "degree": 0, "weight": 1},
    {"name": "signature", "weight": 1, "parameters": {"relative": False}},
    {"name": "rtd_lite", "weight": 1},
]
NONE = {"noise": 0, "dropped": 0, "classes": 10, "duplicates": 0}


@pytest.fixture
def batch():
    place = slice(0, 20)
    return damage.Batch(scaled(IMAGES[place]).flatten(1).numpy(), place, IMAGES, LABELS)


def stream():
    return np.random.default_rng(1)


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_no_damage_leaves_the_batch(batch, name):
    np.testing.assert_array_equal(damage.DAMAGES[name](stream(), batch, NONE[name]), batch.images)


def test_damages_are_what_they_say(batch):
    noisy = damage.noise(stream(), batch, 0.1)
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    assert np.std((noisy - batch.images)[(batch.images > 0.4) & (batch.images < 0.6)]) == pytest.approx(
        0.1, rel=0.1
    )
    black = damage.dropped(stream(), batch, 0.3)
    assert (black[batch.images > 0] == 0).mean() == pytest.approx(0.3, abs=0.03)
    pool = scaled(IMAGES).flatten(1).numpy()
    (label,) = {LABELS[(pool == image).all(axis=1).argmax()] for image in damage.classes(stream(), batch, 1)}
    assert label in LABELS
    copies = damage.duplicates(stream(), batch, 0.75)
    assert len(np.unique(copies, axis=0)) == 5
    assert len(np.unique(damage.duplicates(stream(), batch, 1), axis=0)) == 1


def test_damage_of_level_zero_is_no_change_and_collapse_is_noticed():
    levels = {name: [level] for name, level in NONE.items()} | {"duplicates": [0, 0.9]}
    table = damage.changes(
        IMAGES, LABELS, batch_size=20, batches=3, levels=levels, regularizers=REGULARIZERS, seed=0
    )
    none = table[[NONE.get(row.damage, -1) == row.level for row in table.itertuples()]]
    assert len(none) == 3 * 4 * len(REGULARIZERS)
    assert (none["change"] == 0).all()
    assert (table["damage"] == damage.CLEAN).sum() == 3 * 2 * len(REGULARIZERS)
    seen = damage.noticed(table).set_index(["regularizer", "damage", "level"])
    assert seen.loc[("entropy_0", "duplicates", 0.9), "beyond"] == 1
    assert seen.loc[("entropy_0", "duplicates", 0), "beyond"] == 0


def test_a_bottleneck_moves_few_images():
    moved = damage.moved_images(IMAGES, batch_size=20, batches=3, regularizers=REGULARIZERS)
    by_name = moved.set_index("regularizer")["moved"]
    assert by_name["bottleneck_0"].max() <= 2  # the two ends of one edge
    assert by_name["bottleneck_1"].max() <= 4  # of a birth and of a death
    assert (by_name["push_0"] == 20).all()


def test_batches_of_one_class_are_of_that_class():
    arrays = damage.one_class_batches(IMAGES, LABELS, batch_size=4)
    assert arrays["names"].tolist() == ["all", *map(str, range(10))]
    np.testing.assert_array_equal(arrays["images_3"][:4], scaled(IMAGES[3:34:10]))
    assert arrays["diagram_3_0"].shape == (3, 2)
