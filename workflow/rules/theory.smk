# Concept figures and numerical checks of the thesis' propositions.


rule concepts:
    input:
        code=code_of("workflow/scripts/theory/concepts.py"),
    output:
        filtration="results/theory/filtration.npz",
        densities="results/theory/densities_of_clusters.npz",
        selection="results/theory/delta_selection.npz",
    log:
        "results/logs/concepts/theory.log",
    benchmark:
        "results/benchmarks/concepts/theory.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=canonical(
            {
                "seed": config["theory"]["seed"],
                "filtration": config["theory"]["filtration"],
                "densities": config["theory"]["densities"]["clusters"],
                "delta": config["theory"]["delta"],
            }
        ),
    message:
        "Compute clouds, complexes, diagrams and densities of the concept figures"
    script:
        "../scripts/theory/concepts.py"


rule batch_densities:
    input:
        diagrams="results/{dataset}/diagrams.npz",
        code=code_of("workflow/scripts/theory/batch_densities.py"),
    output:
        by_sigma="results/{dataset}/theory/densities_by_sigma.npz",
        by_scale="results/{dataset}/theory/densities_by_scale.npz",
    log:
        "results/logs/batch_densities/{dataset}.log",
    benchmark:
        "results/benchmarks/batch_densities/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=canonical({"step": BATCH["step"], **config["theory"]["densities"]["batch"]}),
    message:
        "Compute densities of the deaths of one batch of {wildcards.dataset}"
    script:
        "../scripts/theory/batch_densities.py"


rule forward_pass:
    input:
        images="results/{dataset}/images.npy",
        diagrams="results/{dataset}/diagrams.npz",
        weights=expand(
            "results/{{dataset}}/runs/{model}/{seed}/weights.npz",
            model=BATCH["model"],
            seed=BATCH["seed"],
        ),
        checkpoint=expand(
            "results/{{dataset}}/runs/{model}/{seed}/checkpoint.pt",
            model=BATCH["model"],
            seed=BATCH["seed"],
        ),
        family=code_of_families([BATCH["model"]]),
        code=code_of("workflow/scripts/theory/forward_pass.py"),
    output:
        batch="results/{dataset}/theory/forward_pass.npz",
    log:
        "results/logs/forward_pass/{dataset}.log",
    benchmark:
        "results/benchmarks/forward_pass/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.forward_pass),
    message:
        "Pass one batch of {wildcards.dataset} through a trained model and compute its diagrams"
    script:
        "../scripts/theory/forward_pass.py"


rule stability:
    input:
        code=code_of("workflow/scripts/theory/stability.py"),
    output:
        stability="results/theory/stability.parquet",
        worst="results/theory/stability_worst.parquet",
    log:
        "results/logs/stability/theory.log",
    benchmark:
        "results/benchmarks/stability/theory.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=canonical({"seed": config["theory"]["seed"], **config["theory"]["stability"]}),
    message:
        "Compute bottleneck distances between the diagrams of clouds and their perturbed copies"
    script:
        "../scripts/theory/stability.py"


rule gradients:
    input:
        code=code_of("workflow/scripts/theory/gradients.py"),
    output:
        errors="results/theory/gradient_errors.parquet",
        agreement="results/theory/gradient_agreement.parquet",
        slopes="results/theory/slopes_at_exceptions.parquet",
        along="results/theory/along_paths.parquet",
        diagonal="results/theory/entropy_near_diagonal.parquet",
    log:
        "results/logs/gradients/theory.log",
    benchmark:
        "results/benchmarks/gradients/theory.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=canonical(
            {
                "seed": config["theory"]["seed"],
                "delta": config["theory"]["delta"],
                **config["theory"]["gradients"],
            }
        ),
    message:
        "Compare the gradients of all regularizers with central differences"
    script:
        "../scripts/theory/gradients.py"


use rule notebook as working_principle with:
    input:
        notebook=in_clone("notebooks/working_principle.ipynb"),
        batch="results/{dataset}/theory/forward_pass.npz",
        code=code_of("notebooks/working_principle.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/working_principle", "executed notebook"),
            figure("results/{dataset}/figures/working_principle", "topology-informed VAE"),
            caption="working_principle",
            category="Theory",
            row="F2",
        ),
    log:
        "results/logs/working_principle/{dataset}.log",
    benchmark:
        "results/benchmarks/working_principle/{dataset}.tsv"
    params:
        arguments=canonical(
            {
                "model": BATCH["model"],
                "seed": BATCH["seed"],
                "step": BATCH["step"],
                "regularizers": PLAN.models[BATCH["model"]]["regularizers"],
            }
        ),
    message:
        "Draw the working principle of a topology-informed VAE"


use rule notebook as rips_filtration with:
    input:
        notebook=in_clone("notebooks/rips_filtration.ipynb"),
        filtration="results/theory/filtration.npz",
        code=code_of("notebooks/rips_filtration.ipynb"),
    output:
        **in_report(
            page("results/theory/notebooks/rips_filtration", "executed notebook", row="F3-F5"),
            figure(
                "results/theory/figures/geometric_complex",
                "geometric simplicial complex",
                prefix="complex_",
                row="F3",
            ),
            figure(
                "results/theory/figures/rips_filtration", "Rips filtration", prefix="filtration_", row="F4"
            ),
            figure(
                "results/theory/figures/persistence_diagram",
                "persistence diagram",
                prefix="diagram_",
                row="F5",
            ),
            caption="rips_filtration",
            category="Theory",
        ),
    log:
        "results/logs/rips_filtration/theory.log",
    benchmark:
        "results/benchmarks/rips_filtration/theory.tsv"
    message:
        "Draw a complex, a Rips filtration and its persistence diagram"


use rule notebook as densities_of_clusters with:
    input:
        notebook=in_clone("notebooks/densities_of_clusters.ipynb"),
        densities="results/theory/densities_of_clusters.npz",
        code=code_of("notebooks/densities_of_clusters.ipynb"),
    output:
        **in_report(
            page("results/theory/notebooks/densities_of_clusters", "executed notebook: four clusters"),
            figure("results/theory/figures/densities_of_clusters", "4SGDE of four clusters"),
            caption="densities_of_clusters",
            category="Theory",
            row="F7",
        ),
    log:
        "results/logs/densities_of_clusters/theory.log",
    benchmark:
        "results/benchmarks/densities_of_clusters/theory.tsv"
    message:
        "Draw the 4SGDE of the diagram of four clusters"


use rule notebook as densities_of_batch with:
    input:
        notebook=in_clone("notebooks/densities_of_batch.ipynb"),
        by_sigma="results/{dataset}/theory/densities_by_sigma.npz",
        by_scale="results/{dataset}/theory/densities_by_scale.npz",
        code=code_of("notebooks/densities_of_batch.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/densities_of_batch", "executed notebook: real batch"),
            figure("results/{dataset}/figures/densities_of_batch", "4SGDE of a real batch"),
            caption="densities_of_batch",
            category="Theory",
            row="F7",
        ),
    log:
        "results/logs/densities_of_batch/{dataset}.log",
    benchmark:
        "results/benchmarks/densities_of_batch/{dataset}.tsv"
    message:
        "Draw the 4SGDE of the diagram of one batch of {wildcards.dataset}"


use rule notebook as delta_selection with:
    input:
        notebook=in_clone("notebooks/delta_selection.ipynb"),
        selection="results/theory/delta_selection.npz",
        code=code_of("notebooks/delta_selection.ipynb"),
    output:
        **in_report(
            page("results/theory/notebooks/delta_selection", "executed notebook"),
            figure("results/theory/figures/delta_selection", "delta-selective and plain"),
            caption="delta_selection",
            category="Theory",
            row="F8",
        ),
    log:
        "results/logs/delta_selection/theory.log",
    benchmark:
        "results/benchmarks/delta_selection/theory.tsv"
    message:
        "Draw which points of a diagram delta-selective entropy leaves out"


use rule notebook as stability_scatter with:
    input:
        notebook=in_clone("notebooks/stability_scatter.ipynb"),
        stability="results/theory/stability.parquet",
        worst="results/theory/stability_worst.parquet",
        code=code_of("notebooks/stability_scatter.ipynb"),
    output:
        **in_report(
            page("results/theory/notebooks/stability_scatter", "executed notebook, with the table"),
            figure("results/theory/figures/stability", "distance against perturbation"),
            table("results/theory/tables/stability", "largest ratios, as CSV"),
            caption="stability_scatter",
            category="Theory",
            row="F6",
        ),
    log:
        "results/logs/stability_scatter/theory.log",
    benchmark:
        "results/benchmarks/stability_scatter/theory.tsv"
    message:
        "Compare measured bottleneck distances with the bound of the stability proposition"


use rule notebook as gradient_checks with:
    input:
        notebook=in_clone("notebooks/gradient_checks.ipynb"),
        errors="results/theory/gradient_errors.parquet",
        agreement="results/theory/gradient_agreement.parquet",
        slopes="results/theory/slopes_at_exceptions.parquet",
        along="results/theory/along_paths.parquet",
        diagonal="results/theory/entropy_near_diagonal.parquet",
        code=code_of("notebooks/gradient_checks.ipynb"),
    output:
        **in_report(
            page("results/theory/notebooks/gradient_checks", "executed notebook, with the tables"),
            figure("results/theory/figures/gradients", "errors and exceptions"),
            figure(
                "results/theory/figures/entropy_near_diagonal",
                "entropy near the diagonal",
                prefix="diagonal_",
            ),
            table("results/theory/tables/gradients", "agreement of gradients, as CSV"),
            table("results/theory/tables/exceptions", "slopes at exceptions, as CSV", prefix="exceptions_"),
            caption="gradient_checks",
            category="Theory",
            row="X1",
        ),
    log:
        "results/logs/gradient_checks/theory.log",
    benchmark:
        "results/benchmarks/gradient_checks/theory.tsv"
    params:
        arguments=canonical({"tolerance": config["theory"]["gradients"]["tolerance"]}),
    message:
        "Show where automatic gradients agree with central differences"
