"""Train one model from one seed."""

import json
import sys

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.files import load_diagrams, save_arrays, save_buffer, save_table
from topogen.training import train

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(spec.pop("threads"))
run = train(
    np.load(snakemake.input.images, mmap_mode="r"),
    np.load(snakemake.input.labels),
    load_diagrams(snakemake.input.diagrams),
    **spec,
)
print(run.history.tail(1).to_string(index=False))
save_table(snakemake.output.history, run.history)
save_table(snakemake.output.timing, run.timing)
save_buffer(snakemake.output.checkpoint, run.checkpoint)
save_arrays(snakemake.output.snapshots, run.snapshots)
save_arrays(snakemake.output.weights, run.weights)
save_arrays(snakemake.output.latents, run.latents)
