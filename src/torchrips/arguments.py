"""Arguments: what is taken for a diagram or for a cloud, and what a parameter may be."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DiagramLike = Tensor | NDArray[Any] | Sequence[Sequence[float]]

COUNT: tuple[Callable[[float], bool], str] = (lambda x: x >= 1 and x % 1 == 0, "a whole number >= 1")
# What a parameter of this name may be, in Python and in words.
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "sigma": (lambda x: 0 < x < math.inf, "> 0 and finite"),
    "scale": (lambda x: 0 < x < math.inf, "> 0 and finite"),
    "order": (lambda x: 1 <= x < math.inf, ">= 1 and finite"),
    "ground_norm": (lambda x: x >= 1, ">= 1, or infinity"),
    "directions": COUNT,
    "points": COUNT,
    "levels": COUNT,
    "pixels": COUNT,
    "delta": (lambda x: 0 <= x < math.inf, ">= 0 and finite"),
    "power": (lambda x: 1 <= x < math.inf, ">= 1 and finite"),
}
FULL_PRECISION = {torch.float32, torch.float64}
HALF_PRECISION = {torch.float16, torch.bfloat16}
UNSIGNED = {torch.uint8, torch.uint16, torch.uint32, torch.uint64}
INTEGERS = {*UNSIGNED, torch.int8, torch.int16, torch.int32, torch.int64}
NO_VMAP = (
    "torch.vmap cannot follow what depends on the order of values, such as a loss of a diagram; "
    "take the diagrams or the clouds of a batch one by one"
)


def check_parameters(**parameters: float) -> None:
    """Refuse parameters that no distance or regularizer is defined for.

    Raises:
        ValueError: a parameter is out of its range.

    """
    for name, value in parameters.items():
        within, words = RANGES[name]
        if isinstance(value, str) or not within(value):
            raise ValueError(f"{name} must be {words}, got {value!r}")


def as_diagrams(*diagrams: DiagramLike) -> tuple[Tensor, ...]:
    """Diagrams as tensors that can be computed with; one rule for all distances and regularizers.

    Tensors of float32 and float64 are taken as they are. Half precision becomes float32, in which all of
    its values are exact: sums and squares of it overflow or lose their digits. Integers become torch's
    default dtype. What is not a tensor, NumPy arrays and lists of rows (birth, death), takes the dtype and
    the device of the first tensor given with it. Without one, arrays keep their dtype under the same rules,
    and lists have torch's default dtype.

    Args:
        diagrams: each of shape (k, 2), k may be 0, rows (birth, death).

    Returns:
        Tensors of float32 or float64, one for each diagram; gradients flow to the tensors given.

    Raises:
        TypeError: an argument is not a diagram: nothing that numbers can be read from, several diagrams,
            or of a dtype, a layout or a device without such numbers.
        ValueError: a diagram is not of shape (k, 2), or holds NaN or an infinite value; or two are on
            different devices.

    """
    given = [_the_only_one(diagram) for diagram in diagrams]
    tensors = [_in_full_precision(diagram) for diagram in given if isinstance(diagram, Tensor)]
    devices = sorted({str(tensor.device) for tensor in tensors})
    if len(devices) > 1:
        raise ValueError(f"the diagrams are on different devices, {' and '.join(devices)}; move one with .to")
    like = tensors[0] if tensors else None
    rest = iter(tensors)
    result = tuple(next(rest) if isinstance(diagram, Tensor) else _read(diagram, like) for diagram in given)
    for diagram in result:
        _check_shape_and_values(diagram)
    return result


def _the_only_one(diagram: Any) -> Any:
    """The argument, or the one diagram that it holds."""
    if not isinstance(diagram, tuple | list) or not any(map(_holds_rows, diagram)):
        return diagram
    if len(diagram) == 1 and isinstance(diagram[0], Tensor | np.ndarray):
        return diagram[0]
    if isinstance(diagram[0], Tensor) and diagram[0].ndim == 3:
        raise TypeError(
            "expected one diagram, got padded ones (bars, mask); add up the losses of bars[i][mask[i]]"
        )
    raise TypeError(
        f"expected one diagram, got a {type(diagram).__name__} of {len(diagram)}; choose one, as in "
        "rips_diagrams(points, degrees=(0, 1))[0], or add up their losses"
    )


def _holds_rows(item: Any) -> bool:
    """Whether an item of an argument is a diagram, or holds several, and is not a row."""
    if isinstance(item, tuple | list):
        return any(isinstance(part, Tensor | np.ndarray) and part.ndim == 2 for part in item)
    return isinstance(item, Tensor | np.ndarray) and item.ndim >= 2


def _in_full_precision(diagram: Tensor) -> Tensor:
    if diagram.layout != torch.strided:
        raise TypeError(f"a diagram of layout {diagram.layout} must be made dense, with .to_dense()")
    if diagram.is_meta:
        raise TypeError("a diagram on the device meta has no values to compute with")
    if diagram.dtype in INTEGERS:
        diagram = diagram.to(torch.get_default_dtype())
    if diagram.dtype in HALF_PRECISION:
        return diagram.float()
    if diagram.dtype in FULL_PRECISION:
        return diagram
    remedy = ".real" if diagram.is_complex() else ".float()"
    raise TypeError(f"a diagram of {diagram.dtype} must be made one of real numbers, as with {remedy}")


def _read(diagram: Any, like: Tensor | None) -> Tensor:
    """A diagram that is not a tensor."""
    try:
        array = np.array(diagram)
    except (TypeError, ValueError, RuntimeError):
        array = np.array(None)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise TypeError(
            "a diagram is a tensor, an array, or a list of rows (birth, death) of numbers; "
            f"got {type(diagram).__name__}" + (f" of {array.dtype}" if array.ndim else "")
        )
    if isinstance(diagram, tuple | list) and len(diagram) == 0:
        array = np.zeros((0, 2))
    tensor = torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))
    if like is not None:
        return tensor.to(like.dtype).to(like.device)
    if array.dtype.kind in "iu" or not isinstance(diagram, np.ndarray):
        tensor = tensor.to(torch.get_default_dtype())
    return _in_full_precision(tensor)


def _check_shape_and_values(diagram: Tensor) -> None:
    if diagram.ndim != 2 or diagram.shape[1] != 2:
        hint = "; add up the losses of the diagrams of a batch one by one" if diagram.ndim == 3 else ""
        raise ValueError(f"a diagram has shape (k, 2), rows (birth, death); got {tuple(diagram.shape)}{hint}")
    try:
        finite = bool(torch.isfinite(diagram.detach()).all())
    except RuntimeError as error:
        if "vmap" not in str(error):
            raise
        raise RuntimeError(NO_VMAP) from None
    if not finite:
        raise ValueError(
            "a diagram holds NaN or infinite values; leave out bars that never die, as in "
            "diagram[diagram.isfinite().all(dim=1)]"
        )


def check_cloud(points: Tensor) -> None:
    """Refuse what is not one cloud of shape (n, d).

    Raises:
        TypeError: the points are not a tensor.
        ValueError: they have another shape.

    """
    if not isinstance(points, Tensor):
        raise TypeError(
            f"expected a torch.Tensor, got {type(points).__name__}; torch.as_tensor makes one of numbers"
        )
    if points.ndim != 2:
        raise ValueError(f"expected one cloud of shape (n, d), got {tuple(points.shape)}")


def check_coordinates(values: NDArray[Any]) -> None:
    """Refuse a cloud on the host that holds NaN or infinite coordinates.

    Raises:
        ValueError: it does; the message names the first such point.

    """
    finite = np.isfinite(values)
    if not finite.all():
        point = int(np.argmin(finite.all(axis=1)))
        raise ValueError(
            f"the point cloud holds NaN or infinite coordinates, first at point {point}; leave such points "
            "out, or find out whether the training diverged"
        )


def power_of_two(cloud: Tensor) -> float:
    """A scale of finite coordinates: division by it is exact, and squares of what is left do not overflow.

    Coordinates of at most 2 are left; the largest is 1 at least, unless all are 0.
    """
    largest = cloud.abs().amax().item() if cloud.numel() else 0.0
    return math.ldexp(1.0, math.frexp(largest)[1] - 1)
