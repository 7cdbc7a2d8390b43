"""Gradients of all regularizers against central differences, and what happens at the exceptions."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.files import save_table
from topogen.theory.differentiability import (
    along_paths,
    entropy_near_diagonal,
    exception_paths,
    gradient_agreement,
    gradient_errors,
    slopes_at_exceptions,
)

spec = json.loads(snakemake.params.spec)
delta, tolerance = spec.pop("delta"), spec.pop("tolerance")
errors = gradient_errors(**spec)
agreement = gradient_agreement(errors, tolerance)
paths = exception_paths(spec["regularizers"], delta)
slopes = slopes_at_exceptions(paths, spec["step"])
print(agreement.to_string(index=False), slopes.to_string(index=False), sep="\n\n")
save_table(snakemake.output.errors, errors)
save_table(snakemake.output.agreement, agreement)
save_table(snakemake.output.slopes, slopes)
save_table(snakemake.output.along, along_paths(paths))
save_table(snakemake.output.diagonal, entropy_near_diagonal([0, delta]))
