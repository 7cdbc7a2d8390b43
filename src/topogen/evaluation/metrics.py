"""What is measured of a trained model on held-out images: one list for all who name it."""

from typing import NamedTuple


class Metric(NamedTuple):
    """One number of a model.

    Attributes:
        description: what it is, in plain words.
        unit: of the number.
        direction: 1 if higher is better, -1 if lower is better, 0 if neither is.

    """

    description: str
    unit: str
    direction: int


FEATURES = "in the features of the classifier"
DIAGRAMS = "between diagrams of sampled and of held-out batches, over the same of real and real batches"

METRICS = {
    "bce": Metric("binary cross-entropy of image and reconstruction, one sampled z", "nats per image", -1),
    "kld": Metric("divergence of the posterior from the standard normal", "nats per image", 0),
    "elbo": Metric("lower bound of the log-likelihood, -(bce + kld)", "nats per image", 1),
    "frechet_prior": Metric(
        f"Frechet distance of prior samples and images, {FEATURES}", "features squared", -1
    ),
    "kernel_prior": Metric(f"kernel distance of prior samples and images, {FEATURES}", "squared MMD", -1),
    "frechet_reconstruction": Metric(
        f"Frechet distance of reconstructions and images, {FEATURES}", "features squared", -1
    ),
    "kernel_reconstruction": Metric(
        f"kernel distance of reconstructions and images, {FEATURES}", "squared MMD", -1
    ),
    "precision": Metric("share of prior samples that lie in a neighbourhood of an image", "share", 1),
    "recall": Metric("share of images that lie in a neighbourhood of a prior sample", "share", 1),
    "density": Metric("neighbourhoods of images that a prior sample lies in, over k", "1 for real images", 1),
    "coverage": Metric("share of images with a prior sample in their neighbourhood", "share", 1),
    "classes_covered": Metric(
        "classes that prior samples of more than a negligible share belong to", "classes", 1
    ),
    "class_entropy": Metric("entropy of the classes of the prior samples", "nats, at most log(classes)", 1),
    "bottleneck_0": Metric(f"bottleneck distance, degree 0, {DIAGRAMS}", "1 for real images", -1),
    "bottleneck_1": Metric(f"bottleneck distance, degree 1, {DIAGRAMS}", "1 for real images", -1),
    "wasserstein_0": Metric(f"Wasserstein distance, degree 0, {DIAGRAMS}", "1 for real images", -1),
    "wasserstein_1": Metric(f"Wasserstein distance, degree 1, {DIAGRAMS}", "1 for real images", -1),
    "reininghaus_0": Metric(f"squared Reininghaus distance, degree 0, {DIAGRAMS}", "1 for real images", -1),
    "reininghaus_1": Metric(f"squared Reininghaus distance, degree 1, {DIAGRAMS}", "1 for real images", -1),
    "neighbours_of_means": Metric("images whose nearest latent means are of their class", "share", 1),
    "neighbours_of_samples": Metric("images whose nearest sampled z are of their class", "share", 1),
    "silhouette_of_means": Metric("silhouette of the classes in the latent means", "between -1 and 1", 1),
    "silhouette_of_samples": Metric("silhouette of the classes in the sampled z", "between -1 and 1", 1),
}
