"""Cosines of the gradients of regularizers and of the data term, along one training."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.files import load_diagrams, save_table
from topogen.training.alignment import alignment

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(spec.pop("threads"))
table = alignment(
    np.load(snakemake.input.images, mmap_mode="r"),
    np.load(snakemake.input.labels),
    load_diagrams(snakemake.input.diagrams),
    {Path(path).stem: load_diagrams(path) for path in snakemake.input.wrong},
    **spec,
)
print(table.groupby("model", sort=False)[["cosine", "ratio"]].describe().to_string())
save_table(snakemake.output.cosines, table)
