# From the histories of all runs to r(s), its mean over seeds, and intervals.


rule improvement:
    input:
        histories=histories_of_comparison,
        code=code_of("workflow/scripts/evidence/improvement.py"),
    output:
        improvement="results/{dataset}/statistics/{comparison}/improvement.parquet",
        means="results/{dataset}/statistics/{comparison}/means.parquet",
        effects="results/{dataset}/statistics/{comparison}/effects.parquet",
        bce="results/{dataset}/statistics/{comparison}/bce_means.parquet",
        gradients="results/{dataset}/statistics/{comparison}/gradient_sizes.parquet",
    log:
        "results/logs/improvement/{dataset}-{comparison}.log",
    benchmark:
        "results/benchmarks/improvement/{dataset}-{comparison}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        spec=improvement_spec,
    message:
        "Improvement r(s) of the models of {wildcards.comparison}, per seed and on average"
    script:
        "../scripts/evidence/improvement.py"
