"""A small convolutional classifier; images are compared in its features."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from topogen.data.batches import scaled
from topogen.data.orders import batch_slices

CHUNK = 512  # images that go through a network at a time when nothing is learned


class Classifier(nn.Module):
    """Two strided convolutions and a layer of features, for images of any size from 4 x 4 pixels.

    Args:
        shape: channels, height and width of an image; height and width >= 4.
        features: number of features, the outputs of the last hidden layer (after its ReLU).
        classes: number of classes.

    """

    def __init__(self, shape: tuple[int, int, int], features: int, classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.built = {"shape": shape, "features": features, "classes": classes}
        self.features = nn.Sequential(
            nn.Conv2d(channels, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * (height // 4) * (width // 4), features),
            nn.ReLU(),
        )
        self.head = nn.Linear(features, classes)

    def state(self) -> dict[str, Any]:
        """All that is needed to rebuild the classifier."""
        return {"built": self.built, "weights": self.state_dict()}

    @classmethod
    def rebuild(cls, state: dict[str, Any]) -> "Classifier":
        """The classifier of which :meth:`state` was taken."""
        classifier = cls(**state["built"])
        classifier.load_state_dict(state["weights"])
        return classifier

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (b, classes), of images in [0, 1], shape (b, channels, height, width)."""
        logits: Tensor = self.head(self.features(images))
        return logits

    @torch.no_grad()
    def predict(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features, shape (b, features), and classes, shape (b,), of many images, in chunks."""
        features = torch.cat([self.features(chunk) for chunk in torch.split(images, CHUNK)])
        return features, self.head(features).argmax(dim=1)


def train_classifier(
    images: NDArray[Any],
    labels: NDArray[Any],
    *,
    seed: int,
    features: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
) -> Classifier:
    """Train a classifier with Adam, shuffled batches and one cycle of the learning rate, on the CPU.

    Args:
        images: levels 0 ... 255, shape (n, channels, height, width).
        labels: classes 0 ... c - 1, shape (n,).
        seed: decides initial weights and the order of the images.
        features: number of features.
        epochs: passes through the data.
        batch_size: images per step.
        learning_rate: the highest one of the cycle.

    Source:
        L. Smith, N. Topin, *Super-convergence: very fast training of neural networks using large learning
        rates*, 2018, for the cycle.

    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = Classifier(images.shape[1:], features, int(labels.max()) + 1)
        stream = torch.Generator()
        stream.set_state(torch.get_rng_state())
    batches = batch_slices(len(images), batch_size)
    optimizer = torch.optim.Adam(classifier.parameters(), lr=learning_rate)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, epochs * len(batches))
    for _ in tqdm(range(epochs), unit="epoch"):
        order = torch.randperm(len(images), generator=stream).numpy()
        for batch in batches:
            chosen = order[batch]
            target = torch.from_numpy(labels[chosen].astype("int64"))
            optimizer.zero_grad()
            torch.autograd.backward(functional.cross_entropy(classifier(scaled(images[chosen])), target))
            optimizer.step()
            cycle.step()
    return classifier


def accuracy(classifier: Classifier, images: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of images whose class the classifier finds.

    Args:
        classifier: a trained one.
        images: levels 0 ... 255, shape (n, channels, height, width).
        labels: classes, shape (n,).
    """
    _, classes = classifier.predict(scaled(images))
    return float((classes.numpy() == labels).mean())
