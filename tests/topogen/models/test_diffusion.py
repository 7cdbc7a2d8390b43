"""Flow matching next to normal distributions, whose flow is known, and a diffusion model in training."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from generative import check_evaluation_by_seed
from hypothesis import given
from hypothesis import strategies as st
from strategies import at_most, normal, synthetic_images

from topogen.data.batches import scaled
from topogen.data.references import reference_diagrams
from topogen.models.diffusion import Model, between, carried
from topogen.models.families import rebuild
from topogen.training.trainer import Trainer
from torchrips.distances import wasserstein
from torchrips.persistence import rips_diagrams

IMAGES = synthetic_images(20)[:, :, ::2, ::4]  # 14 x 7 pixels
REFERENCES = reference_diagrams(IMAGES, 10, (0, 1), threads=1)
ARGUMENTS = {"architecture": "diffusion", "widths": [2, 3], "seed": 7}
ARGUMENTS |= {"batch_size": 10, "learning_rate": 0.01}
WASSERSTEIN = {"name": "wasserstein", "degree": 0, "parameters": {"order": 2, "ground_norm": 2}}

# Images that are normal numbers: v(x, t) = m + c (x - t m), c the slope of x_1 - x_0 regressed on x_t.
MEAN, DEVIATION = 2.0, 0.5


def variance(t):
    return (t * DEVIATION) ** 2 + (1 - t) ** 2


def velocity(place, levels):
    t = levels.view(-1, 1, 1, 1)
    return MEAN + (t * DEVIATION**2 - (1 - t)) / variance(t) * (place - t * MEAN)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_best_velocity_is_that_of_normal_distributions(t):
    """Linear regression of what the network should learn on what it sees."""
    start, end = normal(0, 2, 200_000, 1, 1, 1)
    end = MEAN + DEVIATION * end
    levels = torch.full((len(start),), t, dtype=torch.float64)
    place = between(start, end, levels).flatten()
    seen = torch.stack([place, torch.ones_like(place)], dim=1)
    learned = torch.linalg.lstsq(seen, (end - start).flatten()[:, None]).solution.flatten()
    known = velocity(torch.tensor([1.0, 0.0]).view(2, 1, 1, 1), torch.tensor([t, t])).flatten()
    assert learned[0] == pytest.approx(float(known[0] - known[1]), abs=0.02)
    assert learned[1] == pytest.approx(float(known[1]), abs=0.02)


def test_samples_follow_the_flow_to_the_images():
    """The flow of normal distributions is known, and the midpoint rule is at least of the second order."""
    start = normal(1, 50, 1, 1, 1)
    errors = [
        (carried(velocity, start, steps) - (MEAN + DEVIATION * start)).abs().max() for steps in (20, 40, 80)
    ]
    assert errors[0] < 0.01
    assert all(coarse / fine > 3.9 for coarse, fine in pairwise(errors))


def test_a_one_step_prediction_is_the_mean_of_the_images():
    """Of a normal image, given a place between noise and it."""
    images, model = torch.zeros(3, 1, 1, 1), Model((1, 1, 1), widths=[2])
    model._network = lambda: velocity
    noise = normal(2, 3, 5).float()
    cloud = model._predictions(images, noise)
    t = torch.special.ndtr(noise[0, 2:].median())
    place = (1 - t) * noise[:, :1] - t
    expected = MEAN + t * DEVIATION**2 / variance(t) * (place - t * MEAN)
    torch.testing.assert_close(cloud.points, (expected + 1) / 2)


@given(
    shape=st.tuples(st.sampled_from([1, 3]), st.integers(4, 11), st.integers(4, 11)),
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=4),
)
@at_most(10)
def test_any_size_comes_back(shape, widths):
    model = Model(shape, widths, sampling_steps=1)
    images, noise = torch.rand(3, *shape), torch.randn(3, model.noise_dim)
    with torch.no_grad():
        outcome = model.outcome(model(images, noise), images)
        assert outcome.clouds["output"].points.shape == (3, math.prod(shape))
        samples = model.sample(noise)
    assert samples.shape == images.shape
    assert ((samples >= 0) & (samples <= 1)).all()


def trained(steps, *regularizers, **settings):
    trainer = Trainer(IMAGES, REFERENCES, **ARGUMENTS | settings, regularizers=regularizers)
    rows = [trainer.step()[0] for _ in range(steps)]
    return trainer, rows


def test_a_step_follows_the_gradient_of_a_term_on_the_predictions():
    """The whole of a step, in plain torch: two passes of the same images and noise at different levels."""
    trainer, _ = trained(1, WASSERSTEIN | {"share": 0.5})
    model, stream = copy.deepcopy(trainer.model), trainer.noise.stream.clone_state()
    row, _ = trainer.step()

    images, noise = 2 * scaled(IMAGES[10:]) - 1, torch.randn(10, 98 + 4, generator=stream)
    start, draws = noise[:, :98].view(images.shape), torch.special.ndtr(noise[:, 98:])
    t = draws[:, 0].view(-1, 1, 1, 1)
    difference = model.network((1 - t) * start + t * images, draws[:, 0]) - (images - start)
    t = draws[0, 1:].sort().values[1]
    velocities = model.network((1 - t) * start + t * images, t.expand(10))
    predicted = ((1 - t) * start + t * images + (1 - t) * velocities + 1) / 2
    diagrams = [rips_diagrams(cloud.flatten(1), 0)[0] for cloud in (predicted, (images + 1) / 2)]
    value = wasserstein(*diagrams, order=2, ground_norm=2)
    assert row["flow_matching"] == pytest.approx(difference.square().sum().item(), rel=1e-5)
    assert row["gradient_flow_matching"] == pytest.approx(2 * difference.norm().item(), rel=1e-5)
    assert row["wasserstein_0"] == pytest.approx(value.item(), rel=1e-4)
    (gradient,) = torch.autograd.grad(value, velocities, retain_graph=True)
    weight = 0.5 * row["gradient_flow_matching"] / gradient.norm().item()
    assert row["weight_wasserstein_0"] == pytest.approx(weight, rel=1e-4)
    expected = torch.autograd.grad(difference.square().sum() + weight * value, model.network.parameters())
    for taken, gradient in zip(trainer.model.network.parameters(), expected, strict=True):
        assert (taken.grad - gradient).norm() <= 1e-4 * gradient.norm()


@pytest.mark.parametrize("control", ["opposite", "permuted", "random", "wrong"])
def test_controls_pull_as_strongly_on_the_same_batches_and_noise(control):
    wrong = {"wrong_references": REFERENCES[::-1]}
    settings = wrong if control == "wrong" else {"direction": control}
    _, rows = trained(2, WASSERSTEIN | {"share": 0.5}, **settings)
    _, real = trained(2, WASSERSTEIN | {"share": 0.5})
    _, plain = trained(2)
    for row in rows:
        size = row["gradient_wasserstein_0"]
        assert size == pytest.approx(0.5 * row["gradient_flow_matching"], rel=1e-5)
    assert rows[0]["flow_matching"] == real[0]["flow_matching"] == plain[0]["flow_matching"]
    assert len({rows[1]["flow_matching"], real[1]["flow_matching"], plain[1]["flow_matching"]}) == 3


def test_a_pass_for_regularizers_is_made_only_if_there_are_some(monkeypatch):
    passes = []
    forward = Model._network
    monkeypatch.setattr(Model, "_network", lambda model: passes.append(model) or forward(model))
    trained(1)
    assert len(passes) == 1
    trained(1, WASSERSTEIN | {"share": 0.5}, {"name": "push", "degree": 0, "share": 0.1})
    assert len(passes) == 1 + 2


def test_evaluation_uses_the_average_of_the_weights():
    """Of those at the start of each step; the newest counts most."""
    trainer, decay = Trainer(IMAGES, REFERENCES, **ARGUMENTS, average_decay=0.5, regularizers=[]), 0.5
    seen = []
    for _ in range(3):
        seen.append(copy.deepcopy(trainer.model.network).state_dict())
        trainer.step()
    factors = [decay**2, decay, 1]
    model = rebuild(trainer.state()["built"], trainer.model.state_dict())
    for name, weight in model._network().state_dict().items():
        expected = sum(factor * weights[name] for factor, weights in zip(factors, seen, strict=True))
        torch.testing.assert_close(weight, expected / sum(factors))


def test_a_model_is_evaluated_in_what_it_can_and_samples_by_seed():
    trainer, _ = trained(2)
    check_evaluation_by_seed(trainer, IMAGES, "flow_matching")
