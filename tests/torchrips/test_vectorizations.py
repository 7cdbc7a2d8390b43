"""Persistence images and landscapes against their definitions."""

import math

import gudhi.representations
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from strategies import SEEDS, diagrams, generic_pairs, normal

from torchrips.vectorizations import Landscape, PersistenceImage

IMAGE = PersistenceImage(births=(-0.5, 2.0), lifetimes=(0.0, 1.5), pixels=(3, 4), sigma=0.4)
LANDSCAPE = Landscape(start=-0.5, stop=4.0, points=10, levels=3)


@settings(max_examples=5)
@given(diagram=diagrams(max_size=3), row=st.integers(0, 2), column=st.integers(0, 3))
def test_a_pixel_is_the_integral_over_it(diagram, row, column):
    def surface(lifetime, birth):
        return sum(
            min((d - b) / 1.5, 1)
            * math.exp(-((birth - b) ** 2 + (lifetime - (d - b)) ** 2) / (2 * 0.4**2))
            / (2 * math.pi * 0.4**2)
            for b, d in diagram.tolist()
        )

    left, low = -0.5 + column * 2.5 / 4, row * 0.5
    expected, _ = dblquad(surface, left, left + 2.5 / 4, low, low + 0.5, epsabs=1e-9)
    assert IMAGE(diagram)[row, column].item() == pytest.approx(expected, abs=1e-7)


@given(diagram=diagrams(max_size=5))
def test_a_landscape_has_the_largest_tents_in_order(diagram):
    for place, t in enumerate(np.linspace(-0.5, 4.0, 10)):
        tents = [max(0.0, min(t - b, d - t)) for b, d in diagram.tolist()]
        expected = sorted([*tents, 0.0, 0.0, 0.0], reverse=True)[:3]
        np.testing.assert_allclose(LANDSCAPE(diagram)[:, place], expected, atol=1e-15)


@pytest.mark.parametrize("vectorize", [IMAGE, LANDSCAPE])
@given(pair=generic_pairs(), seed=SEEDS)
def test_vectors_depend_on_the_set_of_bars_smoothly(vectorize, pair, seed):
    diagram, other = pair
    vector = vectorize(diagram)
    shuffled = diagram[torch.from_numpy(np.random.default_rng(seed).permutation(len(diagram)))]
    with_diagonal = torch.cat([shuffled, torch.full((2, 2), 0.7, dtype=torch.float64)])
    torch.testing.assert_close(vectorize(with_diagonal), vector)
    torch.testing.assert_close(vectorize(diagram.float()).double(), vector, rtol=1e-4, atol=1e-5)
    if vectorize is IMAGE:  # landscapes are not additive
        torch.testing.assert_close(vectorize(torch.cat([diagram, other])), vector + vectorize(other))
    else:  # stable: never further apart than the bars, in the largest coordinate
        moved = diagram + 0.01
        assert (vectorize(moved) - vector).abs().max() <= 0.01 + 1e-12


@given(diagram=diagrams(max_size=5))
def test_a_landscape_is_that_of_gudhi_without_its_factor(diagram):
    theirs = gudhi.representations.Landscape(num_landscapes=3, resolution=10, sample_range=[-0.5, 4.0])
    expected = theirs(diagram.numpy()).reshape(3, 10) / math.sqrt(2)
    np.testing.assert_allclose(LANDSCAPE(diagram), expected, atol=1e-15)


@given(diagram=diagrams(), scale=st.sampled_from([2.0**-30, 0.25, 8.0, 2.0**30]))
def test_vectors_scale_with_their_parameters(diagram, scale):
    image = PersistenceImage((-0.5 * scale, 2 * scale), (0.0, 1.5 * scale), (3, 4), 0.4 * scale)
    torch.testing.assert_close(image(scale * diagram), IMAGE(diagram))
    landscape = Landscape(-0.5 * scale, 4 * scale, points=10, levels=3)
    torch.testing.assert_close(landscape(scale * diagram), scale * LANDSCAPE(diagram))


@pytest.mark.parametrize("vectorize", [IMAGE, LANDSCAPE])
@settings(max_examples=10)
@given(pair=generic_pairs(max_size=3))
def test_derivatives_of_vectors_agree_with_finite_differences(vectorize, pair):
    diagram = pair[0].requires_grad_()
    if len(diagram):
        torch.autograd.gradcheck(vectorize, diagram)
        torch.autograd.gradgradcheck(lambda bars: vectorize(bars).pow(3), diagram)


@pytest.mark.parametrize(
    ("lifetime", "weight", "slope"), [(-0.5, 0.0, 0.0), (0.0, 0.0, 0.5), (2.0, 1.0, 0.5), (2.5, 1.0, 0.0)]
)
def test_the_weight_has_the_slope_of_its_middle_at_both_of_its_ends(lifetime, weight, slope):
    """On every version of torch, whose clamp may have none there."""
    image = PersistenceImage(births=(-9, 9), lifetimes=(-3, 2), pixels=(1, 1), sigma=0.01)
    bar = torch.tensor([[0.0, lifetime]], requires_grad=True)
    mass = 0.5 if lifetime == 2 else 0 if lifetime > 2 else 1  # of the Gaussian, within the image
    value = image(bar)
    assert value.item() == pytest.approx(weight * mass)
    value.backward()
    density = 1 / (0.01 * math.sqrt(2 * math.pi)) if lifetime == 2 else 0  # of mass that leaves the image
    expected = slope * mass - weight * density
    torch.testing.assert_close(bar.grad, torch.tensor([[-expected, expected]]))


def test_autocast_changes_nothing():
    bars = normal(0, 20, 2).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = IMAGE(bars)
    assert torch.equal(found, IMAGE(bars))


def test_no_bars_are_zero():
    for vectorize, shape in ((IMAGE, (3, 4)), (LANDSCAPE, (3, 10))):
        nothing = torch.zeros(0, 2, requires_grad=True)
        vector = vectorize(nothing)
        vector.sum().backward()
        assert tuple(vector.shape) == shape
        assert not vector.any()


def test_bars_that_never_die_are_refused_with_a_remedy():
    for vectorize in (IMAGE, LANDSCAPE):
        with pytest.raises(ValueError, match="leave out bars that never die"):
            vectorize([[0.0, math.inf]])


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (PersistenceImage, {"births": (1, 1)}),
        (PersistenceImage, {"births": (0, math.inf)}),
        (PersistenceImage, {"lifetimes": (-2, -1)}),
        *((PersistenceImage, {"pixels": pixels}) for pixels in ((0, 3), (2.5, 3), (3, math.nan))),
        (PersistenceImage, {"sigma": 0}),
        (Landscape, {"stop": 0}),
        *((Landscape, {count: bad}) for count in ("points", "levels") for bad in (0, 1.5, math.nan)),
    ],
)
def test_parameters_out_of_range_are_refused(kind, change):
    right = {
        PersistenceImage: {"births": (0, 1), "lifetimes": (0, 1), "pixels": (2, 2), "sigma": 1},
        Landscape: {"start": 0, "stop": 1, "points": 2, "levels": 1},
    }[kind]
    kind(**right)
    with pytest.raises(ValueError, match="got"):
        kind(**right | change)
