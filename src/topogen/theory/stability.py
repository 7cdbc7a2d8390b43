"""The thesis' proposition of stability, checked numerically (F6)."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from topogen.theory.clouds import SHAPES, Array, Stream
from torchrips.distances import bottleneck
from torchrips.persistence import rips_diagrams

STABILITY_BOUND = 2.0  # of the thesis: d_inf < 2 eps
TIGHT_BOUND = math.sqrt(2)  # see `stability`
ROUNDING = 1e-9  # relative, of a bound


def _all_points(stream: Stream, cloud: Array, degree: int) -> Array:
    return stream.standard_normal(cloud.shape)


def _one_point(stream: Stream, cloud: Array, degree: int) -> Array:
    move = np.zeros_like(cloud)
    move[stream.integers(len(cloud))] = stream.standard_normal(cloud.shape[1])
    return move


def _two_points(stream: Stream, cloud: Array, degree: int) -> Array:
    """Two points towards each other."""
    i, j = stream.choice(len(cloud), 2, replace=False)
    move = np.zeros_like(cloud)
    move[i], move[j] = cloud[j] - cloud[i], cloud[i] - cloud[j]
    return move


def _critical_edge(stream: Stream, cloud: Array, degree: int) -> Array:
    """Gradient of a birth or death: it moves the two ends of the edge with that length apart."""
    points = torch.from_numpy(cloud).requires_grad_()
    (diagram,) = rips_diagrams(points, (degree,))
    values = diagram[:, 1] if degree == 0 else diagram.flatten()  # in degree 0 births do not move
    if len(values) == 0:
        return _two_points(stream, cloud, degree)
    (gradient,) = torch.autograd.grad(values[stream.integers(len(values))], points)
    return gradient.numpy()


# Ways to move a cloud, by name; the last one is the adversarial one.
MOVES: dict[str, Callable[[Stream, Array, int], Array]] = {
    "all points": _all_points,
    "one point": _one_point,
    "two points": _two_points,
    "critical edge": _critical_edge,
}


def stability(
    clouds: Sequence[Mapping[str, Any]], perturbations: int, epsilon: tuple[float, float], seed: int
) -> pd.DataFrame:
    r"""Bottleneck distance of the diagrams of a cloud and a perturbed one, over many perturbations (F6).

    The thesis states :math:`d_\infty(B_k(P), B_k(P')) < 2 \varepsilon` for
    :math:`\lVert P - P' \rVert_2 < \varepsilon`. The smallest factor that holds is the root of 2. A distance
    changes by at most the sum of the moves of its two ends, so by at most
    :math:`\sqrt 2 \lVert P - P' \rVert_2`. Diagrams of two Rips filtrations on the same vertices differ by at
    most the largest change of a distance. The bound is attained if the edge of one birth or death is
    stretched or shortened, each end moving by :math:`\varepsilon / \sqrt 2`.

    Args:
        clouds: entries {shape, dimension, points, degrees}; shape is a key of :data:`SHAPES`.
        perturbations: of each cloud, degree and way to move; the cloud is drawn anew for each.
        epsilon: range of the size of a perturbation, which is drawn evenly on the logarithmic scale.
        seed: of everything random.

    Returns:
        Columns cloud, degree, move, epsilon (the norm of P - P'), distance, ratio of the two.

    Source:
        Thesis, section 1; F. Chazal, V. de Silva, S. Oudot, *Persistence stability for geometric complexes*,
        2014, for the diagrams of two filtrations.

    """
    stream = np.random.default_rng(seed)
    rows = []
    for entry in clouds:
        name = f"{entry['shape']}, {entry['points']} points in R^{entry['dimension']}"
        for degree in entry["degrees"]:
            for move, direction in MOVES.items():
                for _ in range(perturbations):
                    cloud = SHAPES[entry["shape"]](stream, entry["points"], entry["dimension"])
                    step = direction(stream, cloud, degree)
                    size = math.exp(stream.uniform(*np.log(epsilon))) * stream.choice([-1, 1])
                    moved = cloud + size * step / np.linalg.norm(step)
                    (before,), (after,) = (
                        rips_diagrams(torch.from_numpy(points), (degree,)) for points in (cloud, moved)
                    )
                    rows.append(
                        {
                            "cloud": name,
                            "degree": degree,
                            "move": move,
                            "epsilon": float(np.linalg.norm(moved - cloud)),
                            "distance": bottleneck(before, after).item(),
                        }
                    )
    table = pd.DataFrame(rows)
    return table.assign(ratio=table["distance"] / table["epsilon"])


def worst_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Summary of :func:`stability` by degree and way to move.

    Returns:
        Columns degree, move, perturbations; mean and worst of distance / epsilon; above_tight and
        above_bound, the number of perturbations beyond the root of 2 (by more than rounding), and beyond 2.

    """
    grouped = table.groupby(["degree", "move"], sort=False)["ratio"]
    return grouped.agg(
        perturbations="count",
        mean="mean",
        worst="max",
        above_tight=lambda ratio: int((ratio > TIGHT_BOUND * (1 + ROUNDING)).sum()),
        above_bound=lambda ratio: int((ratio >= STABILITY_BOUND).sum()),
    ).reset_index()
