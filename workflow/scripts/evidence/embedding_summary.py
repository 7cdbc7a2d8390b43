"""Quality of embeddings: means over seeds beside published ones, and models against their baselines."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.evidence.embedding import embedding_effects, means_beside_published, published_values
from topogen.evidence.improvement import table_of_runs
from topogen.files import load_tables, save_text

spec = json.loads(snakemake.params.spec)
values = table_of_runs(load_tables(spec["runs"], snakemake.input.quality))
published = published_values(snakemake.input.published, snakemake.wildcards.dataset)
summary = means_beside_published(values, published, confidence=spec["confidence"])
effects = embedding_effects(
    values, spec["baselines"], spec["measures"], confidence=spec["confidence"], power=spec["power"]
)
print(summary.to_string(index=False), effects.to_string(index=False), sep="\n\n")
for name, table in (("values", values), ("summary", summary), ("effects", effects)):
    save_text(snakemake.output[name], table.to_csv(index=False, float_format="%.6g"))
