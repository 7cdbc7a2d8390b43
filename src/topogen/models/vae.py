"""The convolutional variational autoencoder VAE0 and its loss (thesis, section 3)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Forward(NamedTuple):
    """What one pass of the VAE computes for b images.

    Attributes:
        logits: reconstruction before the sigmoid, shape (b, 1, 28, 28).
        mean: mean of the approximate posterior, shape (b, latent_dim).
        log_variance: logarithm of its variance, shape (b, latent_dim).
        latents: sampled z, shape (b, latent_dim).

    """

    logits: Tensor
    mean: Tensor
    log_variance: Tensor
    latents: Tensor

    @property
    def images(self) -> Tensor:
        """Reconstructed images in [0, 1], shape (b, 1, 28, 28)."""
        return self.logits.sigmoid()


class VAE(nn.Module):
    """VAE0 of the thesis for images of 28 x 28 pixels; 1,683,669 parameters at latent dimension 10.

    Args:
        latent_dim: dimension of the latent space, >= 1.

    Source:
        Thesis, section 3; PyTorch's default initialisation.

    """

    def __init__(self, latent_dim: int) -> None:
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
        self.mean = nn.Linear(256, latent_dim)
        self.log_variance = nn.Linear(256, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 256),
            nn.ReLU(),
            nn.Linear(256, 64 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, kernel_size=4, stride=2, padding=1),
        )

    def encode(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, log-variance and sample z = mean + noise * standard deviation, each (b, latent_dim)."""
        features = self.encoder(images)
        mean, log_variance = self.mean(features), self.log_variance(features)
        return mean, log_variance, mean + noise * torch.exp(log_variance / 2)

    def forward(self, images: Tensor, noise: Tensor) -> Forward:
        """Encode, sample with the given noise, decode.

        Args:
            images: grey levels in [0, 1], shape (b, 1, 28, 28).
            noise: standard normal draws, shape (b, latent_dim).

        """
        mean, log_variance, latents = self.encode(images, noise)
        return Forward(self.decoder(latents), mean, log_variance, latents)


def binary_cross_entropy(logits: Tensor, images: Tensor) -> Tensor:
    """BCE of images and reconstruction, summed over pixels and batch; from logits, so it stays finite."""
    return functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""KLD of the posterior from the standard normal, summed over dimensions and batch.

    .. math:: -\tfrac12 \sum (1 + \log \sigma^2 - \mu^2 - \sigma^2).

    Source:
        D. Kingma, M. Welling, *Auto-encoding variational Bayes*, 2014, appendix B.
    """
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
