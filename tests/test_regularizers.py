import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import circles, diagrams, generic_clouds, slow_bottleneck, slow_kernel, smallest_gap

from topogen.persistence import rips_diagrams
from topogen.regularizers import REGULARIZERS

# A new member is one more line in each of these two tables.
FAMILY = {
    "push": {},
    "bottleneck": {},
    "reininghaus": {"sigma": 0.05},
    "4sgde": {"start": 0.0, "stop": 4.0, "points": 7, "sigma": 0.3, "scale": 0.5},
    "entropy": {"delta": 0.2},
}
DEFINITIONS = {
    "push": lambda diagram, _: -sum(death - birth for birth, death in diagram.tolist()),
    "bottleneck": slow_bottleneck,
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


def density(diagram, x):
    return 0.5 * sum((d - b) ** 4 * math.exp(-(((d - x) / 0.3) ** 2)) for b, d in diagram.tolist())


def selective_entropy(diagram):
    selected = [death - birth for birth, death in diagram.tolist() if death - birth > 0.2]
    return -sum(x / sum(selected) * math.log(x / sum(selected)) for x in selected)


members = pytest.mark.parametrize("name", FAMILY)


def regularizer(name):
    return REGULARIZERS[name](**FAMILY[name])


def test_the_tables_name_every_member():
    assert FAMILY.keys() == DEFINITIONS.keys() == REGULARIZERS.keys()


@members
@given(diagram=diagrams(), reference=diagrams())
def test_value_is_the_definition(name, diagram, reference):
    lifetimes = diagram[:, 1] - diagram[:, 0]
    assume(((lifetimes - 0.2).abs() > 1e-9).all())  # selected or not: rounding must not decide
    value = regularizer(name)(diagram, reference)
    assert value.shape == ()
    assert float(value) == pytest.approx(DEFINITIONS[name](diagram, reference), rel=1e-9, abs=1e-10)


@members
@given(diagram=diagrams(min_size=1), reference=diagrams(min_size=1), seed=st.randoms())
def test_order_of_the_bars_does_not_matter(name, diagram, reference, seed):
    order, other = (seed.sample(range(len(d)), len(d)) for d in (diagram, reference))
    loss = regularizer(name)
    expected = float(loss(diagram, reference))
    assert float(loss(diagram[order], reference[other])) == pytest.approx(expected, rel=1e-9, abs=1e-10)


EMPTY = torch.zeros(0, 2, dtype=torch.float64)
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
    ],
)
def test_degenerate_diagrams_have_finite_values_and_gradients(name, dtype, diagram, reference):
    diagram = diagram.to(dtype).clone().requires_grad_()
    value = regularizer(name)(diagram, reference.to(dtype))
    value.backward()
    assert value.shape == ()
    assert value.dtype == dtype
    assert torch.isfinite(value)
    assert torch.isfinite(diagram.grad).all()


@members
@given(diagram=diagrams())
def test_equal_diagrams_are_a_minimum(name, diagram):
    if name == "push":
        return  # has no reference
    start = diagram.clone().requires_grad_()
    value = regularizer(name)(start, diagram)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-10)
    assert (start.grad.abs() <= 1e-9).all()


@members
@pytest.mark.parametrize("degree", [0, 1])
@given(data=st.data())
def test_gradient_on_clouds_agrees_with_finite_differences(name, degree, data):
    cloud, other = (data.draw([generic_clouds(min_size=1, max_size=8), circles()][degree]) for _ in range(2))
    (reference,) = rips_diagrams(1.3 * other, (degree,))
    (diagram,) = rips_diagrams(cloud, (degree,))
    lifetimes = diagram[:, 1] - diagram[:, 0]
    assume(smallest_gap(cloud) > 1e-5)  # no derivative at a tie
    assume(((lifetimes - 0.2).abs() > 1e-5).all())  # nor of entropy at delta
    loss = regularizer(name)
    torch.autograd.gradcheck(
        lambda points: loss(*rips_diagrams(points, (degree,)), reference), cloud.requires_grad_()
    )


@members
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_collapsed_clouds_have_finite_values_and_gradients(name, n):
    for degree in (0, 1):
        cloud = torch.full((n, 3), 0.1, requires_grad=True)
        loss = regularizer(name)(*rips_diagrams(cloud, (degree,)), FULL.float())
        loss.backward()
        assert torch.isfinite(loss)
        assert not cloud.grad.any()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("reininghaus", {"sigma": 0}),
        ("reininghaus", {"sigma": -1}),
        ("entropy", {"delta": -0.1}),
        *[
            ("4sgde", FAMILY["4sgde"] | bad)
            for bad in ({"stop": 0.0}, {"points": 0}, {"sigma": 0.0}, {"scale": -1.0})
        ],
    ],
)
def test_arguments_out_of_range_are_refused(name, parameters):
    with pytest.raises(ValueError, match="got"):
        REGULARIZERS[name](**parameters)
