"""The thesis "TopoGen: topology-informed generative models", from the data to every figure and table."""

from snakemake.utils import min_version, validate

min_version("9.27")


configfile: "config.yaml"


validate(config, "workflow/schemas/config.schema.yaml")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/reporting.smk"
include: "workflow/rules/handlers.smk"
include: "workflow/rules/notebook.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/synthetic.smk"
include: "workflow/rules/cost.smk"


# A limit for this machine alone: on a cluster Slurm shares out the GPUs.
resource_scopes:
    gpu="local",


limit_gpus()

# Targets that are not part of `all`.
SEPARATE = ("evaluation_full", "controls", "confirmation", "confirmation_orders", "mode_collapse", "sweeps")
# Name of a target -> the files that it asks for.
TARGETS = {
    "figures": [
        *images_of_training(rules.image_comparison),
        *products(rules.bce_curves),
        *products(rules.improvement_curves),
        *products(rules.latent_curves),
        *products(rules.latent_scatter),
    ],
    "table1": products(rules.table_1),
    "theory": [
        *products(rules.working_principle),
        *products(rules.rips_filtration),
        *products(rules.densities_of_clusters),
        *products(rules.densities_of_batch),
        *products(rules.delta_selection),
        *products(rules.stability_scatter),
        *products(rules.gradient_checks),
    ],
    "synthetic": [
        *products(rules.point_cloud_descent, experiment=EXPERIMENTS),
        *products(rules.half_loss),
        *products(rules.damage_map),
        *products(rules.one_class_batches),
        *products(rules.modes_covered),
    ],
    "evaluation": [
        *products(rules.held_out_table, full=""),
        *products(rules.prior_samples, full=""),
    ],
    "evaluation_full": [
        *products(rules.held_out_table, full="_full"),
        *products(rules.prior_samples, full="_full"),
    ],
    "verdict": [
        *products(rules.verdict_table),
        *products(rules.calibration),
        *products(rules.replication),
        *products(rules.replay),
        *products(rules.gradient_sizes),
    ],
    "controls": [
        *products(rules.control_effects),
        *products(rules.controls_summary),
    ],
    "confirmation": products(rules.confirmation_effects),
    "confirmation_orders": [
        *products(rules.order_effects),
        *products(rules.orders_of_data),
    ],
    "mode_collapse": products(rules.gan_comparison),
    "sweeps": products(rules.sweep, sweep=PLAN.sweeps_of("sweeps")),
    "cost": products(rules.cost),
}
TARGETS["all"] = [file for target, files in TARGETS.items() if target not in SEPARATE for file in files]
TARGETS["all"] += products(rules.sweep, sweep=PLAN.sweeps_of("all"))


rule all:
    default_target: True
    input:
        TARGETS["all"],


rule figures:
    input:
        TARGETS["figures"],


rule table1:
    input:
        TARGETS["table1"],


rule theory:
    input:
        TARGETS["theory"],


rule synthetic:
    input:
        TARGETS["synthetic"],


rule evaluation:
    input:
        TARGETS["evaluation"],


rule evaluation_full:
    input:
        TARGETS["evaluation_full"],


rule verdict:
    input:
        TARGETS["verdict"],


rule controls:
    input:
        TARGETS["controls"],


rule confirmation:
    input:
        TARGETS["confirmation"],


rule confirmation_orders:
    input:
        TARGETS["confirmation_orders"],


rule mode_collapse:
    input:
        TARGETS["mode_collapse"],


rule sweeps:
    input:
        TARGETS["sweeps"],
