import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    at_most,
    circles,
    diagrams,
    generic_clouds,
    generic_pairs,
    isometries,
    normal,
    slow_bottleneck,
    slow_fisher,
    slow_kernel,
    slow_sliced_wasserstein,
    slow_wasserstein,
    smallest_gap,
)

from torchrips.persistence import rips_diagrams
from torchrips.regularizers import REGULARIZERS

# A new member is one more line in each of these three tables.
FAMILY = {
    "push": {},
    "total_persistence": {"power": 1.5},
    "bottleneck": {},
    "wasserstein": {"order": 1.5, "ground_norm": 3},
    "sliced_wasserstein": {"directions": 5},
    "fisher": {"sigma": 0.7},
    "reininghaus": {"sigma": 0.05},
    "4sgde": {"start": 0.0, "stop": 4.0, "points": 7, "sigma": 0.3, "scale": 0.5},
    "entropy": {"delta": 0.2},
}
DEFINITIONS = {
    "push": lambda diagram, _: -sum(death - birth for birth, death in diagram.tolist()),
    "total_persistence": lambda diagram, _: sum(
        abs(death - birth) ** 1.5 for birth, death in diagram.tolist()
    ),
    "bottleneck": slow_bottleneck,
    "wasserstein": lambda diagram, reference: slow_wasserstein(diagram, reference, 1.5, 3),
    "sliced_wasserstein": lambda diagram, reference: slow_sliced_wasserstein(diagram, reference, 5),
    "fisher": lambda diagram, reference: slow_fisher(diagram, reference, 0.7),
    "reininghaus": lambda diagram, reference: (
        slow_kernel(diagram, diagram, 0.05)
        + slow_kernel(reference, reference, 0.05)
        - 2 * slow_kernel(diagram, reference, 0.05)
    ),
    "4sgde": lambda diagram, reference: sum(
        (density(diagram, x) - density(reference, x)) ** 2 for x in [0, 2 / 3, 4 / 3, 2, 8 / 3, 10 / 3, 4]
    ),
    "entropy": lambda diagram, reference: (selective_entropy(diagram) - selective_entropy(reference)) ** 2,
}
# With the diagrams times c, and each parameter named times c to its power: the value is times c to the first.
SCALING = {
    "push": (1, {}),
    "total_persistence": (1.5, {}),
    "bottleneck": (1, {}),
    "wasserstein": (1, {}),
    "sliced_wasserstein": (1, {}),
    "fisher": (0, {"sigma": 1}),
    "reininghaus": (-2, {"sigma": 2}),
    "4sgde": (8, {"start": 1, "stop": 1, "sigma": 1}),
    "entropy": (0, {"delta": 1}),
}
WITHOUT_REFERENCE = {"push", "total_persistence"}
COUNT_THE_DIAGONAL = {"fisher"}  # a point there adds to both densities


def density(diagram, x):
    return 0.5 * sum((d - b) ** 4 * math.exp(-(((d - x) / 0.3) ** 2)) for b, d in diagram.tolist())


def selective_entropy(diagram):
    selected = [death - birth for birth, death in diagram.tolist() if death - birth > 0.2]
    return -sum(x / sum(selected) * math.log(x / sum(selected)) for x in selected)


members = pytest.mark.parametrize("name", FAMILY)
EMPTY = torch.zeros(0, 2, dtype=torch.float64)


def regularizer(name):
    return REGULARIZERS[name](**FAMILY[name])


def value_and_gradient(loss, *inputs):
    """Value, and gradient in the first input."""
    first = inputs[0].clone().requires_grad_()
    value = loss(first, *inputs[1:])
    value.backward()
    return value.item(), first.grad


def assume_delta_apart(*diagrams):
    """No lifetime is at delta, where rounding decides what is selected."""
    for diagram in diagrams:
        assume((((diagram[:, 1] - diagram[:, 0]) - FAMILY["entropy"]["delta"]).abs() > 1e-5).all())


def test_the_tables_name_every_member():
    assert FAMILY.keys() == DEFINITIONS.keys() == SCALING.keys() == REGULARIZERS.keys()
    conventions = (Path(__file__).parents[2] / "docs/conventions.md").read_text()
    of_diagrams, *_ = conventions.split("\n## ")
    rows = re.findall(r"^\| `(\w+)` \|", of_diagrams, re.MULTILINE)
    assert set(rows) == {*REGULARIZERS, "scale_space_kernel", "PersistenceImage", "Landscape"}


@members
@given(diagram=diagrams(), reference=diagrams())
def test_value_is_the_definition(name, diagram, reference):
    assume_delta_apart(diagram, reference)
    value = regularizer(name)(diagram, reference)
    assert value.shape == ()
    assert float(value) == pytest.approx(DEFINITIONS[name](diagram, reference), rel=1e-9, abs=1e-10)


@members
@at_most(20)
@given(diagram=diagrams(min_size=1), reference=diagrams(min_size=1), seed=st.randoms())
def test_order_of_the_bars_does_not_matter(name, diagram, reference, seed):
    order, other = (seed.sample(range(len(d)), len(d)) for d in (diagram, reference))
    loss = regularizer(name)
    expected = float(loss(diagram, reference))
    assert float(loss(diagram[order], reference[other])) == pytest.approx(expected, rel=1e-9, abs=1e-10)


@members
@at_most(20)
@given(diagram=diagrams(), reference=diagrams())
def test_diagram_and_reference_may_change_places(name, diagram, reference):
    loss = regularizer(name)
    other = loss(diagram, EMPTY) if name in WITHOUT_REFERENCE else loss(reference, diagram)
    assert float(loss(diagram, reference)) == pytest.approx(float(other), rel=1e-9, abs=1e-10)


@members
@at_most(20)
@given(pair=generic_pairs(), scale=st.sampled_from([2.0**-20, 0.25, 8.0, 2.0**20]))
def test_value_and_gradient_scale_by_a_power(name, pair, scale):
    exponent, rescaled = SCALING[name]
    factors = {key: scale**power for key, power in rescaled.items()}
    parameters = {key: value * factors.get(key, 1) for key, value in FAMILY[name].items()}
    value, gradient = value_and_gradient(regularizer(name), *pair)
    scaled, its_gradient = value_and_gradient(REGULARIZERS[name](**parameters), *(scale * x for x in pair))
    assert scaled == pytest.approx(scale**exponent * value, rel=1e-9, abs=1e-12 * scale**exponent)
    tolerance = {"rtol": 1e-9, "atol": 1e-12 * scale ** (exponent - 1)}
    torch.testing.assert_close(its_gradient, scale ** (exponent - 1) * gradient, **tolerance)


@pytest.mark.parametrize("name", sorted(FAMILY.keys() - COUNT_THE_DIAGONAL))
@at_most(20)
@given(pair=generic_pairs(), position=st.sampled_from([0.0, 0.3, 2.0]))
def test_points_on_the_diagonal_do_not_count(name, pair, position):
    diagonal = torch.full((2, 2), position, dtype=torch.float64)
    value, gradient = value_and_gradient(regularizer(name), *pair)
    for more in ((diagonal, EMPTY), (EMPTY, diagonal), (diagonal, diagonal)):
        padded = (torch.cat(both) for both in zip(pair, more, strict=True))
        with_diagonal, its_gradient = value_and_gradient(regularizer(name), *padded)
        assert with_diagonal == pytest.approx(value, rel=1e-9, abs=1e-12)
        torch.testing.assert_close(its_gradient[: len(gradient)], gradient, rtol=1e-9, atol=1e-10)


@members
@at_most(20)
@given(pair=generic_pairs())
def test_gradient_on_diagrams_agrees_with_finite_differences(name, pair):
    assume_delta_apart(*pair)
    torch.autograd.gradcheck(regularizer(name), tuple(x.requires_grad_() for x in pair))


@members
def test_losses_refuse_infinite_deaths_with_a_remedy(name):
    (bars,) = rips_diagrams(torch.eye(3), 0, essential=True)
    with pytest.raises(ValueError, match=r"infinite .* leave out bars that never die, as in diagram\["):
        regularizer(name)(bars, bars)


@pytest.mark.parametrize("name", ["total_persistence", "bottleneck", "wasserstein", "entropy"])
@given(diagram=diagrams(min_size=1))
def test_a_point_below_the_diagonal_counts_as_its_mirror_image(name, diagram):
    value, gradient = value_and_gradient(regularizer(name), diagram, EMPTY)
    mirrored, its_gradient = value_and_gradient(regularizer(name), diagram.flip(1), EMPTY)
    assert mirrored == value
    assert torch.equal(its_gradient.flip(1), gradient)


FULL = torch.tensor([[0.5, 1.5], [1.0, 3.0], [1.0, 1.25]], dtype=torch.float64)
DEATHS = FULL * torch.tensor([0, 1])
DIAGONAL = torch.tensor([[1.0, 1.0], [2.0, 2.0], [2.0, 2.0]], dtype=torch.float64)
TIED = FULL[:1].repeat(4, 1)


@members
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("diagram", "reference"),
    [
        (EMPTY, EMPTY),
        (EMPTY, FULL),
        (FULL, EMPTY),
        (FULL, FULL),
        (DEATHS, DEATHS),
        (TIED, TIED),
        (TIED, FULL),
        (DIAGONAL, EMPTY),
        (EMPTY, DIAGONAL),
        (DIAGONAL, FULL),
        (torch.cat([FULL, DIAGONAL]), FULL),
        (DIAGONAL * 0, EMPTY),
        (DIAGONAL, DIAGONAL),
        (DEATHS, DEATHS.flip(0)),
        (FULL.repeat(2, 1), FULL),
        (FULL, FULL + 1e-7),
        (FULL, FULL.flip(1)),
        (1e-30 * FULL, 1e-30 * TIED),
        (1e9 * FULL, FULL),
    ],
)
def test_degenerate_diagrams_have_finite_values_and_gradients(name, dtype, diagram, reference):
    pair = [x.to(dtype).clone().requires_grad_() for x in (diagram, reference)]
    value = regularizer(name)(*pair)
    value.backward()
    assert value.shape == ()
    assert value.dtype == dtype
    assert torch.isfinite(value)
    for x in pair if name not in WITHOUT_REFERENCE else pair[:1]:
        assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize(
    ("death", "dtype"), [(1e10, torch.float32), (1e30, torch.float32), (1e150, torch.float64)]
)
def test_a_long_bar_far_from_the_grid_counts_for_nothing(death, dtype):
    """Its fourth power overflows."""
    loss, bars = regularizer("4sgde"), torch.tensor([[0.0, death], [0.0, 1.0]], dtype=dtype)
    value, gradient = value_and_gradient(loss, bars, EMPTY)
    expected, its_gradient = value_and_gradient(loss, bars[1:], EMPTY)
    assert value == expected
    assert torch.equal(gradient, torch.cat([torch.zeros(1, 2, dtype=dtype), its_gradient]))


@pytest.mark.parametrize("name", ["total_persistence", "bottleneck", "wasserstein", "fisher", "entropy"])
@pytest.mark.parametrize("point", [[0.0, 0.0], [2.0, 2.0]])
def test_a_point_alone_on_the_diagonal_does_not_move(name, point):
    point = torch.tensor([point], dtype=torch.float64)
    value, gradient = value_and_gradient(regularizer(name), point, EMPTY)
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize(
    ("name", "parameters"), [("entropy", {"delta": 0}), ("total_persistence", {"power": 1})]
)
def test_the_least_parameters_are_finite_on_the_diagonal(name, parameters):
    # Another library: NaN for the entropy.
    loss = REGULARIZERS[name](**parameters)
    for diagram in (DIAGONAL, torch.cat([DIAGONAL, FULL]), FULL):
        value, gradient = value_and_gradient(loss, diagram, EMPTY)
        assert math.isfinite(value)
        assert torch.isfinite(gradient).all()
        assert not gradient[diagram[:, 0] == diagram[:, 1]].any()


@pytest.mark.parametrize("name", sorted(FAMILY.keys() - WITHOUT_REFERENCE))
@at_most(20)
@given(diagram=diagrams())
def test_equal_diagrams_are_a_minimum(name, diagram):
    for equal in (diagram, diagram.flip(0)):
        value, gradient = value_and_gradient(regularizer(name), diagram, equal)
        assert value == pytest.approx(0, abs=1e-10)
        assert (gradient.abs() <= 1e-9).all()


@members
@at_most(10)
@given(pair=generic_pairs())
def test_second_derivatives_on_diagrams_agree_with_finite_differences(name, pair):
    assume_delta_apart(*pair)
    torch.autograd.gradgradcheck(regularizer(name), tuple(x.requires_grad_() for x in pair))


@members
def test_transforms_of_functions_give_the_same_derivatives(name):
    loss, pair = regularizer(name), (FULL, 1.2 * FULL[1:] + 0.1)
    _, gradient = value_and_gradient(loss, *pair)
    for transform in (torch.func.grad, torch.func.jacrev, torch.func.jacfwd):
        torch.testing.assert_close(transform(loss)(*pair), gradient)
    hessian = torch.autograd.functional.hessian(lambda x: loss(x, pair[1]), pair[0])
    torch.testing.assert_close(torch.func.hessian(loss)(*pair), hessian)


@members
def test_a_loss_under_vmap_is_refused_with_a_remedy(name):
    with pytest.raises(RuntimeError, match="one by one"):
        torch.func.vmap(regularizer(name), in_dims=(0, None))(FULL.repeat(2, 1, 1), FULL)


@members
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_the_default_device_does_not_matter(name, device):
    expected = regularizer(name)(FULL, DEATHS)
    with torch.device(device):
        assert regularizer(name)(FULL, DEATHS) == expected


@members
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(name, dtype):
    # 300 bars of length 1 to 20, whose fourth powers and sums have no place in float16.
    births_and_lifetimes = normal(0, 2, 2, 300).abs().clamp(0, 3) * torch.tensor([[1], [6]]) + 1
    diagram, reference = births_and_lifetimes.cumsum(dim=1).transpose(1, 2).to(dtype)
    for pair in ((diagram, reference), (diagram, reference[:200])):
        value, gradient = value_and_gradient(regularizer(name), *pair)
        expected, its_gradient = value_and_gradient(regularizer(name), *(x.float() for x in pair))
        assert value == expected
        assert math.isfinite(value)
        assert gradient.dtype == dtype
        torch.testing.assert_close(gradient, its_gradient.to(dtype))
    assert regularizer(name)(*pair).dtype == torch.float32


@members
def test_integers_count_as_the_default_floating_point_numbers(name):
    diagram, reference = torch.tensor([[0, 3], [1, 7], [2, 4]]), torch.tensor([[1, 3], [0, 5]])
    expected = regularizer(name)(diagram.float(), reference.float())
    for pair in ((diagram, reference), (diagram.float(), reference), (diagram, reference.tolist())):
        assert regularizer(name)(*pair) == expected
    assert regularizer(name)(diagram.tolist(), reference.tolist()) == expected


@members
@at_most(10)
@given(diagram=diagrams(), reference=diagrams())
def test_arrays_and_lists_are_taken(name, diagram, reference):
    assume_delta_apart(diagram, reference)
    loss = regularizer(name)
    expected = loss(diagram, reference)
    assert loss(diagram.numpy(), reference.numpy()) == expected
    assert loss(diagram, reference.tolist()) == expected
    assert loss((diagram,), reference) == expected  # a cloud's diagrams, if it is one


@pytest.mark.parametrize("name", sorted(WITHOUT_REFERENCE))
@given(diagram=diagrams())
def test_a_reference_that_is_ignored_may_be_left_out(name, diagram):
    assert regularizer(name)(diagram) == regularizer(name)(diagram, EMPTY)


def test_the_grid_of_densities_keeps_its_digits_when_the_module_is_moved():
    expected = regularizer("4sgde")(FULL, DEATHS)
    assert regularizer("4sgde").half()(FULL, DEATHS) == expected


@members
@pytest.mark.parametrize("degree", [0, 1])
@at_most(8)
@given(data=st.data())
def test_gradient_on_clouds_agrees_with_finite_differences(name, degree, data):
    cloud, other = (data.draw([generic_clouds(min_size=1, max_size=8), circles()][degree]) for _ in range(2))
    (reference,) = rips_diagrams(1.3 * other, (degree,))
    (diagram,) = rips_diagrams(cloud, (degree,))
    assume(smallest_gap(cloud) > 1e-5)  # no derivative at a tie
    assume_delta_apart(diagram)
    loss = regularizer(name)
    torch.autograd.gradcheck(
        lambda points: loss(*rips_diagrams(points, (degree,)), reference), cloud.requires_grad_()
    )


@members
@pytest.mark.parametrize("degree", [0, 1])
@at_most(8)
@given(data=st.data())
def test_gradient_on_clouds_follows_isometries_and_the_order_of_the_points(name, degree, data):
    cloud, other = (data.draw([generic_clouds(min_size=1, max_size=12), circles()][degree]) for _ in range(2))
    assume(smallest_gap(cloud) > 1e-5)
    (diagram,), (reference,) = (rips_diagrams(x, (degree,)) for x in (cloud, 1.3 * other))
    assume_delta_apart(diagram)

    def loss(points):
        return regularizer(name)(*rips_diagrams(points, (degree,)), reference)

    order, orthogonal, shift = data.draw(isometries(*cloud.shape))
    value, gradient = value_and_gradient(loss, cloud)
    moved, its_gradient = value_and_gradient(loss, cloud[order] @ orthogonal + shift)
    assert moved == pytest.approx(value, rel=1e-9, abs=1e-10)
    torch.testing.assert_close(its_gradient, gradient[order] @ orthogonal, rtol=1e-7, atol=1e-9)


@members
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_collapsed_clouds_have_finite_values_and_gradients(name, n):
    for degree in (0, 1):
        cloud = torch.full((n, 3), 0.1, requires_grad=True)
        loss = regularizer(name)(*rips_diagrams(cloud, (degree,)), FULL.float())
        loss.backward()
        assert torch.isfinite(loss)
        assert not cloud.grad.any()


@members
@pytest.mark.parametrize("entry", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(name, entry):
    bad = FULL.clone()
    bad[1, 1] = entry
    for pair in ((bad, FULL), (FULL, bad), (EMPTY, bad)):
        with pytest.raises(ValueError, match="NaN or infinite"):
            regularizer(name)(*pair)


@members
@pytest.mark.parametrize("shape", [(2,), (3, 3), (0, 3), (1, 2, 2)])
def test_what_is_no_diagram_is_refused(name, shape):
    for pair in ((torch.zeros(shape), FULL), (FULL, torch.zeros(shape))):
        with pytest.raises(ValueError, match=r"shape \(k, 2\)"):
            regularizer(name)(*pair)


@members
def test_the_callers_tensors_are_not_modified(name):
    # Another library overwrites points below the diagonal.
    pair = [torch.cat([FULL, DIAGONAL, FULL.flip(1)]), TIED.clone()]
    kept = [x.clone() for x in pair]
    regularizer(name)(*(x.requires_grad_() for x in pair)).backward()
    assert all(torch.equal(x.detach(), y) for x, y in zip(pair, kept, strict=True))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        *[("reininghaus", {"sigma": sigma}) for sigma in (0, -1, math.inf, math.nan)],
        *[("fisher", {"sigma": sigma}) for sigma in (0, -1, math.inf, math.nan)],
        *[("entropy", {"delta": delta}) for delta in (-0.1, math.inf, math.nan)],
        *[("total_persistence", {"power": power}) for power in (0.5, 0, math.inf, math.nan)],
        *[("wasserstein", {"order": order, "ground_norm": 2}) for order in (0.5, math.inf, math.nan)],
        *[("wasserstein", {"order": 2, "ground_norm": norm}) for norm in (0.5, math.nan)],
        *[("sliced_wasserstein", {"directions": count}) for count in (0, 2.5)],
        *[
            ("4sgde", FAMILY["4sgde"] | bad)
            for bad in ({"stop": 0.0}, {"stop": math.inf}, {"sigma": 0.0}, {"scale": -1.0})
        ],
        *[("4sgde", FAMILY["4sgde"] | {"points": count}) for count in (0, 2.5, math.nan, math.inf)],
    ],
)
def test_arguments_out_of_range_are_refused(name, parameters):
    with pytest.raises(ValueError, match="got"):
        REGULARIZERS[name](**parameters)
