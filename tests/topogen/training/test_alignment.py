"""Gradients of regularizers compared with that of the data term, along a training that they do not touch."""

import copy

import numpy as np
import pytest
import torch
from strategies import synthetic_images

from topogen.data.references import reference_diagrams
from topogen.training.alignment import alignment
from topogen.training.trainer import Trainer

IMAGES = synthetic_images(20)  # batches of 8, 8 and 4
LABELS = np.arange(20) % 10
REFERENCES = reference_diagrams(IMAGES, 8, (0, 1), threads=1)
BASELINE = {
    "latent_dim": 3,
    "batch_size": 8,
    "learning_rate": 0.001,
    "seed": 7,
    "kld_weight": 0,
    "regularizers": [],
}
TERMS = [  # shares large enough to be missed in a sum
    {"name": "bottleneck", "degree": 0, "share": 20},
    {"name": "push", "degree": 1, "share": 30, "cloud": "latent"},
]
MODEL = BASELINE | {"regularizers": TERMS}


def flat(model):
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])


def test_gradients_of_data_and_terms_add_up_to_that_of_a_step():
    trainer = Trainer(IMAGES, REFERENCES, **MODEL)
    trainer.step()
    state = copy.deepcopy(trainer.state())
    data, topology = trainer.weight_gradients()
    trainer.restore(state)
    trainer.step()
    whole = flat(trainer.model)
    assert topology.norm() > 0.01 * data.norm()
    assert (data + topology - whole).norm() < 1e-5 * whole.norm()


def test_an_adversary_would_change_the_gradient_between():
    arguments = {"architecture": "gan", "latent_dim": 3, "widths": [2]}
    shared = {name: BASELINE[name] for name in ("batch_size", "learning_rate", "seed", "regularizers")}
    with pytest.raises(ValueError, match="gan: its adversary is updated before"):
        Trainer(IMAGES, REFERENCES, **shared, **arguments).weight_gradients()


def test_the_training_is_that_of_the_baseline_and_directions_are_told():
    models = {
        "own": MODEL,
        "opposite": MODEL | {"direction": "opposite"},
        "other batch": MODEL,
    }
    shifted = [*REFERENCES[1:], REFERENCES[0]]
    table = alignment(
        IMAGES,
        LABELS,
        REFERENCES,
        {"other_batch": shifted},
        baseline=BASELINE,
        models=models,
        wrong={"other batch": "other_batch"},
        steps=4,
    )
    assert len(table) == 12
    cosines = table.pivot(index="step", columns="model", values="cosine")
    np.testing.assert_allclose(cosines["own"], -cosines["opposite"], rtol=1e-5)
    assert (cosines["own"] != cosines["other batch"]).any()
    assert cosines.abs().max(axis=None) <= 1

    trainer = Trainer(IMAGES, REFERENCES, **BASELINE)
    for step in range(4):
        other = Trainer(IMAGES, REFERENCES, **MODEL)
        other.restore(copy.deepcopy(trainer.state()))
        data, topology = other.weight_gradients()
        expected = float(topology.norm() / data.norm())
        ratio = table[(table["model"] == "own") & (table["step"] == step)]["ratio"].item()
        assert ratio == pytest.approx(expected, rel=1e-4)
        trainer.step()
