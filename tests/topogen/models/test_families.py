"""Another family needs its module alone: here a linear map of images, which neither encodes nor samples."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from generative import judged_by
from strategies import synthetic_images
from torch import nn

from topogen.data.references import reference_diagrams
from topogen.evaluation.held_out import evaluate
from topogen.evaluation.metrics import METRICS
from topogen.models.families import Cloud, Family, Outcome, rebuild
from topogen.theory.schematic import forward_pass
from topogen.training.run import train
from topogen.training.timing import measure_step_times
from topogen.training.trainer import Trainer

IMAGES = synthetic_images(20)[:, :, ::2, ::4].repeat(3, axis=1)  # in colour, 14 x 7 pixels
LABELS = np.arange(20) % 4
REFERENCES = reference_diagrams(IMAGES, 8, (0, 1), threads=1)
TERMS = [{"name": "bottleneck", "degree": 0, "weight": 5}]
ARGUMENTS = {"architecture": "linear", "scale": 2, "regularizers": TERMS}
ARGUMENTS |= {"batch_size": 8, "learning_rate": 0.01}


class Linear(Family):
    def __init__(self, shape, scale):
        super().__init__()
        self.layer, self.scale = nn.Conv2d(shape[0], shape[0], kernel_size=1), scale

    def forward(self, images, noise):
        return (self.layer(images),)

    def outcome(self, passed, images):
        (output,) = passed
        error = self.scale * (output - images).square().sum()
        clouds = {"output": Cloud(output.detach().flatten(1), output)}
        gradient = (2 * self.scale * (output - images)).detach()
        return Outcome({"error": error}, error, gradient, clouds, output.detach().clamp(0, 1))


@pytest.fixture(autouse=True)
def module(monkeypatch):
    """The module topogen.models.linear, as if its file were there."""
    family = ModuleType("topogen.models.linear")
    family.Model = Linear
    monkeypatch.setitem(sys.modules, family.__name__, family)


def test_another_family_is_trained_by_name():
    (run,) = train(IMAGES, LABELS, REFERENCES, seeds=[7], epochs=20, snapshot_steps=[1], **ARGUMENTS)
    expected = ["step", "error", "gradient_error", "bottleneck_0", "gradient_bottleneck_0"]
    assert list(run.history) == expected
    assert run.history["error"].iloc[-3] < run.history["error"].iloc[0]
    assert run.snapshots["output_1"].shape == (8, 3, 14, 7)
    assert list(run.latents) == ["label"]
    model = ARGUMENTS | {"seed": 7}
    assert len(measure_step_times(IMAGES, REFERENCES, {"Linear": model}, steps=1, rounds=2)) == 2


def test_another_family_is_rebuilt_and_evaluated_in_what_it_can():
    (run,) = train(IMAGES, LABELS, REFERENCES, seeds=[7], epochs=1, snapshot_steps=[], **ARGUMENTS)
    trained = torch.load(run.checkpoint, weights_only=True)
    model = rebuild(trained["built"], trained["model"])
    values, pictures = evaluate(model, *judged_by(IMAGES), seed=7)
    made = {name for name, metric in METRICS.items() if metric.about == "reconstruction"}
    assert set(values) == {"error", *made}
    assert set(values) - set(METRICS) == {"error"}
    assert pictures.shape == (0, 3, 14, 7)
    arrays = forward_pass(IMAGES[:8], REFERENCES[0], model, TERMS, seed=1)
    assert arrays["outputs"].shape == (8, 3, 14, 7)


def test_a_cloud_that_a_family_does_not_offer_is_named():
    terms = [TERMS[0] | {"cloud": "latent"}]
    with pytest.raises(ValueError, match="linear has no cloud latent; choose one of: output"):
        Trainer(IMAGES, REFERENCES, seed=7, **ARGUMENTS | {"regularizers": terms}).step()
