"""Train one model from one seed, or from several at a time."""

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log
gc.disable()  # modules hold many objects, none of them garbage: looking through them takes half a second

import numpy as np
import torch

from topogen.files import digest, load_diagrams, save_arrays, save_buffer, save_table
from topogen.training.divergence import forget_divergence, note_divergence, noted_divergence
from topogen.training.regularization import TrainingError
from topogen.training.run import Stopping, train

gc.freeze()  # nor are they looked through when the job ends
gc.enable()

spec = json.loads(snakemake.params.spec)
seeds = spec.pop("seeds", None) or [spec.pop("seed")]
# Of each output the file of every seed.
files = {name: [paths] if isinstance(paths, str) else list(paths) for name, paths in snakemake.output.items()}
torch.set_num_threads(spec.pop("threads"))
test_images = np.load(snakemake.input.test_images, mmap_mode="r")
monitored = test_images[: spec.pop("monitored")]
stopping = Stopping.on_last(test_images, **spec.pop("stop_early")) if "stop_early" in spec else None
# The history up to a value that is not finite: neither an output, which a failure deletes, nor a log.
diverged = Path(snakemake.log[0]).with_suffix(".diverged.csv")
identity = digest(snakemake.params.spec, snakemake.input)
message = noted_divergence(diverged, identity)
if snakemake.resources.attempt > 1 and message:  # more memory or time would not help
    sys.exit(f"{message}; not tried again")
forget_divergence(diverged)
partial = Path(files["history"][0]).with_name("partial.pt")  # not an output: Snakemake would delete it
wrong = [load_diagrams(path) for path in snakemake.input.wrong]  # one, of some controls
try:
    runs = train(
        np.load(snakemake.input.images, mmap_mode="r"),
        np.load(snakemake.input.labels),
        load_diagrams(snakemake.input.diagrams),
        seeds=seeds,
        monitored=monitored,
        stopping=stopping,
        partial=partial,
        wrong_references=wrong[0] if wrong else None,
        identity=identity,
        **spec,
    )
except TrainingError as error:
    model = Path(files["history"][0]).parts[-3]  # a stack has no wildcards
    message = f"{model}, seed {error.seed}: {error}; see {diverged}"
    note_divergence(diverged, error.history, message, identity)
    sys.exit(message)
for place, (seed, run) in enumerate(zip(seeds, runs, strict=True)):
    print(f"seed {seed}:\n{run.history.tail(1).to_string(index=False)}")
    save_table(files["history"][place], run.history)
    save_table(files["timing"][place], run.timing)
    save_table(files["monitored_bce"][place], run.monitored_bce)
    save_buffer(files["checkpoint"][place], run.checkpoint)
    save_arrays(files["snapshots"][place], run.snapshots)
    save_arrays(files["weights"][place], run.weights)
    save_arrays(files["latents"][place], run.latents)
partial.unlink(missing_ok=True)
