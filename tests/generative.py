"""How tests of families evaluate 20 images, and what a family must do that makes images from noise alone."""

import numpy as np
import pytest
import torch
from strategies import SETTINGS_OF_20_IMAGES

from topogen.evaluation.classifier import Classifier
from topogen.evaluation.held_out import Settings, evaluate, prepare_test_set
from topogen.evaluation.metrics import METRICS
from topogen.evaluation.spaces import Spaces, principal_components
from topogen.models.families import rebuild


def judged_by(images):
    """What 20 images, levels 0 ... 255, are judged by: arguments of an evaluation, between model and seed."""
    classifier = Classifier(images.shape[1:], features=5, classes=4).requires_grad_(False)
    parts = {name: torch.from_numpy(part) for name, part in principal_components(images, 6).items()}
    spaces, settings = Spaces(classifier, **parts), Settings(**SETTINGS_OF_20_IMAGES)
    return prepare_test_set(images, np.arange(20) % 4, spaces, settings), spaces, settings


def check_evaluation_by_seed(trainer, images, loss):
    """A model that samples has its loss and the metrics of generation, the same for the same seed.

    Args:
        trainer: of the model.
        images: 20 of them, levels 0 ... 255.
        loss: name of the family's loss, as the evaluation names it.
    """
    model = rebuild(trainer.state()["built"], trainer.model.state_dict())
    judged = judged_by(images)
    (values, pictures), (again, same), (_, others) = (evaluate(model, *judged, seed) for seed in (7, 7, 8))
    made = {name for name, metric in METRICS.items() if metric.about == "generation"}
    assert set(values) == {loss, *made}
    assert values == pytest.approx(again, abs=0, rel=0, nan_ok=True)
    assert (pictures == same).all()
    assert (pictures != others).any()
    assert pictures.shape == (32, *images.shape[1:])
