# Concept figures and numerical checks of the thesis' propositions. First the numbers, then one rule per notebook.


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
        mem_mb=growing(1500),
        runtime=growing(10),
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
        "Clouds, complexes, diagrams and densities of the concept figures"
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
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        spec=canonical(
            {"step": BATCH["step"], **config["theory"]["densities"]["batch"]}
        ),
    message:
        "Densities of the deaths of one batch of {wildcards.dataset}"
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
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        spec=canonical(
            {
                "seed": config["theory"]["seed"],
                "step": BATCH["step"],
                "batch_size": config["training"]["batch_size"],
                "regularizers": MODELS[BATCH["model"]]["regularizers"],
            }
        ),
    message:
        "One batch of {wildcards.dataset} through a trained model, with its diagrams"
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
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        spec=canonical(
            {"seed": config["theory"]["seed"], **config["theory"]["stability"]}
        ),
    message:
        "Bottleneck distance of the diagrams of perturbed clouds"
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
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        spec=canonical(
            {
                "seed": config["theory"]["seed"],
                "delta": config["theory"]["delta"],
                **config["theory"]["gradients"],
            }
        ),
    message:
        "Gradients of all regularizers against central differences"
    script:
        "../scripts/theory/gradients.py"


use rule image_comparison as working_principle with:
    input:
        notebook="notebooks/working_principle.ipynb",
        batch="results/{dataset}/theory/forward_pass.npz",
        code=code_of("notebooks/working_principle.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/working_principle.html",
            caption="../report/working_principle.rst",
            category="Theory",
            labels={"row": "F2", "figure": "executed notebook"},
        ),
        svg=report(
            "results/{dataset}/figures/working_principle.svg",
            caption="../report/working_principle.rst",
            category="Theory",
            labels={"row": "F2", "figure": "topology-informed VAE"},
        ),
        png="results/{dataset}/figures/working_principle.png",
    log:
        "results/logs/working_principle/{dataset}.log",
    benchmark:
        "results/benchmarks/working_principle/{dataset}.tsv"
    params:
        shown=canonical(
            {
                "model": BATCH["model"],
                "seed": BATCH["seed"],
                "step": BATCH["step"],
                "regularizers": MODELS[BATCH["model"]]["regularizers"],
            }
        ),
    message:
        "Schematic of a topology-informed VAE"


use rule image_comparison as rips_filtration with:
    input:
        notebook="notebooks/rips_filtration.ipynb",
        filtration="results/theory/filtration.npz",
        code=code_of("notebooks/rips_filtration.ipynb"),
    output:
        html=report(
            "results/theory/notebooks/rips_filtration.html",
            caption="../report/rips_filtration.rst",
            category="Theory",
            labels={"row": "F3-F5", "figure": "executed notebook"},
        ),
        complex_svg=report(
            "results/theory/figures/geometric_complex.svg",
            caption="../report/rips_filtration.rst",
            category="Theory",
            labels={"row": "F3", "figure": "geometric simplicial complex"},
        ),
        complex_png="results/theory/figures/geometric_complex.png",
        filtration_svg=report(
            "results/theory/figures/rips_filtration.svg",
            caption="../report/rips_filtration.rst",
            category="Theory",
            labels={"row": "F4", "figure": "Rips filtration"},
        ),
        filtration_png="results/theory/figures/rips_filtration.png",
        diagram_svg=report(
            "results/theory/figures/persistence_diagram.svg",
            caption="../report/rips_filtration.rst",
            category="Theory",
            labels={"row": "F5", "figure": "persistence diagram"},
        ),
        diagram_png="results/theory/figures/persistence_diagram.png",
    log:
        "results/logs/rips_filtration/theory.log",
    benchmark:
        "results/benchmarks/rips_filtration/theory.tsv"
    params:
        shown=canonical({}),
    message:
        "A complex, a Rips filtration and its persistence diagram"


use rule image_comparison as densities_of_clusters with:
    input:
        notebook="notebooks/densities_of_clusters.ipynb",
        densities="results/theory/densities_of_clusters.npz",
        code=code_of("notebooks/densities_of_clusters.ipynb"),
    output:
        html=report(
            "results/theory/notebooks/densities_of_clusters.html",
            caption="../report/densities_of_clusters.rst",
            category="Theory",
            labels={"row": "F7", "figure": "executed notebook: four clusters"},
        ),
        svg=report(
            "results/theory/figures/densities_of_clusters.svg",
            caption="../report/densities_of_clusters.rst",
            category="Theory",
            labels={"row": "F7", "figure": "4SGDE of four clusters"},
        ),
        png="results/theory/figures/densities_of_clusters.png",
    log:
        "results/logs/densities_of_clusters/theory.log",
    benchmark:
        "results/benchmarks/densities_of_clusters/theory.tsv"
    params:
        shown=canonical({}),
    message:
        "4SGDE of the diagram of four clusters"


use rule image_comparison as densities_of_batch with:
    input:
        notebook="notebooks/densities_of_batch.ipynb",
        by_sigma="results/{dataset}/theory/densities_by_sigma.npz",
        by_scale="results/{dataset}/theory/densities_by_scale.npz",
        code=code_of("notebooks/densities_of_batch.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/densities_of_batch.html",
            caption="../report/densities_of_batch.rst",
            category="Theory",
            labels={"row": "F7", "figure": "executed notebook: real batch"},
        ),
        svg=report(
            "results/{dataset}/figures/densities_of_batch.svg",
            caption="../report/densities_of_batch.rst",
            category="Theory",
            labels={"row": "F7", "figure": "4SGDE of a real batch"},
        ),
        png="results/{dataset}/figures/densities_of_batch.png",
    log:
        "results/logs/densities_of_batch/{dataset}.log",
    benchmark:
        "results/benchmarks/densities_of_batch/{dataset}.tsv"
    params:
        shown=canonical({}),
    message:
        "4SGDE of the diagram of one batch of {wildcards.dataset}"


use rule image_comparison as delta_selection with:
    input:
        notebook="notebooks/delta_selection.ipynb",
        selection="results/theory/delta_selection.npz",
        code=code_of("notebooks/delta_selection.ipynb"),
    output:
        html=report(
            "results/theory/notebooks/delta_selection.html",
            caption="../report/delta_selection.rst",
            category="Theory",
            labels={"row": "F8", "figure": "executed notebook"},
        ),
        svg=report(
            "results/theory/figures/delta_selection.svg",
            caption="../report/delta_selection.rst",
            category="Theory",
            labels={"row": "F8", "figure": "delta-selective and plain"},
        ),
        png="results/theory/figures/delta_selection.png",
    log:
        "results/logs/delta_selection/theory.log",
    benchmark:
        "results/benchmarks/delta_selection/theory.tsv"
    params:
        shown=canonical({}),
    message:
        "What delta-selective cuts out of a diagram"


use rule image_comparison as stability_scatter with:
    input:
        notebook="notebooks/stability_scatter.ipynb",
        stability="results/theory/stability.parquet",
        worst="results/theory/stability_worst.parquet",
        code=code_of("notebooks/stability_scatter.ipynb"),
    output:
        html=report(
            "results/theory/notebooks/stability_scatter.html",
            caption="../report/stability_scatter.rst",
            category="Theory",
            labels={"row": "F6", "figure": "executed notebook, with the table"},
        ),
        svg=report(
            "results/theory/figures/stability.svg",
            caption="../report/stability_scatter.rst",
            category="Theory",
            labels={"row": "F6", "figure": "distance against perturbation"},
        ),
        png="results/theory/figures/stability.png",
        csv=report(
            "results/theory/tables/stability.csv",
            caption="../report/stability_scatter.rst",
            category="Theory",
            labels={"row": "F6", "figure": "largest ratios, as CSV"},
        ),
        markdown="results/theory/tables/stability.md",
        latex="results/theory/tables/stability.tex",
    log:
        "results/logs/stability_scatter/theory.log",
    benchmark:
        "results/benchmarks/stability_scatter/theory.tsv"
    params:
        shown=canonical({}),
    message:
        "Stability: measured distances against the bound"


use rule image_comparison as gradient_checks with:
    input:
        notebook="notebooks/gradient_checks.ipynb",
        errors="results/theory/gradient_errors.parquet",
        agreement="results/theory/gradient_agreement.parquet",
        slopes="results/theory/slopes_at_exceptions.parquet",
        along="results/theory/along_paths.parquet",
        diagonal="results/theory/entropy_near_diagonal.parquet",
        code=code_of("notebooks/gradient_checks.ipynb"),
    output:
        html=report(
            "results/theory/notebooks/gradient_checks.html",
            caption="../report/gradient_checks.rst",
            category="Theory",
            labels={"row": "X1", "figure": "executed notebook, with the tables"},
        ),
        svg=report(
            "results/theory/figures/gradients.svg",
            caption="../report/gradient_checks.rst",
            category="Theory",
            labels={"row": "X1", "figure": "errors and exceptions"},
        ),
        png="results/theory/figures/gradients.png",
        diagonal_svg=report(
            "results/theory/figures/entropy_near_diagonal.svg",
            caption="../report/gradient_checks.rst",
            category="Theory",
            labels={"row": "X1", "figure": "entropy near the diagonal"},
        ),
        diagonal_png="results/theory/figures/entropy_near_diagonal.png",
        csv=report(
            "results/theory/tables/gradients.csv",
            caption="../report/gradient_checks.rst",
            category="Theory",
            labels={"row": "X1", "figure": "agreement of gradients, as CSV"},
        ),
        markdown="results/theory/tables/gradients.md",
        latex="results/theory/tables/gradients.tex",
        exceptions_csv=report(
            "results/theory/tables/exceptions.csv",
            caption="../report/gradient_checks.rst",
            category="Theory",
            labels={"row": "X1", "figure": "slopes at exceptions, as CSV"},
        ),
        exceptions_markdown="results/theory/tables/exceptions.md",
        exceptions_latex="results/theory/tables/exceptions.tex",
    log:
        "results/logs/gradient_checks/theory.log",
    benchmark:
        "results/benchmarks/gradient_checks/theory.tsv"
    params:
        shown=canonical({"tolerance": config["theory"]["gradients"]["tolerance"]}),
    message:
        "Differentiability: automatic gradients against central differences"
