"""Shares: the gradient of a term is as large as it should be, next to losses whose gradients are known."""

import math
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from strategies import normal, synthetic_images
from torch import nn

from topogen.models.families import Cloud, Family, Outcome
from topogen.training.run import train
from topogen.training.trainer import Trainer

IMAGES = np.zeros((4, 1, 1, 3), np.uint8)  # two batches of two points of space, all of them the origin
START = torch.tensor([[3.0, 0.0, 0.0], [0.0, 4.0, 0.0]])  # their distance is 5
NOTHING = [[np.zeros((0, 2), np.float32)] * 2] * 2
# The length of the only bar, squared: its gradient at the points p and q is 2 (p - q) and 2 (q - p).
SQUARE = {"name": "total_persistence", "degree": 0, "parameters": {"power": 2}}
SETTINGS = {"architecture": "points", "seed": 7, "batch_size": 2, "learning_rate": 0.1, "factor": 3}


class Points(Family):
    """Two points, drawn to those of the batch by factor times their squared distance."""

    def __init__(self, shape, factor):
        super().__init__()
        self.points, self.factor = nn.Parameter(START.clone()), factor

    def forward(self, images, noise):
        return (self.points * 1,)

    def outcome(self, passed, images):
        (points,) = passed
        hidden = points * 1  # the data term is a function of it
        error = self.factor * (hidden - images.flatten(1)).square().sum()
        gradient = 2 * self.factor * (points - images.flatten(1)).detach()
        away = self.points * 1  # out of the data term's reach
        clouds = {
            "output": Cloud(points.detach(), points),
            "latent": Cloud(hidden.detach(), hidden),
            "features": Cloud(away.detach(), away),
        }
        return Outcome({"error": error, "rest": points.sum()}, error, gradient, clouds)


@pytest.fixture(autouse=True)
def module(monkeypatch):
    """The module topogen.models.points, as if its file were there."""
    family = ModuleType("topogen.models.points")
    family.Model = Points
    monkeypatch.setitem(sys.modules, family.__name__, family)


def step(*regularizers, **settings):
    """The row of the first step, and the gradient that it left on the points."""
    trainer = Trainer(IMAGES, NOTHING, **SETTINGS | settings, regularizers=regularizers)
    row, _ = trainer.step()
    return row, trainer.model.points.grad


DATA = 6 * START  # the gradient of the data term, of size 30
UNIT = torch.tensor([[3.0, -4.0, 0.0], [-3.0, 4.0, 0.0]]) / math.sqrt(50)  # the direction of SQUARE


@pytest.mark.parametrize("share", [0.1, 2, -0.3, 0])
@pytest.mark.parametrize("cloud", ["output", "latent", "features"])
def test_a_share_is_one_of_the_data_terms_gradient(share, cloud):
    """Whatever the term's size; at a place that the data term does not reach, of its gradient at the output."""
    row, gradient = step(SQUARE | {"share": share, "cloud": cloud})
    torch.testing.assert_close(gradient, DATA + share * 30 * UNIT)
    assert row["total_persistence_0"] == pytest.approx(25)
    assert row["gradient_total_persistence_0"] == pytest.approx(abs(share) * 30, rel=1e-5)
    assert row["weight_total_persistence_0"] == pytest.approx(share * 30 / (2 * math.sqrt(50)), rel=1e-5)


def test_a_share_is_what_its_weight_in_effect_would_have_been():
    shared, gradient = step(SQUARE | {"share": 0.5})
    weighted, other = step(SQUARE | {"weight": shared.pop("weight_total_persistence_0")})
    torch.testing.assert_close(gradient, other)
    assert shared == pytest.approx(weighted)


def test_each_term_has_its_share():
    push = {"name": "push", "degree": 0, "share": 0.2}  # minus the length of the bar
    row, gradient = step(SQUARE | {"share": 0.5}, push)
    torch.testing.assert_close(gradient, DATA + 0.3 * 30 * UNIT)
    assert row["gradient_push_0"] == pytest.approx(6, rel=1e-5)


@pytest.mark.parametrize("distance", [0.0, 1e-9])
def test_a_term_with_next_to_no_gradient_is_left_out(distance, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "START", torch.tensor([[1.0, 0.0, 0.0], [1.0, distance, 0.0]]))
    row, gradient = step(SQUARE | {"share": 0.5})
    assert row["weight_total_persistence_0"] == row["gradient_total_persistence_0"] == 0
    torch.testing.assert_close(gradient, 6 * START)


@pytest.mark.parametrize("control", ["opposite", "permuted", "random", "wrong"])
def test_controls_have_the_same_share(control):
    long = [[np.array([[0, 9]], np.float32)] * 2] * 2
    settings = {"wrong_references": long} if control == "wrong" else {"direction": control}
    # D0 is empty, so the bar is to become shorter; with the wrong diagram it is to become longer.
    term = {"name": "wasserstein", "degree": 0, "parameters": {"order": 2, "ground_norm": 2}, "share": 0.4}
    _, gradient = step(term, **settings)
    added = gradient - DATA
    assert added.norm() == pytest.approx(0.4 * 30, rel=1e-5)
    expected = {"opposite": -UNIT, "permuted": UNIT, "wrong": -UNIT}
    if control in expected:
        torch.testing.assert_close(abs(added), 12 * abs(expected[control]))
    if control in ("opposite", "wrong"):
        torch.testing.assert_close(added, 12 * expected[control])


def test_a_vae_with_shares_has_their_size_at_the_place_of_the_cloud():
    images = synthetic_images(8)
    terms = [
        {"name": "push", "degree": 0, "share": 0.2, "cloud": "latent"},
        SQUARE | {"share": -0.1},
    ]
    trainer = Trainer(
        images, NOTHING, regularizers=terms, seed=7, batch_size=8, learning_rate=0.001, latent_dim=3
    )
    row, _ = trainer.step()
    assert row["gradient_total_persistence_0"] == pytest.approx(0.1 * row["gradient_bce"], rel=1e-5)
    # The same forward pass once more.
    again = Trainer(images, NOTHING, regularizers=[], seed=7, batch_size=8, learning_rate=0.001, latent_dim=3)
    pixels = torch.from_numpy(images).float() / 255
    noise = again.noise.draw(8, 0)
    outcome = again.model.outcome(again.model(pixels, noise), pixels)
    (gradient,) = torch.autograd.grad(outcome.losses["bce"], outcome.clouds["latent"].place)
    assert row["gradient_push_0"] == pytest.approx(0.2 * gradient.norm().item(), rel=1e-5)


def test_a_training_with_shares_resumes_to_the_same_bytes(tmp_path, monkeypatch):
    images = normal(0, 4, 1, 1, 3).abs().mul(50).clamp(0, 255).numpy().astype(np.uint8)
    settings = SETTINGS | {"regularizers": [SQUARE | {"share": 0.5}], "epochs": 3, "snapshot_steps": []}
    arguments = (images, np.arange(4), NOTHING)
    whole = train(*arguments, **settings)
    step, partial = Trainer.step, {"partial": tmp_path / "partial.pt", "identity": "this run"}

    def cut_off(trainer):
        if trainer.steps_done == 3:
            raise KeyboardInterrupt
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(*arguments, **settings, **partial)
    monkeypatch.setattr(Trainer, "step", step)
    resumed = train(*arguments, **settings, **partial)
    assert resumed.checkpoint.getvalue() == whole.checkpoint.getvalue()
    assert resumed.history.equals(whole.history)
