"""Verdict on every claim of the thesis."""

import json
import sys
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
from topogen.evidence.improvement import mean_of_first_steps, table_of_runs
from topogen.files import load_tables, save_table

spec = json.loads(snakemake.params.spec)
confidence, power = spec["confidence"], spec["power"]
replicates, published = spec["replicates"], spec["published"]
real_images = pd.read_parquet(snakemake.input.yardstick)
yardstick = dict(zip(real_images["metric"], real_images["value"], strict=True))
evaluations = table_of_runs(load_tables(spec["runs"], snakemake.input.evaluations))
improvements = dict(zip(spec["comparisons"], map(pd.read_parquet, snakemake.input.improvements), strict=True))
effects = dict(zip(spec["comparisons"], map(pd.read_parquet, snakemake.input.effects), strict=True))
# Results of controls and of the confirmation that were made once and are kept with the code, if any.
kept = {path: pd.read_csv(path) for path in snakemake.input.stored}
with_verdicts = [table for table in kept.values() if "verdict" in table]
if earlier := [path for path, table in kept.items() if "p_holm" in table and "verdict" not in table]:
    print(f"no verdicts in {', '.join(earlier)}: made by an earlier rule, and left out")
stored = pd.concat(with_verdicts or [pd.DataFrame(columns=["comparison", "family", "verdict"])])
stored = stored.fillna({"family": "", "verdict": ""})
chances = [table for table in kept.values() if "chance" in table]
noise = pd.concat(chances or [pd.DataFrame({"model": [], "step": [], "chance": []}).astype({"model": str})])
noise = noise.assign(measure=[f"r({step})" for step in noise["step"]]).astype({"measure": str})
effects |= {name: table for name, table in stored.groupby("comparison") if name in spec["stored"]}
means = {name: mean_of_first_steps(table, spec["decay_steps"]) for name, table in improvements.items()}
for table in kept.values():
    if {"comparison", "seed", "r"} <= set(table) and "step" not in table:  # each row is such a mean
        means |= {name: part for name, part in table.groupby("comparison") if name in spec["stored"]}

tables = [
    *(
        improvement_claims(
            table, name, replicates, published, seeds=spec["published_seeds"], confidence=confidence
        )
        for name, table in effects.items()
    ),
    *(
        decay_claims(
            table,
            name,
            replicates,
            published,
            steps=spec["decay_steps"],
            tested=name in improvements,  # the protocol announced no such test on fresh seeds
            confidence=confidence,
            margin=spec["margin"],
            power=power,
        )
        for name, table in means.items()
    ),
    held_out_claims(
        evaluations,
        spec["held_out"],
        yardstick=yardstick,
        margins=spec["held_out_margins"],
        images=spec["images"],
        thesis=list(published),
        confidence=confidence,
        power=power,
    ),
    time_claims(pd.read_parquet(snakemake.input.rounds), spec["timed"], published, confidence),
    proposition_claims(
        pd.read_parquet(snakemake.input.worst),
        pd.read_parquet(snakemake.input.agreement),
        spec["differentiable"],
    ),
]
verdicts = pd.concat(tables, ignore_index=True).merge(noise[["model", "measure", "chance"]], how="left")
print(verdicts.to_string(index=False))
save_table(snakemake.output.verdicts, verdicts)
