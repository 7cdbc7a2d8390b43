"""Whether latent vectors have the shape of the data: the holes or components that are known to be there."""

import numpy as np
import torch
from numpy.typing import NDArray

from torchrips.persistence import rips_diagrams

MOST = 500  # points of which the diagram is taken


def hole_score(points: NDArray[np.floating], degree: int, number: int) -> float:
    r"""How clearly a cloud has so many holes, from 0, not at all, to 1.

    With the lifetimes :math:`p_1 \geq p_2 \geq \ldots` of the bars of a degree,

    .. math:: s_m = \frac{p_m - p_{m + 1}}{p_m},

    0 if there are fewer than m bars. In degree 0, m holes are the gaps between m + 1 components.

    Args:
        points: shape (n, d); of more than 500 the first ones count.
        degree: of the holes.
        number: m, >= 1.

    Source:
        S. Damrich, P. Berens, D. Kobak, *Persistent homology for high-dimensional data based on spectral
        methods*, 2024, section 6 (hole detection score).

    >>> hole_score(np.array([[0.0], [1.0], [2.0], [10.0]]), degree=0, number=1)  # (8 - 1) / 8
    0.875

    """
    (diagram,) = rips_diagrams(torch.from_numpy(points[:MOST]).double(), degree)
    lifetimes = np.sort((diagram[:, 1] - diagram[:, 0]).numpy())[::-1]
    padded = np.append(lifetimes, np.zeros(number + 1))
    shortest, next_one = padded[number - 1], padded[number]
    return float((shortest - next_one) / shortest) if shortest > 0 else 0.0
