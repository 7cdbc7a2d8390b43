"""Fit the two spaces in which images are compared: a classifier's features, and principal components."""

import io
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.evaluation.classifier import accuracy, train_classifier
from topogen.evaluation.spaces import principal_components
from topogen.files import save_arrays, save_buffer, save_json

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(spec.pop("threads"))
components = spec.pop("components")
images, labels = np.load(snakemake.input.images, mmap_mode="r"), np.load(snakemake.input.labels)
classifier = train_classifier(images, labels, **spec)
test_images, test_labels = np.load(snakemake.input.test_images), np.load(snakemake.input.test_labels)
report = {"test_accuracy": accuracy(classifier, test_images, test_labels), "test_images": len(test_images)}
print(report)
weights = io.BytesIO()
torch.save(classifier.state(), weights)
save_buffer(snakemake.output.weights, weights)
save_arrays(snakemake.output.components, principal_components(images, components))
save_json(snakemake.output.accuracy, report)
