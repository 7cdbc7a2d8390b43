# From the histories of all runs to r(s), its intervals and tests, and the verdicts on the thesis' claims.


rule improvement:
    input:
        histories=histories_of_comparison,
        monitored=monitored_of_comparison,
        images="results/{dataset}/images.npy",
        test_images="results/{dataset}/test_images.npy",
        code=code_of("workflow/scripts/evidence/improvement.py"),
    output:
        improvement="results/{dataset}/statistics/{comparison}/improvement.parquet",
        means="results/{dataset}/statistics/{comparison}/means.parquet",
        effects="results/{dataset}/statistics/{comparison}/effects.parquet",
        test_improvement="results/{dataset}/statistics/{comparison}/test_improvement.parquet",
        test_effects="results/{dataset}/statistics/{comparison}/test_effects.parquet",
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
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=improvement_spec,
    message:
        "Compute the improvement r(s) of the models of {wildcards.comparison}, per seed and on average"
    script:
        "../scripts/evidence/improvement.py"


rule control_effects:
    input:
        effects=expand(
            "results/{{dataset}}/statistics/{comparison}/effects.parquet",
            comparison=PLAN.comparisons_of("controls"),
        ),
        improvements=expand(
            "results/{{dataset}}/statistics/{comparison}/improvement.parquet",
            comparison=PLAN.comparisons_of("controls"),
        ),
        of_noise=f"results/{{dataset}}/statistics/{config['controls']['noise_comparison']}/improvement.parquet",
        of_order=f"results/{{dataset}}/statistics/{config['controls']['significance_comparison']}/improvement.parquet",
        code=code_of("workflow/scripts/evidence/control_effects.py"),
    output:
        effects="results/{dataset}/controls/effects.csv",
        improvement="results/{dataset}/controls/improvement.csv",
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
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.controls),
    message:
        "Compute the effects of the controls"
    script:
        "../scripts/evidence/control_effects.py"


rule confirmation_effects:
    input:
        effects=expand(
            "results/{{dataset}}/statistics/{comparison}/effects.parquet",
            comparison=PLAN.comparisons_of("confirmation"),
        ),
        improvement=expand(
            "results/{{dataset}}/statistics/{comparison}/improvement.parquet",
            comparison=PLAN.comparisons_of("confirmation"),
        ),
        test_effects=expand(
            "results/{{dataset}}/statistics/{comparison}/test_effects.parquet",
            comparison=PLAN.comparisons_of("confirmation"),
        ),
        test_improvement=expand(
            "results/{{dataset}}/statistics/{comparison}/test_improvement.parquet",
            comparison=PLAN.comparisons_of("confirmation"),
        ),
        code=code_of("workflow/scripts/evidence/confirmation_effects.py"),
    output:
        effects="results/{dataset}/confirmation/effects.csv",
        improvement="results/{dataset}/confirmation/improvement.csv",
        test_effects="results/{dataset}/confirmation/test_effects.csv",
        test_improvement="results/{dataset}/confirmation/test_improvement.csv",
        decay="results/{dataset}/confirmation/decay.csv",
    log:
        "results/logs/confirmation_effects/{dataset}.log",
    benchmark:
        "results/benchmarks/confirmation_effects/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.confirmation),
    message:
        "Collect the effects on the seeds of the confirmation"
    script:
        "../scripts/evidence/confirmation_effects.py"


rule order_effects:
    input:
        improvements=expand(
            "results/{{dataset}}/statistics/{comparison}/improvement.parquet",
            comparison=[
                *PLAN.comparisons_of("confirmation"),
                *PLAN.comparisons_of("confirmation_orders"),
            ],
        ),
        code=code_of("workflow/scripts/evidence/order_effects.py"),
    output:
        orders="results/{dataset}/confirmation/orders.csv",
    log:
        "results/logs/order_effects/{dataset}.log",
    benchmark:
        "results/benchmarks/order_effects/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.orders),
    message:
        "Collect r(s) of the confirmation in every order of the images"
    script:
        "../scripts/evidence/order_effects.py"


use rule notebook as orders_of_data with:
    input:
        notebook=in_clone("notebooks/orders_of_data.ipynb"),
        orders="results/{dataset}/confirmation/orders.csv",
        code=code_of("notebooks/orders_of_data.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/orders_of_data", "executed notebook: orders of the images"),
            table("results/{dataset}/tables/orders_of_data", "r(s) by order of the images"),
            caption="orders_of_data",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/orders_of_data/{dataset}.log",
    benchmark:
        "results/benchmarks/orders_of_data/{dataset}.tsv"
    message:
        "Write the table of r(s) by the order of the images"


rule replay_means:
    input:
        improvements=expand(
            "results/{{dataset}}/statistics/{comparison}/improvement.parquet",
            comparison=PLAN.replayed("all"),
        ),
        stored=stored_improvement,
        code=code_of("workflow/scripts/evidence/replay_means.py"),
    output:
        replay="results/{dataset}/statistics/replay.parquet",
        near="results/{dataset}/statistics/replay_near_published.parquet",
    log:
        "results/logs/replay_means/{dataset}.log",
    benchmark:
        "results/benchmarks/replay_means/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.replay),
    message:
        "Compute the author's averages over his lists of seeds"
    script:
        "../scripts/evidence/replay_means.py"


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
            model=PLAN.trained_fully,
            seed=PLAN.seeds,
        ),
        yardstick="results/{dataset}/evaluation/held_out/yardstick.parquet",
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
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.verdicts),
    message:
        "Reach a verdict on every claim of the thesis"
    script:
        "../scripts/evidence/verdicts.py"


rule spike_in:
    input:
        improvements=expand(
            "results/{{dataset}}/statistics/{comparison}/improvement.parquet",
            comparison=config["calibration"]["comparisons"],
        ),
        code=code_of("workflow/scripts/evidence/spike_in.py"),
    output:
        chances="results/{dataset}/statistics/calibration_chances.parquet",
        errors="results/{dataset}/statistics/calibration_errors.parquet",
    log:
        "results/logs/spike_in/{dataset}.log",
    benchmark:
        "results/benchmarks/spike_in/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.calibration),
    message:
        "Count how often the rule gives each verdict on known effects"
    script:
        "../scripts/evidence/spike_in.py"


use rule notebook as improvement_curves with:
    input:
        notebook=in_clone("notebooks/improvement_curves.ipynb"),
        means=f"results/{{dataset}}/statistics/{PLAN.headline}/means.parquet",
        code=code_of("notebooks/improvement_curves.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/improvement_curves", "executed notebook"),
            figure("results/{dataset}/figures/improvement", "r(s) over all steps"),
            caption="improvement_curves",
            category="Evidence",
            row="T1",
            model="all",
        ),
    log:
        "results/logs/improvement_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/improvement_curves/{dataset}.tsv"
    params:
        arguments=by_dataset(Plan.improvement_curves),
    message:
        "Draw the improvement r(s) over all steps"


use rule notebook as table_1 with:
    input:
        notebook=in_clone("notebooks/table_1.ipynb"),
        defined=f"results/{{dataset}}/statistics/{PLAN.headline}/effects.parquet",
        run=effects_beside_headline("run"),
        scaled=effects_beside_headline("scaled"),
        times="results/{dataset}/statistics/step_times.parquet",
        code=code_of("notebooks/table_1.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/table_1", "executed notebook, with the table"),
            table("results/{dataset}/tables/table1", "Table 1 as CSV"),
            latex("results/{dataset}/tables/table1", "Table 1 as LaTeX"),
            caption="table_1",
            category="Table 1",
            row="T1",
            model="all",
        ),
    log:
        "results/logs/table_1/{dataset}.log",
    benchmark:
        "results/benchmarks/table_1/{dataset}.tsv"
    params:
        arguments=canonical(PLAN.table_1()),
    message:
        "Write Table 1: the values of the thesis next to those measured here"


use rule notebook as replication with:
    input:
        notebook=in_clone("notebooks/replication.ipynb"),
        effects=expand(
            "results/{{dataset}}/statistics/{comparison}/effects.parquet",
            comparison=config["claims"]["comparisons"],
        ),
        test_effects=expand(
            "results/{{dataset}}/statistics/{comparison}/test_effects.parquet",
            comparison=config["claims"]["comparisons"],
        ),
        code=code_of("notebooks/replication.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/replication", "executed notebook: replication"),
            figure("results/{dataset}/figures/replication", "r(s) as run, as defined"),
            table("results/{dataset}/tables/effects", "effects and tests"),
            caption="replication",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/replication/{dataset}.log",
    benchmark:
        "results/benchmarks/replication/{dataset}.tsv"
    params:
        arguments=by_dataset(Plan.replication),
    message:
        "Draw r(s) as run and as defined, next to the published values"


use rule notebook as replay with:
    input:
        notebook=in_clone("notebooks/replay.ipynb"),
        means="results/{dataset}/statistics/replay.parquet",
        near="results/{dataset}/statistics/replay_near_published.parquet",
        code=code_of("notebooks/replay.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/replay", "executed notebook: replay"),
            figure("results/{dataset}/figures/replay", "replay of the author's loop"),
            table("results/{dataset}/tables/replay", "replay, all values"),
            table("results/{dataset}/tables/replay_near_published", "replay, counts", prefix="near_"),
            caption="replay",
            category="Evidence",
            row="T1",
            model="all",
        ),
    log:
        "results/logs/replay/{dataset}.log",
    benchmark:
        "results/benchmarks/replay/{dataset}.tsv"
    message:
        "Show the author's averages over his lists of seeds, next to the published values"


use rule notebook as gradient_sizes with:
    input:
        notebook=in_clone("notebooks/gradient_sizes.ipynb"),
        sizes=expand(
            "results/{{dataset}}/statistics/{comparison}/gradient_sizes.parquet",
            comparison=config["claims"]["comparisons"],
        ),
        code=code_of("notebooks/gradient_sizes.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/gradient_sizes", "executed notebook: gradient sizes"),
            figure("results/{dataset}/figures/gradient_sizes", "sizes of gradients"),
            table("results/{dataset}/tables/gradient_sizes", "sizes of gradients, table"),
            caption="gradient_sizes",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/gradient_sizes/{dataset}.log",
    benchmark:
        "results/benchmarks/gradient_sizes/{dataset}.tsv"
    message:
        "Draw the sizes of the regularizers' gradients"


use rule notebook as verdict_table with:
    input:
        notebook=in_clone("notebooks/verdict_table.ipynb"),
        verdicts="results/{dataset}/statistics/verdicts.parquet",
        code=code_of("notebooks/verdict_table.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/verdict_table", "verdicts, notebook"),
            table("results/{dataset}/tables/verdicts", "verdicts"),
            table("results/{dataset}/tables/verdict_tests", "verdicts, tests", prefix="tests_"),
            caption="verdict_table",
            category="Evidence",
            row="all",
            model="all",
        ),
    log:
        "results/logs/verdict_table/{dataset}.log",
    benchmark:
        "results/benchmarks/verdict_table/{dataset}.tsv"
    params:
        arguments=by_dataset(Plan.verdict_headings),
    message:
        "Write the table of verdicts on the claims of the thesis"


use rule notebook as claims_by_dataset with:
    input:
        notebook=in_clone("notebooks/claims_by_dataset.ipynb"),
        verdicts=expand("results/{dataset}/statistics/verdicts.parquet", dataset=PLANS),
        code=code_of("notebooks/claims_by_dataset.ipynb"),
    output:
        **in_report(
            page("results/datasets/notebooks/claims_by_dataset", "claims by dataset, notebook"),
            table("results/datasets/tables/claims_by_dataset", "claims by dataset"),
            caption="claims_by_dataset",
            category="Evidence",
            row="all",
            model="all",
        ),
    log:
        "results/logs/claims_by_dataset/datasets.log",
    benchmark:
        "results/benchmarks/claims_by_dataset/datasets.tsv"
    params:
        arguments=canonical(claims_by_dataset(PLANS)),
    message:
        "Count the datasets on which each claim of the thesis holds"


use rule notebook as calibration with:
    input:
        notebook=in_clone("notebooks/calibration.ipynb"),
        chances="results/{dataset}/statistics/calibration_chances.parquet",
        errors="results/{dataset}/statistics/calibration_errors.parquet",
        code=code_of("notebooks/calibration.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/calibration", "executed notebook: calibration"),
            figure("results/{dataset}/figures/calibration", "verdicts on known effects"),
            table("results/{dataset}/tables/calibration", "smallest effects that are found"),
            table("results/{dataset}/tables/calibration_errors", "wrong verdicts", prefix="errors_"),
            caption="calibration",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/calibration/{dataset}.log",
    benchmark:
        "results/benchmarks/calibration/{dataset}.tsv"
    params:
        arguments=by_dataset(Plan.calibration_arguments),
    message:
        "Draw how often the rule gives each verdict on known effects"


use rule notebook as controls_summary with:
    input:
        notebook=in_clone("notebooks/controls_summary.ipynb"),
        effects="results/{dataset}/controls/effects.csv",
        noise="results/{dataset}/controls/noise.csv",
        order="results/{dataset}/controls/stochastic_order.csv",
        improvement=f"results/{{dataset}}/statistics/{config['controls']['noise_comparison']}/improvement.parquet",
        code=code_of("notebooks/controls_summary.ipynb"),
    output:
        **in_report(
            page(
                "results/{dataset}/notebooks/controls_summary",
                "executed notebook: controls summary",
                model="all",
            ),
            figure("results/{dataset}/figures/noise_alone", "r(s) of noise alone", model="VAE0"),
            caption="controls_summary",
            category="Evidence",
            row="evidence",
        ),
    log:
        "results/logs/controls_summary/{dataset}.log",
    benchmark:
        "results/benchmarks/controls_summary/{dataset}.tsv"
    params:
        arguments=by_dataset(Plan.controls_summary),
    message:
        "Show the controls: other noise, placebos, weight zero, the second list of seeds"


use rule notebook as sweep with:
    input:
        notebook=in_clone("notebooks/sweep.ipynb"),
        effects="results/{dataset}/statistics/{sweep}/effects.parquet",
        test_effects="results/{dataset}/statistics/{sweep}/test_effects.parquet",
        code=code_of("notebooks/sweep.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/sweep_{sweep}", "executed notebook: sweep"),
            figure("results/{dataset}/figures/sweep_{sweep}", "effects over the values of the keys"),
            table("results/{dataset}/tables/sweep_{sweep}", "effects and tests"),
            caption="sweep",
            category="Evidence",
            row="{sweep}",
            model="all",
        ),
    log:
        "results/logs/sweep/{dataset}-{sweep}.log",
    benchmark:
        "results/benchmarks/sweep/{dataset}-{sweep}.tsv"
    params:
        arguments=sweep_arguments,
    message:
        "Show the effects of the variants of the sweep {wildcards.sweep}"


rule study_effects:
    input:
        test_images="results/{dataset}/test_images.npy",
        latents=latents_of_study,
        monitored=monitored_of_study,
        evaluations=evaluations_of_study,
        code=code_of("workflow/scripts/evidence/study_effects.py"),
    output:
        values="results/{dataset}/studies/{study}/values.csv",
        effects="results/{dataset}/studies/{study}/effects.csv",
    log:
        "results/logs/study_effects/{dataset}-{study}.log",
    benchmark:
        "results/benchmarks/study_effects/{dataset}-{study}.tsv"
    wildcard_constraints:
        study=any_of([PLAN.study or "none"]),  # effects of `information` are made by another rule
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(30),
    params:
        spec=by_dataset(Plan.study_effects),
    message:
        "Compare the models of the study {wildcards.study} with their baselines"
    script:
        "../scripts/evidence/study_effects.py"


use rule notebook as study_summary with:
    input:
        notebook=in_clone("notebooks/study_summary.ipynb"),
        effects="results/{dataset}/studies/{study}/effects.csv",
        code=code_of("notebooks/study_summary.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/study_{study}", "executed notebook, with the table"),
            figure("results/{dataset}/figures/study_{study}", "effects of the study"),
            table("results/{dataset}/tables/study_{study}", "effects of the study"),
            caption="study_summary",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/study_summary/{dataset}-{study}.log",
    benchmark:
        "results/benchmarks/study_summary/{dataset}-{study}.tsv"
    params:
        arguments=by_dataset(Plan.study_arguments),
    message:
        "Show the effects of the study {wildcards.study}"


use rule notebook as study_samples with:
    input:
        notebook=in_clone("notebooks/study_samples.ipynb"),
        samples=samples_of_study,
        code=code_of("notebooks/study_samples.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/samples_{study}", "executed notebook: samples"),
            figure("results/{dataset}/figures/samples_{study}", "samples"),
            caption="study_samples",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/study_samples/{dataset}-{study}.log",
    benchmark:
        "results/benchmarks/study_samples/{dataset}-{study}.tsv"
    params:
        arguments=canonical({"models": PLAN.sampled_in_study}),
    message:
        "Draw samples of the models of the study {wildcards.study}, one seed"


rule predict_metrics:
    input:
        section=section_of("information", "config/information.yaml"),
        evaluations=evaluations_of_information,
        code=code_of("workflow/scripts/evidence/predict_metrics.py"),
    output:
        effects="results/{dataset}/studies/information/effects.csv",
    log:
        "results/logs/predict_metrics/{dataset}.log",
    benchmark:
        "results/benchmarks/predict_metrics/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.information),
    message:
        "Predict metrics of images from others, for seeds that are left out"
    script:
        "../scripts/evidence/predict_metrics.py"


rule alignment_effects:
    input:
        section=section_of("alignment", "config/alignment.yaml"),
        cosines=expand("results/{{dataset}}/alignment/{seed}.parquet", seed=PLAN.alignment_seeds),
        code=code_of("workflow/scripts/evidence/alignment_effects.py"),
    output:
        curves="results/{dataset}/studies/alignment/cosines.csv",
        effects="results/{dataset}/studies/alignment/cosine_effects.csv",
    log:
        "results/logs/alignment_effects/{dataset}.log",
    benchmark:
        "results/benchmarks/alignment_effects/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.alignment_effects),
    message:
        "Average the cosines of gradients over steps and seeds"
    script:
        "../scripts/evidence/alignment_effects.py"


use rule notebook as alignment_curves with:
    input:
        notebook=in_clone("notebooks/alignment_curves.ipynb"),
        curves="results/{dataset}/studies/alignment/cosines.csv",
        effects="results/{dataset}/studies/alignment/cosine_effects.csv",
        code=code_of("notebooks/alignment_curves.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/alignment", "executed notebook: alignment"),
            figure("results/{dataset}/figures/alignment", "cosines of gradients"),
            table("results/{dataset}/tables/alignment", "mean cosines of gradients"),
            caption="alignment_curves",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/alignment_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/alignment_curves/{dataset}.tsv"
    params:
        arguments=by_dataset(Plan.study_arguments),
    message:
        "Draw the cosines of the regularizers' gradients and that of the data"


rule embedding_summary:
    input:
        section=section_of("embedding", "config/spheres.yaml"),
        quality=embeddings(PLAN.embedded, "parquet"),
        published=published_embeddings(),
        code=code_of("workflow/scripts/evidence/embedding_summary.py"),
    output:
        values="results/{dataset}/studies/embedding/quality.csv",
        summary="results/{dataset}/studies/embedding/summary.csv",
        effects="results/{dataset}/studies/embedding/quality_effects.csv",
    log:
        "results/logs/embedding_summary/{dataset}.log",
    benchmark:
        "results/benchmarks/embedding_summary/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.embedding_summary),
    message:
        "Compare the quality of embeddings with published values, and models with their baselines"
    script:
        "../scripts/evidence/embedding_summary.py"


use rule notebook as embedding_quality with:
    input:
        notebook=in_clone("notebooks/embedding_quality.ipynb"),
        embeddings=embeddings(PLAN.embedded_first, "npz"),
        summary="results/{dataset}/studies/embedding/summary.csv",
        effects="results/{dataset}/studies/embedding/quality_effects.csv",
        code=code_of("notebooks/embedding_quality.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/embedding_quality", "executed notebook, with the tables"),
            figure("results/{dataset}/figures/embeddings", "embeddings of the test"),
            table("results/{dataset}/tables/embedding_quality", "quality of embeddings"),
            caption="embedding_quality",
            category="Evidence",
            row="evidence",
            model="all",
        ),
    log:
        "results/logs/embedding_quality/{dataset}.log",
    benchmark:
        "results/benchmarks/embedding_quality/{dataset}.tsv"
    params:
        arguments=canonical({"methods": [name for name, _ in PLAN.embedded_first], "seed": PLAN.seeds[0]}),
    message:
        "Draw embeddings of the test and tabulate their quality"
