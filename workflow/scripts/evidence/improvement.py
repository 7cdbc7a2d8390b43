"""Improvement r(s) of the models of one comparison over their baselines: per seed, on average, and tested."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.effects import bands, effects
from topogen.evidence.improvement import (
    at_steps,
    collect_histories,
    gradient_sizes,
    improvement,
    mean_over_seeds,
    ratio_of_means,
)
from topogen.files import save_table

spec = json.loads(snakemake.params.spec)
runs = [(model, seed) for model, seed in spec["runs"]]
histories = collect_histories(
    {run: pd.read_parquet(path) for run, path in zip(runs, snakemake.input.histories, strict=True)}
)
table = improvement(histories, spec["baselines"])
means = mean_over_seeds(table, "r", spec["confidence"])
means = means.merge(bands(table, "r", spec["confidence"])).merge(ratio_of_means(table))
rules = {key: spec[key] for key in ("confidence", "margin", "power")}
effect = effects(at_steps(table, spec["at_steps"]), ["model", "step"], "r", **rules)
print(effect.to_string(index=False))
save_table(snakemake.output.improvement, table)
save_table(snakemake.output.means, means)
save_table(snakemake.output.effects, effect.merge(ratio_of_means(table)))
save_table(snakemake.output.bce, mean_over_seeds(histories, "bce", spec["confidence"]))
save_table(snakemake.output.gradients, gradient_sizes(histories, spec["terms"], spec["confidence"]))
