"""Results of the confirmation: effects; r(s) of every seed at the reported steps; its mean over the first."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.improvement import at_steps, one_table
from topogen.files import save_text

spec = json.loads(snakemake.params.spec)
comparisons = spec["comparisons"]
effects = dict(zip(comparisons, map(pd.read_parquet, snakemake.input.effects), strict=True))
improvements = dict(zip(comparisons, map(pd.read_parquet, snakemake.input.improvements), strict=True))
reported = {name: at_steps(table, spec["at_steps"]) for name, table in improvements.items()}
decay = {
    name: table[table["step"] < spec["decay_steps"]].groupby(["model", "seed"], sort=False)["r"].mean()
    for name, table in improvements.items()
}
for tables, path in (
    (effects, snakemake.output.effects),
    (reported, snakemake.output.improvement),
    ({name: series.reset_index() for name, series in decay.items()}, snakemake.output.decay),
):
    table = one_table(tables)
    print(table.to_string(index=False))
    save_text(path, table.to_csv(index=False, float_format="%.6g"))
