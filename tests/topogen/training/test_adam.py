"""Adam against the class of torch, bit for bit."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from topogen.training.adam import Adam


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9)])
@pytest.mark.parametrize("decay", [0, 0.1])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_steps_are_those_of_torchs_class(betas, decay, device):
    """Also after a break, and with a weight that has no gradient in the first steps."""
    torch.manual_seed(3)
    weights = list(nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 1)).to(device).parameters())
    copies = copy.deepcopy(weights)
    expected = torch.optim.Adam(copies, lr=0.01, betas=betas, weight_decay=decay, fused=True)
    optimizer = Adam(weights, 0.01, betas, decay)
    for step in range(12):
        if step == 6:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = Adam(weights, 0.01, betas, decay)
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        assert all(weight.grad is None for weight in weights)
        for weight, other in zip(weights[: 2 + step], copies[: 2 + step], strict=True):
            weight.grad = torch.randn_like(weight)
            other.grad = weight.grad.clone()
        optimizer.step()
        expected.step()
        assert all(map(torch.equal, weights, copies))


def test_a_training_does_not_load_the_compiler():
    """Which takes longer than all the rest of a start."""
    code = """if True:
        import sys
        import numpy as np
        from topogen.training.trainer import Trainer
        term = {"name": "wasserstein", "degree": 1, "weight": 1, "parameters": {"order": 2, "ground_norm": 2}}
        images = np.arange(8 * 64, dtype=np.uint8).reshape(8, 1, 8, 8)
        settings = {"seed": 0, "batch_size": 4, "learning_rate": 0.001, "device": "cpu", "shuffle": 1}
        trainer = Trainer(images, [], regularizers=[term], **settings, latent_dim=2)
        trainer.step()
        sys.exit("torch._dynamo" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
