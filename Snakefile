"""The thesis "TopoGen: topology-informed generative models", from the data to every figure and table."""

from snakemake.utils import min_version, validate

min_version("9.27")


configfile: "config.yaml"


validate(config, "workflow/schemas/config.schema.yaml")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


# One machine's limit: on a cluster Slurm shares out the GPUs.
resource_scopes:
    gpu="local",


limit_gpus()


onstart:
    check_device()


onsuccess:
    report_products(failed=False)
    write_provenance(failed=False)


onerror:
    report_products(failed=True)
    write_provenance(failed=True)


rule all:
    default_target: True
    input:
        FIGURES,
        TABLES,
        THEORY,
        SYNTHETIC,
        EVALUATION,
        EVIDENCE,
        COST,


rule figures:
    input:
        FIGURES,


rule table1:
    input:
        TABLES,


rule theory:
    input:
        THEORY,


rule synthetic:
    input:
        SYNTHETIC,


rule verdict:
    input:
        EVIDENCE,


rule controls:
    input:
        CONTROLLED,


rule tuning:
    input:
        f"results/{DATASET}/tables/tuning.csv",


rule evaluation:
    input:
        EVALUATION,


rule evaluation_full:
    input:
        EVALUATION_FULL,


include: "workflow/rules/data.smk"
include: "workflow/rules/diagrams.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/synthetic.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/cost.smk"
