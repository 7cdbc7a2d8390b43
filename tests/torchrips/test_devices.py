"""What a device without float64 would meet, such as Apple's, tried on one that is feigned.

A tensor on the feigned device holds one on the CPU and says that it is elsewhere. What is done with it is
done with the tensor that it holds, unless a result would have float64, or tensors of two devices would meet.
"""

import pytest
import torch
from test_regularizers import FAMILY, regularizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

from torchrips import landmarks, random_subsets, spread_gradient
from torchrips.persistence import batched_rips_diagrams, rips_diagrams
from torchrips.vectorizations import Landscape, PersistenceImage

DEVICE = torch.device("meta")
aten = torch.ops.aten
TAKE_INDICES_FROM_THE_HOST = {aten.index.Tensor, aten.index_put.default, aten._index_put_impl_.default}


class Far(torch.Tensor):
    """A tensor on the feigned device."""

    is_meta = False

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), dtype=held.dtype, device=DEVICE
        )

    def __init__(self, held):
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return feign(operation, args, kwargs or {})


class Feigned(TorchDispatchMode):
    """Inside of it the device is there."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return feign(operation, args, kwargs or {})


def feign(operation, args, kwargs):
    tensors = [item for item in tree_iter((args, kwargs)) if isinstance(item, torch.Tensor)]
    far = any(isinstance(tensor, Far) for tensor in tensors)
    moves = operation in (aten._to_copy.default, aten.copy_.default)
    if far and not moves and operation not in TAKE_INDICES_FROM_THE_HOST:
        near = [tensor for tensor in tensors if not isinstance(tensor, Far) and tensor.ndim > 0]
        assert not near, f"{operation} meets tensors of two devices"
    if kwargs.get("device") is not None:
        far = torch.device(kwargs["device"]) == DEVICE
        kwargs = kwargs | {"device": "cpu"}
    if operation is aten.copy_.default:
        far = isinstance(args[0], Far)
    held = tree_map(lambda item: item.held if isinstance(item, Far) else item, (args, kwargs))
    result = operation(*held[0], **held[1])
    return tree_map(_far, result) if far else result


def _far(result):
    if not isinstance(result, torch.Tensor):
        return result
    assert result.dtype != torch.float64, "float64 on a device that has none"
    return Far(result)


def cloud(dtype=torch.float32):
    angles = torch.arange(9) * (2 * torch.pi / 9)
    return (3 + torch.stack([angles.cos(), 1.5 * angles.sin() + 0.1 * angles], dim=1)).to(dtype)


def distances(points):
    return (points[:, None] - points).abs().sum(dim=2)


def squares(diagrams):
    return sum(diagram.square().sum() for diagram in diagrams)


FUNCTIONS = {
    **{
        f"diagrams, {metric}": lambda points, metric=metric: squares(rips_diagrams(points, metric=metric))
        for metric in ("euclidean", "manhattan", "chebyshev", "cosine", 3)
    },
    "diagrams, matrix": lambda points: squares(rips_diagrams(distances(points), metric="precomputed")),
    "diagrams, batch": lambda points: squares(batched_rips_diagrams([points, 2 * points], 0)[1]),
    "diagrams, limit": lambda points: rips_diagrams(points, 1, max_edge_length=1, essential=True)[0][
        :, 0
    ].sum(),
    "spread gradient": lambda points: squares(rips_diagrams(spread_gradient(points, 0.5))),
    "subsets": lambda points: random_subsets(points, 4, 2, torch.Generator().manual_seed(0)).square().sum(),
    "landmarks": lambda points: squares(rips_diagrams(points[landmarks(points, 6)[0]])),
    "image": lambda points: (
        PersistenceImage((0, 2), (0, 2), (3, 3), 0.3)(rips_diagrams(points)[1]).square().sum()
    ),
    "landscape": lambda points: Landscape(0, 2, 5, 2)(rips_diagrams(points)[0]).square().sum(),
}


def of_loss(name):
    loss = regularizer(name)
    return lambda points: loss(rips_diagrams(points)[0], rips_diagrams(1.1 * points.detach())[0])


FUNCTIONS |= {name: of_loss(name) for name in FAMILY}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_need_no_float64_on_the_device(name, dtype):
    value = FUNCTIONS[name](cloud(dtype))
    with Feigned(), torch.no_grad():
        far = Far(cloud(dtype))
        assert far.device == DEVICE
        far_value = FUNCTIONS[name](far)
        assert far_value.device == DEVICE
        assert far_value.item() == pytest.approx(value.item(), rel=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("name", ["diagrams, euclidean", "spread gradient"])
def test_gradients_that_are_not_torchs_need_no_float64_on_the_device(name, dtype):
    near = cloud(dtype).requires_grad_()
    (gradient,) = torch.autograd.grad(FUNCTIONS[name](near), near)
    with Feigned():
        far = Far(cloud(dtype)).requires_grad_()
        (far_gradient,) = torch.autograd.grad(FUNCTIONS[name](far), far)
        assert far_gradient.device == DEVICE
        torch.testing.assert_close(far_gradient.cpu(), gradient, rtol=1e-2, atol=1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gpu_has_the_values_and_gradients_of_the_cpu(name, dtype):
    near, far = (cloud(dtype).to(device).requires_grad_() for device in ("cpu", "cuda"))
    values = [FUNCTIONS[name](points) for points in (near, far)]
    assert values[1].device == far.device
    torch.testing.assert_close(values[1].cpu(), values[0], rtol=1e-3, atol=1e-5)
    (gradient,), (far_gradient,) = (
        torch.autograd.grad(value, points) for value, points in zip(values, (near, far), strict=True)
    )
    assert far_gradient.device == far.device
    torch.testing.assert_close(far_gradient.cpu(), gradient, rtol=1e-2, atol=1e-3)


def test_the_feigned_device_refuses_what_a_real_one_does():
    with Feigned():
        points = Far(cloud())
        for operation in (points.double, lambda: points + cloud()):
            with pytest.raises(AssertionError, match=r"float64 on a device|two devices"):
                operation()


class Transfers(Feigned):
    """Inside of it the device is there, and what moves to it or from it is counted."""

    def __init__(self):
        super().__init__()
        self.up = self.down = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = super().__torch_dispatch__(operation, types, args, kwargs)
        if operation in (aten._to_copy.default, aten._local_scalar_dense.default):
            moved = isinstance(args[0], Far) - isinstance(result, Far)
            self.down += moved == 1
            self.up += moved == -1
        return result


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_cloud_comes_to_the_host_once_and_its_bars_go_back_once(dtype):
    with Transfers() as transfers:
        points = Far(cloud(dtype)).requires_grad_()
        torch.autograd.grad(squares(rips_diagrams(points)), points)
    assert (transfers.down, transfers.up) == (1, 1)
