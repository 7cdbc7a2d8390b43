"""Results of the confirmation: effects, r(s) of every seed at the reported steps, its mean over the first."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.improvement import at_steps, mean_of_first_steps, one_table
from topogen.files import save_text

spec = json.loads(snakemake.params.spec)
tables = {
    name: dict(zip(spec["comparisons"], map(pd.read_parquet, snakemake.input[name]), strict=True))
    for name in ("effects", "improvement", "test_effects", "test_improvement")
}
tables["decay"] = {
    name: mean_of_first_steps(table, spec["decay_steps"]) for name, table in tables["improvement"].items()
}
tables["improvement"] = {
    name: at_steps(table, spec["at_steps"]) for name, table in tables["improvement"].items()
}
for name, of_comparisons in tables.items():
    table = one_table(of_comparisons)
    print(name, table.to_string(index=False), sep="\n")
    save_text(snakemake.output[name], table.to_csv(index=False, float_format="%.6g"))
