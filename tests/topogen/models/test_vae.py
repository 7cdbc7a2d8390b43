import math

import torch
from strategies import normal, synthetic_images
from torch.distributions import Normal
from torch.distributions import kl_divergence as exact_divergence

from topogen.data.batches import scaled
from topogen.models.vae import VAE, binary_cross_entropy, kl_divergence


def test_parameters_are_those_of_the_thesis():
    assert sum(weight.numel() for weight in VAE(latent_dim=10).parameters()) == 1_683_669


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
        forward = VAE(latent_dim=10)(images, torch.randn(128, 10))
    ignorance = 128 * 784 * math.log(2)  # every pixel at probability 1/2: about 69,600
    assert ignorance <= float(binary_cross_entropy(forward.logits, images)) <= 1.005 * ignorance


def test_latents_are_the_posterior_at_the_given_noise():
    images, model = scaled(synthetic_images(6)), VAE(latent_dim=3)
    noise = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        forward, still = model(images, noise), model(images, torch.zeros(6, 3))
    torch.testing.assert_close(still.latents, still.mean)
    deviation = (forward.latents - forward.mean) / noise
    torch.testing.assert_close(deviation.square().log(), forward.log_variance, rtol=1e-4, atol=1e-4)
    assert forward.images.shape == images.shape
    assert ((forward.images >= 0) & (forward.images <= 1)).all()
