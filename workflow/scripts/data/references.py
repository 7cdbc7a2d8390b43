"""Reference diagrams of degree 0 and 1 of every batch."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.data.references import reference_diagrams
from topogen.files import save_diagrams
from topogen.stored import STORED_DEGREES

torch.set_num_threads(1)  # the batches run in parallel instead
images = np.load(snakemake.input.images, mmap_mode="r")
diagrams = reference_diagrams(
    images, snakemake.params.batch_size, STORED_DEGREES, snakemake.threads, snakemake.params.get("order")
)
print(f"{len(diagrams)} batches")
save_diagrams(snakemake.output.diagrams, diagrams)
