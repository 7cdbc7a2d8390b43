# What the topological terms cost: the time of a training step.


rule measure_step_times:
    input:
        images="results/{dataset}/images.npy",
        diagrams="results/{dataset}/diagrams.npz",
        families=code_of_families(PLAN.trained_fully),
        code=code_of("workflow/scripts/cost/measure_step_times.py"),
    output:
        rounds="results/{dataset}/statistics/step_time_rounds.parquet",
        times="results/{dataset}/statistics/step_times.parquet",
    log:
        "results/logs/measure_step_times/{dataset}.log",
    benchmark:
        "results/benchmarks/measure_step_times/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: all_cores
    resources:
        mem_mb=more_on_retry(2000),
        runtime=more_on_retry(30),
        gpu=gpus_per_run,
    params:
        spec=by_dataset(Plan.timing),
        baselines=canonical(PLAN.full_baselines),
    message:
        "Measure the time of a training step of every model, in turn, alone on the machine"
    script:
        "../scripts/cost/measure_step_times.py"


rule step_costs:
    input:
        timings=expand(
            "results/{{dataset}}/runs/{model}/{seed}/timing.parquet",
            model=PLAN.trained_fully,
            seed=PLAN.seeds,
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
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=canonical(PLAN.step_costs()),
    message:
        "Split the time of a training step of every model into the model's part and the topology's part"
    script:
        "../scripts/cost/step_costs.py"


use rule notebook as cost with:
    input:
        notebook=in_clone("notebooks/cost.ipynb"),
        costs="results/{dataset}/statistics/step_costs.parquet",
        slowdowns="results/{dataset}/statistics/slowdowns.parquet",
        code=code_of("notebooks/cost.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/cost", "executed notebook, with the table"),
            figure("results/{dataset}/figures/cost", "steps, slowdown, trainings"),
            table("results/{dataset}/tables/cost", "times as CSV"),
            caption="cost",
            category="Cost",
            row="T1",
        ),
    log:
        "results/logs/cost/{dataset}.log",
    benchmark:
        "results/benchmarks/cost/{dataset}.tsv"
    message:
        "Draw what the topological terms cost, next to the slowdowns of the thesis"
