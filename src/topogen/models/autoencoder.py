"""Autoencoders without noise, convolutional or fully connected."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from topogen.models import vae
from topogen.models.families import Cloud, Family, Outcome


class Model(Family):
    """A deterministic autoencoder, for images of any size or for vectors.

    It has the convolutions of the VAE, or fully connected layers if their widths are given. These, with batch
    normalisation, are the network of *Topological autoencoders* for widths [32, 32] and latent dimension 2.

    Args:
        shape: channels, height and width of an image; height and width >= 4 for convolutions. Vectors of d
            numbers are images of shape (1, 1, d).
        latent_dim: dimension of the latent space, >= 1.
        hidden: widths of the encoder's fully connected layers; the decoder has them in reverse. None:
            convolutions.
        levels: whether the decoder ends in a sigmoid, because images have levels in [0, 1]; else any number
            may come out.

    Raises:
        ValueError: an image is too small for convolutions.

    Source:
        M. Moor, M. Horn, B. Rieck, K. Borgwardt, *Topological autoencoders*, 2020, and its public code, for
        the fully connected network and the learned scale of the latent distances.

    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        latent_dim: int,
        hidden: Sequence[int] | None = None,
        levels: bool = True,
    ) -> None:
        super().__init__()
        self.encoder: nn.Module
        self.decoder: nn.Module
        if hidden is None and min(shape[1:]) < 4:
            raise ValueError(f"images of shape {tuple(shape)} are too small for convolutions; set hidden")
        if hidden is None:
            network = vae.Model(shape, latent_dim)
            self.encoder, self.decoder = nn.Sequential(network.encoder, network.mean), network.decoder
        else:
            widths = [math.prod(shape), *hidden, latent_dim]
            self.encoder = nn.Sequential(nn.Flatten(), *_connected(widths))
            self.decoder = nn.Sequential(*_connected(widths[::-1]), nn.Unflatten(1, tuple(shape)))
        self.levels = levels
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Encode and decode.

        Args:
            images: shape (b, channels, height, width).
            noise: of no dimension, shape (b, 0).

        Returns:
            Reconstruction, of the images' shape, and latent vectors, (b, latent_dim).

        """
        latents = self.encoder(images)
        output = self.decoder(latents)
        return output.sigmoid() if self.levels else output, latents

    def outcome(self, passed: tuple[Tensor, ...], images: Tensor) -> Outcome:
        """Squared error; clouds ``output``, ``latent``, and ``scaled``, latent over a learned scale.

        The data term does not reach the scale: only regularizers of ``scaled`` move it.
        """
        output, latents = passed
        error = (output - images).square().sum()
        scaled = latents / self.scale
        return Outcome(
            losses={"squared_error": error},
            loss=error,
            data_gradient=2 * (output - images).detach(),
            clouds={
                "output": Cloud(output.detach().flatten(1), output),
                "latent": Cloud(latents.detach(), latents),
                "scaled": Cloud(scaled.detach(), scaled),
            },
            reconstructions=output.detach(),
            latents={"mean": latents.detach()},
        )


def _connected(widths: Sequence[int]) -> list[nn.Module]:
    """Layers from each width to the next; all but the last with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return [*layers, nn.Linear(widths[-2], widths[-1])]
