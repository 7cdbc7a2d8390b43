"""Laws of the metrics of held-out evaluation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from strategies import SEEDS, SETTINGS_OF_20_IMAGES, normal, synthetic_images

from topogen.data.batches import scaled
from topogen.evaluation.classifier import Classifier
from topogen.evaluation.features import (
    class_metrics,
    frechet_distance,
    kernel_distance,
    latent_structure,
    mean_distance,
    neighbourhood_metrics,
)
from topogen.evaluation.held_out import (
    Settings,
    arrays_of,
    compare_reconstructions,
    compare_samples,
    diagram_distances,
    diagrams_of_batches,
    distances_within,
    evaluate,
    features_from,
    long_table,
    noise_of,
    prepare_test_set,
    topological_fidelity,
)
from topogen.evaluation.metrics import METRICS
from topogen.evaluation.spaces import Spaces, principal_components
from topogen.models.vae import Model, binary_cross_entropy, kl_divergence

IMAGES, LABELS = synthetic_images(20), np.arange(20) % 4
SETTINGS = Settings(**SETTINGS_OF_20_IMAGES)


def network(seed, make):
    torch.manual_seed(seed)
    return make().requires_grad_(False)


CLASSIFIER = network(0, lambda: Classifier((1, 28, 28), features=5, classes=4))
COMPONENTS = {name: torch.from_numpy(part) for name, part in principal_components(IMAGES, 6).items()}
SPACES = Spaces(CLASSIFIER, **COMPONENTS)
HELD_OUT = prepare_test_set(IMAGES, LABELS, SPACES, SETTINGS)
VAE_3 = network(1, lambda: Model((1, 28, 28), 3))


@given(SEEDS)
@settings(max_examples=10)
def test_frechet_distance_of_a_shift_is_its_square(seed):
    features, shift = normal(seed, 40, 4), normal(seed + 1, 4)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    for size in (1, 2):
        moved = frechet_distance(features + size * shift, features)
        assert moved == pytest.approx(size**2 * shift.square().sum().item(), rel=1e-5)
    assert frechet_distance(features.float(), 2 * features.float()) == pytest.approx(
        frechet_distance(2 * features, features), rel=1e-3
    )


def test_frechet_distance_of_normals_has_its_closed_form():
    """Diagonal covariances: the sum of the squared differences of means and of standard deviations."""
    features = normal(0, 5000, 2) * torch.tensor([1.0, 2.0])
    others = normal(1, 5000, 2) * torch.tensor([3.0, 1.0]) + torch.tensor([0.0, 2.0])
    assert frechet_distance(features, others) == pytest.approx(2**2 + 1**2 + 2**2, rel=0.05)


def test_kernel_distance_vanishes_on_average_and_grows_with_a_shift():
    features, others = normal(0, 400, 4), normal(1, 400, 4)
    distances = [kernel_distance(features + shift, others, 20, 200, seed=0) for shift in (0, 0.5, 1)]
    assert abs(distances[0]) < 0.05
    assert distances[0] < distances[1] < distances[2]


def test_subsets_are_the_seeds_alone():
    features, others = normal(0, 30, 4), normal(1, 30, 4)
    before = torch.get_rng_state()
    first = kernel_distance(features, others, 3, 10, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(8)
    assert kernel_distance(features, others, 3, 10, seed=5) == first
    assert kernel_distance(features, others, 3, 10, seed=6) != first


@given(SEEDS)
@settings(max_examples=10)
def test_a_set_is_near_itself_and_far_from_a_distant_one(seed):
    points = normal(seed, 30, 3)
    itself = neighbourhood_metrics(points, points, k=4)
    assert [itself[name] for name in ("precision", "recall", "coverage")] == [1, 1, 1]
    # Each ball holds its centre and k others, the k-th one on its boundary, if rounding allows.
    assert 1 <= itself["density"] <= (4 + 1) / 4
    assert set(neighbourhood_metrics(points + 100, points, k=4).values()) == {0}


@given(SEEDS)
@settings(max_examples=10)
def test_precision_and_recall_change_places_with_the_sets(seed):
    points, others = normal(seed, 25, 3), normal(seed + 1, 30, 3) + 0.5
    one, other = neighbourhood_metrics(points, others, 3), neighbourhood_metrics(others, points, 3)
    assert (one["precision"], one["recall"]) == (other["recall"], other["precision"])


def test_a_dropped_mode_costs_recall_and_coverage_but_no_precision():
    modes = torch.cat([normal(0, 50, 2), normal(1, 50, 2) + 50])
    metrics = neighbourhood_metrics(modes[:50], modes, k=3)
    assert metrics["precision"] == 1
    assert metrics["recall"] == metrics["coverage"] == 0.5


def test_neighbourhoods_agree_with_their_definition_point_by_point():
    samples, real, k = normal(0, 12, 2), normal(1, 15, 2), 2

    def radius(points, i):
        return sorted(math.dist(points[i].tolist(), other.tolist()) for other in points)[k]

    def balls(centres, points):
        return np.array(
            [
                [math.dist(x.tolist(), y.tolist()) <= radius(centres, i) for y in points]
                for i, x in enumerate(centres)
            ]
        )

    in_real, in_samples = balls(real, samples), balls(samples, real)
    assert neighbourhood_metrics(samples, real, k) == {
        "precision": pytest.approx(in_real.any(axis=0).mean()),
        "recall": pytest.approx(in_samples.any(axis=0).mean()),
        "density": pytest.approx(in_real.sum(axis=0).mean() / k),
        "coverage": pytest.approx(in_real.any(axis=1).mean()),
    }


@pytest.mark.parametrize(
    ("counts", "covered", "entropy"),
    [
        ([5, 5, 5, 5], 4, math.log(4)),
        ([20, 0, 0, 0], 1, 0),
        ([10, 10, 0, 0], 2, math.log(2)),
        ([99, 1], 1, -(0.99 * math.log(0.99) + 0.01 * math.log(0.01))),
    ],
)
def test_classes_covered_and_their_entropy(counts, covered, entropy):
    metrics = class_metrics(np.array(counts), covered_share=0.05)
    assert metrics == {"classes_covered": covered, "class_entropy": pytest.approx(entropy)}


def test_the_unit_of_topology_is_the_distance_of_real_and_real():
    """Held-out batches in the order of the first half score 1; a cloud of equal images scores worse."""
    assert len(HELD_OUT.diagrams) == 2  # the third batch is not whole
    first_half = compare_samples(HELD_OUT.images, HELD_OUT, SPACES, SETTINGS, seed=0)
    topological = [name for name, unit in HELD_OUT.units.items() if unit > 0]
    assert "wasserstein_0" in topological
    assert all(first_half[name] == pytest.approx(1) for name in topological)
    collapsed = HELD_OUT.images[:1].expand(20, -1, -1, -1)
    assert (
        compare_samples(collapsed, HELD_OUT, SPACES, SETTINGS, seed=0)["wasserstein_0"]
        > first_half["wasserstein_0"]
    )


def test_the_energy_distance_of_diagrams_is_that_of_their_pairs():
    """Of the real images themselves it is 0; diagrams in the middle of the real ones do not beat that."""
    itself = topological_fidelity(HELD_OUT.images, HELD_OUT, SETTINGS)
    energies = [f"energy_{name}" for name in HELD_OUT.within if HELD_OUT.units[name]]
    assert "energy_wasserstein_0" in energies
    assert [itself[name] for name in energies] == pytest.approx([0] * len(energies), abs=1e-6)
    collapsed = topological_fidelity(HELD_OUT.images[:8].repeat(2, 1, 1, 1), HELD_OUT, SETTINGS)
    assert collapsed["wasserstein_0"] == pytest.approx(1)
    assert collapsed["energy_wasserstein_0"] == pytest.approx(1)  # (2 - 0 - 1) units


def test_a_pair_of_batches_is_counted_once_and_none_with_itself():
    diagrams = diagrams_of_batches(scaled(synthetic_images(24)), 8)
    within = distances_within(diagrams, SETTINGS)
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert list(within) == ["bottleneck_0", "bottleneck_1", "wasserstein_0", "wasserstein_1"]
    each = [diagram_distances([diagrams[a]], [diagrams[b]], SETTINGS) for a, b in pairs]
    assert within == {name: pytest.approx(np.mean([one[name] for one in each])) for name in within}


def test_reconstructions_are_compared_like_samples():
    """The images themselves: every neighbourhood is reached, and they are as far apart as the images."""
    names = ("precision", "recall", "coverage", "mean_distance")
    found = compare_reconstructions(HELD_OUT.images, HELD_OUT, SPACES, SETTINGS, seed=0)
    for suffix in ("", "_pixels"):
        assert [found[f"{name}_reconstruction{suffix}"] for name in names] == pytest.approx([1] * 4)
    points = HELD_OUT.features["_pixels"].points
    apart = torch.tensor_split(points[: len(points) // 2 * 2], 2)
    unpaired = kernel_distance(*apart, SETTINGS.subsets, SETTINGS.subset_size, seed=0)
    assert found["kernel_reconstruction_pixels"] == pytest.approx(unpaired)
    half = compare_samples(HELD_OUT.images / 2, HELD_OUT, SPACES, SETTINGS, seed=0)
    assert half["mean_distance_pixels"] == pytest.approx(0.5)
    assert half["frechet_prior_pixels"] > found["frechet_reconstruction_pixels"]


def test_features_are_read_as_they_were_written():
    again = features_from(arrays_of(HELD_OUT.features))
    for ending, real in HELD_OUT.features.items():
        assert torch.equal(again[ending].points, real.points)
        assert torch.equal(again[ending].radii, real.radii)
        assert again[ending].mean_distance == real.mean_distance


def test_as_many_components_as_images_keep_all_distances():
    pixels = scaled(IMAGES)
    parts = {name: torch.from_numpy(part) for name, part in principal_components(IMAGES, 64).items()}
    features, _ = Spaces(CLASSIFIER, **parts).features(pixels)
    assert features["_pixels"].shape == (20, 20)
    assert mean_distance(features["_pixels"]) == pytest.approx(mean_distance(pixels.flatten(1)), rel=1e-4)


def test_diagrams_have_no_distance_from_themselves():
    (diagrams, _) = diagrams_of_batches(scaled(IMAGES), 8)
    assert all(
        value == pytest.approx(0, abs=1e-6)
        for value in diagram_distances([diagrams], [diagrams], SETTINGS).values()
    )


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="15 held-out images"):
        prepare_test_set(IMAGES[:15], LABELS[:15], SPACES, SETTINGS)


def test_latent_structure_sees_classes_that_are_apart():
    labels = np.arange(40) % 2
    points = normal(0, 40, 2).numpy()
    apart = latent_structure(points + 100 * labels[:, None], labels, k=3)
    assert apart["neighbours"] == 1
    assert apart["silhouette"] > 0.9
    mixed = latent_structure(points, labels, k=3)
    assert mixed["neighbours"] < 0.8
    assert mixed["silhouette"] < 0.2


def test_a_point_does_not_vote_for_itself():
    points, labels = np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([0, 1, 0, 1])
    assert latent_structure(points, labels, k=1)["neighbours"] == 0


def test_noise_is_the_seeds_and_the_dimensions_alone():
    for first, second in zip(noise_of(7, 20, 3), noise_of(7, 20, 3), strict=True):
        assert torch.equal(first, second)
    pictures, posterior, prior = noise_of(7, 20, 3)
    assert pictures.shape == (32, 3)
    assert posterior.shape == prior.shape == (20, 3)
    assert not torch.equal(posterior, prior)
    assert not torch.equal(noise_of(8, 20, 3)[1], posterior)
    assert torch.equal(noise_of(7, 28, 3)[0], pictures)


def values(seed=7, model=VAE_3):
    return evaluate(model, HELD_OUT, SPACES, SETTINGS, seed)


def test_evaluating_twice_gives_the_same_bits():
    (first, pictures), (second, again) = values(), values()
    assert long_table({1: first}).equals(long_table({1: second}))
    assert (pictures == again).all()
    assert values(seed=8)[0]["bce"] != first["bce"]


def test_every_metric_has_a_value():
    metrics, pictures = values()
    assert set(metrics) == set(METRICS)
    assert pictures.shape == (32, 1, 28, 28)
    for name in METRICS:
        distance = name.removeprefix("energy_").removesuffix("_reconstruction")
        assert math.isfinite(metrics[name]) == (HELD_OUT.units.get(distance, 1) > 0), name


def test_the_lower_bound_is_that_of_the_loss():
    metrics, _ = values()
    _, noise, _ = noise_of(7, 20, 3)
    logits, mean, log_variance, *_ = VAE_3(HELD_OUT.images, noise)
    bce = binary_cross_entropy(logits, HELD_OUT.images).item() / 20
    kld = kl_divergence(mean, log_variance).item() / 20
    assert metrics["bce"] == pytest.approx(bce)
    assert metrics["kld"] == pytest.approx(kld)
    assert metrics["elbo"] == -(metrics["bce"] + metrics["kld"])


def test_metrics_point_somewhere_and_say_what_they_are():
    for name, metric in METRICS.items():
        assert metric.direction in (-1, 0, 1), name
        assert metric.description, name
        assert metric.unit, name
        assert metric.about in ("likelihood", "reconstruction", "generation", "latent space"), name
