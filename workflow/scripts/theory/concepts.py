"""Clouds, complexes, diagrams and densities of the concept figures."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np
import torch

from topogen.files import save_arrays
from topogen.theory.concepts import delta_selection, density_curves, filtration, four_clusters, three_loops
from torchrips.persistence import rips_diagrams

spec = json.loads(snakemake.params.spec)
shown, grid = spec["filtration"], spec["densities"]
cloud = filtration(
    three_loops(shown["jitter"], spec["seed"]), shown["scales"], geometric_scale=shown["geometric_scale"]
)
(deaths,) = rips_diagrams(torch.from_numpy(four_clusters(spec["seed"])), degrees=(0,))
densities = density_curves(
    deaths.numpy(),
    [(sigma, grid["scale"]) for sigma in grid["sigmas"]],
    np.linspace(grid["start"], grid["stop"], grid["points"]),
)
save_arrays(snakemake.output.filtration, cloud)
save_arrays(snakemake.output.densities, densities)
save_arrays(snakemake.output.selection, delta_selection(cloud["diagram_1"], spec["delta"]))
