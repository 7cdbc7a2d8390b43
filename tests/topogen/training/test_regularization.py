"""Shares, next to losses whose gradients are known, and clouds, next to the same in plain torch."""

import copy
import math
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from strategies import synthetic_images
from torch import nn

from topogen.data.references import reference_diagrams
from topogen.models.families import Cloud, Family, Outcome
from topogen.models.vae import binary_cross_entropy, kl_divergence
from topogen.training.noise import PRIOR, REFERENCE, SUBSET, stream_of_step
from topogen.training.opponents import EnergyDistance
from topogen.training.trainer import Trainer
from topogen.training.views import View
from torchrips.distances import wasserstein
from torchrips.graph_distances import diffusion_distances, effective_resistances
from torchrips.persistence import rips_diagrams

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
    """Whatever the term's size. Where the data term does not reach, its gradient at the output counts."""
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


COUNT = 12  # images of a batch
PHOTOS = synthetic_images(3 * COUNT)
STORED = reference_diagrams(PHOTOS, COUNT, (0, 1), threads=1)
WASSERSTEIN = {"name": "wasserstein", "degree": 0, "parameters": {"order": 2, "ground_norm": 2}}
VAE = {"seed": 7, "batch_size": COUNT, "learning_rate": 0.001, "latent_dim": 3}


def clouds_of(model, images, noise, step):
    """Loss without regularizers, and all clouds, in plain torch."""
    features = model.encoder(images)
    mean, log_variance = model.mean(features), model.log_variance(features)
    z = mean + noise * torch.exp(log_variance / 2)
    logits = model.decoder(z)
    loss = binary_cross_entropy(logits, images) + kl_divergence(mean, log_variance)
    draws = torch.randn(len(images), 3, generator=stream_of_step(7, PRIOR, step))
    made = model.decoder(draws).sigmoid().flatten(1)
    return loss, {"output": logits.sigmoid().flatten(1), "latent": z, "features": features, "prior": made}


def reference_points(kind, step):
    if kind == "prior":
        return torch.randn(COUNT, 3, generator=stream_of_step(7, REFERENCE, step))
    batch = {"batch": step, "other_batch": step + 1}[kind]
    return torch.from_numpy(PHOTOS[batch * COUNT :][:COUNT]).flatten(1).float() / 255


MATRICES = {
    "effective_resistance": lambda points: effective_resistances(points, 3),
    "diffusion": lambda points: diffusion_distances(points, 3, 2),
}
GRAPH = {"neighbours": 3}


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({}, "batch"),
        ({"cloud": "prior"}, "batch"),
        ({"cloud": "features"}, "batch"),
        ({"cloud": "latent"}, "prior"),
        ({"subset": 5}, "batch"),
        ({"metric": "cosine"}, "batch"),
        ({"metric": "effective_resistance", **GRAPH}, "batch"),
        ({"metric": "diffusion", "diffusion_time": 2, **GRAPH}, "batch"),
        ({"metric": "cosine", "subset": 7, "cloud": "prior"}, "other_batch"),
    ],
    ids=str,
)
def test_a_step_follows_the_gradient_of_a_term_on_any_cloud(entry, kind):
    given = {} if kind == "batch" else {"reference": kind}
    trainer = Trainer(PHOTOS, STORED, regularizers=[WASSERSTEIN | {"share": 0.5} | entry], **VAE, **given)
    trainer.step()
    model, noise = copy.deepcopy(trainer.model), trainer.noise.stream.clone_state()
    row, _ = trainer.step()

    images = torch.from_numpy(PHOTOS[COUNT : 2 * COUNT]).float() / 255
    loss, clouds = clouds_of(model, images, torch.randn(COUNT, 3, generator=noise), step=1)
    seen = torch.randperm(COUNT, generator=stream_of_step(7, SUBSET, 1))[: entry.get("subset")].sort().values
    diagrams = []
    for points in (clouds[entry.get("cloud", "output")], reference_points(kind, 1)):
        metric = entry.get("metric", "euclidean")
        if metric in MATRICES:
            diagrams += rips_diagrams(MATRICES[metric](points[seen]), 0, metric="precomputed")
        else:
            diagrams += rips_diagrams(points[seen], 0, metric=metric)
    value = wasserstein(*diagrams, order=2, ground_norm=2)
    assert row["wasserstein_0"] == pytest.approx(value.item(), rel=1e-4)
    expected = torch.autograd.grad(loss + row["weight_wasserstein_0"] * value, list(model.parameters()))
    for weight, gradient in zip(trainer.model.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-3, atol=1e-4 * gradient.abs().max().item())


def test_a_view_has_diagrams_of_degree_2():
    octahedron = torch.cat([torch.eye(3), -torch.eye(3)])
    diagrams = View().of_points(octahedron, [0, 2])
    torch.testing.assert_close(diagrams[2], torch.tensor([[math.sqrt(2), 2.0]]))
    assert View().is_stored(0)
    assert not View().is_stored(2)


def test_a_reference_of_one_class_needs_the_classes():
    term = WASSERSTEIN | {"share": 0.5, "metric": "cosine"}
    with pytest.raises(ValueError, match="one_class needs the classes"):
        Trainer(PHOTOS, STORED, regularizers=[term], **VAE, reference="one_class")
    labels = np.arange(len(PHOTOS)) % 2
    trainer = Trainer(PHOTOS, STORED, regularizers=[term], **VAE, reference="one_class", labels=labels)
    assert trainer.step()[0]["wasserstein_0"] > 0


def test_a_model_without_noise_has_no_prior_to_compare_with():
    autoencoder = VAE | {"architecture": "autoencoder"}
    term = WASSERSTEIN | {"share": 0.5, "cloud": "latent"}
    with pytest.raises(ValueError, match="reference: prior needs a model with a prior"):
        Trainer(PHOTOS, STORED, regularizers=[term], **autoencoder, reference="prior")


@pytest.mark.parametrize("cloud", ["output", "prior"])
def test_a_term_on_points_compares_the_cloud_with_the_images(cloud):
    entry = {"name": "energy_distance", "weight": 100, "cloud": cloud}
    trainer = Trainer(
        PHOTOS, STORED, regularizers=[entry, WASSERSTEIN | {"weight": 2, "cloud": cloud}], **VAE
    )
    model, noise = copy.deepcopy(trainer.model), trainer.noise.stream.clone_state()
    row, _ = trainer.step()
    images = reference_points("batch", 0)
    _, clouds = clouds_of(
        model, images.view(COUNT, 1, 28, 28), torch.randn(COUNT, 3, generator=noise), step=0
    )
    value = EnergyDistance()(clouds[cloud], images)
    assert row["energy_distance"] == pytest.approx(value.item(), rel=1e-4)
    (diagram,), (reference,) = (rips_diagrams(points, 0) for points in (clouds[cloud], images))
    distance = wasserstein(diagram, reference, order=2, ground_norm=2)
    assert row["wasserstein_0"] == pytest.approx(distance.item(), rel=1e-4)
    assert row["gradient_energy_distance"] > 0
