"""What a study measures of every training, and the effects of its models, paired by seed."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import pandas as pd

from topogen.evaluation.shape import hole_score
from topogen.evidence.improvement import table_of_runs
from topogen.evidence.study import LAST, study_effects
from topogen.files import load_tables, save_text

spec = json.loads(snakemake.params.spec)
monitored = table_of_runs(load_tables(spec["runs"], snakemake.input.monitored))
images = np.load(snakemake.input.test_images, mmap_mode="r")[: spec["monitored"]]
bce = monitored["bce"] / len(images)
tables = [monitored[["model", "seed", "step"]].assign(measure="bce_test", value=bce)]
if snakemake.input.evaluations:
    evaluations = table_of_runs(load_tables(spec["runs"], snakemake.input.evaluations))
    tables.append(evaluations.rename(columns={"metric": "measure"}))
if spec["holes"]:
    rows = []
    for (model, seed), path in zip(spec["runs"], snakemake.input.latents, strict=True):
        with np.load(path) as latents:
            score = hole_score(latents["mean_after"], **spec["holes"])
        rows.append({"model": model, "seed": seed, "step": LAST, "measure": "holes", "value": score})
    tables.append(pd.DataFrame(rows))
wanted = {
    name for entry in spec["measures"] for name in (entry["measure"], entry.get("beyond", {}).get("price"))
}
values = pd.concat(tables, ignore_index=True)
values = values[values["measure"].isin(wanted)]
effects = study_effects(
    values,
    spec["comparisons"],
    spec["measures"],
    spec["fronts"],
    confidence=spec["confidence"],
    power=spec["power"],
)
print(effects.to_string(index=False))
save_text(snakemake.output.values, values.to_csv(index=False, float_format="%.6g"))
save_text(snakemake.output.effects, effects.to_csv(index=False, float_format="%.6g"))
