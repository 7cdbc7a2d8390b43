"""SPHERES, next to what the paper says of them, and their way through the house of images."""

import numpy as np
import pytest
import torch

from topogen.data.batches import scaled
from topogen.data.datasets import read
from topogen.data.orders import shuffled_batches
from topogen.data.spheres import points_of_spheres


def sphere_through(points):
    """Centre and radius of the sphere that fits points best: a linear problem."""
    unknown = np.column_stack([2 * points, np.ones(len(points))])
    *centre, rest = np.linalg.lstsq(unknown, np.square(points).sum(axis=1))[0]
    return np.array(centre), np.sqrt(rest + np.square(centre).sum())


def test_ten_spheres_lie_inside_an_eleventh():
    points, labels = points_of_spheres()
    spheres = [sphere_through(points[labels == number].astype(np.float64)) for number in range(11)]
    assert np.bincount(labels).tolist() == [500] * 10 + [5000]
    assert [radius for _, radius in spheres] == pytest.approx([5] * 10 + [25], rel=1e-4)
    farthest = max(np.linalg.norm(centre) for centre, _ in spheres[:10])
    assert 8 < farthest < 15  # about the root of 101; with the radius 5 it stays inside of 25
    np.testing.assert_allclose(spheres[10][0], 0, atol=1e-3)


def test_vectors_are_read_as_they_are(tmp_path):
    vectors, labels = read(tmp_path, "spheres", (1, 1, 101), 11, train=True)
    test, test_labels = read(tmp_path, "spheres", (1, 1, 101), 11, train=False)
    assert (vectors.shape, test.shape, vectors.dtype) == ((9000, 1, 1, 101), (1000, 1, 1, 101), np.float32)
    # The first ones of the test in the files that were published with the paper.
    assert test_labels[:15].tolist() == [10, 9, 3, 9, 9, 10, 1, 10, 10, 0, 5, 10, 10, 10, 7]
    assert np.bincount(np.append(labels, test_labels)).tolist() == [500] * 10 + [5000]
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(vectors.std(axis=0), 1, atol=1e-4)
    assert torch.equal(scaled(vectors[:3]), torch.from_numpy(vectors[:3]))


def test_every_epoch_has_all_images_in_another_order():
    batches = shuffled_batches(10, 4, seed=3, epochs=2)
    epochs = [np.concatenate(batches[:3]), np.concatenate(batches[3:])]
    assert [len(batch) for batch in batches] == [4, 4, 2] * 2
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0].tolist() != epochs[1].tolist()
    assert np.concatenate(shuffled_batches(10, 4, seed=3, epochs=1)).tolist() == epochs[0].tolist()
