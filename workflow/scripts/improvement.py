"""Improvement r(s) of every model over its baseline, per seed and on average."""

import json
import sys

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.files import save_table
from topogen.statistics import at_steps, collect_histories, improvement, mean_over_seeds

spec = json.loads(snakemake.params.spec)
runs = [(model, seed) for model, seed in spec["runs"]]
histories = collect_histories(
    {run: pd.read_parquet(path) for run, path in zip(runs, snakemake.input.histories, strict=True)}
)
table = improvement(histories, spec["baselines"])
means = mean_over_seeds(table, "r", spec["confidence"])
reported = at_steps(means, spec["steps"])
print(reported.to_string(index=False))
save_table(snakemake.output.improvement, table)
save_table(snakemake.output.means, means)
save_table(snakemake.output.reported, reported)
save_table(snakemake.output.bce, mean_over_seeds(histories, "bce", spec["confidence"]))
