"""How much better metrics of images are predicted if others are known besides the likelihood."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.evidence.improvement import table_of_runs
from topogen.evidence.information import information
from topogen.files import load_tables, save_text

spec = json.loads(snakemake.params.spec)
evaluations = table_of_runs(load_tables(spec.pop("runs"), snakemake.input.evaluations))
effects = information(evaluations.rename(columns={"metric": "measure"}), **spec)
print(effects.to_string(index=False))
save_text(snakemake.output.effects, effects.to_csv(index=False, float_format="%.6g"))
