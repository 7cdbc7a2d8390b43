import numpy as np
import pytest
import torch
from strategies import synthetic_images

from topogen.data.batches import scaled
from topogen.data.references import reference_diagrams
from topogen.models.vae import Model
from topogen.theory.schematic import forward_pass
from torchrips.distances import bottleneck


def test_forward_pass_shows_the_terms_of_the_loss():
    images = synthetic_images(12)
    (reference,) = reference_diagrams(images, 12, (0, 1), threads=1)
    torch.manual_seed(0)
    model = Model((1, 28, 28), 3)
    regularizers = [
        {"name": "bottleneck", "degree": 1, "weight": 5},
        {"name": "bottleneck", "degree": 0, "weight": 5, "reference_scale": 0.5},
        {"name": "entropy", "degree": 0, "weight": 2, "parameters": {"delta": 0.1}},
    ]
    arrays, again = (forward_pass(images, reference, model, regularizers, seed=4) for _ in range(2))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    np.testing.assert_array_equal(arrays["images"], scaled(images))
    assert arrays["outputs"].shape == (12, 1, 28, 28)
    for degree in (0, 1):
        np.testing.assert_array_equal(arrays[f"reference_{degree}"], reference[degree])
    for place, degree, scale in ((0, 1, 1), (1, 0, 0.5)):
        pair = torch.from_numpy(arrays[f"diagram_{degree}"]), scale * torch.from_numpy(reference[degree])
        assert arrays["terms"][place] == pytest.approx(bottleneck(*pair).item())
    assert arrays["terms"].shape == (3,)
    assert arrays["bce"] > 0
    assert arrays["kld"] > 0
