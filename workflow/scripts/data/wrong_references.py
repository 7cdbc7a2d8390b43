"""Diagrams for every batch that are not its own, for controls."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.data.references import wrong_diagrams
from topogen.files import save_diagrams
from topogen.stored import STORED_DEGREES

torch.set_num_threads(1)  # the batches run in parallel instead
diagrams = wrong_diagrams(
    snakemake.wildcards.kind,
    np.load(snakemake.input.images, mmap_mode="r"),
    np.load(snakemake.input.labels),
    snakemake.params.batch_size,
    degrees=STORED_DEGREES,
    threads=snakemake.threads,
)
print(f"{len(diagrams)} batches")
save_diagrams(snakemake.output.diagrams, diagrams)
