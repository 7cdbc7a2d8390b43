"""Embed the test by a trained model, and measure how well that keeps its distances."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import pandas as pd
import torch

from topogen.data.batches import scaled
from topogen.evaluation.embedding import quality
from topogen.files import save_arrays, save_table
from topogen.models.families import rebuild

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(spec["threads"])
images = scaled(np.load(snakemake.input.test_images)[: spec["points"]])
labels = np.load(snakemake.input.test_labels)[: spec["points"]]
trained = torch.load(snakemake.input.checkpoint, weights_only=True, map_location="cpu")
with torch.no_grad():
    outcome = rebuild(trained["built"], trained["model"]).outcome_at_mean(images)
embedding, made = outcome.latents["mean"].numpy(), outcome.reconstructions
reconstruction = None if made is None else made.flatten(1).numpy()
values = quality(images.flatten(1).numpy(), embedding, spec["neighbours"], reconstruction)
print(values)
save_arrays(snakemake.output.embedding, {"embedding": embedding, "label": labels})
save_table(snakemake.output.quality, pd.DataFrame(values.items(), columns=["measure", "value"]))
