"""Embed the test by a method that is not trained, and measure how well that keeps its distances."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import pandas as pd

from topogen.data.batches import scaled
from topogen.evaluation.embedding import fitted, quality
from topogen.files import save_arrays, save_table

spec = json.loads(snakemake.params.spec)
method, seed = snakemake.wildcards.method, int(snakemake.wildcards.seed)
data = scaled(np.load(snakemake.input.images)).flatten(1).numpy()
test = scaled(np.load(snakemake.input.test_images)[: spec["points"]]).flatten(1).numpy()
labels = np.load(snakemake.input.test_labels)[: spec["points"]]
embedding, reconstruction = fitted(method, spec["methods"][method], data, test, seed)
values = quality(test, embedding, spec["neighbours"], reconstruction)
print(values)
save_arrays(snakemake.output.embedding, {"embedding": embedding, "label": labels})
save_table(snakemake.output.quality, pd.DataFrame(values.items(), columns=["measure", "value"]))
