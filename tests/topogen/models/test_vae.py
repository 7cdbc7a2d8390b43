import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import normal, synthetic_images
from torch import nn
from torch.distributions import Normal
from torch.distributions import kl_divergence as exact_divergence
from torch.nn import functional

from topogen.data.batches import scaled
from topogen.evaluation.classifier import Classifier
from topogen.models.vae import Model, binary_cross_entropy, kl_divergence
from topogen.training.trainer import Trainer

GREY = (1, 28, 28)
SIZES = st.tuples(st.sampled_from([1, 3]), st.integers(4, 40), st.integers(4, 40))


def test_parameters_are_those_of_the_thesis():
    assert sum(weight.numel() for weight in Model(GREY, latent_dim=10).parameters()) == 1_683_669


class Thesis(nn.Module):
    """VAE0 for 28 x 28 pixels, written out."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 256),
            nn.ReLU(),
        )
        self.mean = nn.Linear(256, 10)
        self.log_variance = nn.Linear(256, 10)
        self.decoder = nn.Sequential(
            nn.Linear(10, 256),
            nn.ReLU(),
            nn.Linear(256, 64 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, kernel_size=4, stride=2, padding=1),
        )


def test_training_is_that_of_the_thesis_bit_for_bit():
    """The network, the noise, the loss and the updates of VAE0, beside the same in plain torch."""
    images = synthetic_images(40)  # batches of 16, 16 and 8
    trainer = Trainer(
        images, [[]] * 3, regularizers=[], latent_dim=10, seed=31, batch_size=16, learning_rate=0.001
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(31)
        model = Thesis()
        adam = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
        for step in range(5):
            batch = images[16 * (step % 3) : 16 * (step % 3) + 16]
            pixels = torch.from_numpy(batch.astype(np.float32)).reshape(-1, *GREY) / 255
            features = model.encoder(pixels)
            mean, log_variance = model.mean(features), model.log_variance(features)
            z = mean + torch.randn(len(batch), 10) * torch.exp(log_variance / 2)
            logits = model.decoder(z)
            bce = functional.binary_cross_entropy_with_logits(logits, pixels, reduction="sum")
            kld = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
            adam.zero_grad()
            (bce + kld).backward()
            adam.step()

            row, outcome = trainer.step()
            assert row["bce"] == bce.item()
            assert row["kld"] == kld.item()
            assert torch.equal(outcome.reconstructions, logits.detach().sigmoid())
            assert torch.equal(outcome.latents["z"], z.detach())
            for name, weight in model.state_dict().items():
                assert torch.equal(trainer.model.state_dict()[name], weight), name


@given(shape=SIZES)
@settings(max_examples=25)
def test_any_size_comes_back(shape):
    """Odd sides too; and the classifier takes the same sizes."""
    images = torch.zeros(2, *shape)
    model, classifier = Model(shape, latent_dim=2), Classifier(shape, features=3, classes=4)
    with torch.no_grad():
        outcome = model.outcome(model(images, torch.zeros(2, 2)), images)
        assert outcome.reconstructions.shape == model.sample(torch.zeros(2, 2)).shape == images.shape
        assert classifier(images).shape == (2, 4)
    assert outcome.clouds["output"].points.shape == (2, math.prod(shape))


@pytest.mark.parametrize("shape", [GREY, (3, 5, 30)])
@pytest.mark.parametrize("name", ["output", "latent"])
def test_gradients_are_carried_to_the_place_of_a_cloud(name, shape):
    images, model = normal(0, 4, *shape).sigmoid(), Model(shape, latent_dim=3).double()
    passed = model(images, normal(1, 4, 3))
    cloud = model.outcome(passed, images).clouds[name]
    made = passed[0].sigmoid().flatten(1) if name == "output" else passed[3]
    assert torch.equal(cloud.points, made)
    gradients = normal(2, 2, *cloud.points.shape)
    expected = [
        torch.autograd.grad(made, cloud.place, gradient, retain_graph=True)[0] for gradient in gradients
    ]
    torch.testing.assert_close(cloud.carry(gradients), torch.stack(expected))


def test_the_gradient_of_the_data_term_is_taken_at_the_logits():
    images, model = normal(0, 4, *GREY).sigmoid(), Model(GREY, latent_dim=3).double()
    outcome = model.outcome(model(images, normal(1, 4, 3)), images)
    (expected,) = torch.autograd.grad(outcome.losses["bce"], outcome.clouds["output"].place)
    torch.testing.assert_close(outcome.data_gradient, expected)


def test_divergence_is_that_of_the_distributions():
    mean, log_variance = normal(0, 2, 7, 10)
    posterior, prior = Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)
    torch.testing.assert_close(kl_divergence(mean, log_variance), exact_divergence(posterior, prior).sum())


def test_cross_entropy_is_that_of_the_probabilities():
    logits, images = normal(0, 4, 1, 28, 28), normal(1, 4, 1, 28, 28).sigmoid()
    on, off = logits.sigmoid().log(), (1 - logits.sigmoid()).log()
    expected = -(images * on + (1 - images) * off).sum()
    torch.testing.assert_close(binary_cross_entropy(logits, images), expected)


def test_an_untrained_model_knows_nothing_of_a_batch():
    images = torch.full((128, 1, 28, 28), 0.5)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(515)
        logits, *_ = Model(GREY, latent_dim=10)(images, torch.randn(128, 10))
    ignorance = 128 * 784 * math.log(2)  # every pixel at probability 1/2: about 69,600
    assert ignorance <= float(binary_cross_entropy(logits, images)) <= 1.005 * ignorance


def test_latents_are_the_posterior_at_the_given_noise():
    images, model = scaled(synthetic_images(6)), Model(GREY, latent_dim=3)
    noise = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits, mean, log_variance, z, _ = model(images, noise)
        _, still_mean, _, still_z, _ = model(images, torch.zeros(6, 3))
    torch.testing.assert_close(still_z, still_mean)
    deviation = (z - mean) / noise
    torch.testing.assert_close(deviation.square().log(), log_variance, rtol=1e-4, atol=1e-4)
    assert logits.shape == images.shape
