# The pattern of every notebook: `use rule notebook as X with`, its input, output, log, benchmark and message. A
# notebook's parameters are the names of its rule's inputs and outputs, and the keys of `arguments`, one JSON string.


rule notebook:
    log:
        "results/logs/notebook.log",
    benchmark:
        "results/benchmarks/notebook.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        arguments=canonical({}),
    message:
        "Execute a notebook"
    script:
        "../scripts/run_notebook.py"
