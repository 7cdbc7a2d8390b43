"""Unpack the training images and labels into arrays that every job can memory-map."""

import sys
from pathlib import Path

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.data import read
from topogen.files import save_array

folder = Path(snakemake.params.folder)
images, labels = read(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")
print(f"{len(images)} images of {images.shape[1:]} pixels, {len(set(labels))} classes")
save_array(snakemake.output.images, images)
save_array(snakemake.output.labels, labels)
