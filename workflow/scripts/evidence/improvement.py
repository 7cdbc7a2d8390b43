"""Improvement r(s) of the models of one comparison over their baselines: per seed, on average, and tested."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import pandas as pd

from topogen.evidence.effects import bands, effects
from topogen.evidence.improvement import (
    also_of_baseline,
    at_steps,
    floors_of_batches,
    gradient_sizes,
    improvement,
    lowest_bce,
    mean_over_seeds,
    ratio_of_means,
    table_of_runs,
)
from topogen.evidence.rule import judged
from topogen.files import load_tables, save_table

spec = json.loads(snakemake.params.spec)
histories = table_of_runs(load_tables(spec["runs"], snakemake.input.histories))
orders = histories["model"].map(spec.get("orders", {}))  # seed of a permutation, or none
images = np.load(snakemake.input.images, mmap_mode="r")
for order, rows in histories.groupby(orders, dropna=False)["step"]:
    floors = floors_of_batches(images, spec["batch_size"], None if np.isnan(order) else int(order))
    histories.loc[rows.index, "floor"] = floors[rows % len(floors)]
table = improvement(histories, spec["baselines"])
means = mean_over_seeds(table, "r", spec["confidence"])
means = means.merge(bands(table, "r", spec["confidence"])).merge(ratio_of_means(table))
families = pd.DataFrame(spec["families"], columns=["model", "step", "family", "rows"])

# The same on test images, which no model was trained on: at the reported steps alone.
monitored = np.load(snakemake.input.test_images, mmap_mode="r")[: spec["monitored"]]
tests = table_of_runs(load_tables(spec["runs"], snakemake.input.monitored))
tests = also_of_baseline(tests, spec["baselines"]).assign(floor=lowest_bce(monitored))
test_table = improvement(tests, spec["baselines"])


def effects_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Effects with their verdicts and the other averages: the ratio of means, and the mean of r*."""
    stars = rows.groupby(["model", "step"], sort=False)["r_star"].mean().rename("mean_r_star").reset_index()
    found = effects(rows, ["model", "step"], "r", confidence=spec["confidence"], margin=spec["margin"])
    found = judged(found, families, confidence=spec["confidence"], power=spec["power"])
    return found.merge(ratio_of_means(rows)).merge(stars)


effect, test_effect = effects_of(at_steps(table, spec["at_steps"])), effects_of(test_table)
print(effect.to_string(index=False), test_effect.to_string(index=False), sep="\n")
save_table(snakemake.output.improvement, table)
save_table(snakemake.output.means, means)
save_table(snakemake.output.effects, effect)
save_table(snakemake.output.test_improvement, test_table)
save_table(snakemake.output.test_effects, test_effect)
save_table(snakemake.output.bce, mean_over_seeds(histories, "bce", spec["confidence"]))
save_table(snakemake.output.gradients, gradient_sizes(histories, spec["terms"], spec["confidence"]))
