"""The GANs of all variants side by side."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import pandas as pd

from topogen.files import save_text
from topogen.synthetic.collapse import by_seed, summary

tables = [pd.read_parquet(path) for path in snakemake.input.measures]
samples = {
    table["variant"].iloc[0]: np.load(path)
    for table, path in zip(tables, snakemake.input.samples, strict=True)
}
shown = summary(pd.concat(tables, ignore_index=True), samples, **json.loads(snakemake.params.spec))
shown["tuning"] = by_seed(pd.concat(map(pd.read_parquet, snakemake.input.tuning), ignore_index=True))
for name, table in shown.items():
    save_text(snakemake.output[name], table.to_csv(index=False, float_format="%.6g"))
