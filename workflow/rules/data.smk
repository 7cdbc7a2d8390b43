# The dataset: its files in resources/, checked, its arrays in results/, and the reference diagrams of its batches.


# The nodes of a cluster can rarely reach the network.
localrules:
    download,


rule download:
    input:
        dataset=dataset_of_the_run,
        code=code_of("workflow/scripts/data/download.py"),
    output:
        # The files themselves are not outputs: Snakemake would delete files that somebody put there by hand.
        source="results/{dataset}/source.json",
    log:
        "results/logs/download/{dataset}.log",
    benchmark:
        "results/benchmarks/download/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(30),
    params:
        spec=dataset_spec,
        folder="resources/{dataset}/raw",
    message:
        "Obtain the files of {wildcards.dataset} and check them"
    script:
        "../scripts/data/download.py"


rule configuration:
    input:
        code=code_of("workflow/scripts/data/configuration.py"),
    output:
        file="results/config.yaml",
    log:
        "results/logs/configuration/configuration.log",
    benchmark:
        "results/benchmarks/configuration/configuration.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        text=CONFIGURATION,
    message:
        "Write down the configuration of this run, for its archive"
    script:
        "../scripts/data/configuration.py"


rule prepare:
    input:
        source="results/{dataset}/source.json",
        code=code_of("workflow/scripts/data/prepare.py"),
    output:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
    log:
        "results/logs/prepare/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=preparation_spec,
        folder="resources/{dataset}/raw",
    message:
        "Unpack the training and test images of {wildcards.dataset}"
    script:
        "../scripts/data/prepare.py"


rule references:
    input:
        images="results/{dataset}/images.npy",
        code=code_of("workflow/scripts/data/references.py"),
    output:
        diagrams="results/{dataset}/diagrams.npz",
    log:
        "results/logs/references/{dataset}.log",
    benchmark:
        "results/benchmarks/references/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 4
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        batch_size=batch_size,
    message:
        "Compute persistence diagrams of degree 0 and 1 of every batch of {wildcards.dataset}"
    script:
        "../scripts/data/references.py"


use rule references as references_of_order with:
    output:
        diagrams="results/{dataset}/orders/{order}/diagrams.npz",
    log:
        "results/logs/references_of_order/{dataset}-{order}.log",
    benchmark:
        "results/benchmarks/references_of_order/{dataset}-{order}.tsv"
    params:
        batch_size=batch_size,
        order=seed_of_order,
    message:
        "Compute persistence diagrams of every batch of {wildcards.dataset} in the order {wildcards.order}"


rule wrong_references:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        code=code_of("workflow/scripts/data/wrong_references.py"),
    output:
        diagrams="results/{dataset}/wrong_references/{kind}.npz",
    log:
        "results/logs/wrong_references/{dataset}-{kind}.log",
    benchmark:
        "results/benchmarks/wrong_references/{dataset}-{kind}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 4
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        batch_size=batch_size,
    message:
        "Compute persistence diagrams for every batch of {wildcards.dataset} that are not its own: {wildcards.kind}"
    script:
        "../scripts/data/wrong_references.py"
