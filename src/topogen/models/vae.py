"""The convolutional variational autoencoder VAE0 and its loss (thesis, section 3)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from topogen.models.families import Cloud, Family, Outcome


class Model(Family):
    """VAE0 of the thesis, for images of any size from 4 x 4 pixels.

    For one channel of 28 x 28 pixels and latent dimension 10 it has 1,683,669 parameters. Both convolutions
    halve the height and the width. An odd side loses a pixel, which `output_padding` brings back.

    Args:
        shape: channels, height and width of an image; height and width >= 4.
        latent_dim: dimension of the latent space, >= 1.
        kld_weight: factor of KLD in the loss; 1 in the thesis.

    Source:
        Thesis, section 3; PyTorch's default initialisation.

    """

    def __init__(self, shape: tuple[int, int, int], latent_dim: int, kld_weight: float = 1) -> None:
        super().__init__()
        channels, height, width = shape
        halves, quarters = (height // 2, width // 2), (height // 4, width // 4)
        features = 64 * quarters[0] * quarters[1]
        self.noise_dim, self.kld_weight = latent_dim, float(kld_weight)
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(features, 256),
            nn.ReLU(),
        )
        self.mean = nn.Linear(256, latent_dim)
        self.log_variance = nn.Linear(256, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 256),
            nn.ReLU(),
            nn.Linear(256, features),
            nn.ReLU(),
            nn.Unflatten(1, (64, *quarters)),
            nn.ConvTranspose2d(
                64, 32, kernel_size=4, stride=2, padding=1, output_padding=(halves[0] % 2, halves[1] % 2)
            ),
            nn.ReLU(),
            nn.ConvTranspose2d(
                32, channels, kernel_size=4, stride=2, padding=1, output_padding=(height % 2, width % 2)
            ),
        )

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Encode, sample with the given noise, decode.

        Args:
            images: levels in [0, 1], shape (b, channels, height, width).
            noise: standard normal draws, shape (b, latent_dim).

        Returns:
            Reconstruction before the sigmoid, of the images' shape; mean and log-variance of the approximate
            posterior, and z = mean + noise * standard deviation, each (b, latent_dim); features of the
            encoder, (b, 256).

        """
        features = self.encoder(images)
        mean, log_variance = self.mean(features), self.log_variance(features)
        z = mean + noise * torch.exp(log_variance / 2)
        return self.decoder(z), mean, log_variance, z, features

    def outcome(self, passed: tuple[Tensor, ...], images: Tensor) -> Outcome:
        """BCE and KLD; clouds ``output``, the images, ``latent``, the sampled z, and ``features``."""
        logits, mean, log_variance, z, features = passed
        bce = binary_cross_entropy(logits, images)
        kld = kl_divergence(mean, log_variance)
        output = logits.sigmoid().detach()
        return Outcome(
            losses={"bce": bce, "kld": kld},
            loss=bce + self.kld_weight * kld,
            data_gradient=output - images,
            clouds={
                "output": _cloud_of_images(output, logits),
                "latent": Cloud(z.detach(), z),
                "features": Cloud(features.detach(), features),
            },
            reconstructions=output,
            latents={"z": z.detach(), "mean": mean.detach()},
        )

    def sample(self, noise: Tensor) -> Tensor:
        """The decoder's mean at draws of the prior."""
        images: Tensor = self.decoder(noise).sigmoid()
        return images

    def prior_cloud(self, noise: Tensor) -> Cloud:
        """Samples of the prior, to be compared with images."""
        logits = self.decoder(noise)
        return _cloud_of_images(logits.sigmoid().detach(), logits)


def _cloud_of_images(images: Tensor, logits: Tensor) -> Cloud:
    """Decoded images; their place is the logits, where BCE's gradient, output minus image, is bounded."""
    return Cloud(images.flatten(1), logits, slope=(images, 1 - images))


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
