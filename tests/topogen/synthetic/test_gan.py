import math

import numpy as np
import pandas as pd
import pytest
import torch

from topogen.synthetic import collapse, gan
from topogen.synthetic.ring import Ring

RING = {"modes": 8, "radius": 2, "sd": 0.1}
TRAINING = {
    "ring": RING,
    "share": 0.01,
    "kernel_widths": [0.1, 1],
    "steps": 4,
    "every": 2,
    "batch_size": 16,
    "samples": 50,
    "latent_dim": 2,
    "hidden": [8, 8],
    "learning_rates": {"generator": 0.001, "discriminator": 0.001},
}
REMEDIES = {
    "push": {"regularizers": [{"name": "push", "degree": 0, "weight": 1}]},
    "nearest": {"repulsions": {"nearest": 1}},
    "pairwise": {"repulsions": {"pairwise": 1}},
    "gradient_penalty": {"gradient_penalty": 1},
    "packed": {"packed": 4},
}


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def test_modes_of_a_known_sample_are_counted():
    ring = Ring(modes=4, radius=2, sd=0.1)
    sample = torch.tensor([[2.0, 0.0]] * 5 + [[0.0, 2.25]] * 3 + [[-2.4, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(ring.shares(sample[None])[0], torch.tensor([0.5, 0.3, 0.0, 0.0]))


def test_samples_of_the_ring_have_all_its_modes_and_no_discrepancy():
    ring = Ring(modes=8, radius=2, sd=0.05)
    samples = ring.sample(500, [stream(seed) for seed in range(20)])
    shares = ring.shares(samples)
    assert (shares > 0.05).all()
    assert shares.sum(dim=1).mean() == pytest.approx(
        0.989, abs=0.005
    )  # of a planar normal law within 3 sigma
    found = ring.discrepancy(samples, [0.1, 1])
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(20)


def test_the_discrepancy_of_one_normal_law_and_another_has_a_closed_form():
    """Of means m apart: 2 h^2 / (h^2 + 2 sd^2) (1 - exp(-m^2 / (2 h^2 + 4 sd^2))); and it sees chains."""
    alone, moved, h = Ring(modes=1, radius=1, sd=0.1), torch.tensor([0.5, 0.0]), 0.3
    samples = alone.sample(2000, [stream()]) + moved
    expected = 2 * h**2 / (h**2 + 0.02) * (1 - np.exp(-0.25 / (2 * h**2 + 0.04)))
    assert alone.discrepancy(samples, [h]).item() == pytest.approx(expected, rel=0.05)
    ring, angles = Ring(**RING), 2 * np.pi * torch.arange(500) / 500
    chain = 2 * torch.stack([angles.cos(), angles.sin()], dim=1)[None]
    assert (ring.shares(chain) > 0.01).all()  # "8 of 8"
    assert ring.discrepancy(chain, [0.1]) > 10 * ring.discrepancy(ring.sample(500, [stream()]), [0.1]).abs()


def test_repulsions_are_sums_of_distances_and_move_the_points_apart():
    cloud = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]]], requires_grad=True)
    assert gan.nearest_distances(cloud).item() == 1 + 1 + 2
    assert gan.mean_distances(cloud).item() == pytest.approx(2 + 1.5 + 2.5)
    (pull,) = torch.autograd.grad(gan.nearest_distances(cloud).sum(), cloud)
    torch.testing.assert_close(pull[0, :, 0], torch.tensor([-2.0, 1.0, 1.0]))
    (none,) = torch.autograd.grad(gan.mean_distances(cloud * 0).sum(), cloud)
    assert (none == 0).all()  # equal points: no direction, and no NaN


def test_the_gradient_penalty_is_that_of_a_linear_discriminator():
    discriminator = gan.Perceptrons([2, 1], [stream(0), stream(1)])  # slopes are its weights
    real, made = torch.randn(2, 2, 5, 2, generator=stream())
    with_penalty, without = (
        gan._discriminator_loss(discriminator, real, made, gan.Remedy(gradient_penalty=weight))
        for weight in (3, 0)
    )
    (layer,) = discriminator.layers
    torch.testing.assert_close(with_penalty - without, 1.5 * layer[:, :2].square().sum())


def test_perceptrons_start_as_those_of_torch():
    (layer, _) = gan.Perceptrons([4, 1000, 1], [stream()]).layers
    assert layer.shape == (1, 5, 1000)
    assert layer.abs().max().item() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", REMEDIES)
def test_seeds_do_not_depend_on_each_other_and_variants_start_alike(name):
    both, samples = collapse.measured(REMEDIES[name], seeds=[3, 5], **TRAINING)
    alone, sample = collapse.measured(REMEDIES[name], seeds=[5], **TRAINING)
    plain, of_plain = collapse.measured({}, seeds=[5], **TRAINING)
    np.testing.assert_allclose(samples[1], sample[0], atol=1e-5)
    of_both = both[both["seed"] == 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_both, alone, check_dtype=False, atol=1e-5)
    assert alone.loc[0].equals(plain.loc[0])
    assert (sample != of_plain).any()
    assert both["step"].unique().tolist() == [0, 2, 4]


def test_a_strength_is_chosen_by_discrepancy_and_differences_are_paired():
    rows = [
        ("plain", "1", 1, 0, 2),
        ("plain", "1", 1, 9, 3),
        ("plain", "1", 2, 0, 1),
        ("plain", "1", 2, 9, 3),
    ]
    rows += [("plain", "1", 3, 9, 5), ("push", "1", 1, 9, 4), ("push", "1", 2, 9, 3), ("push", "1", 3, 9, 8)]
    table = pd.DataFrame(rows, columns=["variant", "strength", "seed", "step", "modes"])
    table = table.assign(near=0.5, mmd=0.1)
    seeds = collapse.by_seed(table)
    assert collapse.most_collapsed(seeds) == 2
    effects = collapse.paired_differences(seeds, 0.95).set_index(["measure", "time"])
    end = effects.loc["modes", "at the end"]
    assert end[["variant", "baseline"]].tolist() == ["push", "plain"]
    assert end[["mean", "baseline_mean", "difference"]].tolist() == pytest.approx([5, 11 / 3, 4 / 3])
    assert end[["less", "equal", "more"]].tolist() == [0, 1, 2]
    half = 4.302653 * np.std([1, 0, 3], ddof=1) / np.sqrt(3)  # t quantile of two degrees of freedom
    assert end["high"] == pytest.approx(4 / 3 + half, rel=1e-5)
    with pytest.raises(ValueError, match="the GAN push, strength 1, seed 1 diverged before step 9"):
        collapse.by_seed(table.assign(mmd=[0.1] * 5 + [math.nan] + [0.1] * 2))
    weaker = table[table["variant"] == "push"].assign(strength="0.1", mmd=0.05)
    assert (
        collapse.best_strength(collapse.by_seed(pd.concat([table, weaker]).query("variant == 'push'")))
        == "0.1"
    )
