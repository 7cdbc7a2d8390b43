"""Write down the configuration, all its files merged: one file that makes this run again."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.files import save_text

save_text(snakemake.output.file, snakemake.params.text)
