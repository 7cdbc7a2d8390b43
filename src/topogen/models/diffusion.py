"""Diffusion models: a network learns the velocities that carry noise to images, by flow matching."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from topogen.models.families import Cloud, Family, Outcome

LEVEL_FEATURES = 64  # numbers that tell the network the noise level
Velocity = Callable[[Tensor, Tensor], Tensor]  # of places, (b, channels, height, width), and levels, (b,)


class Model(Family):
    r"""A small U-Net, trained by flow matching on straight lines, for images of any size.

    Noise :math:`x_0` and image :math:`x_1`, levels in [-1, 1], are the ends of a line. At level t in [0, 1]
    the network sees a place on it and learns the line's velocity:

    .. math:: x_t = (1 - t)\, x_0 + t\, x_1, \quad \text{loss} = \sum \lvert v(x_t, t) - (x_1 - x_0) \rvert^2.

    The minimum is the mean velocity of all lines through a place. Samples follow it from noise. The one-step
    prediction :math:`\hat x_1 = x_t + (1 - t)\, v(x_t, t)` is then the mean of the images at their ends.

    The data term is that of the field: each image has a level, and all levels are equally likely.
    Regularizers look at a second pass, of the same images and noise but with one level, because predictions
    of different levels do not form one cloud. If the data term had this one level too, the model without
    regularizers would learn from one level in each step, and be a weaker baseline than the usual one. The
    second pass is made if there are regularizers; a step then takes about twice as long.

    The level of the second pass is the median of three draws, so it has the density :math:`6 t (1 - t)`. That
    is the weight of a level, and it acts on terms with a weight and with a share alike. It is 0 at both ends,
    where a diagram says nothing of the network: at noise all predictions are the mean image, and at images a
    prediction is the image itself.

    Weights are averaged over the training, as 1, d, d^2, ... for a decay d. The average is brought up to date
    at the start of a step, as layers are that learn from every batch. A model in evaluation uses it.

    Args:
        shape: channels, height and width of an image.
        widths: channels of the network at every resolution, the finest first.
        sampling_steps: steps from noise to image, each with two passes through the network.
        average_decay: d, in [0, 1): 0 is no average.

    Source:
        Y. Lipman et al., *Flow matching for generative modeling*, 2023, section 4, without their smallest
        deviation; X. Liu, C. Gong, Q. Liu, *Flow straight and fast*, 2023. The average: D. Kingma, J. Ba,
        *Adam*, 2015, algorithm 1, there of gradients.

    """

    average: Tensor
    averaged: Tensor
    stackable = False  # the weight of the newest weights in the average is a number of Python

    def __init__(
        self,
        shape: tuple[int, int, int],
        widths: Sequence[int],
        sampling_steps: int = 5,
        average_decay: float = 0.999,
    ) -> None:
        super().__init__()
        self.shape, self.pixels = tuple(shape), math.prod(shape)
        # The noise, the level of the data term, and three draws for that of the regularizers.
        self.noise_dim = self.pixels + 4
        self.sampling_steps, self.average_decay = sampling_steps, float(average_decay)
        self.network = UNet(shape[0], widths)
        self.register_buffer("average", parameters_to_vector(self.network.parameters()).detach())
        self.register_buffer("averaged", torch.tensor(0))  # how often

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Velocities at places between noise and images, at a level of each image.

        Args:
            images: levels in [0, 1], shape (b, channels, height, width).
            noise: standard normal draws, shape (b, noise_dim).

        Returns:
            Velocities, of the images' shape, and the noise as it is given.

        """
        if self.training:
            self._update_average()
        levels = torch.special.ndtr(noise[:, self.pixels])
        place = between(self._start(noise), 2 * images - 1, levels)
        return self._network()(place, levels), noise

    def outcome(self, passed: tuple[Tensor, ...], images: Tensor) -> Outcome:
        """Squared error of the velocities; cloud ``output``, the predictions of the images at one level.

        The place of the cloud are the velocities of its pass. The data term does not reach them, so its
        gradient at the velocities of all levels is what a share is relative to.
        """
        velocity, noise = passed
        error = velocity - (2 * images - 1 - self._start(noise))
        squared = error.square().sum()
        return Outcome(
            losses={"flow_matching": squared},
            loss=squared,
            data_gradient=2 * error.detach(),
            clouds=_OnDemand(lambda: self._predictions(images, noise)),
        )

    def sample(self, noise: Tensor) -> Tensor:
        """Images from draws of the prior, by the midpoint rule."""
        images = carried(self._network(), self._start(noise), self.sampling_steps)
        return ((images + 1) / 2).clamp(0, 1)

    def _predictions(self, images: Tensor, noise: Tensor) -> Cloud:
        """One-step predictions of a batch, all at the level that the first image's draws decide."""
        level = torch.special.ndtr(noise[0, self.pixels + 1 :].median())
        levels = level.expand(len(images))
        place = between(self._start(noise), 2 * images - 1, levels)
        velocity = self._network()(place, levels)
        predicted = place + (1 - level) * velocity.detach()
        slope = ((1 - level) / 2).expand_as(velocity)
        return Cloud(((predicted + 1) / 2).flatten(1), velocity, slope=(slope,))

    def _start(self, noise: Tensor) -> Tensor:
        """Where the lines begin, of the shape of images."""
        return noise[:, : self.pixels].reshape(-1, *self.shape)

    def _network(self) -> nn.Module:
        """The network that learns, or in evaluation the one of the averaged weights."""
        if self.training:
            return self.network
        network = copy.deepcopy(self.network)
        vector_to_parameters(self.average, network.parameters())
        return network

    @torch.no_grad()
    def _update_average(self) -> None:
        self.averaged += 1
        weights = parameters_to_vector(self.network.parameters())
        newest = (1 - self.average_decay) / (1 - self.average_decay ** int(self.averaged))
        self.average.lerp_(weights, newest)


class _OnDemand(Mapping[str, Cloud]):
    """The cloud ``output``, made when somebody first asks for it."""

    def __init__(self, make: Callable[[], Cloud]) -> None:
        self.make = make
        self.made: Cloud | None = None

    def __getitem__(self, name: str) -> Cloud:
        if name != "output":
            raise KeyError(name)
        self.made = self.made or self.make()
        return self.made

    def __iter__(self) -> Iterator[str]:
        return iter(["output"])

    def __len__(self) -> int:
        return 1


def between(start: Tensor, end: Tensor, levels: Tensor) -> Tensor:
    """Places on the lines from start to end, each (b, channels, height, width), at levels of shape (b,)."""
    t = levels.view(-1, 1, 1, 1)
    return (1 - t) * start + t * end


def carried(velocity: Velocity, start: Tensor, steps: int) -> Tensor:
    """Where a flow carries places from level 0 to level 1, by so many steps of the midpoint rule.

    Args:
        velocity: of the flow.
        start: shape (b, channels, height, width).
        steps: each half a step and then a whole one, with the velocity in its middle.

    """
    place, length = start, 1 / steps
    for step in range(steps):
        levels = start.new_full((len(start),), step * length)
        middle = place + length / 2 * velocity(place, levels)
        place = place + length * velocity(middle, levels + length / 2)
    return place


class UNet(nn.Module):
    """Convolutions from fine to coarse resolutions and back, which are told a noise level.

    Each resolution has half the height and width of the one before, rounded up. On the way back a block sees
    what the block of its resolution made on the way down.

    Args:
        channels: of an image.
        widths: channels at every resolution, the finest first.

    Source:
        O. Ronneberger, P. Fischer, T. Brox, *U-Net*, 2015; J. Ho, A. Jain, P. Abbeel, *Denoising diffusion
        probabilistic models*, 2020, appendix B, without attention and with one block on each way.

    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.level = nn.Sequential(
            nn.Linear(LEVEL_FEATURES, LEVEL_FEATURES), nn.SiLU(), nn.Linear(LEVEL_FEATURES, LEVEL_FEATURES)
        )
        self.first = _convolution(channels, widths[0])
        self.down = nn.ModuleList(Block(*pair) for pair in pairwise([widths[0], *widths]))
        self.middle = Block(widths[-1], widths[-1])
        self.up = nn.ModuleList(
            Block(below + width, width) for width, below in pairwise([*widths, widths[-1]])
        )
        self.last = nn.Sequential(nn.GroupNorm(1, widths[0]), nn.SiLU(), _convolution(widths[0], channels))

    def forward(self, images: Tensor, levels: Tensor) -> Tensor:
        """Velocities, of the images' shape, at levels in [0, 1] of shape (b,)."""
        level = self.level(level_features(levels))
        made = [self.down[0](self.first(images), level)]
        for block in self.down[1:]:
            made.append(block(functional.avg_pool2d(made[-1], 2, ceil_mode=True), level))
        x = self.middle(made[-1], level)
        for block, fine in zip(reversed(self.up), reversed(made), strict=True):
            x = functional.interpolate(x, size=fine.shape[-2:], mode="nearest")
            x = block(torch.cat([x, fine], dim=1), level)
        velocities: Tensor = self.last(x)
        return velocities


class Block(nn.Module):
    """Two convolutions whose result is added to the input; the level shifts what is between them."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.GroupNorm(1, before), nn.SiLU(), _convolution(before, width))
        self.shift = nn.Linear(LEVEL_FEATURES, width)
        self.leave = nn.Sequential(nn.GroupNorm(1, width), nn.SiLU(), _convolution(width, width))
        self.skip = nn.Conv2d(before, width, kernel_size=1) if before != width else nn.Identity()

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """Shape (b, before, height, width) to (b, width, height, width); level: (b, LEVEL_FEATURES)."""
        inside = self.enter(x) + self.shift(level)[:, :, None, None]
        result: Tensor = self.skip(x) + self.leave(inside)
        return result


def level_features(levels: Tensor) -> Tensor:
    """Sines and cosines of levels in [0, 1], shape (b,), with frequencies from 1000 to 0.1; (b, 64).

    Source:
        A. Vaswani et al., *Attention is all you need*, 2017, section 3.5, for a thousand positions.
    """
    half = LEVEL_FEATURES // 2
    frequencies = 1000 * 10000 ** (-torch.arange(half, device=levels.device) / half)
    angles = levels[:, None] * frequencies.to(levels)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _convolution(before: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(before, width, kernel_size=3, padding=1)
