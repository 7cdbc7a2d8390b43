"""Features and diagrams of the held-out images, and the metrics of training images as a yardstick."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import pandas as pd
import torch

from topogen.data.batches import scaled
from topogen.evaluation.held_out import (
    Settings,
    arrays_of,
    compare_reconstructions,
    compare_samples,
    prepare_test_set,
)
from topogen.evaluation.spaces import load_spaces
from topogen.files import save_arrays, save_diagrams, save_json, save_table

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(spec["threads"])
settings = Settings(**spec["settings"])
spaces = load_spaces(snakemake.input.classifier, snakemake.input.components)
images = np.load(snakemake.input.test_images)[: spec["images"]]
labels = np.load(snakemake.input.test_labels)[: spec["images"]]
held_out = prepare_test_set(images, labels, spaces, settings)
# The training images, as if a model had sampled them or had made them of the test images: a yardstick.
training_images = scaled(np.load(snakemake.input.images, mmap_mode="r")[: len(images)])
yardstick = {
    **compare_reconstructions(training_images, held_out, spaces, settings, seed=0),
    **compare_samples(training_images, held_out, spaces, settings, seed=0),
}
print(held_out.units, yardstick, sep="\n")
save_arrays(snakemake.output.features, arrays_of(held_out.features))
save_diagrams(snakemake.output.diagrams, held_out.diagrams)
save_json(snakemake.output.units, {"units": held_out.units, "within": held_out.within})
save_table(snakemake.output.yardstick, pd.DataFrame(yardstick.items(), columns=["metric", "value"]))
