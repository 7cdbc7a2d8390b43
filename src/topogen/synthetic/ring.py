"""A ring of Gaussians, and how far samples of a GAN are from it."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Streams = Sequence[torch.Generator]

NEAR = 3.0  # standard deviations from its mean within which a sample is of a mode


class Ring:
    """Normal laws, evenly spaced on a circle about 0.

    Args:
        modes: number of them.
        radius: of the circle.
        sd: standard deviation of each.

    """

    def __init__(self, modes: int, radius: float, sd: float) -> None:
        angles = torch.arange(modes) * (2 * math.pi / modes)
        self.means = radius * torch.stack([angles.cos(), angles.sin()], dim=1)
        self.sd = sd

    def sample(self, count: int, streams: Streams) -> Tensor:
        """Points, one cloud for each stream, shape (s, count, 2)."""
        chosen = torch.stack([torch.randint(len(self.means), (count,), generator=g) for g in streams])
        return self.means[chosen] + self.sd * normal((count, 2), streams)

    def shares(self, samples: Tensor) -> Tensor:
        """Share of the samples that are within :data:`NEAR` standard deviations of each mode.

        Args:
            samples: shape (s, n, 2).

        Returns:
            Shape (s, modes).

        """
        return (self._distances(samples) <= NEAR * self.sd).float().mean(dim=1)

    def discrepancy(self, samples: Tensor, widths: Sequence[float]) -> Tensor:
        r"""Squared maximum mean discrepancy (MMD) of samples and the ring itself.

        With the mean k over the widths h of the Gaussian kernels
        :math:`e^{-\lVert x - y \rVert^2 / (2 h^2)}`, and Y and Y' from the ring,

        .. math:: \frac{1}{n (n - 1)} \sum_{i \ne j} k(x_i, x_j)
            - \frac{2}{n} \sum_i \mathrm{E} \, k(x_i, Y) + \mathrm{E} \, k(Y, Y').

        Both expectations are exact: a Gaussian kernel and a normal law of variance :math:`\sigma^2` make
        a wider Gaussian. So the only chance is that of the samples, and of samples of the ring the mean is 0.

        Args:
            samples: shape (s, n, 2), n >= 2.
            widths: h, each > 0, unit of the samples.

        Returns:
            Shape (s,); may be negative.

        Source:
            A. Gretton et al., *A kernel two-sample test*, 2012, lemma 6.

        """
        n = samples.shape[1]
        samples = samples.double()
        pairs = torch.cdist(samples, samples).square()
        to_means = self._distances(samples).square()
        between_means = torch.cdist(self.means.double(), self.means.double()).square()

        def kernel(squares: Tensor, width: float, variance: float) -> Tensor:
            """Mean of the kernel where a difference is normal about these squared ones, in the plane."""
            widened = width**2 + variance
            return width**2 / widened * torch.exp(-squares / (2 * widened))

        total = torch.zeros(len(samples), dtype=torch.float64)
        for width in widths:
            # On the diagonal the kernel is 1.
            total += (kernel(pairs, width, 0).sum(dim=(1, 2)) - n) / (n * (n - 1))
            total -= 2 * kernel(to_means, width, self.sd**2).mean(dim=(1, 2))
            total += kernel(between_means, width, 2 * self.sd**2).mean()
        return total / len(widths)

    def _distances(self, samples: Tensor) -> Tensor:
        """Distances of samples and means, shape (s, n, modes)."""
        return torch.cdist(samples, self.means.to(samples.dtype).expand(len(samples), -1, -1))


def normal(shape: tuple[int, ...], streams: Streams) -> Tensor:
    """Standard normal numbers, one tensor of the shape from each stream, stacked."""
    return torch.stack([torch.randn(shape, generator=stream) for stream in streams])
