"""The thesis' propositions, checked numerically: stability (F6) and differentiability (X1)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from topogen.distances import bottleneck
from topogen.persistence import batched_rips_diagrams, rips_diagrams
from topogen.regularizers import REGULARIZERS, Bottleneck, Entropy, entropy

Array = NDArray[np.float64]
Stream = np.random.Generator

STABILITY_BOUND = 2.0  # of the thesis: d_inf < 2 eps
TIGHT_BOUND = math.sqrt(2)  # see `stability`
ROUNDING = 1e-9  # relative, of a bound
# Half the stencil of the central differences across an exception: wide, so that the figure shows it.
STENCIL = 0.02
ONLY_DEGREE_0 = {"4sgde"}  # regularizers that the thesis defines in no other degree
FLAT = 1e-12  # norm up to which a gradient is zero but for rounding
BESIDE = 1e-7  # how far beside an exception one-sided slopes are taken


def _sphere(stream: Stream, points: int, dimension: int) -> Array:
    directions = stream.standard_normal((points, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions + 0.1 * stream.standard_normal((points, dimension))


# Random clouds of points in R^dimension, by name: a noisy unit sphere, the cube [0, 1]^d, a normal law.
SHAPES: dict[str, Callable[[Stream, int, int], Array]] = {
    "sphere": _sphere,
    "cube": lambda stream, points, dimension: stream.random((points, dimension)),
    "normal": lambda stream, points, dimension: stream.standard_normal((points, dimension)),
}


# Stability.


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
    """Gradient of a birth or death: the ends of the edge that it is the length of, away from each other."""
    points = torch.from_numpy(cloud).requires_grad_()
    (diagram,) = rips_diagrams(points, (degree,))
    values = diagram[:, 1] if degree == 0 else diagram.flatten()  # in degree 0 births do not move
    if len(values) == 0:
        return _two_points(stream, cloud, degree)
    (gradient,) = torch.autograd.grad(values[stream.integers(len(values))], points)
    return gradient.numpy()


# Ways to move a cloud, by name; the last one is the adversary's.
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
    :math:`\lVert P - P' \rVert_2 < \varepsilon`. The least factor is the root of 2: a distance changes by at
    most the sum of what its two ends move, so by at most :math:`\sqrt 2 \lVert P - P' \rVert_2`, and diagrams
    of two Rips filtrations on the same vertices differ by at most the largest change of a distance. It is
    attained where the edge of one birth or death is stretched or shortened, each end moving by
    :math:`\varepsilon / \sqrt 2`.

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
    """What :func:`stability` found, by degree and way to move.

    Returns:
        Columns degree, move, perturbations; mean and worst of distance / epsilon; above_tight and
        above_bound, the number of perturbations beyond the root of 2 (but for rounding), and beyond 2.

    """
    grouped = table.groupby(["degree", "move"], sort=False)["ratio"]
    return grouped.agg(
        perturbations="count",
        mean="mean",
        worst="max",
        above_tight=lambda ratio: int((ratio > TIGHT_BOUND * (1 + ROUNDING)).sum()),
        above_bound=lambda ratio: int((ratio >= STABILITY_BOUND).sum()),
    ).reset_index()


# Differentiability.


def gradient_errors(
    clouds: Sequence[Mapping[str, Any]],
    regularizers: Mapping[str, Mapping[str, Any]],
    count: int,
    step: float,
    seed: int,
) -> pd.DataFrame:
    r"""Automatic gradients of regularizers on random clouds against central finite differences (X1).

    With the automatic gradient a and the differences f, of every coordinate of the cloud, the error is
    :math:`\lVert a - f \rVert / \max(\lVert a \rVert, \lVert f \rVert)`, and 0 where both are 0 (but for
    rounding: up to :data:`FLAT`).

    Args:
        clouds: entries {shape, dimension, points, degrees}; shape is a key of :data:`SHAPES`.
        regularizers: name -> parameters. The reference is the diagram of another random cloud, 1.3 times.
        count: number of clouds of each entry.
        step: of the differences, unit of the clouds.
        seed: of everything random.

    Returns:
        Columns degree, regularizer, cloud (its number), error, norm (of the automatic gradient).

    """
    stream = np.random.default_rng(seed)
    losses = {name: REGULARIZERS[name](**parameters) for name, parameters in regularizers.items()}
    rows = []
    for entry in clouds:
        draw = partial(SHAPES[entry["shape"]], stream, entry["points"], entry["dimension"])
        for number in range(count):
            cloud, other = (torch.from_numpy(draw()) for _ in range(2))
            neighbours = _neighbours(cloud, step)
            for degree in entry["degrees"]:
                (reference,) = rips_diagrams(1.3 * other, (degree,))
                around = [diagram for (diagram,) in batched_rips_diagrams(neighbours, (degree,), threads=1)]
                for name, loss in losses.items():
                    if degree > 0 and name in ONLY_DEGREE_0:
                        continue
                    automatic = _gradient(loss, cloud, degree, reference)
                    values = torch.stack([loss(diagram, reference) for diagram in around])
                    differences = (values[: cloud.numel()] - values[cloud.numel() :]) / (2 * step)
                    row = {"degree": degree, "regularizer": name, "cloud": number}
                    rows.append(
                        row
                        | {
                            "error": _relative_error(automatic.flatten(), differences),
                            "norm": automatic.norm().item(),
                        }
                    )
    return pd.DataFrame(rows)


def _neighbours(cloud: Tensor, step: float) -> Tensor:
    """The cloud with each coordinate moved forth, then each back, shape (2 n d, n, d)."""
    moves = step * torch.eye(cloud.numel(), dtype=cloud.dtype).view(-1, *cloud.shape)
    return torch.cat([cloud + moves, cloud - moves])


def _gradient(loss: nn.Module, cloud: Tensor, degree: int, reference: Tensor) -> Tensor:
    points = cloud.clone().requires_grad_()
    value = loss(*rips_diagrams(points, (degree,)), reference)
    (gradient,) = torch.autograd.grad(value, points, materialize_grads=True)
    return gradient


def _relative_error(first: Tensor, second: Tensor) -> float:
    largest = max(first.norm().item(), second.norm().item())
    return (first - second).norm().item() / largest if largest > FLAT else 0.0


def gradient_agreement(errors: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """What :func:`gradient_errors` found, by degree and regularizer.

    Args:
        errors: columns degree, regularizer, error, norm.
        tolerance: error up to which the two gradients agree.

    Returns:
        Columns degree, regularizer, clouds; agree, the share of clouds with an error up to the tolerance;
        median and largest error; flat, the share of clouds with gradient zero.

    """
    table = errors.assign(agree=errors["error"] <= tolerance, flat=errors["norm"] <= FLAT)
    return (
        table.groupby(["degree", "regularizer"], sort=False)
        .agg(
            clouds=("error", "size"),
            agree=("agree", "mean"),
            median=("error", "median"),
            largest=("error", "max"),
            flat=("flat", "mean"),
        )
        .reset_index()
    )


# Exceptions: paths of clouds through a point where a regularizer has no derivative.


def _triangle(t: Tensor) -> Tensor:
    """Three points in the plane; for t < 0 the second death is the length of another edge than for t > 0."""
    apex = torch.stack([t + 0.5, t * 0 + 1.2])
    return torch.cat([torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=t.dtype), apex[None]])


def _line(*gaps: Tensor) -> Tensor:
    """Points on a line; the deaths of degree 0 are the gaps between them."""
    return torch.stack([gaps[0] * 0, *gaps]).cumsum(dim=0)[:, None]


def _deaths(*deaths: float) -> Tensor:
    return torch.tensor([[0.0, death] for death in deaths], dtype=torch.float64).view(-1, 2)


@dataclass(frozen=True)
class Path:
    """Clouds P(t) that at t = 0 pass an exception, and a regularizer of degree 0 on them.

    Attributes:
        exception: what happens at t = 0.
        regularizer: its name.
        loss: called with (diagram, reference).
        cloud: t -> P(t).
        reference: D0.

    """

    exception: str
    regularizer: str
    loss: nn.Module
    cloud: Callable[[Tensor], Tensor]
    reference: Tensor = field(default_factory=_deaths)

    def value_and_slope(self, t: float) -> tuple[float, float]:
        """Value at t and its automatic derivative in t."""
        place = torch.tensor(t, dtype=torch.float64, requires_grad=True)
        value = self.loss(*rips_diagrams(self.cloud(place), (0,)), self.reference)
        (slope,) = torch.autograd.grad(value, place, materialize_grads=True)
        return value.item(), slope.item()


def exception_paths(regularizers: Mapping[str, Mapping[str, Any]], delta: float) -> list[Path]:
    """The exceptions of the theorem, one path each; a tie of two distances for every regularizer.

    Args:
        regularizers: name -> parameters.
        delta: of the entropy whose threshold a lifetime crosses.

    """
    ties = [
        Path("tie of two distances", name, REGULARIZERS[name](**parameters), _triangle, _deaths(1.6, 0.8))
        for name, parameters in regularizers.items()
    ]
    return [
        *ties,
        Path(
            "lifetime crosses delta",
            "entropy",
            Entropy(delta),
            lambda t: _line(t * 0 + 1.5, t * 0 + 1, t + delta),
        ),
        Path(
            "critical pair changes",
            "bottleneck",
            Bottleneck(),
            lambda t: _line(1 + t, 2 - t),
            _deaths(2.3, 1.3),
        ),
    ]


def slopes_at_exceptions(paths: Sequence[Path], step: float) -> pd.DataFrame:
    """Both one-sided slopes of each path at its exception, and what is computed right there.

    Args:
        paths: of :func:`exception_paths`.
        step: of the central difference.

    Returns:
        Columns exception, regularizer; jump, of the value from t < 0 to t > 0; before and after, the slopes
        on both sides; automatic and difference, the derivatives computed at t = 0.

    """
    rows = []
    for path in paths:
        (below, before), (above, after) = (path.value_and_slope(t) for t in (-BESIDE, BESIDE))
        rows.append(
            {
                "exception": path.exception,
                "regularizer": path.regularizer,
                "jump": above - below - BESIDE * (before + after),
                "before": before,
                "after": after,
                "automatic": path.value_and_slope(0.0)[1],
                "difference": _difference(path, 0.0, step),
            }
        )
    return pd.DataFrame(rows)


def _difference(path: Path, t: float, step: float) -> float:
    return (path.value_and_slope(t + step)[0] - path.value_and_slope(t - step)[0]) / (2 * step)


def along_paths(paths: Sequence[Path]) -> pd.DataFrame:
    """Values and slopes of each path around its exception.

    Returns:
        Columns exception, regularizer, t, value, automatic (derivative), difference (central, over
        :data:`STENCIL` to both sides).

    """
    rows = []
    for path in paths:
        for t in (k / 800 for k in range(-40, 41)):
            value, slope = path.value_and_slope(t)
            row = {"exception": path.exception, "regularizer": path.regularizer, "t": t, "value": value}
            rows.append(row | {"automatic": slope, "difference": _difference(path, t, STENCIL)})
    return pd.DataFrame(rows)


def entropy_near_diagonal(deltas: Sequence[float]) -> pd.DataFrame:
    r"""Entropy of a cloud of which two points meet, so that one point of its diagram goes to the diagonal.

    With the lifetimes 1.5, 1 and t, of sum L, the plain entropy has the derivative
    :math:`-(\log(t/L) + G)/L`, without bound as t goes to 0.

    Args:
        deltas: of the delta-selective entropy; 0 for the plain one.

    Returns:
        Columns delta, lifetime (t), value and slope (the automatic derivative in t).

    """

    class Value(nn.Module):
        def __init__(self, delta: float) -> None:
            super().__init__()
            self.delta = delta

        def forward(self, diagram: Tensor, reference: Tensor) -> Tensor:
            return entropy(diagram, self.delta)

    rows = []
    for delta in deltas:
        path = Path("diagonal", "entropy", Value(delta), lambda t: _line(t * 0 + 1.5, t * 0 + 1, t))
        for t in np.geomspace(1e-8, 0.5, 200):
            value, slope = path.value_and_slope(float(t))
            rows.append({"delta": delta, "lifetime": t, "value": value, "slope": slope})
    return pd.DataFrame(rows)
