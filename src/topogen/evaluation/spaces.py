"""The two spaces in which images are compared: a classifier's features, and principal components of pixels.

The second knows nothing of classes: what shows in both does not hang on one network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from topogen.data.batches import scaled
from topogen.evaluation.classifier import Classifier


@dataclass(frozen=True)
class Spaces:
    """The spaces, fitted to training images.

    Attributes:
        classifier: a trained one.
        centre: mean of the training images, shape (p,), p = channels * height * width.
        components: orthonormal rows, shape (c, p), see :func:`principal_components`.

    """

    classifier: Classifier
    centre: Tensor
    components: Tensor

    def features(self, images: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Features of images in [0, 1], by the ending of metrics, each (n, f), and the classes, (n,).

        The endings are those of :data:`topogen.evaluation.names.SPACES`.
        """
        features, classes = self.classifier.predict(images)
        projected = (images.flatten(1) - self.centre) @ self.components.T
        return {"": features, "_pixels": projected}, classes


def principal_components(images: NDArray[Any], number: int) -> dict[str, NDArray[np.float32]]:
    """Mean and first principal components of the pixels of images.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width).
        number: of components; fewer if there are fewer images or pixels.

    Returns:
        ``centre`` (p,) and ``components`` (number, p), of images in [0, 1].

    """
    pixels = scaled(images).flatten(1).numpy()
    fitted = PCA(min(number, *pixels.shape), svd_solver="covariance_eigh").fit(pixels)
    return {
        "centre": fitted.mean_.astype(np.float32),
        "components": fitted.components_.astype(np.float32),
    }


def load_spaces(classifier: str, components: str) -> Spaces:
    """The spaces of the two files that the rule `classifier` wrote."""
    with np.load(components) as file:
        parts = {name: torch.from_numpy(file[name]) for name in ("centre", "components")}
    return Spaces(Classifier.rebuild(torch.load(classifier, weights_only=True)), **parts)
