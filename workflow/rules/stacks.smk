# Jobs that train several seeds of a model: their names, outputs and parameters. The rules are in training.smk.

from types import SimpleNamespace


def stacks_of_trainings():
    """Every such job of this run, by its dataset and model, as wildcards have them, and its seeds.

    Its files are written out: Snakemake prefers a rule without wildcards to `train`, which could make the same files a seed
    at a time. And it finds their rule at once, where it would compare every file with patterns of hundreds of rules.
    """
    return [
        (SimpleNamespace(dataset=dataset, model=model), seeds)
        for dataset in PLANS
        for model, seeds in PLANS[dataset].stacks()
    ]


def listed(seeds):
    return ", ".join(map(str, seeds))


def short(seeds):
    """The first seed, and how many more there are: file names have limits."""
    return f"{seeds[0]}+{len(seeds) - 1}"


def outputs_of_stack(of, seeds):
    """The outputs of `train`, of each of the seeds."""
    return {
        name: expand(str(path), dataset=of.dataset, model=of.model, seed=seeds)
        for name, path in rules.train.output.items()
    }


def name_of_stack(of, seeds):
    return f"train {of.model} {short(seeds)} on {of.dataset}"


def say_which_stacks_are_incomplete():
    """Warn of stacks of which a part is missing.

    Snakemake compares no parameters of a job that has not made all of its outputs, and takes those that are there for
    current.
    """
    for of, seeds in stacks_of_trainings() if workflow.is_main_process else []:
        folders = {seed: Path("results", of.dataset, "runs", of.model, str(seed)) for seed in seeds}
        missing = [seed for seed, folder in folders.items() if not Path(folder, "history.parquet").exists()]
        if 0 < len(missing) < len(seeds):
            logger.warning(
                f"{of.model} on {of.dataset}: one stack trains the seeds {listed(seeds)}; there are no results of {listed(missing)}. "
                "Ask for them too, as `all` does: without them Snakemake cannot tell whether the others are current."
            )


def of_stack(function, of):
    """A function of wildcards, for a job that has none."""

    def of_job(wildcards):
        return function(of)

    return of_job


def stack_spec(of, seeds):
    return canonical(plan(of).stacked_training(of.model, seeds))
