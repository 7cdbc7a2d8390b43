# Reference diagrams D0: computed once, read by every training job.


rule diagrams:
    input:
        images="results/{dataset}/images.npy",
        code=code_of("workflow/scripts/data/diagrams.py"),
    output:
        diagrams="results/{dataset}/diagrams.npz",
    log:
        "results/logs/diagrams/{dataset}.log",
    benchmark:
        "results/benchmarks/diagrams/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 4
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        batch_size=config["training"]["batch_size"],
    message:
        "Persistence diagrams of degree 0 and 1 of every batch of {wildcards.dataset}"
    script:
        "../scripts/data/diagrams.py"
