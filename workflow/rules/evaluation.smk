# Trained models on images that they have not seen. The wildcard `full` is empty, or _full for all test images.


rule classifier:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        code=code_of("workflow/scripts/evaluation/classifier.py"),
    output:
        weights="results/{dataset}/classifier/weights.pt",
        components="results/{dataset}/classifier/components.npz",
        accuracy="results/{dataset}/classifier/accuracy.json",
    log:
        "results/logs/classifier/{dataset}.log",
    benchmark:
        "results/benchmarks/classifier/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: threads_of_torch
    resources:
        mem_mb=more_on_retry(2000),
        runtime=more_on_retry(30),
    params:
        spec=by_dataset(Plan.classifier),
    message:
        "Train the classifier and find the principal components of {wildcards.dataset}, to compare images"
    script:
        "../scripts/evaluation/classifier.py"


rule prepare_test_set:
    input:
        images="results/{dataset}/images.npy",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        classifier="results/{dataset}/classifier/weights.pt",
        components="results/{dataset}/classifier/components.npz",
        code=code_of("workflow/scripts/evaluation/prepare_test_set.py"),
    output:
        features="results/{dataset}/evaluation{full}/held_out/features.npz",
        diagrams="results/{dataset}/evaluation{full}/held_out/diagrams.npz",
        units="results/{dataset}/evaluation{full}/held_out/units.json",
        yardstick="results/{dataset}/evaluation{full}/held_out/yardstick.parquet",
    log:
        "results/logs/prepare_test_set/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/prepare_test_set/{dataset}{full}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: threads_of_torch
    resources:
        mem_mb=more_on_retry(3500),
        runtime=more_on_retry(30),
    params:
        spec=evaluation_spec,
    message:
        "Compute features and diagrams of the held-out images of {wildcards.dataset}"
    script:
        "../scripts/evaluation/prepare_test_set.py"


rule evaluate:
    input:
        weights="results/{dataset}/runs/{model}/{seed}/weights.npz",
        checkpoint="results/{dataset}/runs/{model}/{seed}/checkpoint.pt",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        classifier="results/{dataset}/classifier/weights.pt",
        components="results/{dataset}/classifier/components.npz",
        features="results/{dataset}/evaluation{full}/held_out/features.npz",
        diagrams="results/{dataset}/evaluation{full}/held_out/diagrams.npz",
        units="results/{dataset}/evaluation{full}/held_out/units.json",
        family=code_of_family,
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
    threads: threads_of_torch
    resources:
        mem_mb=more_on_retry(3500),
        runtime=more_on_retry(30),
    params:
        spec=evaluation_spec,
    message:
        "Evaluate {wildcards.model}, seed {wildcards.seed}, on held-out images of {wildcards.dataset}"
    script:
        "../scripts/evaluation/evaluate.py"


rule held_out_means:
    input:
        evaluations=expand(
            "results/{{dataset}}/evaluation{{full}}/{model}/{seed}.parquet",
            model=PLAN.trained_fully,
            seed=PLAN.seeds,
        ),
        code=code_of("workflow/scripts/evaluation/held_out_means.py"),
    output:
        summary="results/{dataset}/statistics/held_out{full}.parquet",
    log:
        "results/logs/held_out_means/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/held_out_means/{dataset}{full}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.held_out_means),
    message:
        "Average the held-out metrics and their paired differences from the baseline over seeds"
    script:
        "../scripts/evaluation/held_out_means.py"


use rule notebook as held_out_table with:
    input:
        notebook=in_clone("notebooks/held_out_table.ipynb"),
        summary="results/{dataset}/statistics/held_out{full}.parquet",
        yardstick="results/{dataset}/evaluation{full}/held_out/yardstick.parquet",
        accuracy="results/{dataset}/classifier/accuracy.json",
        code=code_of("notebooks/held_out_table.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/held_out_table{full}", "executed notebook, with the table"),
            table("results/{dataset}/tables/held_out{full}", "metrics, by step"),
            figure("results/{dataset}/figures/held_out{full}", "gain over the baseline"),
            figure("results/{dataset}/figures/price_and_gain{full}", "price and gain", prefix="price_"),
            caption="held_out_table",
            category="Evidence",
            row="held-out",
            model="all",
        ),
    log:
        "results/logs/held_out_table/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/held_out_table/{dataset}{full}.tsv"
    params:
        arguments=by_dataset(Plan.held_out_table),
    message:
        "Show the held-out metrics of all models and their gains over the baselines"


use rule notebook as prior_samples with:
    input:
        notebook=in_clone("notebooks/prior_samples.ipynb"),
        samples=expand(
            "results/{{dataset}}/evaluation{{full}}/{model}/{seed}_samples.npz",
            model=PLAN.trained_fully,
            seed=PLAN.seeds[0],
        ),
        code=code_of("notebooks/prior_samples.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/prior_samples{full}", "executed notebook: prior samples"),
            figure("results/{dataset}/figures/prior_samples{full}", "prior samples"),
            caption="prior_samples",
            category="Evidence",
            row="held-out",
            model="all",
        ),
    log:
        "results/logs/prior_samples/{dataset}{full}.log",
    benchmark:
        "results/benchmarks/prior_samples/{dataset}{full}.tsv"
    params:
        arguments=canonical({"models": PLAN.trained_fully}),
    message:
        "Draw samples of every model from its prior, one seed"


rule embed_by_model:
    input:
        checkpoint="results/{dataset}/runs/{model}/{seed}/checkpoint.pt",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        family=code_of_family,
        code=code_of("workflow/scripts/evaluation/embed_by_model.py"),
    output:
        embedding="results/{dataset}/embedding/models/{model}/{seed}.npz",
        quality="results/{dataset}/embedding/models/{model}/{seed}.parquet",
    log:
        "results/logs/embed_by_model/{dataset}-{model}-{seed}.log",
    benchmark:
        "results/benchmarks/embed_by_model/{dataset}-{model}-{seed}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: threads_of_torch
    resources:
        mem_mb=more_on_retry(2000),
        runtime=more_on_retry(30),
    params:
        spec=by_dataset(Plan.embedding),
    message:
        "Embed the test of {wildcards.dataset} by {wildcards.model}, seed {wildcards.seed}"
    script:
        "../scripts/evaluation/embed_by_model.py"


rule embed_by_method:
    input:
        images="results/{dataset}/images.npy",
        test_images="results/{dataset}/test_images.npy",
        test_labels="results/{dataset}/test_labels.npy",
        code=code_of("workflow/scripts/evaluation/embed_by_method.py"),
    output:
        embedding="results/{dataset}/embedding/methods/{method}/{seed}.npz",
        quality="results/{dataset}/embedding/methods/{method}/{seed}.parquet",
    log:
        "results/logs/embed_by_method/{dataset}-{method}-{seed}.log",
    benchmark:
        "results/benchmarks/embed_by_method/{dataset}-{method}-{seed}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(4000),
        runtime=more_on_retry(30),
    params:
        spec=by_dataset(Plan.embedding),
    message:
        "Embed the test of {wildcards.dataset} by {wildcards.method}, seed {wildcards.seed}"
    script:
        "../scripts/evaluation/embed_by_method.py"
