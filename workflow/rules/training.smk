# One job per (dataset, model, seed), and one that times all models in turn.


rule train:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        diagrams="results/{dataset}/diagrams.npz",
        code=code_of("workflow/scripts/training/train.py"),
    output:
        history="results/{dataset}/runs/{model}/{seed}/history.parquet",
        timing="results/{dataset}/runs/{model}/{seed}/timing.parquet",
        checkpoint="results/{dataset}/runs/{model}/{seed}/checkpoint.pt",
        snapshots="results/{dataset}/runs/{model}/{seed}/snapshots.npz",
        weights="results/{dataset}/runs/{model}/{seed}/weights.npz",
        latents="results/{dataset}/runs/{model}/{seed}/latents.npz",
    log:
        "results/logs/train/{dataset}-{model}-{seed}.log",
    benchmark:
        "results/benchmarks/train/{dataset}-{model}-{seed}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
        gpu=gpus_per_run,
    params:
        spec=training_spec,
    message:
        "Train {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/training/train.py"


rule time_steps:
    input:
        images="results/{dataset}/images.npy",
        diagrams="results/{dataset}/diagrams.npz",
        code=code_of("workflow/scripts/cost/time_steps.py"),
    output:
        rounds="results/{dataset}/statistics/step_time_rounds.parquet",
        times="results/{dataset}/statistics/step_times.parquet",
    log:
        "results/logs/time_steps/{dataset}.log",
    benchmark:
        "results/benchmarks/time_steps/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: all_cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
        gpu=gpus_per_run,
    params:
        spec=timing_spec,
        baselines=canonical(WHOLE_BASELINES),
    message:
        "Time the training steps of all models in turn, alone on the machine"
    script:
        "../scripts/cost/time_steps.py"
