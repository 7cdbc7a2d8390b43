# Inputs and parameters of the rules of the studies.


def section_of(name, file):
    """No files; stops before any job if the configuration has no section of this name."""

    def of_job(wildcards):
        if name not in config:
            raise WorkflowError(f"the configuration has no section `{name}`; add --configfile {file}")
        return []

    return of_job


def alignment_spec(wildcards):
    return canonical(plan(wildcards).alignment(int(wildcards.seed)))


def wrong_references_of_alignment(wildcards):
    """Wrong diagrams by kind, in the order of the kinds."""
    return [
        f"results/{wildcards.dataset}/wrong_references/{kind}.npz"
        for kind in PLAN.wrong_references_of_alignment()
    ]


def of_study(wildcards, pattern):
    """One file of every training of the study; stops if the configuration has no study of this name."""
    if wildcards.study != PLAN.study:
        raise WorkflowError(
            f"study: this configuration has {PLAN.study or 'none'}; add a file that has one, as in "
            "--configfile config/planted.yaml"
        )
    return [
        pattern.format(dataset=wildcards.dataset, model=model, seed=seed) for model, seed in PLAN.study_runs
    ]


def latents_of_study(wildcards):
    return of_study(wildcards, "results/{dataset}/runs/{model}/{seed}/latents.npz")


def monitored_of_study(wildcards):
    return of_study(wildcards, "results/{dataset}/runs/{model}/{seed}/monitored_bce.parquet")


def evaluations_of_study(wildcards):
    """Held-out metrics of every training of the study, if it asks for some."""
    files = of_study(wildcards, "results/{dataset}/evaluation/{model}/{seed}.parquet")
    return files if PLAN.study_evaluates else []


def samples_of_study(wildcards):
    """Samples of the models that the study shows, from the first seed."""
    if wildcards.study != PLAN.study or not PLAN.sampled_in_study:
        raise WorkflowError(
            "study.samples: this configuration names no models whose samples are drawn; add a file that does, as in "
            "--configfile config/diffusion.yaml"
        )
    return [
        f"results/{wildcards.dataset}/evaluation/{model}/{PLAN.seeds[0]}_samples.npz"
        for model in PLAN.sampled_in_study
    ]


def evaluations_of_information(wildcards):
    """Held-out metrics of the models of `all`, if the configuration asks what they tell of one another."""
    runs = PLAN.information().get("runs", [])
    return [f"results/{wildcards.dataset}/evaluation/{model}/{seed}.parquet" for model, seed in runs]


def embeddings(runs, ending):
    """One file of every embedding, by a model or by a method, and from a seed."""
    kinds = {name: "methods" if name in PLAN.embedding_methods else "models" for name, _ in runs}
    return [f"results/{{dataset}}/embedding/{kinds[name]}/{name}/{seed}.{ending}" for name, seed in runs]


def published_embeddings():
    """The file of published qualities, if the configuration names one."""
    named = config.get("embedding", {}).get("published")
    return [in_clone(named)] if named else []
