"""One batch through a trained model, with its diagrams."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.data.orders import batch_slices
from topogen.files import load_diagrams, save_arrays
from topogen.models.families import rebuild
from topogen.theory.schematic import forward_pass

spec = json.loads(snakemake.params.spec)
images = np.load(snakemake.input.images, mmap_mode="r")
batches = batch_slices(len(images), spec["batch_size"])
batch = spec["step"] % len(batches)
prefix = f"{spec['step']}/"
with np.load(snakemake.input.weights[0]) as file:
    kept = [name for name in file.files if name.startswith(prefix)]
    weights = {name.removeprefix(prefix): torch.from_numpy(file[name]) for name in kept}
built = torch.load(snakemake.input.checkpoint[0], weights_only=True, map_location="cpu")["built"]
reference = load_diagrams(snakemake.input.diagrams)[batch]
model = rebuild(built, weights)
arrays = forward_pass(images[batches[batch]], reference, model, spec["regularizers"], spec["seed"])
print({name: value.tolist() for name, value in arrays.items() if value.ndim < 2})
save_arrays(snakemake.output.batch, arrays)
