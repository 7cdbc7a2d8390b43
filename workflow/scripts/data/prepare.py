"""Unpack the images and labels for training and test into arrays that every job can memory-map."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.data.datasets import read
from topogen.files import save_array

spec = json.loads(snakemake.params.spec)
for prefix, train in (("", True), ("test_", False)):
    images, labels = read(Path(snakemake.params.folder), train=train, **spec)
    print(f"{prefix}images: {len(images)} of shape {images.shape[1:]}, {len(set(labels.tolist()))} classes")
    save_array(snakemake.output[f"{prefix}images"], images)
    save_array(snakemake.output[f"{prefix}labels"], labels)
