"""Results of the controls: effects, r(s) per seed, that of noise alone, and the stochastic order."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.claims import chance_of_noise, stochastic_orders
from topogen.evidence.improvement import at_steps, one_table
from topogen.files import save_text

spec = json.loads(snakemake.params.spec)
effects, improvements = (
    dict(zip(spec["comparisons"], map(pd.read_parquet, paths), strict=True))
    for paths in (snakemake.input.effects, snakemake.input.improvements)
)
reported = {name: at_steps(table, spec["at_steps"]) for name, table in improvements.items()}
noise = pd.read_parquet(snakemake.input.of_noise)
chances = chance_of_noise(noise, spec["published"], spec["published_seeds"])
orders = stochastic_orders(
    pd.read_parquet(snakemake.input.of_order),
    noise,
    spec["significance_steps"],
    spec["significance_seeds"],
    spec["confidence"],
)
for table, path in (
    (one_table(effects), snakemake.output.effects),
    (one_table(reported), snakemake.output.improvement),
    (chances, snakemake.output.noise),
    (orders, snakemake.output.order),
):
    print(table.to_string(index=False))
    save_text(path, table.to_csv(index=False, float_format="%.6g"))
