"""Point clouds that learn: gradient descent on the coordinates, down a sum of topological regularizers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from topogen.training.terms import Term, build_terms
from torchrips.persistence import Diagrams, rips_diagrams
from torchrips.spreading import spread_gradient

Array = NDArray[np.float64]
Stream = np.random.Generator


# Clouds, from parts.


def clusters(stream: Stream, centres: Sequence[Sequence[float]], points: int, sd: float) -> Array:
    """Normal points about each centre.

    Args:
        stream: of random numbers.
        centres: shape (c, 2).
        points: about each centre.
        sd: standard deviation.
    """
    around = np.repeat(np.array(centres, dtype=np.float64), points, axis=0)
    return around + sd * stream.standard_normal(around.shape)


def line(stream: Stream, corners: Sequence[Sequence[float]], points: int, jitter: float) -> Array:
    """Evenly spaced points, with normal noise, on a line through corners: a segment if there are two.

    Args:
        stream: of random numbers.
        corners: shape (c, 2), c >= 2.
        points: on the line, its two ends included.
        jitter: standard deviation.
    """
    places = np.array(corners, dtype=np.float64)
    lengths = np.append(0, np.linalg.norm(np.diff(places, axis=0), axis=1).cumsum())
    along = np.linspace(0, lengths[-1], points)
    bare = np.stack([np.interp(along, lengths, column) for column in places.T], axis=1)
    return bare + jitter * stream.standard_normal(bare.shape)


def circle(stream: Stream, centre: Sequence[float], radius: float, points: int, jitter: float) -> Array:
    """Evenly spaced points, with normal noise, on a circle in the plane.

    Args:
        stream: of random numbers.
        centre: shape (2,).
        radius: of the circle.
        points: on the circle.
        jitter: standard deviation.
    """
    angles = 2 * np.pi * np.arange(points) / points
    ring = np.array(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return ring + jitter * stream.standard_normal(ring.shape)


# Parts of a cloud, by name; each is called with a stream of random numbers and its parameters.
PARTS: dict[str, Callable[..., Array]] = {"clusters": clusters, "line": line, "circle": circle}


def build_cloud(stream: Stream, parts: Sequence[Mapping[str, Any]]) -> Array:
    """Union of planar parts, entries {kind, ...parameters}; kind is a key of :data:`PARTS`. Shape (n, 2)."""
    drawn = [
        PARTS[part["kind"]](stream, **{key: value for key, value in part.items() if key != "kind"})
        for part in parts
    ]
    return np.concatenate([np.zeros((0, 2)), *drawn])


# Descent.


def descend(
    start: Array,
    references: Diagrams,
    terms: Sequence[Term],
    *,
    steps: int,
    learning_rate: float,
    kernel_width: float | None = None,
) -> tuple[Array, Array]:
    r"""Gradient descent of a cloud, down a weighted sum of regularizers.

    .. math:: P \leftarrow P - \eta \nabla L(P), \qquad L(P) = \sum_i w_i \, L_i(B_{p_i}(P), D_0).

    Args:
        start: P, shape (n, d).
        references: D0 of degree 0, of degree 1, and so on.
        terms: of the loss, with weight and degree.
        steps: number of steps.
        learning_rate: eta.
        kernel_width: width sigma of the kernel by which the gradient is interpolated to the whole cloud, see
            :func:`torchrips.spreading.spread_gradient`; None for the plain gradient.

    Returns:
        Clouds, shape (steps + 1, n, d), and their losses, shape (steps + 1,).

    """
    points = torch.from_numpy(start).clone().requires_grad_()
    optimizer = torch.optim.SGD([points], learning_rate)
    degrees = sorted({term.degree for term in terms})
    clouds, losses = [], []
    for step in range(steps + 1):
        moved = points if kernel_width is None else spread_gradient(points, kernel_width)
        diagrams = dict(zip(degrees, rips_diagrams(moved, degrees), strict=True))
        loss = torch.stack([term.weighted(diagrams, references) for term in terms]).sum()
        clouds.append(points.detach().numpy().copy())
        losses.append(loss.item())
        if step < steps:
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    return np.stack(clouds), np.array(losses)


def experiment(
    *,
    start: Sequence[Mapping[str, Any]],
    terms: Sequence[dict[str, Any]],
    steps: int,
    learning_rate: float,
    frames: int,
    seed: int,
    target: Sequence[Mapping[str, Any]] = (),
    kernel_width: float | None = None,
) -> dict[str, NDArray[Any]]:
    """One cloud on its way to the diagram of another, by the plain gradient and, if asked, the spread one.

    Args:
        start: parts of the cloud that learns, see :func:`build_cloud`.
        terms: of the loss, entries {name, degree, weight, parameters, reference_scale}, degree 0 or 1.
        steps: of each descent.
        learning_rate: of each descent.
        frames: clouds that are kept, evenly over the steps.
        seed: of the clouds.
        target: parts of the cloud whose diagrams are D0; without parts D0 is empty.
        kernel_width: width of the kernel of the spread gradient; None for no second descent.

    Returns:
        target, shape (m, 2); reference_0 and reference_1, its diagrams; steps, those of the clouds that are
        kept, shape (f,). For ``plain`` and, if asked, ``spread``: losses_NAME of all steps, shape
        (steps + 1,); clouds_NAME, shape (f, n, 2); diagrams_NAME, rows (frame, degree, birth, death).

    """
    stream = np.random.default_rng(seed)
    first, other = build_cloud(stream, start), build_cloud(stream, target)
    references = rips_diagrams(torch.from_numpy(other))
    kept = np.unique(np.linspace(0, steps, frames).round().astype(np.int64))
    arrays: dict[str, NDArray[Any]] = {"target": other, "steps": kept}
    arrays |= {f"reference_{degree}": diagram.numpy() for degree, diagram in enumerate(references)}
    for name, sigma in (("plain", None), ("spread", kernel_width))[: 1 if kernel_width is None else 2]:
        clouds, losses = descend(
            first,
            references,
            build_terms(terms),
            steps=steps,
            learning_rate=learning_rate,
            kernel_width=sigma,
        )
        arrays |= {f"losses_{name}": losses, f"clouds_{name}": clouds[kept]}
        arrays[f"diagrams_{name}"] = _labelled_diagrams(clouds[kept])
    return arrays


def _labelled_diagrams(clouds: Array) -> Array:
    """Diagrams of many clouds, rows (number of the cloud, degree, birth, death)."""
    rows = [
        np.insert(diagram.numpy(), 0, [[frame], [degree]], axis=1)
        for frame, cloud in enumerate(clouds)
        for degree, diagram in enumerate(rips_diagrams(torch.from_numpy(cloud)))
    ]
    return np.concatenate(rows)


def steps_to_half(experiments: Mapping[str, Mapping[str, Array]]) -> pd.DataFrame:
    """How many steps each descent needs for half of the way down.

    Half is midway between the first loss and the lowest one that either descent of the experiment reaches;
    for a loss that goes to 0, half of the first loss.

    Args:
        experiments: name -> what :func:`experiment` returned.

    Returns:
        Columns experiment, gradient (plain or spread), first, last and lowest loss, half, and steps until
        the loss is at most that; NaN if it never is.

    """
    rows = []
    for name, arrays in experiments.items():
        gradients = [gradient for gradient in ("plain", "spread") if f"losses_{gradient}" in arrays]
        losses = {gradient: arrays[f"losses_{gradient}"] for gradient in gradients}
        half = (losses["plain"][0] + min(curve.min() for curve in losses.values())) / 2
        for gradient, curve in losses.items():
            below = np.flatnonzero(curve <= half)
            rows.append(
                {
                    "experiment": name,
                    "gradient": gradient,
                    "first": curve[0],
                    "last": curve[-1],
                    "lowest": curve.min(),
                    "half": half,
                    "steps": below[0] if len(below) and curve[0] > half else np.nan,
                }
            )
    return pd.DataFrame(rows)
