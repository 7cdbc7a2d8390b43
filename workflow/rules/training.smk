# One job per (dataset, model, seed), or per stack of seeds, and what the trainings show: images, losses, latent vectors.


rule train:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        test_images="results/{dataset}/test_images.npy",
        diagrams=references_of_training,
        wrong=wrong_references_of_training,
        family=code_of_family,
        code=code_of("workflow/scripts/training/train.py"),
    output:
        history="results/{dataset}/runs/{model}/{seed}/history.parquet",
        timing="results/{dataset}/runs/{model}/{seed}/timing.parquet",
        monitored_bce="results/{dataset}/runs/{model}/{seed}/monitored_bce.parquet",
        checkpoint="results/{dataset}/runs/{model}/{seed}/checkpoint.pt",
        snapshots="results/{dataset}/runs/{model}/{seed}/snapshots.npz",
        weights="results/{dataset}/runs/{model}/{seed}/weights.npz",
        latents="results/{dataset}/runs/{model}/{seed}/latents.npz",
    log:
        "results/logs/train/{dataset}-{model}-{seed}.log",
    benchmark:
        "results/benchmarks/train/{dataset}-{model}-{seed}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: threads_of_torch
    resources:
        mem_mb=more_on_retry(2000),
        runtime=more_on_retry(30),
        gpu=gpus_per_run,
        attempt=number_of_attempt,
    params:
        spec=training_spec,
    message:
        "Train {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/training/train.py"


# With training.stack > 1, the trainings of several seeds in one job, with the outputs of `train`.
for of, seeds in stacks_of_trainings():

    rule:
        name:
            name_of_stack(of, seeds)
        input:
            images=f"results/{of.dataset}/images.npy",
            labels=f"results/{of.dataset}/labels.npy",
            test_images=f"results/{of.dataset}/test_images.npy",
            diagrams=references_of_training(of),
            wrong=wrong_references_of_training(of),
            family=code_of_family(of),
            code=code_of("workflow/scripts/training/train.py"),
        output:
            **outputs_of_stack(of, seeds),
        log:
            f"results/logs/train/{of.dataset}-{of.model}-{short(seeds)}.log",
        benchmark:
            f"results/benchmarks/train/{of.dataset}-{of.model}-{short(seeds)}.tsv"
        conda:
            "../../envs/topogen.yaml"
        threads: of_stack(threads_of_torch, of)
        resources:
            mem_mb=more_on_retry(2000 + 200 * len(seeds)),
            runtime=more_on_retry(30 + 10 * len(seeds)),
            gpu=of_stack(gpus_per_run, of),
            attempt=number_of_attempt,
        params:
            spec=stack_spec(of, seeds),
        message:
            f"Train {of.model} on {of.dataset}, seeds {listed(seeds)}"
        script:
            "../scripts/training/train.py"


rule compare_gradients:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        diagrams="results/{dataset}/diagrams.npz",
        wrong=wrong_references_of_alignment,
        family=code_of_families(config.get("alignment", {}).get("models", [])),
        code=code_of("workflow/scripts/training/compare_gradients.py"),
    output:
        cosines="results/{dataset}/alignment/{seed}.parquet",
    log:
        "results/logs/compare_gradients/{dataset}-{seed}.log",
    benchmark:
        "results/benchmarks/compare_gradients/{dataset}-{seed}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: threads_of_torch
    resources:
        mem_mb=more_on_retry(2000),
        runtime=more_on_retry(60),
        gpu=gpus_per_run,
    params:
        spec=alignment_spec,
    message:
        "Compare gradients of regularizers with that of the data along one training, seed {wildcards.seed}"
    script:
        "../scripts/training/compare_gradients.py"


use rule notebook as image_comparison with:
    input:
        notebook=in_clone("notebooks/image_comparison.ipynb"),
        snapshots=snapshots_of_pair,
        code=code_of("notebooks/image_comparison.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/images_{model}_{step}.html",
            caption="../report/image_comparison.rst",
            category="Training",
            labels=labels_of_notebook,
        ),
        svg=report(
            "results/{dataset}/figures/images_{model}_{step}.svg",
            caption="../report/image_comparison.rst",
            category="Training",
            labels=labels_of_images,
        ),
        png="results/{dataset}/figures/images_{model}_{step}.png",
    log:
        "results/logs/image_comparison/{dataset}-{model}-{step}.log",
    benchmark:
        "results/benchmarks/image_comparison/{dataset}-{model}-{step}.tsv"
    params:
        arguments=image_arguments,
    message:
        "Draw images of {wildcards.model} and its baseline at step {wildcards.step}"


use rule notebook as bce_curves with:
    input:
        notebook=in_clone("notebooks/bce_curves.ipynb"),
        histories=expand(
            "results/{{dataset}}/runs/{model}/{seed}/history.parquet",
            model=PLAN.trained_in(PLAN.headline),
            seed=config["figures"]["comparison"]["seed"],
        ),
        means=f"results/{{dataset}}/statistics/{PLAN.headline}/bce_means.parquet",
        code=code_of("notebooks/bce_curves.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/bce_curves", "executed notebook: BCE"),
            figure("results/{dataset}/figures/bce_one_seed", "BCE of one seed", prefix="one_seed_"),
            figure("results/{dataset}/figures/bce_mean", "mean BCE over seeds", prefix="mean_"),
            caption="bce_curves",
            category="Training",
            row="F10-F13",
            model="all",
        ),
    log:
        "results/logs/bce_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/bce_curves/{dataset}.tsv"
    params:
        arguments=canonical(
            {
                "models": PLAN.trained_in(PLAN.headline),
                "pairs": PLAN.baselines_in(PLAN.headline),
                "seed": config["figures"]["comparison"]["seed"],
            }
        ),
    message:
        "Draw the BCE of one seed and on average over seeds"


use rule notebook as latent_curves with:
    input:
        notebook=in_clone("notebooks/latent_curves.ipynb"),
        histories=expand(
            "results/{{dataset}}/runs/{model}/{seed}/history.parquet",
            model=PLAN.with_baselines([LATENTS["model"]]),
            seed=LATENTS["seed"],
        ),
        code=code_of("notebooks/latent_curves.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/latent_curves", "executed notebook: losses"),
            figure("results/{dataset}/figures/latent_curves", "BCE, KLD and topological terms"),
            caption="latent_curves",
            category="Training",
            row="F14",
            model=LATENTS["model"],
        ),
    log:
        "results/logs/latent_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/latent_curves/{dataset}.tsv"
    params:
        arguments=canonical({"models": PLAN.with_baselines([LATENTS["model"]]), "seed": LATENTS["seed"]}),
    message:
        "Draw the losses of the model that is regularized on its latent vectors"


use rule notebook as latent_scatter with:
    input:
        notebook=in_clone("notebooks/latent_scatter.ipynb"),
        latents=expand(
            "results/{{dataset}}/runs/{model}/{seed}/latents.npz",
            model=PLAN.with_baselines([LATENTS["model"]]),
            seed=LATENTS["seed"],
        ),
        code=code_of("notebooks/latent_scatter.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/latent_scatter", "executed notebook: latent vectors"),
            figure("results/{dataset}/figures/latent_scatter", "latent vectors by class"),
            caption="latent_scatter",
            category="Training",
            row="F14",
            model=LATENTS["model"],
        ),
    log:
        "results/logs/latent_scatter/{dataset}.log",
    benchmark:
        "results/benchmarks/latent_scatter/{dataset}.tsv"
    params:
        arguments=canonical({"models": PLAN.with_baselines([LATENTS["model"]]), "seed": LATENTS["seed"]}),
    message:
        "Draw the latent vectors by class, before and after training"
