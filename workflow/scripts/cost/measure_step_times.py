"""Time the training steps of all models in turn."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.cost import median_times
from topogen.files import load_diagrams, save_table
from topogen.training.timing import measure_step_times

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(spec.pop("threads"))
rounds = measure_step_times(
    np.load(snakemake.input.images, mmap_mode="r"), load_diagrams(snakemake.input.diagrams), **spec
)
times = median_times(rounds, json.loads(snakemake.params.baselines))
print(times.to_string(index=False))
save_table(snakemake.output.rounds, rounds)
save_table(snakemake.output.times, times)
