"""Mean cosines of gradients: over seeds in every step, and over the steps with their tests."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import pandas as pd

from topogen.evidence.improvement import mean_over_seeds
from topogen.evidence.study import cosine_effects
from topogen.files import save_text

spec = json.loads(snakemake.params.spec)
tables = zip(spec["seeds"], snakemake.input.cosines, strict=True)
cosines = pd.concat([pd.read_parquet(path).assign(seed=seed) for seed, path in tables], ignore_index=True)
curves = mean_over_seeds(cosines.dropna(subset="cosine"), "cosine", spec["confidence"])
effects = cosine_effects(
    cosines,
    spec["baselines"],
    margin=spec["margin"],
    confidence=spec["confidence"],
    power=spec["power"],
)
print(effects.to_string(index=False))
save_text(snakemake.output.curves, curves.to_csv(index=False, float_format="%.6g"))
save_text(snakemake.output.effects, effects.to_csv(index=False, float_format="%.6g"))
