# Experiments on made-up data, and damaged batches. First the numbers, then one rule per notebook.


rule pointclouds:
    input:
        code=code_inputs("topogen.pointclouds", "topogen.files"),
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
        "../scripts/pointclouds.py"


use rule image_comparison as point_cloud_descent with:
    input:
        notebook="notebooks/point_cloud_descent.ipynb",
        descent="results/synthetic/pointclouds/{experiment}.npz",
        code=code_inputs("topogen.plotting.pointclouds", "topogen.plotting.style"),
    output:
        html="results/synthetic/notebooks/pointclouds_{experiment}.html",
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
        notebook="results/synthetic/notebooks/pointclouds_{experiment}.ipynb",
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
        code=code_inputs("topogen.tables", "topogen.files"),
    output:
        html="results/synthetic/notebooks/half_loss.html",
        csv=report(
            "results/synthetic/tables/half_loss.csv",
            caption="../report/half_loss.rst",
            category="Theory",
            labels={"row": "point clouds", "figure": "steps to half of the loss"},
        ),
        markdown="results/synthetic/tables/half_loss.md",
        latex="results/synthetic/tables/half_loss.tex",
    log:
        "results/logs/half_loss/synthetic.log",
        notebook="results/synthetic/notebooks/half_loss.ipynb",
    benchmark:
        "results/benchmarks/half_loss/synthetic.tsv"
    params:
        shown=canonical({}),
    message:
        "Steps that point clouds need for half of their loss"
