# What the topological terms cost, from the times that the trainings took.


rule step_costs:
    input:
        timings=expand(
            "results/{{dataset}}/runs/{model}/{seed}/timing.parquet",
            model=WHOLE,
            seed=config["seeds"],
        ),
        times="results/{dataset}/statistics/step_times.parquet",
        code=code_of("workflow/scripts/cost/step_costs.py"),
    output:
        costs="results/{dataset}/statistics/step_costs.parquet",
        slowdowns="results/{dataset}/statistics/slowdowns.parquet",
    log:
        "results/logs/step_costs/{dataset}.log",
    benchmark:
        "results/benchmarks/step_costs/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        spec=cost_spec,
    message:
        "Time of a training step of every model, its model's part and its topology's"
    script:
        "../scripts/cost/step_costs.py"


use rule image_comparison as cost with:
    input:
        notebook="notebooks/cost.ipynb",
        costs="results/{dataset}/statistics/step_costs.parquet",
        slowdowns="results/{dataset}/statistics/slowdowns.parquet",
        code=code_of("notebooks/cost.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/cost.html",
            caption="../report/cost.rst",
            category="Cost",
            labels={"row": "T1", "figure": "executed notebook, with the table"},
        ),
        svg=report(
            "results/{dataset}/figures/cost.svg",
            caption="../report/cost.rst",
            category="Cost",
            labels={"row": "T1", "figure": "steps, slowdown, trainings"},
        ),
        png="results/{dataset}/figures/cost.png",
        csv=report(
            "results/{dataset}/tables/cost.csv",
            caption="../report/cost.rst",
            category="Cost",
            labels={"row": "T1", "figure": "times as CSV"},
        ),
        markdown="results/{dataset}/tables/cost.md",
        latex="results/{dataset}/tables/cost.tex",
    log:
        "results/logs/cost/{dataset}.log",
    benchmark:
        "results/benchmarks/cost/{dataset}.tsv"
    params:
        shown=canonical({}),
    message:
        "What the topological terms cost, beside the thesis' slowdowns"
