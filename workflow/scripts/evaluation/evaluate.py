"""Evaluate one model of one seed on held-out images, at some steps and at the end of its training."""

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log
gc.disable()  # modules hold half a million objects, none of them garbage: looking through them takes 1.5 s

import numpy as np
import torch

from topogen.data.batches import scaled
from topogen.evaluation.held_out import HeldOut, Settings, evaluate, features_from, long_table
from topogen.evaluation.spaces import load_spaces
from topogen.files import load_diagrams, save_arrays, save_table
from topogen.models.families import rebuild

gc.freeze()  # nor are they looked through when the job ends
gc.enable()

spec = json.loads(snakemake.params.spec)
torch.set_num_threads(spec["threads"])
spaces = load_spaces(snakemake.input.classifier, snakemake.input.components)
with np.load(snakemake.input.features) as file:
    features = features_from(file)
held_out = HeldOut(
    images=scaled(np.load(snakemake.input.test_images)[: spec["images"]]),
    labels=np.load(snakemake.input.test_labels)[: spec["images"]],
    features=features,
    diagrams=load_diagrams(snakemake.input.diagrams),
    **json.loads(Path(snakemake.input.units).read_text()),
)
trained = torch.load(snakemake.input.checkpoint, weights_only=True, map_location="cpu")
weights: dict[int, dict[str, torch.Tensor]] = {step: {} for step in spec["at_steps"]}
with np.load(snakemake.input.weights) as file:
    for name in file.files:
        step, part = name.split("/")
        if int(step) in spec["at_steps"] or spec.get("each_epoch"):
            weights.setdefault(int(step), {})[part] = torch.from_numpy(file[name])
weights |= {trained["steps_done"]: trained["model"]}
values, pictures = {}, {}
for step, parts in weights.items():
    values[step], pictures[str(step)] = evaluate(
        rebuild(trained["built"], parts),
        held_out,
        spaces,
        Settings(**spec["settings"]),
        int(snakemake.wildcards.seed),
    )
    print(step, values[step])
save_table(snakemake.output.metrics, long_table(values))
save_arrays(snakemake.output.samples, pictures)
