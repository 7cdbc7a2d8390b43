"""GANs of one variant, at the best of its strengths if they were tuned, or at the only one."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd
import torch

from topogen.files import save_array, save_table
from topogen.synthetic.collapse import best_strength, by_seed, measured

torch.set_num_threads(1)
spec = json.loads(snakemake.params.spec)
strengths = spec.pop("strengths")
tunings = [pd.read_parquet(path) for path in snakemake.input.get("tuning", [])]
strength = best_strength(by_seed(pd.concat(tunings))) if tunings else next(iter(strengths))
print(f"{snakemake.wildcards.variant}: strength {strength}, {strengths[strength]}")
table, samples = measured(strengths[strength], **spec)
save_table(snakemake.output.measures, table.assign(variant=snakemake.wildcards.variant, strength=strength))
save_array(snakemake.output.samples, samples)
