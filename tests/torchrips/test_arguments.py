"""What is taken for a diagram, and what is refused in one sentence."""

import numpy as np
import pytest
import torch

from torchrips.arguments import INTEGERS, as_diagrams
from torchrips.persistence import batched_rips_diagrams, pad_diagrams, rips_diagrams

ROWS = [[0, 1], [2, 5]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors_of_full_precision_are_taken_as_they_are(dtype):
    given = torch.tensor(ROWS, dtype=dtype, requires_grad=True)
    assert as_diagrams(given)[0] is given


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(dtype):
    given = torch.tensor(ROWS, dtype=dtype, requires_grad=True)
    (diagram,) = as_diagrams(given)
    diagram.sum().backward()
    assert diagram.dtype == torch.float32
    assert diagram.tolist() == ROWS
    assert given.grad.dtype == dtype


@pytest.mark.parametrize("default", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "given",
    [
        *(torch.tensor(ROWS, dtype=dtype) for dtype in sorted(INTEGERS, key=str)),
        np.array(ROWS),
        np.array(ROWS, dtype=np.uint16),
        ROWS,
        [(0.0, 1.0), (2.0, 5.0)],
        [np.array([0.0, 1.0]), np.array([2.0, 5.0])],
    ],
)
def test_integers_and_lists_get_the_default_dtype(given, default):
    torch.set_default_dtype(default)
    try:
        (diagram,) = as_diagrams(given)
    finally:
        torch.set_default_dtype(torch.float32)
    assert diagram.dtype == default
    assert diagram.tolist() == ROWS


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.array(ROWS, dtype=np.float64), torch.float64),
        (np.array(ROWS, dtype=np.float32), torch.float32),
        (np.array(ROWS, dtype=np.float16), torch.float32),
        (np.array(ROWS, dtype=">f8"), torch.float64),
        (np.array(ROWS, dtype=np.float64)[::-1][::-1], torch.float64),
    ],
)
def test_arrays_keep_their_dtype(given, dtype):
    (diagram,) = as_diagrams(given)
    assert diagram.dtype == dtype
    assert diagram.tolist() == ROWS
    diagram += 1  # a copy: the array is not changed
    assert given.tolist() == ROWS


def test_what_is_not_a_tensor_follows_the_tensor_beside_it():
    for tensor in (torch.zeros(3, 2), torch.zeros(3, 2, dtype=torch.float64)):
        for other in (ROWS, np.array(ROWS), np.array(ROWS, dtype=np.float64)):
            assert as_diagrams(other, tensor)[0].dtype == as_diagrams(tensor, other)[1].dtype == tensor.dtype
    assert (
        as_diagrams(torch.zeros(3, 2, dtype=torch.float16), np.array(ROWS, float))[1].dtype == torch.float32
    )


def test_the_only_diagram_of_a_cloud_and_an_empty_list_are_taken():
    (diagram,) = as_diagrams(rips_diagrams(torch.eye(3), (0,)))
    assert diagram.shape == (2, 2)
    assert as_diagrams([])[0].shape == (0, 2)


CLOUDS = torch.eye(3).repeat(2, 1, 1)


@pytest.mark.parametrize(
    ("given", "error", "remedy"),
    [
        (rips_diagrams(torch.eye(3)), TypeError, r"got a tuple of 2; choose one, as in .*\[0\]"),
        ([np.zeros((1, 2)), np.zeros((0, 2))], TypeError, "got a list of 2; choose one"),
        (batched_rips_diagrams(CLOUDS, (0,)), TypeError, "got a list of 2; .* add up their losses"),
        (pad_diagrams([torch.eye(2), torch.eye(2)]), TypeError, r"padded .*bars\[i\]\[mask\[i\]\]"),
        (pad_diagrams([torch.eye(2)])[0], ValueError, "a batch one by one"),
        (None, TypeError, "got NoneType"),
        ("diagram", TypeError, "got str"),
        ([[0, 1], [2]], TypeError, "got list"),
        ([(0, (0.0, 1.0))], TypeError, "got list"),
        (np.array([["0", "1"]]), TypeError, "got ndarray"),
        (np.zeros((1, 2), dtype=complex), TypeError, "got ndarray of complex128"),
        (torch.zeros(1, 2, dtype=torch.complex64), TypeError, "of real numbers"),
        (torch.zeros(1, 2, dtype=torch.bool), TypeError, "of real numbers"),
        (torch.zeros(1, 2).to(torch.float8_e4m3fn), TypeError, r"\.float\(\)"),
        (torch.zeros(1, 2).to_sparse(), TypeError, r"\.to_dense\(\)"),
        (torch.zeros(1, 2, device="meta"), TypeError, "device meta has no values"),
        (np.array([[0.0, np.inf]]), ValueError, r"leave out bars that never die, as in diagram\["),
        (torch.zeros(2), ValueError, r"shape \(k, 2\), rows \(birth, death\); got \(2,\)"),
    ],
)
def test_what_is_not_one_diagram_is_refused_with_a_remedy(given, error, remedy):
    with pytest.raises(error, match=remedy):
        as_diagrams(given)
    with pytest.raises(error, match=remedy):
        as_diagrams(torch.zeros(0, 2), given)
