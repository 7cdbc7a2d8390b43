"""Landmarks of large clouds."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import clouds, normal

from torchrips import landmarks
from torchrips.distances import bottleneck
from torchrips.persistence import rips_diagrams


@given(cloud=clouds(), data=st.data())
def test_diagrams_of_landmarks_are_near_those_of_all_points(cloud, data):
    if len(cloud) == 0:
        return
    chosen, radius = landmarks(cloud, data.draw(st.integers(1, len(cloud))))
    for some, everything in zip(rips_diagrams(cloud[chosen]), rips_diagrams(cloud), strict=True):
        assert bottleneck(some, everything) <= 2 * radius * (1 + 1e-12)


@given(cloud=clouds(), data=st.data())
def test_each_landmark_is_farthest_from_those_before_it(cloud, data):
    if len(cloud) == 0:
        return
    count = data.draw(st.integers(1, len(cloud)))
    chosen, radius = landmarks(cloud, count)
    distances = torch.cdist(cloud, cloud, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    chosen = chosen.numpy()
    assert chosen[0] == 0
    for k in range(1, count):
        nearest = distances[:, chosen[:k]].min(axis=1)
        np.testing.assert_allclose(nearest[chosen[k]], nearest.max(), rtol=1e-12)
    np.testing.assert_allclose(radius, distances[:, chosen].min(axis=1).max(), rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_landmarks_of_other_dtypes_neither_overflow_nor_vanish(dtype):
    cloud = torch.tensor([[0.0], [1.0], [5.0], [4.0]], dtype=dtype)
    largest = torch.finfo(dtype).max / 8
    for scale in (1.0, largest):
        chosen, radius = landmarks(cloud * scale, 2)
        assert chosen.tolist() == [0, 2]
        assert radius == pytest.approx(scale, rel=0.01)


@pytest.mark.parametrize("count", [0, 6])
def test_there_are_at_most_as_many_landmarks_as_points(count):
    with pytest.raises(ValueError, match="1 <= count <= 5"):
        landmarks(normal(0, 5, 2), count)


def test_what_is_not_a_finite_cloud_is_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        landmarks(torch.tensor([[math.nan]]), 1)
    with pytest.raises(TypeError, match=r"expected a torch\.Tensor"):
        landmarks(np.zeros((3, 2)), 1)
