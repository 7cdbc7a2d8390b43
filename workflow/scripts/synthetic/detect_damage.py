"""Distances between real sets of images and between real and damaged ones, for sets of one size."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.files import save_table
from topogen.synthetic.detection import areas, responses

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(1)
confidence = spec.pop("confidence")
size = int(snakemake.wildcards.size)
table = responses(
    np.load(snakemake.input.images, mmap_mode="r"), np.load(snakemake.input.labels), size=size, **spec
)
found = areas(table, confidence=confidence, seed=spec["seed"]).assign(size=size)
print(found.to_string(index=False))
save_table(snakemake.output.areas, found)
