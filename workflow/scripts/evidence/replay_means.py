"""The author's averages over his two lists of seeds, as a replay of his loop gives them."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.replay import near_published, replay
from topogen.files import save_table

spec = json.loads(snakemake.params.spec)
measured = dict(zip(spec["comparisons"], map(pd.read_parquet, snakemake.input.improvements), strict=True))
# Results of controls that were run once and are kept with the code, if there are any.
kept = [dict(list(pd.read_csv(path).groupby("comparison"))) for path in snakemake.input.stored]
improvements = {name: part for tables in (*kept, measured) for name, part in tables.items()}
table = replay(improvements, **{key: value for key, value in spec.items() if key != "comparisons"})
near = near_published(table)
print(table.to_string(index=False), near.to_string(index=False), sep="\n")
save_table(snakemake.output.replay, table)
save_table(snakemake.output.near, near)
