"""Point clouds that learn: one file for each descent, and the steps that each needs for half of its loss."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from pathlib import Path

import torch

from topogen.files import save_arrays, save_table
from topogen.synthetic.pointclouds import experiment, steps_to_half

torch.set_num_threads(1)
spec = json.loads(snakemake.params.spec)
entries, shared = spec["experiments"], {"frames": spec["frames"], "seed": spec["seed"]}
paths = {Path(path).stem: path for path in snakemake.output.descents}
descents = {name: experiment(**entries[name], **shared) for name in paths}
for name, arrays in descents.items():
    save_arrays(paths[name], arrays)
halves = steps_to_half(descents)
print(halves.to_string(index=False))
save_table(snakemake.output.halves, halves)
