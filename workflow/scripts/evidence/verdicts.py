"""Verdict on every claim of the thesis."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.claims import (
    decay_claims,
    held_out_claims,
    improvement_claims,
    proposition_claims,
    time_claims,
)
from topogen.evidence.gains import collect_evaluations
from topogen.files import save_table

spec = json.loads(snakemake.params.spec)
rules, margins = spec["rules"], spec["margins"]
replicates, published = spec["replicates"], spec["published"]
runs = [(model, seed) for model, seed in spec["runs"]]
evaluations = collect_evaluations(
    {run: pd.read_parquet(path) for run, path in zip(runs, snakemake.input.evaluations, strict=True)}
)
improvements = dict(zip(spec["comparisons"], map(pd.read_parquet, snakemake.input.improvements), strict=True))
effects = dict(zip(spec["comparisons"], map(pd.read_parquet, snakemake.input.effects), strict=True))
# Results of controls that were run once and are kept with the code, if there are any.
kept = {Path(path).stem: pd.read_csv(path) for path in snakemake.input.stored}
stored = kept.get("effects", pd.DataFrame(columns=["comparison"]))
noise = kept.get("noise", pd.DataFrame({"model": [], "step": [], "chance": []}).astype({"model": str}))
noise = noise.assign(measure=[f"r({step})" for step in noise["step"]]).astype({"measure": str})
effects |= {name: table for name, table in stored.groupby("comparison") if name in spec["stored"]}

tables = [
    *(
        improvement_claims(table, name, replicates, published, rules["confidence"])
        for name, table in effects.items()
    ),
    *(
        decay_claims(table, name, replicates, published, steps=spec["decay_steps"], rules=rules)
        for name, table in improvements.items()
    ),
    *(
        held_out_claims(evaluations, **claim, rules=rules | {"margin": margins["held_out"]})
        for claim in spec["held_out"]
    ),
    time_claims(
        pd.read_parquet(snakemake.input.rounds),
        spec["timed"],
        published,
        rules | {"margin": margins["time"]},
    ),
    proposition_claims(
        pd.read_parquet(snakemake.input.worst),
        pd.read_parquet(snakemake.input.agreement),
        spec["differentiable"],
    ),
]
verdicts = pd.concat(tables, ignore_index=True).merge(noise[["model", "measure", "chance"]], how="left")
print(verdicts.to_string(index=False))
save_table(snakemake.output.verdicts, verdicts)
