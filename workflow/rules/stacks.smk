# Jobs that train several seeds of a model: their names, outputs and parameters. The rules are in training.smk.


def stacks_of_trainings():
    """Dataset, model and seeds of every such job of this run; none unless training.stack is more than 1."""
    return [(dataset, *stack) for dataset in PLANS for stack in PLANS[dataset].stacks()]


def short(seeds):
    """The first seed, and how many more there are: file names have limits."""
    return f"{seeds[0]}+{len(seeds) - 1}"


def name_of_stack(dataset, model, seeds):
    """Name of the rule, which goes before `train`: that one could make the same files, a seed at a time."""
    name = f"train {model} {short(seeds)} on {dataset}"
    workflow.ruleorder(name, "train")
    return name


def outputs_of_stack(seeds):
    """The outputs of `train`, of each of the seeds."""
    return {
        name: expand(str(path), seed=seeds, allow_missing=True) for name, path in rules.train.output.items()
    }


def stack_spec(seeds):
    """A parameter of such a rule: the arguments of the trainings."""

    def of_job(wildcards):
        return canonical(plan(wildcards).stacked_training(wildcards.model, seeds))

    return of_job
