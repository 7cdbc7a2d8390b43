"""Autoencoders of any shape: what comes out, where gradients enter, and what a look at them leaves alone."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import normal, synthetic_images

from topogen.models.autoencoder import Model
from topogen.models.families import rebuild
from topogen.training.run import train
from topogen.training.trainer import Trainer

IMAGES = synthetic_images(20)[:, :, ::2, ::4]
ARGUMENTS = {"architecture": "autoencoder", "latent_dim": 2, "hidden": [8, 4], "seed": 7}
ARGUMENTS |= {"batch_size": 8, "learning_rate": 0.01}
LABELS, NOTHING = np.zeros(17, np.uint8), [[]] * 3


@given(
    shape=st.tuples(st.sampled_from([1, 3]), st.integers(4, 20), st.integers(4, 20)),
    hidden=st.none() | st.lists(st.integers(1, 9), max_size=3),
    levels=st.booleans(),
)
@settings(max_examples=15)
def test_any_size_comes_back(shape, hidden, levels):
    images, model = torch.zeros(3, *shape), Model(shape, latent_dim=2, hidden=hidden, levels=levels)
    with torch.no_grad():
        outcome = model.outcome(model(images, torch.zeros(3, 0)), images)
    assert outcome.reconstructions.shape == images.shape
    assert outcome.latents["mean"].shape == (3, 2)
    assert outcome.clouds["output"].points.shape == (3, math.prod(shape))
    assert ((outcome.reconstructions - 0.5).abs() <= 0.5).all() or not levels


def test_the_network_of_the_paper():
    """Twice: weights and biases of 101-32-32-2, and two batch normalisations of 32; one scale."""
    model = Model((1, 1, 101), latent_dim=2, hidden=[32, 32], levels=False)
    linear = 101 * 32 + 32 * 32 + 32 * 2
    biases = (32 + 32 + 2) + (32 + 32 + 101)
    assert sum(weight.numel() for weight in model.parameters()) == 2 * linear + biases + 2 * 2 * 64 + 1


@pytest.mark.parametrize("hidden", [None, [5]])
def test_gradient_of_the_data_term_is_taken_at_the_output(hidden):
    images = normal(0, 4, 1, 8, 7).sigmoid()
    model = Model(images.shape[1:], latent_dim=3, hidden=hidden).double()
    outcome = model.outcome(model(images, torch.zeros(4, 0)), images)
    (expected,) = torch.autograd.grad(outcome.losses["squared_error"], outcome.clouds["output"].place)
    torch.testing.assert_close(outcome.data_gradient, expected)


def test_only_terms_on_the_scaled_latents_move_the_scale():
    scales = {}
    for cloud in ("latent", "scaled"):
        term = {"name": "total_variance", "weight": 1, "cloud": cloud}
        trainer = Trainer(IMAGES, NOTHING, **ARGUMENTS, regularizers=[term])
        trainer.step()
        scales[cloud] = float(trainer.model.scale.detach())
    assert scales["latent"] == 1
    assert scales["scaled"] != 1


def test_looking_at_a_model_in_training_changes_nothing_of_it():
    """Batch normalisation learns from each batch that it sees in a training, but from no other images."""
    looked_at, left_alone = (Trainer(IMAGES, NOTHING, **ARGUMENTS, regularizers=[]) for _ in range(2))
    looked_at.latents_of(IMAGES, np.zeros((20, 0), np.float32))
    looked_at.bce_at_mean(IMAGES)
    for _ in range(3):
        assert looked_at.step()[0] == left_alone.step()[0]


def test_a_rebuilt_model_looks_at_images_one_by_one():
    trainer = Trainer(IMAGES, NOTHING, **ARGUMENTS, regularizers=[])
    trainer.step()
    state = trainer.state()
    model = rebuild(state["built"], state["model"])
    images, noise = torch.from_numpy(IMAGES / np.float32(255)), torch.zeros(20, 0)
    together = model(images, noise)[1]
    torch.testing.assert_close(model(images[:1], noise[:1])[1], together[:1])


def test_a_batch_of_one_image_stops_a_training_that_would_reach_it_and_could_not_learn():
    def trained(**more):
        arguments = {name: value for name, value in ARGUMENTS.items() if name != "seed"} | more
        settings = {"seeds": [7], "epochs": 1, "snapshot_steps": [], "regularizers": []}
        train(IMAGES[:17], LABELS, NOTHING, **settings, **arguments)

    message = "batch_size: of 17 images the last batch has one alone, from which this autoencoder cannot"
    with pytest.raises(ValueError, match=message):
        trained()
    trained(steps=2)
    trained(hidden=None)
