"""What is measured of a trained model on held-out images: one list for all who name it."""

from typing import NamedTuple

from topogen.evaluation.names import GENERATION, RECONSTRUCTION, SPACES


class Metric(NamedTuple):
    """One number of a model.

    Attributes:
        description: what it is, in plain words.
        unit: of the number.
        direction: 1 if higher is better, -1 if lower is better, 0 if neither is.
        about: what it judges: likelihood, reconstruction, generation (prior samples), or latent space.

    """

    description: str
    unit: str
    direction: int
    about: str


def _of_images(kind: str, about: str, names: dict[str, str]) -> dict[str, Metric]:
    """Metrics of images of one kind, in every feature space.

    Args:
        kind: of the images, in the plural.
        about: see :class:`Metric`.
        names: name of each metric in the first space.
    """
    whole = {
        "frechet": (f"Frechet distance of {kind} and images", "features squared", -1),
        "kernel": (f"kernel distance of {kind} and images", "squared MMD", -1),
        "precision": (f"share of {kind} that lie in a neighbourhood of an image", "share", 1),
        "recall": (f"share of images that lie in a neighbourhood of one of the {kind}", "share", 1),
        "density": (
            f"neighbourhoods of images that one of the {kind} lies in, over k",
            "1 for real images",
            1,
        ),
        "coverage": (f"share of images with one of the {kind} in their neighbourhood", "share", 1),
        "mean_distance": (
            f"mean distance of two of the {kind}, over that of two images",
            "1 for real images",
            1,
        ),
    }
    return {
        names[name] + ending: Metric(f"{description}, in {space}", unit, direction, about)
        for space, ending in SPACES.items()
        for name, (description, unit, direction) in whole.items()
    }


def _of_diagrams(kind: str, about: str, ending: str) -> dict[str, Metric]:
    """Energy distances of the diagrams of batches of one kind of images."""
    distances = {"bottleneck": "bottleneck", "wasserstein": "Wasserstein"}
    return {
        f"energy_{name}_{degree}{ending}": Metric(
            f"energy distance of diagrams of {kind} and of images, by {words} distance, degree {degree}",
            "mean distance of real diagrams; 0 for real images",
            -1,
            about,
        )
        for name, words in distances.items()
        for degree in (0, 1)
    }


DIAGRAMS = "between diagrams of sampled and of held-out batches, over the same of real and real batches"
ENTROPY = "nats, at most log(classes)"

METRICS = {
    "bce": Metric(
        "binary cross-entropy of image and reconstruction, one sampled z", "nats per image", -1, "likelihood"
    ),
    "kld": Metric("divergence of the posterior from the standard normal", "nats per image", 0, "likelihood"),
    "elbo": Metric("lower bound of the log-likelihood, -(bce + kld)", "nats per image", 1, "likelihood"),
    **_of_images("reconstructions", "reconstruction", RECONSTRUCTION),
    "classes_covered_reconstruction": Metric(
        "classes that reconstructions of more than a negligible share belong to",
        "classes",
        1,
        "reconstruction",
    ),
    "class_entropy_reconstruction": Metric(
        "entropy of the classes of the reconstructions", ENTROPY, 1, "reconstruction"
    ),
    **_of_diagrams("reconstructions", "reconstruction", "_reconstruction"),
    **_of_images("prior samples", "generation", GENERATION),
    "classes_covered": Metric(
        "classes that prior samples of more than a negligible share belong to", "classes", 1, "generation"
    ),
    "class_entropy": Metric("entropy of the classes of the prior samples", ENTROPY, 1, "generation"),
    **_of_diagrams("prior samples", "generation", ""),
    **{
        f"{name}_{degree}": Metric(
            f"{words} distance, degree {degree}, {DIAGRAMS}", "1 for real images", -1, "generation"
        )
        for name, words in {
            "bottleneck": "bottleneck",
            "wasserstein": "Wasserstein",
            "reininghaus": "squared Reininghaus",
        }.items()
        for degree in (0, 1)
    },
    "neighbours_of_means": Metric(
        "images whose nearest latent means are of their class", "share", 1, "latent space"
    ),
    "neighbours_of_samples": Metric(
        "images whose nearest sampled z are of their class", "share", 1, "latent space"
    ),
    "silhouette_of_means": Metric(
        "silhouette of the classes in the latent means", "between -1 and 1", 1, "latent space"
    ),
    "silhouette_of_samples": Metric(
        "silhouette of the classes in the sampled z", "between -1 and 1", 1, "latent space"
    ),
}
