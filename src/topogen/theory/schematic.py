"""One batch as a topology-informed VAE sees it: what its schematic shows (F2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topogen.data.batches import scaled
from topogen.models.vae import VAE, binary_cross_entropy, kl_divergence
from topogen.training.terms import build_terms
from torchrips.persistence import rips_diagrams

Array = NDArray[Any]


def forward_pass(
    images: Array,
    reference: Sequence[Array],
    weights: Mapping[str, Array],
    regularizers: Sequence[dict[str, Any]],
    seed: int,
) -> dict[str, Array]:
    """One batch as a topology-informed VAE sees it (F2), with a fresh draw of sampling noise.

    Args:
        images: grey levels 0 ... 255, shape (b, 28, 28).
        reference: D0 of the batch in degrees 0 and 1.
        weights: of the VAE, by name.
        regularizers: entries {name, degree, parameters, reference_scale} of a model on its output.
        seed: of the noise.

    Returns:
        images and outputs, shape (b, 28, 28), in [0, 1]; reference_P and diagram_P in degrees P = 0 and 1;
        bce, kld, and terms, the value of each regularizer without its weight, shape (r,).

    """
    truth = scaled(images)
    model = VAE(len(weights["mean.bias"]))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    noise = np.random.default_rng(seed).standard_normal((len(images), len(weights["mean.bias"])))
    with torch.no_grad():
        forward = model(truth, torch.from_numpy(noise).float())
        diagrams = rips_diagrams(forward.images.flatten(1))
        terms = [
            term.module(
                diagrams[term.degree], torch.from_numpy(reference[term.degree]) * term.reference_scale
            )
            for term in build_terms(regularizers)
        ]
    arrays = {
        "images": truth[:, 0].numpy(),
        "outputs": forward.images[:, 0].numpy(),
        "bce": binary_cross_entropy(forward.logits, truth).numpy(),
        "kld": kl_divergence(forward.mean, forward.log_variance).numpy(),
        "terms": torch.stack(terms).numpy(),
    }
    for degree in (0, 1):
        arrays |= {f"reference_{degree}": reference[degree], f"diagram_{degree}": diagrams[degree].numpy()}
    return arrays
