import numpy as np
import pytest
import torch
from strategies import ordered, slow_rips, synthetic_images

from topogen.data.references import WRONG_CLOUDS, reference_diagrams, wrong_diagrams

IMAGES = synthetic_images(20)  # batches of 8, 8 and 4


@pytest.mark.parametrize("threads", [1, 3])
def test_reference_diagrams_are_those_of_each_batch_in_order(tmp_path, threads):
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    result = reference_diagrams(mapped, batch_size=8, degrees=(0, 1), threads=threads)
    assert len(result) == 3
    for batch, start in zip(result, (0, 8, 16), strict=True):
        cloud = torch.from_numpy(IMAGES[start : start + 8]).flatten(1).double() / 255
        distances = (cloud[:, None] - cloud[None, :]).norm(dim=2)
        for degree, diagram in enumerate(batch):
            assert diagram.dtype == np.float32
            np.testing.assert_allclose(ordered(diagram), slow_rips(distances, degree), rtol=1e-6)


LABELS = np.array([1, 0, 0, 0, 0, 0, 0, 1] * 2 + [0, 1, 0, 1])
BATCHES = [slice(0, 8), slice(8, 16), slice(16, 20)]


def wrong_cloud(kind, batch):
    return WRONG_CLOUDS[kind](IMAGES, LABELS, BATCHES, batch)


@pytest.mark.parametrize("kind", WRONG_CLOUDS)
def test_wrong_diagrams_are_those_of_the_wrong_cloud_of_each_batch(kind):
    found = wrong_diagrams(kind, IMAGES, LABELS, 8, degrees=(0, 1), threads=2)
    for batch, diagrams in enumerate(found):
        cloud = wrong_cloud(kind, batch).double()
        distances = (cloud[:, None] - cloud[None, :]).norm(dim=2)
        np.testing.assert_allclose(ordered(diagrams[0]), slow_rips(distances, 0), rtol=1e-5)


def test_wrong_clouds_are_other_images():
    points = torch.from_numpy(IMAGES).flatten(1) / 255
    torch.testing.assert_close(wrong_cloud("other_batch", 0), points[8:16].float())
    torch.testing.assert_close(wrong_cloud("other_batch", 1), points[:8].float())  # the last one has only 4
    torch.testing.assert_close(wrong_cloud("other_batch", 2), points[:4].float())
    torch.testing.assert_close(wrong_cloud("one_class", 0), points[[0, 7, 8, 15, 17, 19]].float())
    torch.testing.assert_close(wrong_cloud("one_class", 2), points[[1, 2, 3, 4]].float())


@pytest.mark.parametrize("batches", [[slice(0, 8)], [slice(0, 8), slice(8, 12)]])
def test_without_another_batch_of_as_many_images_there_is_no_wrong_one(batches):
    with pytest.raises(ValueError, match=r"other_batch: batch 0 has 8 images.*lower training.batch_size"):
        WRONG_CLOUDS["other_batch"](IMAGES, LABELS, batches, 0)


def test_normal_points_have_the_mean_and_the_covariance_of_the_batch():
    points = np.random.default_rng(0).integers(0, 256, (400, 1, 1, 3)) // [1, 2, 1] + [0, 0, 9]
    cloud = WRONG_CLOUDS["normal"](points, np.zeros(400), [slice(0, 400)], 0).double()
    expected = torch.from_numpy(points).flatten(1).double() / 255
    torch.testing.assert_close(cloud.mean(dim=0), expected.mean(dim=0), atol=0.05, rtol=0)
    torch.testing.assert_close(cloud.T.cov(), expected.T.cov(), atol=0.02, rtol=0)
    assert not torch.isin(cloud, expected).any()
