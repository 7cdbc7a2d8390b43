"""How well distances tell damaged sets of images from real ones, for all sizes of the sets."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.files import save_text

table = pd.concat(map(pd.read_parquet, snakemake.input.areas), ignore_index=True)
save_text(snakemake.output.areas, table.to_csv(index=False, float_format="%.6g"))
