import numpy as np
import pytest
import torch

from topogen.data.batches import scaled
from topogen.evaluation.classifier import CHUNK, Classifier, accuracy, train_classifier

SETTINGS = {"seed": 3, "features": 6, "epochs": 4, "batch_size": 8, "learning_rate": 0.01}
LABELS = np.arange(40, dtype=np.uint8) % 2
IMAGES = (
    LABELS[:, None, None, None] * 200 + np.random.default_rng(0).integers(0, 50, (40, 1, 28, 28))
).astype(np.uint8)


@pytest.fixture(scope="module")
def classifier():
    return train_classifier(IMAGES, LABELS, **SETTINGS)


def test_dark_and_bright_are_told_apart(classifier):
    assert accuracy(classifier, IMAGES, LABELS) == 1
    assert accuracy(classifier, IMAGES, 1 - LABELS) == 0


def test_equal_seeds_are_equal_weights(classifier):
    again, other = (train_classifier(IMAGES, LABELS, **SETTINGS | {"seed": seed}) for seed in (3, 4))
    for name, weight in classifier.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight)
    assert not torch.equal(other.head.weight, classifier.head.weight)


def test_training_leaves_the_global_stream_alone():
    before = torch.get_rng_state()
    train_classifier(IMAGES, LABELS, **SETTINGS | {"epochs": 1})
    assert torch.equal(torch.get_rng_state(), before)


def test_a_classifier_is_rebuilt_from_its_state(classifier):
    again = Classifier.rebuild(classifier.state())
    images = scaled(IMAGES)
    assert torch.equal(again(images), classifier(images))


def test_classes_of_many_images_are_those_of_few(classifier):
    images = scaled(np.tile(IMAGES, (1 + CHUNK // 40, 1, 1, 1)))
    features, classes = classifier.predict(images)
    torch.testing.assert_close(features[-40:], classifier.features(images[:40]))
    assert torch.equal(classes[:40], classifier(images[:40]).argmax(dim=1))
