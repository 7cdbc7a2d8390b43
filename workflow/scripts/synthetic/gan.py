"""GANs on a ring of Gaussians, plain and with remedies: modes covered, samples near one, and discrepancy."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import torch

from topogen.files import save_table
from topogen.synthetic.collapse import collapse

torch.set_num_threads(1)
tables = collapse(**json.loads(snakemake.params.spec))
print(tables["effects"].to_string(index=False))
for name, table in tables.items():
    save_table(snakemake.output[name], table)
