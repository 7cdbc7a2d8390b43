"""Images of a known shape: the parameter runs through it, and the images follow."""

import numpy as np
import pytest

from topogen.data.planted import CLASSES, COMPONENTS, SHAPES, SIDE, planted
from topogen.evaluation.shape import hole_score

STEPS = np.linspace(0, 1, 40, endpoint=False)


def images_of(shape, first, second):
    return SHAPES[shape](np.stack([first, second], axis=1)).reshape(len(first), -1)


@pytest.mark.parametrize(("shape", "circles"), [("circle", 1), ("torus", 2)])
def test_a_parameter_comes_back_to_where_it_started(shape, circles):
    for place in range(circles):
        moving = [np.full(41, 0.3), np.full(41, 0.3)]
        moving[place] = np.linspace(0, 1, 41)
        images = images_of(shape, *moving)
        np.testing.assert_allclose(images[0], images[-1], atol=1e-9)
        steps = np.linalg.norm(np.diff(images, axis=0), axis=1)
        assert steps.max() < 3 * steps.min()  # and never stands still
        assert np.linalg.norm(images[0] - images[20]) > 3 * steps.max()


def test_a_circle_of_images_has_one_loop_and_blobs_have_gaps():
    assert hole_score(images_of("circle", STEPS, STEPS), degree=1, number=1) > 0.9
    parameters = np.random.default_rng(0).random((2, 80))
    blobs = images_of("components", *parameters)
    assert hole_score(blobs, degree=0, number=COMPONENTS - 1) > 0.5
    assert hole_score(blobs, degree=0, number=COMPONENTS) < 0.5


@pytest.mark.parametrize("shape", SHAPES)
def test_images_are_levels_with_their_classes_and_always_the_same(shape):
    images, labels = planted(shape, train=False)
    assert images.shape == (512, 1, SIDE, SIDE)
    assert images.dtype == np.uint8
    assert images.max() > 200
    assert set(labels) == set(range(CLASSES))
    again, _ = planted(shape, train=False)
    np.testing.assert_array_equal(images, again)
    assert not np.array_equal(images[0], planted(shape, train=True)[0][0])


def test_the_score_of_a_cloud_with_fewer_holes_is_zero():
    points = np.random.default_rng(0).standard_normal((3, 2))
    assert hole_score(points, degree=1, number=1) == 0
    assert hole_score(points[:1], degree=0, number=1) == 0
    angles = 2 * np.pi * STEPS
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    two = np.concatenate([ring, ring + np.array([5, 0])])
    assert hole_score(two, degree=1, number=2) > 0.9
    assert hole_score(two, degree=1, number=1) < 0.1
