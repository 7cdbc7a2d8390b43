"""The thesis' theorem of differentiability, checked numerically (X1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from topogen.theory.clouds import SHAPES
from torchrips.persistence import batched_rips_diagrams, rips_diagrams
from torchrips.regularizers import REGULARIZERS, Bottleneck, Entropy, entropy

# Half the stencil of the central differences across an exception: wide, so that the figure shows it.
STENCIL = 0.02
ONLY_DEGREE_0 = {"4sgde"}  # regularizers that the thesis defines in no other degree
FLAT = 1e-12  # a gradient whose norm is at most this is zero, up to rounding
BESIDE = 1e-7  # distance from an exception at which one-sided slopes are taken


def gradient_errors(
    clouds: Sequence[Mapping[str, Any]],
    regularizers: Mapping[str, Mapping[str, Any]],
    count: int,
    step: float,
    seed: int,
) -> pd.DataFrame:
    r"""Automatic gradients of regularizers on random clouds, compared with central differences (X1).

    With the automatic gradient a and the differences f, of every coordinate of the cloud, the error is
    :math:`\lVert a - f \rVert / \max(\lVert a \rVert, \lVert f \rVert)`. It is 0 if both norms are at most
    :data:`FLAT`, which is 0 up to rounding.

    Args:
        clouds: entries {shape, dimension, points, degrees}; shape is a key of :data:`SHAPES`.
        regularizers: name -> parameters. The reference is the diagram of another random cloud,
            enlarged 1.3 times.
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
    """The cloud with each coordinate moved up by a step, then each moved down, shape (2 n d, n, d)."""
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
    """Summary of :func:`gradient_errors` by degree and regularizer.

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
    """Clouds P(t) that pass an exception at t = 0, and a regularizer of degree 0 on them.

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
    """Both one-sided slopes of each path at its exception, and the derivatives computed exactly there.

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
    r"""Entropy of a cloud in which two points meet, so that one point of its diagram goes to the diagonal.

    With the lifetimes 1.5, 1 and t, of sum L, the plain entropy has the derivative
    :math:`-(\log(t/L) + G)/L`, which grows without bound as t goes to 0.

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
