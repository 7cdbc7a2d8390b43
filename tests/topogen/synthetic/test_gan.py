import numpy as np
import pandas as pd
import pytest
import torch

from topogen.synthetic import gan

TRAINING = {
    "ring": {"modes": 8, "radius": 2, "sd": 0.1},
    "share": 0.01,
    "steps": 4,
    "every": 2,
    "batch_size": 16,
    "samples": 50,
    "latent_dim": 2,
    "hidden": [8, 8],
    "learning_rates": {"generator": 0.001, "discriminator": 0.001},
}
PUSH = [{"name": "push", "degree": 0, "weight": 1}]


def test_modes_of_a_known_sample_are_counted():
    ring = gan.Ring(modes=4, radius=2, sd=0.1)
    sample = torch.tensor([[2.0, 0.0]] * 5 + [[0.0, 2.25]] * 3 + [[-2.4, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(ring.shares(sample[None])[0], torch.tensor([0.5, 0.3, 0.0, 0.0]))


def test_the_ring_has_all_its_modes():
    ring = gan.Ring(modes=8, radius=2, sd=0.05)
    shares = ring.shares(ring.sample(2000, [torch.Generator().manual_seed(0)]))
    assert (shares > 0.08).all()
    assert shares.sum() == pytest.approx(0.989, abs=0.01)  # of a planar normal law within 3 sigma


def test_perceptrons_start_as_those_of_torch():
    (layer, _) = gan.Perceptrons([4, 1000, 1], [torch.Generator().manual_seed(0)]).layers
    assert layer.shape == (1, 5, 1000)
    assert layer.abs().max().item() == pytest.approx(0.5, abs=0.01)


def test_seeds_do_not_depend_on_each_other_and_variants_start_alike():
    variants = {"push": PUSH}
    both, arrays = gan.collapse(variants=variants, seeds=[3, 5], **TRAINING)
    alone, _ = gan.collapse(variants=variants, seeds=[5], **TRAINING)
    of_both = both[both["seed"] == 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_both, alone, check_dtype=False, atol=0.05)
    first = both[both["step"] == 0].set_index(["variant", "seed"])
    assert first.loc["plain"].equals(first.loc["push"])
    assert both["step"].unique().tolist() == [0, 2, 4]
    assert (arrays["samples_plain"] != arrays["samples_push"]).any()


def test_the_seed_shown_is_the_one_of_fewest_modes_and_differences_are_paired():
    rows = [
        ("plain", 1, 0, 2),
        ("plain", 1, 9, 3),
        ("plain", 2, 0, 1),
        ("plain", 2, 9, 3),
        ("plain", 3, 9, 5),
    ]
    rows += [("push", 1, 9, 4), ("push", 2, 9, 3), ("push", 3, 9, 8)]
    table = pd.DataFrame(rows, columns=["variant", "seed", "step", "modes"]).assign(near=0.5)
    assert gan.most_collapsed(table) == 2
    end = gan.paired_differences(table, 0.95).set_index("measure").loc["at the end"]
    assert end[["modes", "plain_modes", "difference"]].tolist() == pytest.approx([5, 11 / 3, 4 / 3])
    assert end[["fewer", "equal", "more"]].tolist() == [0, 1, 2]
    half = 4.302653 * np.std([1, 0, 3], ddof=1) / np.sqrt(3)  # t quantile of two degrees of freedom
    assert end["high"] == pytest.approx(4 / 3 + half, rel=1e-5)
