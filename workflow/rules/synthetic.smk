# Experiments on made-up data, and damaged batches. First the numbers, then one rule per notebook.


rule pointclouds:
    input:
        code=code_of("workflow/scripts/synthetic/pointclouds.py"),
    output:
        descents=expand(
            "results/synthetic/pointclouds/{experiment}.npz", experiment=EXPERIMENTS
        ),
        halves="results/synthetic/half_loss.parquet",
    log:
        "results/logs/pointclouds/synthetic.log",
    benchmark:
        "results/benchmarks/pointclouds/synthetic.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        spec=canonical(
            {"seed": config["synthetic"]["seed"], **config["synthetic"]["pointclouds"]}
        ),
    message:
        "Point clouds that learn"
    script:
        "../scripts/synthetic/pointclouds.py"


rule damage:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        code=code_of("workflow/scripts/synthetic/damage.py"),
    output:
        changes="results/{dataset}/synthetic/damage_changes.parquet",
        noticed="results/{dataset}/synthetic/damage_noticed.parquet",
        moved="results/{dataset}/synthetic/moved_images.parquet",
        one_class="results/{dataset}/synthetic/one_class.npz",
    log:
        "results/logs/damage/{dataset}.log",
    benchmark:
        "results/benchmarks/damage/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        spec=canonical(
            {
                "seed": config["synthetic"]["seed"],
                "batch_size": config["training"]["batch_size"],
                **config["synthetic"]["damage"],
            }
        ),
    message:
        "What regularizers notice of damaged batches of {wildcards.dataset}"
    script:
        "../scripts/synthetic/damage.py"


rule gan:
    input:
        code=code_of("workflow/scripts/synthetic/gan.py"),
    output:
        collapse="results/synthetic/mode_collapse.parquet",
        differences="results/synthetic/mode_collapse_differences.parquet",
        samples="results/synthetic/mode_collapse.npz",
    log:
        "results/logs/gan/synthetic.log",
    benchmark:
        "results/benchmarks/gan/synthetic.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(20),
    params:
        spec=canonical(
            {
                "confidence": config["statistics"]["confidence"],
                **config["synthetic"]["gan"],
            }
        ),
    message:
        "GANs on a ring of Gaussians, plain and regularized"
    script:
        "../scripts/synthetic/gan.py"


use rule image_comparison as point_cloud_descent with:
    input:
        notebook="notebooks/point_cloud_descent.ipynb",
        descent="results/synthetic/pointclouds/{experiment}.npz",
        code=code_of("notebooks/point_cloud_descent.ipynb"),
    output:
        html=report(
            "results/synthetic/notebooks/pointclouds_{experiment}.html",
            caption="../report/point_cloud_descent.rst",
            category="Theory",
            labels={
                "row": "point clouds",
                "figure": "executed notebook: {experiment}",
            },
        ),
        svg=report(
            "results/synthetic/figures/pointclouds_{experiment}.svg",
            caption="../report/point_cloud_descent.rst",
            category="Theory",
            labels={"row": "point clouds", "figure": "{experiment}"},
        ),
        png="results/synthetic/figures/pointclouds_{experiment}.png",
        gif=report(
            "results/synthetic/figures/pointclouds_{experiment}.gif",
            caption="../report/point_cloud_descent.rst",
            category="Theory",
            labels={"row": "point clouds", "figure": "{experiment}, animated"},
        ),
    log:
        "results/logs/point_cloud_descent/{experiment}.log",
    benchmark:
        "results/benchmarks/point_cloud_descent/{experiment}.tsv"
    params:
        shown=canonical({}),
    message:
        "Descent of a point cloud: {wildcards.experiment}"


use rule image_comparison as half_loss with:
    input:
        notebook="notebooks/half_loss.ipynb",
        halves="results/synthetic/half_loss.parquet",
        code=code_of("notebooks/half_loss.ipynb"),
    output:
        html=report(
            "results/synthetic/notebooks/half_loss.html",
            caption="../report/half_loss.rst",
            category="Theory",
            labels={
                "row": "point clouds",
                "figure": "executed notebook, with the table",
            },
        ),
        csv=report(
            "results/synthetic/tables/half_loss.csv",
            caption="../report/half_loss.rst",
            category="Theory",
            labels={
                "row": "point clouds",
                "figure": "steps to half of the loss, as CSV",
            },
        ),
        markdown="results/synthetic/tables/half_loss.md",
        latex="results/synthetic/tables/half_loss.tex",
    log:
        "results/logs/half_loss/synthetic.log",
    benchmark:
        "results/benchmarks/half_loss/synthetic.tsv"
    params:
        shown=canonical({}),
    message:
        "Steps that point clouds need for half of their loss"


use rule image_comparison as damage_map with:
    input:
        notebook="notebooks/damage_map.ipynb",
        noticed="results/{dataset}/synthetic/damage_noticed.parquet",
        moved="results/{dataset}/synthetic/moved_images.parquet",
        code=code_of("notebooks/damage_map.ipynb"),
    output:
        html=report(
            "results/{dataset}/synthetic/notebooks/damage_map.html",
            caption="../report/damage_map.rst",
            category="Theory",
            labels={"row": "damage", "figure": "executed notebook, with the table"},
        ),
        svg=report(
            "results/{dataset}/synthetic/figures/damage.svg",
            caption="../report/damage_map.rst",
            category="Theory",
            labels={"row": "damage", "figure": "what regularizers notice"},
        ),
        png="results/{dataset}/synthetic/figures/damage.png",
        curves_svg=report(
            "results/{dataset}/synthetic/figures/damage_curves.svg",
            caption="../report/damage_map.rst",
            category="Theory",
            labels={"row": "damage", "figure": "change by level"},
        ),
        curves_png="results/{dataset}/synthetic/figures/damage_curves.png",
        csv=report(
            "results/{dataset}/synthetic/tables/moved_images.csv",
            caption="../report/damage_map.rst",
            category="Theory",
            labels={"row": "damage", "figure": "images that a gradient moves, as CSV"},
        ),
        markdown="results/{dataset}/synthetic/tables/moved_images.md",
        latex="results/{dataset}/synthetic/tables/moved_images.tex",
    log:
        "results/logs/damage_map/{dataset}.log",
    benchmark:
        "results/benchmarks/damage_map/{dataset}.tsv"
    params:
        shown=canonical({}),
    message:
        "What regularizers notice, drawn"


use rule image_comparison as one_class_batches with:
    input:
        notebook="notebooks/one_class_batches.ipynb",
        batches="results/{dataset}/synthetic/one_class.npz",
        code=code_of("notebooks/one_class_batches.ipynb"),
    output:
        html=report(
            "results/{dataset}/synthetic/notebooks/one_class_batches.html",
            caption="../report/one_class_batches.rst",
            category="Theory",
            labels={"row": "damage", "figure": "executed notebook: one class"},
        ),
        svg=report(
            "results/{dataset}/synthetic/figures/one_class_batches.svg",
            caption="../report/one_class_batches.rst",
            category="Theory",
            labels={"row": "damage", "figure": "diagrams of one class"},
        ),
        png="results/{dataset}/synthetic/figures/one_class_batches.png",
    log:
        "results/logs/one_class_batches/{dataset}.log",
    benchmark:
        "results/benchmarks/one_class_batches/{dataset}.tsv"
    params:
        shown=canonical({}),
    message:
        "Diagrams of batches of one class of {wildcards.dataset}"


use rule image_comparison as mode_collapse with:
    input:
        notebook="notebooks/mode_collapse.ipynb",
        collapse="results/synthetic/mode_collapse.parquet",
        differences="results/synthetic/mode_collapse_differences.parquet",
        samples="results/synthetic/mode_collapse.npz",
        code=code_of("notebooks/mode_collapse.ipynb"),
    output:
        html=report(
            "results/synthetic/notebooks/mode_collapse.html",
            caption="../report/mode_collapse.rst",
            category="Theory",
            labels={"row": "F1", "figure": "executed notebook, with the table"},
        ),
        svg=report(
            "results/synthetic/figures/mode_collapse.svg",
            caption="../report/mode_collapse.rst",
            category="Theory",
            labels={"row": "F1", "figure": "mode collapse of a GAN"},
        ),
        png="results/synthetic/figures/mode_collapse.png",
        csv=report(
            "results/synthetic/tables/mode_collapse.csv",
            caption="../report/mode_collapse.rst",
            category="Theory",
            labels={"row": "F1", "figure": "modes covered, seed by seed, as CSV"},
        ),
        markdown="results/synthetic/tables/mode_collapse.md",
        latex="results/synthetic/tables/mode_collapse.tex",
    log:
        "results/logs/mode_collapse/synthetic.log",
    benchmark:
        "results/benchmarks/mode_collapse/synthetic.tsv"
    params:
        shown=canonical({"modes": config["synthetic"]["gan"]["ring"]["modes"]}),
    message:
        "Mode collapse of a GAN, drawn"
