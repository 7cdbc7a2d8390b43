"""r(s) of the confirmation in several orders of the images, of the seeds that all orders have."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.improvement import at_steps
from topogen.files import save_text

spec = json.loads(snakemake.params.spec)
if not spec["tables"]:
    sys.exit("comparisons: none has the target confirmation, so there are no orders to compare; add one")
tables = []
for entry, path in zip(spec["tables"], snakemake.input.improvements, strict=True):
    table = at_steps(pd.read_parquet(path), spec["at_steps"])
    tables.append(table.assign(order=entry["order"], model=table["model"].map(entry["varied"])))
table = pd.concat(tables, ignore_index=True)
orders = table.groupby("seed")["order"].nunique()
table = table[table["seed"].map(orders) == table["order"].nunique()]
columns = ["order", "model", "seed", "step", "bce_difference", "bce_baseline", "r"]
save_text(snakemake.output.orders, table[columns].to_csv(index=False, float_format="%.6g"))
print(table.groupby(["order", "model"], sort=False)["seed"].nunique().to_string())
