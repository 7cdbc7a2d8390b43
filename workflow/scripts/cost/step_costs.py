"""Time of a training step per model, its model's part and its topology's, over all runs."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.cost import slowdowns, step_costs
from topogen.files import load_tables, save_table

spec = json.loads(snakemake.params.spec)
costs = step_costs(load_tables(spec["runs"], snakemake.input.timings))
baselines = {model: spec["baselines"][model] for model in costs["model"] if model in spec["baselines"]}
factors = slowdowns(pd.read_parquet(snakemake.input.times), spec["published"], baselines)
print(costs.to_string(index=False), factors.to_string(index=False), sep="\n")
save_table(snakemake.output.costs, costs)
save_table(snakemake.output.slowdowns, factors)
