import numpy as np
import pytest
import torch
from strategies import ordered, slow_rips, synthetic_images

from topogen.data.references import reference_diagrams

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
