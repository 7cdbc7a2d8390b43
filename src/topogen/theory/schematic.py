"""One batch as a topology-informed VAE sees it: what its schematic shows (F2)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topogen.data.batches import scaled
from topogen.models.families import Family
from topogen.training.terms import build_terms
from torchrips.persistence import rips_diagrams

Array = NDArray[Any]


def forward_pass(
    images: Array,
    reference: Sequence[Array],
    model: Family,
    regularizers: Sequence[dict[str, Any]],
    seed: int,
) -> dict[str, Array]:
    """One batch as a topology-informed VAE sees it (F2), with a fresh draw of sampling noise.

    Args:
        images: levels 0 ... 255, shape (b, channels, height, width).
        reference: D0 of the batch in degrees 0 and 1.
        model: with the weights that are shown.
        regularizers: entries {name, degree, parameters, reference_scale} of a model on its output.
        seed: of the noise.

    Returns:
        images and outputs, shape (b, channels, height, width), in [0, 1]; reference_P and diagram_P in
        degrees P = 0 and 1; each term of the model's loss, such as bce and kld; and terms, the value of each
        regularizer without its weight, shape (r,).

    """
    truth = scaled(images)
    noise = np.random.default_rng(seed).standard_normal((len(images), model.noise_dim))
    with torch.no_grad():
        outcome = model.outcome(model(truth, torch.from_numpy(noise).float()), truth)
        output = outcome.clouds["output"].points
        diagrams = rips_diagrams(output)
        references = [torch.from_numpy(diagram) for diagram in reference]
        terms = [term.value(diagrams, references) for term in build_terms(regularizers)]
    arrays = {
        "images": truth.numpy(),
        "outputs": output.view(truth.shape).numpy(),
        **{name: loss.numpy() for name, loss in outcome.losses.items()},
        "terms": torch.stack(terms).numpy(),
    }
    for degree in (0, 1):
        arrays |= {f"reference_{degree}": reference[degree], f"diagram_{degree}": diagrams[degree].numpy()}
    return arrays
