"""What the scripts ran, against a reading of the thesis' section 5 point by point."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from strategies import diagrams

from topogen.training.as_run import (
    AS_RUN,
    BottleneckAsRun,
    EntropyAsRun,
    LifetimeDensityAsRun,
    ReininghausAsRun,
)
from torchrips.distances import bottleneck

PARAMETERS = {
    "as_run_bottleneck": {},
    "as_run_reininghaus": {"sigma": 0.05},
    "as_run_entropy": {"delta": 0.1},
    "as_run_4sgde": {"start": 0.0, "stop": 2.0, "points": 30, "sigma": 0.2, "scale": 0.002},
}


def one_point(diagram):
    return max(diagram.tolist(), default=None)  # tuples are ordered by birth first


def no_tie(diagram):
    return len(diagram[:, 0].unique()) == len(diagram)


def heat(p, q, sigma=0.05):
    def gaussian(a, b):
        return math.exp(-((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / (8 * sigma))

    return (gaussian(p, q) - gaussian(p, q[::-1])) / (8 * math.pi * sigma)


@given(diagram=diagrams(min_size=1, born_at_zero=False), reference=diagrams(min_size=1, born_at_zero=False))
def test_reininghaus_looks_at_one_point_of_each(diagram, reference):
    assume(no_tie(diagram) and no_tie(reference))
    p, q = one_point(diagram), one_point(reference)
    value = ReininghausAsRun(sigma=0.05)(diagram, reference)
    assert value.item() == pytest.approx(heat(p, p) - 2 * heat(p, q), abs=1e-9)


@given(diagram=diagrams(min_size=1, born_at_zero=False), reference=diagrams())
def test_entropy_has_one_term_of_the_generated_diagram(diagram, reference):
    assume(no_tie(diagram))
    lifetimes = (diagram[:, 1] - diagram[:, 0]).abs()
    kept = lifetimes > 0.1
    theirs = (reference[:, 1] - reference[:, 0]).abs().numpy()
    theirs = theirs[theirs > 0.1] / theirs[theirs > 0.1].sum()
    term = 0.0
    birth, death = one_point(diagram)
    if abs(death - birth) > 0.1:
        share = abs(death - birth) / lifetimes[kept].sum().item()
        term = -share * math.log(share)
    expected = (term + (theirs * np.log(theirs)).sum()) ** 2
    leaf = diagram.clone().requires_grad_()
    value = EntropyAsRun(delta=0.1)(leaf, reference)
    assert value.item() == pytest.approx(expected, abs=1e-9)
    (gradient,) = torch.autograd.grad(value, leaf)
    assert gradient.isfinite().all()
    if term == 0:  # no term, or a share of 1
        assert not gradient.any() or abs(death - birth) > 0.1


@given(diagram=diagrams(), reference=diagrams())
def test_bottleneck_is_dropped_where_a_reference_point_meets_the_diagonal(diagram, reference):
    leaf = diagram.clone().requires_grad_()
    defined = bottleneck(leaf, reference)
    (gradient,) = torch.autograd.grad(defined, leaf)
    value = BottleneckAsRun()(diagram, reference)
    assert value.item() in (0, defined.item())
    if not gradient.any():  # as defined: that value, and gradient zero
        assert value == 0


def test_density_has_the_third_power():
    loss = LifetimeDensityAsRun(**PARAMETERS["as_run_4sgde"])
    x = np.linspace(0, 2, 30)
    density = 0.002 * (0.7**3 * np.exp(-(((0.9 - x) / 0.2) ** 2)))
    value = loss(torch.tensor([[0.2, 0.9]], dtype=torch.float64), torch.zeros(0, 2, dtype=torch.float64))
    assert value.item() == pytest.approx((density**2).sum())


@pytest.mark.parametrize("name", AS_RUN)
def test_empty_diagrams_give_finite_values_and_gradients(name):
    loss = AS_RUN[name](**PARAMETERS[name])
    bar, empty = torch.tensor([[0.5, 1.5]]), torch.zeros(0, 2)
    for diagram, reference in [(bar, empty), (empty, bar), (empty, empty)]:
        leaf = diagram.clone().requires_grad_()
        value = loss(leaf, reference)
        (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True, materialize_grads=True)
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()
