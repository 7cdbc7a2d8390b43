"""One batch through a trained model, with its diagrams."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np

from topogen.data.batches import batch_slices
from topogen.files import load_diagrams, save_arrays
from topogen.theory.schematic import forward_pass

spec = json.loads(snakemake.params.spec)
images = np.load(snakemake.input.images, mmap_mode="r")
batches = batch_slices(len(images), spec["batch_size"])
batch = spec["step"] % len(batches)
prefix = f"{spec['step']}/"
with np.load(snakemake.input.weights[0]) as file:
    weights = {name.removeprefix(prefix): file[name] for name in file.files if name.startswith(prefix)}
reference = load_diagrams(snakemake.input.diagrams)[batch]
arrays = forward_pass(images[batches[batch]], reference, weights, spec["regularizers"], spec["seed"])
print({name: value.tolist() for name, value in arrays.items() if value.ndim < 2})
save_arrays(snakemake.output.batch, arrays)
