"""A GAN next to the same step in plain torch, its controls, and what is evaluated of it."""

import copy
import math

import pytest
import torch
from generative import check_evaluation_by_seed
from hypothesis import given
from hypothesis import strategies as st
from strategies import at_most, synthetic_images
from torch.nn.functional import binary_cross_entropy_with_logits

from topogen.data.batches import scaled
from topogen.data.references import reference_diagrams
from topogen.models.gan import Model
from topogen.training.trainer import Trainer
from torchrips.distances import wasserstein
from torchrips.persistence import rips_diagrams

IMAGES = synthetic_images(20)[:, :, ::2, ::4]  # 14 x 7 pixels
REFERENCES = reference_diagrams(IMAGES, 10, (0, 1), threads=1)
ARGUMENTS = {"architecture": "gan", "latent_dim": 3, "widths": [4, 5], "seed": 7}
ARGUMENTS |= {"batch_size": 10, "learning_rate": 0.01}
WASSERSTEIN = {"name": "wasserstein", "degree": 0, "parameters": {"order": 2, "ground_norm": 2}}


def trained(steps, *regularizers, **settings):
    trainer = Trainer(IMAGES, REFERENCES, **ARGUMENTS | settings, regularizers=regularizers)
    rows = [trainer.step()[0] for _ in range(steps)]
    return trainer, rows


@given(
    shape=st.tuples(st.sampled_from([1, 3]), st.integers(4, 11), st.integers(4, 11)),
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=2),
)
@at_most(10)
def test_any_size_comes_back(shape, widths):
    model = Model(shape, 2, widths)
    images, noise = torch.rand(3, *shape), torch.randn(3, 2)
    with torch.no_grad():
        outcome = model.outcome(model(images, noise), images)
        samples = model.sample(noise)
    assert outcome.clouds["output"].points.shape == (3, math.prod(shape))
    assert samples.shape == images.shape
    assert ((samples >= 0) & (samples <= 1)).all()


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match=r"\(1, 8, 7\) cannot be halved 3 times; set fewer widths"):
        Model((1, 8, 7), 2, [1, 1, 1])


def test_a_step_updates_the_discriminator_and_then_the_generator():
    """The whole of a step, in plain torch; the generator follows the new discriminator and a term's share."""
    trainer, _ = trained(0, WASSERSTEIN | {"share": 0.5})
    model, stream = copy.deepcopy(trainer.model), trainer.noise.stream.clone_state()
    row, _ = trainer.step()
    assert trainer.optimizer.betas == (0.5, 0.999)

    def cross_entropy(images, answer):
        odds = model.discriminator(2 * images - 1)
        return binary_cross_entropy_with_logits(odds, torch.full_like(odds, answer), reduction="sum")

    images = scaled(IMAGES[:10])
    made = (model.generator(torch.randn(10, 3, generator=stream)) + 1) / 2
    loss = cross_entropy(images, 1) + cross_entropy(made.detach(), 0)
    assert row["adversary"] == pytest.approx(loss.item(), rel=1e-5)
    adam = torch.optim.Adam(model.discriminator.parameters(), lr=0.01, betas=(0.5, 0.999))
    loss.backward()
    adam.step()
    updated = trainer.model.discriminator.parameters()
    for taken, weight in zip(updated, model.discriminator.parameters(), strict=True):
        torch.testing.assert_close(taken, weight)

    data = cross_entropy(made, 1)
    diagrams = [rips_diagrams(cloud.flatten(1), 0)[0] for cloud in (made, images)]
    value = wasserstein(*diagrams, order=2, ground_norm=2)
    of_data, of_term = (torch.autograd.grad(term, made, retain_graph=True)[0] for term in (data, value))
    weight = 0.5 * of_data.norm().item() / of_term.norm().item()
    assert row["generator"] == pytest.approx(data.item(), rel=1e-5)
    assert row["gradient_generator"] == pytest.approx(of_data.norm().item(), rel=1e-4)
    assert row["wasserstein_0"] == pytest.approx(value.item(), rel=1e-4)
    assert row["weight_wasserstein_0"] == pytest.approx(weight, rel=1e-4)
    expected = torch.autograd.grad(data + weight * value, model.generator.parameters())
    for taken, gradient in zip(trainer.model.generator.parameters(), expected, strict=True):
        assert (taken.grad - gradient).norm() <= 1e-3 * gradient.norm()


@pytest.mark.parametrize("control", ["opposite", "permuted", "random", "wrong"])
def test_controls_pull_as_strongly_on_the_same_batches_and_noise(control):
    wrong = {"wrong_references": REFERENCES[::-1]}
    settings = wrong if control == "wrong" else {"direction": control}
    _, rows = trained(2, WASSERSTEIN | {"share": 0.5}, **settings)
    _, real = trained(2, WASSERSTEIN | {"share": 0.5})
    _, plain = trained(2)
    for row in rows:
        assert row["gradient_wasserstein_0"] == pytest.approx(0.5 * row["gradient_generator"], rel=1e-5)
    for loss in ("adversary", "generator"):
        assert rows[0][loss] == real[0][loss] == plain[0][loss]
        assert len({rows[1][loss], real[1][loss], plain[1][loss]}) == 3


def test_a_model_is_evaluated_in_what_it_can_and_samples_by_seed():
    trainer, _ = trained(100)  # the means of batch normalisation have forgotten where they started
    check_evaluation_by_seed(trainer, IMAGES, "generator")
