"""Held-out metrics on average over seeds, and paired differences to the baseline."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.evidence.gains import summarise
from topogen.evidence.improvement import table_of_runs
from topogen.files import load_tables, save_table

spec = json.loads(snakemake.params.spec)
evaluations = table_of_runs(load_tables(spec["runs"], snakemake.input.evaluations))
summary = summarise(evaluations, spec["baselines"], spec["confidence"])
print(summary.to_string(index=False))
save_table(snakemake.output.summary, summary)
