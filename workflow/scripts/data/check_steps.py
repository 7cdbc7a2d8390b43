"""Stop before any training if it would end before a step that is kept or reported."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np

from topogen.checks import check_steps
from topogen.files import save_json

images = len(np.load(snakemake.input.images, mmap_mode="r"))
steps = check_steps(images, **json.loads(snakemake.params.spec))
save_json(snakemake.output.steps, {"images": images, "steps": steps})
