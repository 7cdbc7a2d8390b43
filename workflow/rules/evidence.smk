# What the comparisons say of the thesis' claims: verdicts, and the controls that they lean on.


rule verdicts:
    input:
        effects=expand(
            "results/{{dataset}}/statistics/{comparison}/effects.parquet",
            comparison=config["claims"]["comparisons"],
        ),
        improvements=expand(
            "results/{{dataset}}/statistics/{comparison}/improvement.parquet",
            comparison=config["claims"]["comparisons"],
        ),
        evaluations=expand(
            "results/{{dataset}}/evaluation/{model}/{seed}.parquet",
            model=WHOLE,
            seed=config["seeds"],
        ),
        rounds="results/{dataset}/statistics/step_time_rounds.parquet",
        worst="results/theory/stability_worst.parquet",
        agreement="results/theory/gradient_agreement.parquet",
        stored=stored_controls,
        code=code_of("workflow/scripts/evidence/verdicts.py"),
    output:
        verdicts="results/{dataset}/statistics/verdicts.parquet",
    log:
        "results/logs/verdicts/{dataset}.log",
    benchmark:
        "results/benchmarks/verdicts/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        spec=verdicts_spec,
    message:
        "Verdict on every claim of the thesis"
    script:
        "../scripts/evidence/verdicts.py"


rule control_effects:
    input:
        effects=expand(
            "results/{{dataset}}/statistics/{comparison}/effects.parquet",
            comparison=CONTROLS,
        ),
        improvement=f"results/{{dataset}}/statistics/{NOISE}/improvement.parquet",
        bce=f"results/{{dataset}}/statistics/{SIGNIFICANCE}/improvement.parquet",
        code=code_of("workflow/scripts/evidence/control_effects.py"),
    output:
        effects="results/{dataset}/controls/effects.csv",
        noise="results/{dataset}/controls/noise.csv",
        order="results/{dataset}/controls/stochastic_order.csv",
    log:
        "results/logs/control_effects/{dataset}.log",
    benchmark:
        "results/benchmarks/control_effects/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        spec=controls_spec,
    message:
        "What the controls say"
    script:
        "../scripts/evidence/control_effects.py"


use rule image_comparison as verdict_table with:
    input:
        notebook="notebooks/verdict_table.ipynb",
        verdicts="results/{dataset}/statistics/verdicts.parquet",
        code=code_of("notebooks/verdict_table.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/verdict_table.html",
            caption="../report/verdict_table.rst",
            category="Evidence",
            labels={"row": "all", "figure": "verdicts, notebook", "model": "all"},
        ),
        csv=report(
            "results/{dataset}/tables/verdicts.csv",
            caption="../report/verdict_table.rst",
            category="Evidence",
            labels={"row": "all", "figure": "verdicts", "model": "all"},
        ),
        markdown="results/{dataset}/tables/verdicts.md",
        latex="results/{dataset}/tables/verdicts.tex",
        tests_csv=report(
            "results/{dataset}/tables/verdict_tests.csv",
            caption="../report/verdict_table.rst",
            category="Evidence",
            labels={"row": "all", "figure": "verdicts, tests", "model": "all"},
        ),
        tests_markdown="results/{dataset}/tables/verdict_tests.md",
        tests_latex="results/{dataset}/tables/verdict_tests.tex",
    log:
        "results/logs/verdict_table/{dataset}.log",
    benchmark:
        "results/benchmarks/verdict_table/{dataset}.tsv"
    params:
        shown=verdict_headings,
    message:
        "Verdicts on the claims of the thesis"


use rule image_comparison as replication with:
    input:
        notebook="notebooks/replication.ipynb",
        effects=expand(
            "results/{{dataset}}/statistics/{comparison}/effects.parquet",
            comparison=config["claims"]["comparisons"],
        ),
        code=code_of("notebooks/replication.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/replication.html",
            caption="../report/replication.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "executed notebook: replication",
                "model": "all",
            },
        ),
        svg=report(
            "results/{dataset}/figures/replication.svg",
            caption="../report/replication.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "r(s) as run, as defined",
                "model": "all",
            },
        ),
        png="results/{dataset}/figures/replication.png",
        csv=report(
            "results/{dataset}/tables/effects.csv",
            caption="../report/replication.rst",
            category="Evidence",
            labels={"row": "evidence", "figure": "effects and tests", "model": "all"},
        ),
        markdown="results/{dataset}/tables/effects.md",
        latex="results/{dataset}/tables/effects.tex",
    log:
        "results/logs/replication/{dataset}.log",
    benchmark:
        "results/benchmarks/replication/{dataset}.tsv"
    params:
        shown=canonical(
            {
                "headings": list(config["claims"]["comparisons"].values()),
                "replicates": REPLICATES,
                "published": config["published"],
                "margin": config["statistics"]["margin"],
            }
        ),
    message:
        "r(s) as run and as defined, beside the published values"


use rule image_comparison as gradient_sizes with:
    input:
        notebook="notebooks/gradient_sizes.ipynb",
        sizes=expand(
            "results/{{dataset}}/statistics/{comparison}/gradient_sizes.parquet",
            comparison=config["claims"]["comparisons"],
        ),
        code=code_of("notebooks/gradient_sizes.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/gradient_sizes.html",
            caption="../report/gradient_sizes.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "executed notebook: gradient sizes",
                "model": "all",
            },
        ),
        svg=report(
            "results/{dataset}/figures/gradient_sizes.svg",
            caption="../report/gradient_sizes.rst",
            category="Evidence",
            labels={"row": "evidence", "figure": "sizes of gradients", "model": "all"},
        ),
        png="results/{dataset}/figures/gradient_sizes.png",
        csv=report(
            "results/{dataset}/tables/gradient_sizes.csv",
            caption="../report/gradient_sizes.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "sizes of gradients, table",
                "model": "all",
            },
        ),
        markdown="results/{dataset}/tables/gradient_sizes.md",
        latex="results/{dataset}/tables/gradient_sizes.tex",
    log:
        "results/logs/gradient_sizes/{dataset}.log",
    benchmark:
        "results/benchmarks/gradient_sizes/{dataset}.tsv"
    params:
        shown=canonical({}),
    message:
        "Sizes of the regularizers' gradients"


use rule image_comparison as controls_summary with:
    input:
        notebook="notebooks/controls_summary.ipynb",
        effects="results/{dataset}/controls/effects.csv",
        noise="results/{dataset}/controls/noise.csv",
        order="results/{dataset}/controls/stochastic_order.csv",
        improvement=f"results/{{dataset}}/statistics/{NOISE}/improvement.parquet",
        code=code_of("notebooks/controls_summary.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/controls_summary.html",
            caption="../report/controls_summary.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "executed notebook: controls summary",
                "model": "all",
            },
        ),
        svg=report(
            "results/{dataset}/figures/noise_alone.svg",
            caption="../report/controls_summary.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "r(s) of noise alone",
                "model": "VAE0",
            },
        ),
        png="results/{dataset}/figures/noise_alone.png",
    log:
        "results/logs/controls_summary/{dataset}.log",
    benchmark:
        "results/benchmarks/controls_summary/{dataset}.tsv"
    params:
        shown=canonical(
            {
                "published": config["published"],
                "steps": config["statistics"]["steps"],
                "seeds": len(config["seeds"]),
            }
        ),
    message:
        "Controls: other noise, placebos, weight zero, the second list of seeds"


use rule image_comparison as tuning_table with:
    input:
        notebook="notebooks/tuning_table.ipynb",
        effects=expand(
            "results/{{dataset}}/statistics/{comparison}/effects.parquet",
            comparison=TUNING,
        ),
        code=code_of("notebooks/tuning_table.ipynb"),
    output:
        html=report(
            "results/{dataset}/notebooks/tuning_table.html",
            caption="../report/tuning_table.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "executed notebook: tuning table",
                "model": "all",
            },
        ),
        csv=report(
            "results/{dataset}/tables/tuning.csv",
            caption="../report/tuning_table.rst",
            category="Evidence",
            labels={
                "row": "evidence",
                "figure": "the same tuning for all",
                "model": "all",
            },
        ),
        markdown="results/{dataset}/tables/tuning.md",
        latex="results/{dataset}/tables/tuning.tex",
    log:
        "results/logs/tuning_table/{dataset}.log",
    benchmark:
        "results/benchmarks/tuning_table/{dataset}.tsv"
    params:
        shown=canonical({"comparisons": TUNING}),
    message:
        "VAE0 and the regularizers, tuned alike"
