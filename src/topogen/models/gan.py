"""GANs: a generator learns to make images that a discriminator takes for real ones."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

from topogen.models.families import Cloud, Family, Outcome

SLOPE = 0.2  # of the discriminator's activations at negative numbers
DEVIATION = 0.02  # of the initial weights


class Model(Family):
    r"""The DCGAN, for images of any size.

    With real images x, noise z, the generator G and the discriminator D, which gives the log odds of being
    real,

    .. math::
        L_D = \sum \log(1 + e^{-D(x)}) + \log(1 + e^{D(G(z))}), \qquad L_G = \sum \log(1 + e^{-D(G(z))}) .

    In every step D is updated first, and then G by the new D; both see the same images G(z). L_G, the
    non-saturating loss, is the data term. Regularizers act on G alone: they see G(z), as many images as the
    batch has, and may compare them with x.

    Both networks halve the height and the width at every width. An odd side loses a pixel, which
    `output_padding` brings back. All layers have batch normalisation except the generator's last and the
    discriminator's first and last.

    Args:
        shape: channels, height and width of an image; height and width >= 2 ** len(widths).
        latent_dim: dimension of the noise, >= 1. The paper takes uniform noise, this model normal one.
        widths: channels of the discriminator at every resolution, the finest first; the generator has them in
            reverse.

    Raises:
        ValueError: an image is too small for so many widths.

    Source:
        A. Radford, L. Metz, S. Chintala, *Unsupervised representation learning with deep convolutional
        generative adversarial networks*, 2016, for the networks, their initial weights and the optimizer's
        betas; I. Goodfellow et al., *Generative adversarial nets*, 2014, section 3, for the losses.

    """

    betas = (0.5, 0.999)

    def __init__(self, shape: tuple[int, int, int], latent_dim: int, widths: Sequence[int]) -> None:
        super().__init__()
        if min(shape[1:]) < 2 ** len(widths):
            raise ValueError(
                f"images of shape {tuple(shape)} cannot be halved {len(widths)} times; set fewer widths"
            )
        self.noise_dim = latent_dim
        self.generator = _generator(shape, latent_dim, widths)
        self.discriminator = _discriminator(shape, widths)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(module.weight, std=DEVIATION)

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor]:
        """Images from noise of shape (b, latent_dim), as many as are given."""
        return (self.sample(noise),)

    def adversary_loss(self, passed: tuple[Tensor, ...], images: Tensor) -> Tensor:
        """Loss of the discriminator, without a path to the generator."""
        real, made = 2 * images - 1, 2 * passed[0].detach() - 1
        return softplus(-self.discriminator(real)).sum() + softplus(self.discriminator(made)).sum()

    def outcome(self, passed: tuple[Tensor, ...], images: Tensor) -> Outcome:
        """Loss of the generator, without a path to the discriminator; cloud ``output``, what it generates."""
        (made,) = passed
        weights = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        loss = softplus(-functional_call(self.discriminator, weights, 2 * made - 1)).sum()
        return Outcome(
            losses={"generator": loss},
            loss=loss,
            data_gradient=_gradient(loss, made),
            clouds={"output": Cloud(made.detach().flatten(1), made)},
        )

    def sample(self, noise: Tensor) -> Tensor:
        """Images from draws of the prior."""
        images: Tensor = (self.generator(noise) + 1) / 2
        return images


def _generator(shape: tuple[int, int, int], latent_dim: int, widths: Sequence[int]) -> nn.Sequential:
    """Images with levels in [-1, 1] from noise: a linear layer, then transposed convolutions."""
    sizes = _sizes(shape, len(widths))[::-1]
    channels = [*widths[::-1], shape[0]]
    layers: list[nn.Module] = [
        nn.Linear(latent_dim, channels[0] * math.prod(sizes[0]), bias=False),
        nn.Unflatten(1, (channels[0], *sizes[0])),
    ]
    for (before, after), (height, width) in zip(pairwise(channels), sizes[1:], strict=True):
        layers += [
            nn.BatchNorm2d(before),
            nn.ReLU(),
            nn.ConvTranspose2d(
                before,
                after,
                kernel_size=4,
                stride=2,
                padding=1,
                output_padding=(height % 2, width % 2),
                bias=(height, width) == sizes[-1],  # batch normalisation has one
            ),
        ]
    return nn.Sequential(*layers, nn.Tanh())


def _discriminator(shape: tuple[int, int, int], widths: Sequence[int]) -> nn.Sequential:
    """Log odds, shape (b, 1), of images with levels in [-1, 1]."""
    layers: list[nn.Module] = []
    for place, (before, after) in enumerate(pairwise([shape[0], *widths])):
        layers.append(nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1, bias=not place))
        if place:
            layers.append(nn.BatchNorm2d(after))
        layers.append(nn.LeakyReLU(SLOPE))
    coarsest = _sizes(shape, len(widths))[-1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * math.prod(coarsest), 1))


def _sizes(shape: tuple[int, int, int], halvings: int) -> list[tuple[int, int]]:
    """Height and width of an image, and after each halving."""
    _, height, width = shape
    return [(height >> times, width >> times) for times in range(halvings + 1)]


def _gradient(loss: Tensor, made: Tensor) -> Tensor:
    """Gradient of a loss at generated images; NaN where torch keeps no graph, as in evaluation."""
    if not loss.requires_grad:
        return torch.full_like(made, math.nan)
    (gradient,) = torch.autograd.grad(loss, made, retain_graph=True)
    return gradient
