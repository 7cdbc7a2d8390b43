"""Unpack the images and labels for training and test into arrays that every job can memory-map."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.data.sources import read
from topogen.files import save_array

folder = Path(snakemake.params.folder)
for part, prefix in {"train": "", "t10k": "test_"}.items():
    images, labels = read(folder / f"{part}-images-idx3-ubyte.gz", folder / f"{part}-labels-idx1-ubyte.gz")
    print(f"{part}: {len(images)} images of shape {images.shape[1:]}, {len(set(labels))} classes")
    save_array(snakemake.output[f"{prefix}images"], images)
    save_array(snakemake.output[f"{prefix}labels"], labels)
