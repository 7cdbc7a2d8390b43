"""Bottleneck distance of the diagrams of perturbed clouds."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.files import save_table
from topogen.theory.stability import stability, worst_ratios

table = stability(**json.loads(snakemake.params.spec))
worst = worst_ratios(table)
print(worst.to_string(index=False))
save_table(snakemake.output.stability, table)
save_table(snakemake.output.worst, worst)
