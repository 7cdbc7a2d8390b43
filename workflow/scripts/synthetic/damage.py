"""What regularizers notice of damaged batches, the images that they move, and batches of one class."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.files import save_arrays, save_table
from topogen.synthetic.damage import changes, moved_images, noticed, one_class_batches

torch.set_num_threads(1)
spec = json.loads(snakemake.params.spec)
images, labels = (np.load(path, mmap_mode="r") for path in (snakemake.input.images, snakemake.input.labels))
table = changes(images, labels, **spec)
save_table(snakemake.output.changes, table)
save_table(snakemake.output.noticed, noticed(table))
kept = {name: spec[name] for name in ("batch_size", "batches", "regularizers")}
save_table(snakemake.output.moved, moved_images(images, **kept))
save_arrays(snakemake.output.one_class, one_class_batches(images, labels, spec["batch_size"]))
