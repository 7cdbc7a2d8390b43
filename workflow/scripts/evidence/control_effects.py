"""Results of the controls: effects, the r(s) of noise alone, and the stochastic order with its null rate."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.claims import chance_of_noise, stochastic_orders
from topogen.files import save_text

spec = json.loads(snakemake.params.spec)
effects = pd.concat(
    [
        pd.read_parquet(path).assign(comparison=comparison)
        for comparison, path in zip(spec["comparisons"], snakemake.input.effects, strict=True)
    ],
    ignore_index=True,
)
effects = effects[["comparison", *effects.columns.drop("comparison")]]
noise = pd.read_parquet(snakemake.input.improvement)
chances = chance_of_noise(noise, spec["published"], spec["seeds"])
orders = stochastic_orders(
    pd.read_parquet(snakemake.input.bce), noise, spec["at_steps"], spec["seeds"], spec["confidence"]
)
for table, path in (
    (effects, snakemake.output.effects),
    (chances, snakemake.output.noise),
    (orders, snakemake.output.order),
):
    print(table.to_string(index=False))
    save_text(path, table.to_csv(index=False, float_format="%.6g"))
