"""What is known of each family without loading it is what its models offer."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest
import torch
from generative import judged_by
from strategies import synthetic_images

from topogen import models
from topogen.evaluation.held_out import evaluate
from topogen.evaluation.metrics import METRICS
from topogen.models.families import build
from topogen.offered import CLOUDS, OPTIONS, PRODUCTS, WITH_ADVERSARY, needed_for

SMALL = {
    "vae": {"latent_dim": 2},
    "autoencoder": {"latent_dim": 2, "hidden": [4]},
    "diffusion": {"widths": [4, 4]},
    "gan": {"latent_dim": 2, "widths": [4, 4]},
}
IMAGES = synthetic_images(20)


@pytest.fixture(scope="module")
def judged():
    return judged_by(IMAGES)


def test_every_family_is_listed():
    files = Path(models.__file__).parent.glob("*.py")
    names = {file.stem for file in files if hasattr(import_module(f"topogen.models.{file.stem}"), "Model")}
    assert names == CLOUDS.keys() == PRODUCTS.keys() == OPTIONS.keys() == SMALL.keys()


@pytest.mark.parametrize("family", SMALL)
def test_a_family_offers_what_is_listed(family, judged):
    model = build(family, (1, 28, 28), SMALL[family])
    assert {*inspect.signature(type(model)).parameters} == {"shape", *OPTIONS[family]}
    images = torch.from_numpy(IMAGES) / 255
    noise = torch.zeros(len(images), model.noise_dim)
    passed = model(images, noise)
    outcome = model.outcome(passed, images)
    assert (model.adversary_loss(passed, images) is not None) == (family in WITH_ADVERSARY)
    of_prior = {"prior"} if model.prior_cloud(noise) is not None else set()
    assert {*outcome.clouds, *of_prior} == CLOUDS[family]

    measured, _ = evaluate(model.eval(), *judged, seed=7)
    assert set(measured) - set(METRICS) <= PRODUCTS[family] | {"squared_error", "generator"}
    offered = {name for name in METRICS if needed_for(name) in PRODUCTS[family]}
    assert set(measured) & set(METRICS) == offered
    assert ("mean" in outcome.latents) == (needed_for("holes") in PRODUCTS[family])
    assert ("flow_matching" in measured) == (needed_for("flow_matching") in PRODUCTS[family])
