# One rule per notebook. A notebook's parameters are its rule's inputs and products, by name,
# and what its parameter `shown` lists (one JSON: a derived rule would inherit further names).


rule image_comparison:
    input:
        notebook="notebooks/image_comparison.ipynb",
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
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        shown=image_parameters,
    message:
        "Images of {wildcards.model} and its baseline at step {wildcards.step}"
    script:
        "../scripts/run_notebook.py"


use rule image_comparison as bce_curves with:
    input:
        notebook="notebooks/bce_curves.ipynb",
        histories=expand(
            "results/{{dataset}}/runs/{model}/{seed}/history.parquet",
            model=with_baselines(COMPARED),
            seed=COMPARISON["seed"],
        ),
        means=f"results/{{dataset}}/statistics/{COMPARISON['name']}/bce_means.parquet",
        code=code_of("notebooks/bce_curves.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/bce_curves.html",
            caption="../report/bce_curves.rst",
            category="Training",
            labels={
                "row": "F10-F13",
                "figure": "executed notebook: BCE",
                "model": "all",
            },
        ),
        one_seed_svg=report(
            "results/{dataset}/figures/bce_one_seed.svg",
            caption="../report/bce_curves.rst",
            category="Training",
            labels={"row": "F10-F13", "figure": "BCE of one seed", "model": "all"},
        ),
        one_seed_png="results/{dataset}/figures/bce_one_seed.png",
        mean_svg=report(
            "results/{dataset}/figures/bce_mean.svg",
            caption="../report/bce_curves.rst",
            category="Training",
            labels={"row": "F10-F13", "figure": "mean BCE over seeds", "model": "all"},
        ),
        mean_png="results/{dataset}/figures/bce_mean.png",
    log:
        "results/logs/bce_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/bce_curves/{dataset}.tsv"
    params:
        shown=canonical(
            {
                "models": with_baselines(COMPARED),
                "pairs": {model: BASELINES[model] for model in COMPARED},
                "seed": COMPARISON["seed"],
            }
        ),
    message:
        "BCE evolutions of one seed and on average"


use rule image_comparison as improvement_curves with:
    input:
        notebook="notebooks/improvement_curves.ipynb",
        means=f"results/{{dataset}}/statistics/{COMPARISON['name']}/means.parquet",
        code=code_of("notebooks/improvement_curves.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/improvement_curves.html",
            caption="../report/improvement_curves.rst",
            category="Evidence",
            labels={"row": "T1", "figure": "executed notebook", "model": "all"},
        ),
        svg=report(
            "results/{dataset}/figures/improvement.svg",
            caption="../report/improvement_curves.rst",
            category="Evidence",
            labels={"row": "T1", "figure": "r(s) over all steps", "model": "all"},
        ),
        png="results/{dataset}/figures/improvement.png",
    log:
        "results/logs/improvement_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/improvement_curves/{dataset}.tsv"
    params:
        shown=canonical({"models": COMPARED, "steps": config["statistics"]["steps"]}),
    message:
        "Improvement r(s) over all steps"


use rule image_comparison as table_1 with:
    input:
        notebook="notebooks/table_1.ipynb",
        effects=f"results/{{dataset}}/statistics/{COMPARISON['name']}/effects.parquet",
        times="results/{dataset}/statistics/step_times.parquet",
        code=code_of("notebooks/table_1.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/table_1.html",
            caption="../report/table_1.rst",
            category="Table 1",
            labels={
                "row": "T1",
                "figure": "executed notebook, with the table",
                "model": "all",
            },
        ),
        csv=report(
            "results/{dataset}/tables/table1.csv",
            caption="../report/table_1.rst",
            category="Table 1",
            labels={"row": "T1", "figure": "Table 1 as CSV", "model": "all"},
        ),
        markdown="results/{dataset}/tables/table1.md",
        latex=report(
            "results/{dataset}/tables/table1.tex",
            caption="../report/table_1.rst",
            category="Table 1",
            labels={"row": "T1", "figure": "Table 1 as LaTeX", "model": "all"},
        ),
    log:
        "results/logs/table_1/{dataset}.log",
    benchmark:
        "results/benchmarks/table_1/{dataset}.tsv"
    params:
        shown=canonical(
            {
                "models": with_baselines(COMPARED),
                "published": config["published"],
            }
        ),
    message:
        "Table 1 of the thesis, its values beside ours"


use rule image_comparison as latent_curves with:
    input:
        notebook="notebooks/latent_curves.ipynb",
        histories=expand(
            "results/{{dataset}}/runs/{model}/{seed}/history.parquet",
            model=with_baselines([LATENTS["model"]]),
            seed=LATENTS["seed"],
        ),
        code=code_of("notebooks/latent_curves.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/latent_curves.html",
            caption="../report/latent_curves.rst",
            category="Training",
            labels={
                "row": "F14",
                "figure": "executed notebook: losses",
                "model": LATENTS["model"],
            },
        ),
        svg=report(
            "results/{dataset}/figures/latent_curves.svg",
            caption="../report/latent_curves.rst",
            category="Training",
            labels={
                "row": "F14",
                "figure": "BCE, KLD and topological terms",
                "model": LATENTS["model"],
            },
        ),
        png="results/{dataset}/figures/latent_curves.png",
    log:
        "results/logs/latent_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/latent_curves/{dataset}.tsv"
    params:
        shown=canonical(
            {"models": with_baselines([LATENTS["model"]]), "seed": LATENTS["seed"]}
        ),
    message:
        "Losses of the model regularized on its latent vectors"


use rule image_comparison as latent_scatter with:
    input:
        notebook="notebooks/latent_scatter.ipynb",
        latents=expand(
            "results/{{dataset}}/runs/{model}/{seed}/latents.npz",
            model=with_baselines([LATENTS["model"]]),
            seed=LATENTS["seed"],
        ),
        code=code_of("notebooks/latent_scatter.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/latent_scatter.html",
            caption="../report/latent_scatter.rst",
            category="Training",
            labels={
                "row": "F14",
                "figure": "executed notebook: latent vectors",
                "model": LATENTS["model"],
            },
        ),
        svg=report(
            "results/{dataset}/figures/latent_scatter.svg",
            caption="../report/latent_scatter.rst",
            category="Training",
            labels={
                "row": "F14",
                "figure": "latent vectors by class",
                "model": LATENTS["model"],
            },
        ),
        png="results/{dataset}/figures/latent_scatter.png",
    log:
        "results/logs/latent_scatter/{dataset}.log",
    benchmark:
        "results/benchmarks/latent_scatter/{dataset}.tsv"
    params:
        shown=canonical(
            {"models": with_baselines([LATENTS["model"]]), "seed": LATENTS["seed"]}
        ),
    message:
        "Latent vectors by class, before and after training"


use rule image_comparison as held_out with:
    input:
        notebook="notebooks/held_out.ipynb",
        summary="results/{dataset}/statistics/held_out{full}.parquet",
        yardstick="results/{dataset}/evaluation{full}/held_out/yardstick.parquet",
        accuracy="results/{dataset}/classifier/accuracy.json",
        code=code_of("notebooks/held_out.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/held_out{full}.html",
            caption="../report/held_out.rst",
            category="Evidence",
            labels={
                "row": "held-out",
                "figure": "executed notebook, with the table",
                "model": "all",
            },
        ),
        csv=report(
            "results/{dataset}/tables/held_out{full}.csv",
            caption="../report/held_out.rst",
            category="Evidence",
            labels={"row": "held-out", "figure": "metrics, by step", "model": "all"},
        ),
        markdown="results/{dataset}/tables/held_out{full}.md",
        latex="results/{dataset}/tables/held_out{full}.tex",
        svg=report(
            "results/{dataset}/figures/held_out{full}.svg",
            caption="../report/held_out.rst",
            category="Evidence",
            labels={
                "row": "held-out",
                "figure": "gain over the baseline",
                "model": "all",
            },
        ),
        png="results/{dataset}/figures/held_out{full}.png",
    log:
        "results/logs/held_out/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/held_out/{dataset}{full}.tsv"
    params:
        shown=canonical(
            {
                "models": list(WHOLE_BASELINES),
                "shown": config["evaluation"]["shown"],
            }
        ),
    message:
        "Held-out metrics of all models and what they gain over their baselines"


use rule image_comparison as prior_samples with:
    input:
        notebook="notebooks/prior_samples.ipynb",
        samples=expand(
            "results/{{dataset}}/evaluation{{full}}/{model}/{seed}_samples.npz",
            model=WHOLE,
            seed=config["seeds"][0],
        ),
        code=code_of("notebooks/prior_samples.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/prior_samples{full}.html",
            caption="../report/prior_samples.rst",
            category="Evidence",
            labels={
                "row": "held-out",
                "figure": "executed notebook: prior samples",
                "model": "all",
            },
        ),
        svg=report(
            "results/{dataset}/figures/prior_samples{full}.svg",
            caption="../report/prior_samples.rst",
            category="Evidence",
            labels={"row": "held-out", "figure": "prior samples", "model": "all"},
        ),
        png="results/{dataset}/figures/prior_samples{full}.png",
    log:
        "results/logs/prior_samples/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/prior_samples/{dataset}{full}.tsv"
    params:
        shown=canonical({"models": WHOLE}),
    message:
        "What the models sample from their prior, one seed"
