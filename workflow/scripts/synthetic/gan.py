"""GANs on a ring of Gaussians, plain and regularized: modes covered, and samples of a seed that collapses."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import torch

from topogen.files import save_arrays, save_table
from topogen.synthetic.gan import collapse, paired_differences

torch.set_num_threads(1)
spec = json.loads(snakemake.params.spec)
confidence = spec.pop("confidence")
table, arrays = collapse(**spec)
differences = paired_differences(table, confidence)
print(differences.to_string(index=False))
save_table(snakemake.output.collapse, table)
save_table(snakemake.output.differences, differences)
save_arrays(snakemake.output.samples, arrays)
