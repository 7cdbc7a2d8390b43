"""Where `snakemake` finds the workflow in a clone; the workflow itself is where catalogs look for it."""


include: "workflow/Snakefile"


# A file that is included does not decide what runs if no target is named.
workflow.default_target = "all"
