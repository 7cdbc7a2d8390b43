"""Where `snakemake` finds the workflow in a clone; the workflow itself is where catalogs look for it."""


include: "workflow/Snakefile"
