# From the histories of all runs to r(s), its mean over seeds, and intervals.


rule improvement:
    input:
        histories=expand(
            "results/{{dataset}}/runs/{model}/{seed}/history.parquet",
            model=with_baselines(BASELINES),
            seed=config["seeds"],
        ),
        code=code_inputs("topogen.statistics", "topogen.files"),
    output:
        improvement="results/{dataset}/statistics/improvement.parquet",
        means="results/{dataset}/statistics/improvement_means.parquet",
        reported="results/{dataset}/statistics/improvement_reported.parquet",
        bce="results/{dataset}/statistics/bce_means.parquet",
    log:
        "results/logs/improvement/{dataset}.log",
    benchmark:
        "results/benchmarks/improvement/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        spec=improvement_spec,
    message:
        "Improvement r(s) of every model over its baseline, per seed and on average"
    script:
        "../scripts/improvement.py"
