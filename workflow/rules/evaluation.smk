# How trained models do on images that they have not seen. The wildcard `full` is empty, or _full for all test images.


rule classifier:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        code=code_of("workflow/scripts/evaluation/classifier.py"),
    output:
        weights="results/{dataset}/classifier/weights.pt",
        accuracy="results/{dataset}/classifier/accuracy.json",
    log:
        "results/logs/classifier/{dataset}.log",
    benchmark:
        "results/benchmarks/classifier/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        spec=classifier_spec,
    message:
        "Train the classifier of {wildcards.dataset} in whose features images are compared"
    script:
        "../scripts/evaluation/classifier.py"


rule hold_out:
    input:
        images="results/{dataset}/images.npy",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        classifier="results/{dataset}/classifier/weights.pt",
        code=code_of("workflow/scripts/evaluation/hold_out.py"),
    output:
        features="results/{dataset}/evaluation{full}/held_out/features.npy",
        diagrams="results/{dataset}/evaluation{full}/held_out/diagrams.npz",
        units="results/{dataset}/evaluation{full}/held_out/units.json",
        yardstick="results/{dataset}/evaluation{full}/held_out/yardstick.parquet",
    log:
        "results/logs/hold_out/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/hold_out/{dataset}{full}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(3500),
        runtime=growing(30),
    params:
        spec=evaluation_spec,
    message:
        "Features and diagrams of the held-out images of {wildcards.dataset}"
    script:
        "../scripts/evaluation/hold_out.py"


rule evaluate:
    input:
        weights="results/{dataset}/runs/{model}/{seed}/weights.npz",
        checkpoint="results/{dataset}/runs/{model}/{seed}/checkpoint.pt",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        classifier="results/{dataset}/classifier/weights.pt",
        features="results/{dataset}/evaluation{full}/held_out/features.npy",
        diagrams="results/{dataset}/evaluation{full}/held_out/diagrams.npz",
        units="results/{dataset}/evaluation{full}/held_out/units.json",
        code=code_of("workflow/scripts/evaluation/evaluate.py"),
    output:
        metrics="results/{dataset}/evaluation{full}/{model}/{seed}.parquet",
        samples="results/{dataset}/evaluation{full}/{model}/{seed}_samples.npz",
    log:
        "results/logs/evaluate/{dataset}{full}-{model}-{seed}.log",
    benchmark:
        "results/benchmarks/evaluate/{dataset}{full}-{model}-{seed}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(3500),
        runtime=growing(30),
    params:
        spec=evaluation_spec,
    message:
        "Evaluate {wildcards.model}, seed {wildcards.seed}, on held-out images of {wildcards.dataset}"
    script:
        "../scripts/evaluation/evaluate.py"


rule held_out_summary:
    input:
        evaluations=expand(
            "results/{{dataset}}/evaluation{{full}}/{model}/{seed}.parquet",
            model=WHOLE,
            seed=config["seeds"],
        ),
        code=code_of("workflow/scripts/evaluation/held_out_summary.py"),
    output:
        summary="results/{dataset}/statistics/held_out{full}.parquet",
    log:
        "results/logs/held_out_summary/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/held_out_summary/{dataset}{full}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        spec=canonical(
            {
                "runs": WHOLE_RUNS,
                "baselines": WHOLE_BASELINES,
                "confidence": config["statistics"]["confidence"],
            }
        ),
    message:
        "Held-out metrics on average, and paired differences to the baseline"
    script:
        "../scripts/evaluation/held_out_summary.py"
