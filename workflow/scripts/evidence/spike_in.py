"""How often the rule gives each verdict on effects that are known because they were added."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.calibration import calibration, residuals
from topogen.evidence.rule import VERDICTS
from topogen.files import save_table

CHANCES = ["comparison", "model", "step", "sd", "n", "effect", *VERDICTS]
ERRORS = ["comparison", "n", "effect", "wrong_direction", "wrongly_negligible"]

spec = json.loads(snakemake.params.spec)
settings = {key: spec[key] for key in ("effects", "seeds", "trials", "seed", "margin", "confidence")}
chances, errors = {}, {}
for name, path in zip(spec["comparisons"], snakemake.input.improvements, strict=True):
    table = residuals(pd.read_parquet(path), spec["at_steps"])
    if table.empty:
        print(f"{name}: no model differs from its baseline at these steps")
        continue
    rows: dict[Any, int] = {(model, step): count for model, step, _, count in spec["families"][name]}
    chances[name], errors[name] = calibration(table, [rows[column] for column in table.columns], **settings)
for tables, columns, path in (
    (chances, CHANCES, snakemake.output.chances),
    (errors, ERRORS, snakemake.output.errors),
):
    # With one seed no r(s) varies, so there are no rows.
    parts = [part.assign(comparison=name) for name, part in tables.items()] or [pd.DataFrame(columns=columns)]
    table = pd.concat(parts, ignore_index=True)[columns]
    print(table.to_string(index=False))
    save_table(path, table)
