# Experiments on made-up data, and damaged batches.


rule pointclouds:
    input:
        code=code_of("workflow/scripts/synthetic/pointclouds.py"),
    output:
        descents=expand("results/synthetic/pointclouds/{experiment}.npz", experiment=EXPERIMENTS),
        halves="results/synthetic/half_loss.parquet",
    log:
        "results/logs/pointclouds/synthetic.log",
    benchmark:
        "results/benchmarks/pointclouds/synthetic.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=canonical({"seed": config["synthetic"]["seed"], **config["synthetic"]["pointclouds"]}),
    message:
        "Move point clouds by gradient descent on topological losses"
    script:
        "../scripts/synthetic/pointclouds.py"


rule damage:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        code=code_of("workflow/scripts/synthetic/damage.py"),
    output:
        changes="results/{dataset}/synthetic/damage_changes.parquet",
        noticed="results/{dataset}/synthetic/damage_noticed.parquet",
        moved="results/{dataset}/synthetic/moved_images.parquet",
        one_class="results/{dataset}/synthetic/one_class.npz",
    log:
        "results/logs/damage/{dataset}.log",
    benchmark:
        "results/benchmarks/damage/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=by_dataset(Plan.damage),
    message:
        "Measure how regularizers respond to damaged batches of {wildcards.dataset}"
    script:
        "../scripts/synthetic/damage.py"


rule gan:
    input:
        code=code_of("workflow/scripts/synthetic/gan.py"),
    output:
        seeds="results/synthetic/gan/seeds.parquet",
        curves="results/synthetic/gan/curves.parquet",
        effects="results/synthetic/gan/effects.parquet",
        samples="results/synthetic/gan/samples.parquet",
    log:
        "results/logs/gan/synthetic.log",
    benchmark:
        "results/benchmarks/gan/synthetic.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(20),
    params:
        spec=canonical(PLAN.gans()),
    message:
        "Train GANs on a ring of Gaussians, plain and with remedies"
    script:
        "../scripts/synthetic/gan.py"


rule gan_tuning:
    input:
        code=code_of("workflow/scripts/synthetic/gan_study.py"),
    output:
        measures="results/synthetic/gan/tuning/{variant}/{strength}.parquet",
        samples="results/synthetic/gan/tuning/{variant}/{strength}.npy",
    log:
        "results/logs/gan_tuning/{variant}-{strength}.log",
    benchmark:
        "results/benchmarks/gan_tuning/{variant}-{strength}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(30),
    params:
        spec=gan_tuning_spec,
    message:
        "Train GANs of the variant {wildcards.variant} at strength {wildcards.strength}"
    script:
        "../scripts/synthetic/gan_study.py"


rule gan_study:
    input:
        tuning=tunings_of_gan,
        code=code_of("workflow/scripts/synthetic/gan_study.py"),
    output:
        measures="results/synthetic/gan/study/{variant}.parquet",
        samples="results/synthetic/gan/study/{variant}.npy",
    log:
        "results/logs/gan_study/{variant}.log",
    benchmark:
        "results/benchmarks/gan_study/{variant}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(60),
    params:
        spec=gan_study_spec,
    message:
        "Train GANs of the variant {wildcards.variant} at its best strength"
    script:
        "../scripts/synthetic/gan_study.py"


rule gan_comparison:
    input:
        measures=expand("results/synthetic/gan/study/{variant}.parquet", variant=PLAN.gan_variants()),
        samples=expand("results/synthetic/gan/study/{variant}.npy", variant=PLAN.gan_variants()),
        tuning=[file for variant in PLAN.gan_variants() for file in tunings(variant)],
        code=code_of("workflow/scripts/synthetic/gan_comparison.py"),
    output:
        seeds="results/synthetic/mode_collapse/seeds.csv",
        curves="results/synthetic/mode_collapse/curves.csv",
        effects="results/synthetic/mode_collapse/effects.csv",
        samples="results/synthetic/mode_collapse/samples.csv",
        tuning="results/synthetic/mode_collapse/tuning.csv",
    log:
        "results/logs/gan_comparison/synthetic.log",
    benchmark:
        "results/benchmarks/gan_comparison/synthetic.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1500),
        runtime=more_on_retry(10),
    params:
        spec=canonical(
            {
                "ring": config["synthetic"]["gan"]["ring"],
                "confidence": config["statistics"]["confidence"],
            }
        ),
    message:
        "Compare the GANs of the study"
    script:
        "../scripts/synthetic/gan_comparison.py"


use rule notebook as point_cloud_descent with:
    input:
        notebook=in_clone("notebooks/point_cloud_descent.ipynb"),
        descent="results/synthetic/pointclouds/{experiment}.npz",
        code=code_of("notebooks/point_cloud_descent.ipynb"),
    output:
        **in_report(
            page("results/synthetic/notebooks/pointclouds_{experiment}", "executed notebook: {experiment}"),
            figure("results/synthetic/figures/pointclouds_{experiment}", "{experiment}"),
            animation("results/synthetic/figures/pointclouds_{experiment}", "{experiment}, animated"),
            caption="point_cloud_descent",
            category="Theory",
            row="point clouds",
        ),
    log:
        "results/logs/point_cloud_descent/{experiment}.log",
    benchmark:
        "results/benchmarks/point_cloud_descent/{experiment}.tsv"
    message:
        "Draw the descent of a point cloud: {wildcards.experiment}"


use rule notebook as half_loss with:
    input:
        notebook=in_clone("notebooks/half_loss.ipynb"),
        halves="results/synthetic/half_loss.parquet",
        code=code_of("notebooks/half_loss.ipynb"),
    output:
        **in_report(
            page("results/synthetic/notebooks/half_loss", "executed notebook, with the table"),
            table("results/synthetic/tables/half_loss", "steps to half of the loss, as CSV"),
            caption="half_loss",
            category="Theory",
            row="point clouds",
        ),
    log:
        "results/logs/half_loss/synthetic.log",
    benchmark:
        "results/benchmarks/half_loss/synthetic.tsv"
    message:
        "Tabulate the steps after which the losses of the point clouds have halved"


use rule notebook as damage_map with:
    input:
        notebook=in_clone("notebooks/damage_map.ipynb"),
        noticed="results/{dataset}/synthetic/damage_noticed.parquet",
        moved="results/{dataset}/synthetic/moved_images.parquet",
        code=code_of("notebooks/damage_map.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/synthetic/notebooks/damage_map", "executed notebook, with the table"),
            figure("results/{dataset}/synthetic/figures/damage", "what regularizers notice"),
            figure("results/{dataset}/synthetic/figures/damage_curves", "change by level", prefix="curves_"),
            table("results/{dataset}/synthetic/tables/moved_images", "images that a gradient moves, as CSV"),
            caption="damage_map",
            category="Theory",
            row="damage",
        ),
    log:
        "results/logs/damage_map/{dataset}.log",
    benchmark:
        "results/benchmarks/damage_map/{dataset}.tsv"
    message:
        "Draw how regularizers respond to damaged batches"


use rule notebook as one_class_batches with:
    input:
        notebook=in_clone("notebooks/one_class_batches.ipynb"),
        batches="results/{dataset}/synthetic/one_class.npz",
        code=code_of("notebooks/one_class_batches.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/synthetic/notebooks/one_class_batches", "executed notebook: one class"),
            figure("results/{dataset}/synthetic/figures/one_class_batches", "diagrams of one class"),
            caption="one_class_batches",
            category="Theory",
            row="damage",
        ),
    log:
        "results/logs/one_class_batches/{dataset}.log",
    benchmark:
        "results/benchmarks/one_class_batches/{dataset}.tsv"
    message:
        "Draw diagrams of batches of one class of {wildcards.dataset}"


use rule notebook as modes_covered with:
    input:
        notebook=in_clone("notebooks/modes_covered.ipynb"),
        seeds="results/synthetic/gan/seeds.parquet",
        curves="results/synthetic/gan/curves.parquet",
        effects="results/synthetic/gan/effects.parquet",
        samples="results/synthetic/gan/samples.parquet",
        stored=stored_gans,
        code=code_of("notebooks/modes_covered.ipynb"),
    output:
        **in_report(
            page("results/synthetic/notebooks/mode_collapse", "executed notebook, with the tables"),
            figure("results/synthetic/figures/mode_collapse", "mode collapse of a GAN"),
            table("results/synthetic/tables/mode_collapse", "modes, samples near one, and MMD, as CSV"),
            caption="modes_covered",
            category="Theory",
            row="F1",
        ),
    log:
        "results/logs/modes_covered/synthetic.log",
    benchmark:
        "results/benchmarks/modes_covered/synthetic.tsv"
    params:
        arguments=canonical({"modes": config["synthetic"]["gan"]["ring"]["modes"]}),
    message:
        "Draw the mode collapse of a GAN, and what remedies it"


rule detect_damage:
    input:
        images="results/{dataset}/images.npy",
        labels="results/{dataset}/labels.npy",
        code=code_of("workflow/scripts/synthetic/detect_damage.py"),
    output:
        areas="results/{dataset}/detection/{size}.parquet",
    log:
        "results/logs/detect_damage/{dataset}-{size}.log",
    benchmark:
        "results/benchmarks/detect_damage/{dataset}-{size}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(2000),
        runtime=more_on_retry(60),
    params:
        spec=by_dataset(Plan.detection),
    message:
        "Tell damaged sets of {wildcards.size} images of {wildcards.dataset} from real ones by distances"
    script:
        "../scripts/synthetic/detect_damage.py"


rule detection_areas:
    input:
        section=section_of("detection", "config/detection.yaml"),
        areas=expand("results/{{dataset}}/detection/{size}.parquet", size=PLAN.detection_sizes),
        code=code_of("workflow/scripts/synthetic/detection_areas.py"),
    output:
        areas="results/{dataset}/studies/detection/areas.csv",
    log:
        "results/logs/detection_areas/{dataset}.log",
    benchmark:
        "results/benchmarks/detection_areas/{dataset}.tsv"
    conda:
        "../../envs/topogen.yaml"
    threads: 1
    resources:
        mem_mb=more_on_retry(1000),
        runtime=more_on_retry(10),
    message:
        "Collect how well distances tell damaged sets of images from real ones"
    script:
        "../scripts/synthetic/detection_areas.py"


use rule notebook as detection_curves with:
    input:
        notebook=in_clone("notebooks/detection_curves.ipynb"),
        areas="results/{dataset}/studies/detection/areas.csv",
        code=code_of("notebooks/detection_curves.ipynb"),
    output:
        **in_report(
            page("results/{dataset}/notebooks/detection_curves", "executed notebook: detection"),
            figure("results/{dataset}/figures/detection", "damaged or real, by size of the cloud"),
            caption="detection_curves",
            category="Theory",
            row="damage",
        ),
    log:
        "results/logs/detection_curves/{dataset}.log",
    benchmark:
        "results/benchmarks/detection_curves/{dataset}.tsv"
    message:
        "Draw how well distances tell damaged sets of images from real ones"
