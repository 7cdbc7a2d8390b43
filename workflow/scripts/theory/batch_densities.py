"""Densities of the deaths of one batch, for several sigmas and several scales."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

import numpy as np

from topogen.files import load_diagrams, save_arrays
from topogen.theory.concepts import density_curves

FINER = 50  # positions of a curve per position of the loss

spec = json.loads(snakemake.params.spec)
diagrams = load_diagrams(snakemake.input.diagrams)
deaths = diagrams[spec["step"] % len(diagrams)][0]
start, stop, points = (spec[key] for key in ("start", "stop", "points"))
grids = np.linspace(start, stop, FINER * (points - 1) + 1), np.linspace(start, stop, points)
by_sigma = [(sigma, spec["scale"]) for sigma in spec["sigmas"]]
by_scale = [(spec["sigma"], scale) for scale in spec["scales"]]
save_arrays(snakemake.output.by_sigma, density_curves(deaths, by_sigma, *grids))
save_arrays(snakemake.output.by_scale, density_curves(deaths, by_scale, *grids))
