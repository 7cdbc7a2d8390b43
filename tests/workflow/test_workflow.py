"""The whole workflow on a tiny configuration, and what an edit makes it run again."""

import json
import re
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, loaded
from jobs import built

MODELS = {"VAE0", "TopoVAE1", "TopoVAE2", "TopoVAE3", "TopoVAE4", "VAE0-Z1", "TopoVAE-Z1"}
SHORT = {"VAE0-run", "VAE0-other-draws", "TopoVAE3-run", "TopoVAE4-scaled"}
RESULTS = "results/MNIST"


def test_all_products_exist_and_notebooks_ran(finished, monkeypatch):
    monkeypatch.chdir(finished.folder)
    products = set(loaded(Path("tiny.yaml")).globals["TARGETS"]["all"])
    shown = [path for part in ("figures", "tables") for path in Path("results").glob(f"**/{part}/*")]
    pages = [*Path("results").glob("**/notebooks/*.html")]
    assert {str(path) for path in [*shown, *pages]} == products
    assert all(page.stat().st_size > 10_000 for page in pages)
    for page in pages:
        cells = json.loads(page.with_suffix(".ipynb").read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert all(cell["execution_count"] for cell in code), page
        assert "parameters" in str(code[1]["metadata"]["tags"]), page


def test_a_hostile_text_of_the_configuration_is_shown_and_runs_nothing(finished):
    notice = finished.config["notice"]
    assert "$(touch pwned)" in notice
    assert "1 < 2 & " in notice
    assert not list(finished.folder.rglob("pwned"))
    for page in finished.results.glob("notebooks/*.html"):
        text = page.read_text(encoding="utf-8")
        assert "$(touch pwned)" in text
        assert "1 &lt; 2 &amp; " in text


def test_the_checks_of_the_theory_are_reported(finished):
    tables = finished.folder / "results/theory/tables"
    stability = pd.read_csv(tables / "stability.csv")
    assert len(stability) == 4 * 2  # ways to move, degrees
    assert not stability[["above sqrt(2)", "2 or more"]].to_numpy().any()
    gradients = pd.read_csv(tables / "gradients.csv")
    assert (gradients["agree (%)"] == 100).all()
    assert set(pd.read_csv(tables / "exceptions.csv")["regularizer"]) == set(gradients["regularizer"])


def test_the_experiments_are_reported(finished):
    results = finished.folder / "results/synthetic"
    experiments = {path.stem for path in (results / "pointclouds").iterdir()}
    assert set(pd.read_csv(results / "tables/half_loss.csv")["experiment"]) == experiments
    assert set(pd.read_csv(results / "tables/mode_collapse.csv")["seeds"]) == {2}
    damage = finished.folder / RESULTS / "synthetic"
    moved = pd.read_csv(damage / "tables/moved_images.csv").set_index("regularizer")
    assert moved.loc["bottleneck_0", "most"] <= 2


def test_table_agrees_with_the_histories(finished):
    results = finished.folder / RESULTS

    def bce(model, seed):
        history = pd.read_parquet(results / f"runs/{model}/{seed}/history.parquet")
        return history.set_index("step")["bce"]

    r = [100 * (1 - bce("TopoVAE3", seed)[2] / bce("VAE0", seed)[2]) for seed in (1, 2)]
    table = pd.read_csv(results / "tables/table1.csv").set_index("model")
    rows = ["VAE0", "TopoVAE1", "TopoVAE2", "TopoVAE3", "TopoVAE4", "TopoVAE4, scaled"]
    assert list(table.index) == rows
    expected = f"{np.mean(r):z.2f} (too few seeds for an interval)"
    assert table.loc["TopoVAE3", "r(2), as defined (%)"] == expected
    assert {f"r({step}), as defined (%)" for step in (1, 3)} <= set(table.columns)  # 3 is the last step
    assert table["r(2), as run (%)"].notna().tolist() == [row == "TopoVAE3" for row in rows]
    for form in ("md", "tex"):
        assert expected in (results / f"tables/table1.{form}").read_text()


def test_every_effect_stands_under_the_heading_of_its_comparison(finished):
    effects = pd.read_csv(finished.folder / RESULTS / "tables/effects.csv")
    models = effects.groupby("comparison")["model"].apply(set).to_dict()
    assert models == {
        "as defined": {"TopoVAE1", "TopoVAE2", "TopoVAE3", "TopoVAE4"},
        "as run": {"TopoVAE3-run"},
        "without regularizer": {"VAE0-other-draws"},
        "as run, paired": {"TopoVAE3-run"},
        "as defined, gradients as large as run": {"TopoVAE4-scaled"},
    }
    verdicts = pd.read_csv(finished.folder / RESULTS / "tables/verdicts.csv", keep_default_na=False)
    decay = verdicts[verdicts["claim"].str.startswith("faster decay")].set_index("model")
    interval = "mean, 95 % interval (sign flips)"
    assert "n = 2" in decay.loc["TopoVAE3", f"as run, paired: {interval}"]
    assert len(set(decay[f"without regularizer: {interval}"])) == 1  # one control beside all four
    assert decay.loc["TopoVAE2", f"as run: {interval}"] == ""


def test_costs_are_those_of_the_runs(finished):
    table = pd.read_csv(finished.folder / RESULTS / "tables/cost.csv", dtype=str).set_index("model")
    assert set(table.index) == MODELS
    assert set(table["trainings"]) == {"2"}
    assert table.loc["TopoVAE1", "slowdown, thesis"] == f"{7.1 / 1.5:.2f}"
    assert pd.isna(table.loc["VAE0", "slowdown, ours"])


def test_the_run_leaves_its_provenance(finished):
    facts = json.loads((finished.folder / "results/provenance.json").read_text())
    assert facts["failed"] is False
    assert facts["seeds"] == facts["config"]["seeds"] == [1, 2]
    known = finished.config["datasets"]["MNIST"]["md5"]
    assert facts["datasets"] == {f"resources/MNIST/raw/{name}": md5[0] for name, md5 in known.items()}
    assert {"snakemake", "torch", "gudhi"} <= set(facts["packages"])
    assert facts["git"] is None  # the copy of the repository is none


def test_a_model_and_its_baseline_start_as_clones(finished):
    ours, theirs = (
        np.load(finished.folder / RESULTS / f"runs/{model}/1/latents.npz") for model in ("TopoVAE3", "VAE0")
    )
    np.testing.assert_array_equal(ours["z_before"], theirs["z_before"])
    assert (ours["z_after"] != theirs["z_after"]).any()


def test_the_held_out_table_agrees_with_the_evaluations(finished):
    results = finished.folder / RESULTS

    def bce(model, seed):
        table = pd.read_parquet(results / f"evaluation/{model}/{seed}.parquet")
        assert set(table["step"]) == {1, 4}  # four batches: the end
        return table.set_index(["step", "metric"])["value"][4, "bce"]

    gain = np.mean([bce("TopoVAE3", seed) - bce("VAE0", seed) for seed in (1, 2)])
    table = pd.read_csv(results / "tables/held_out.csv")
    assert set(table["step"]) == {1, 4}
    table = table[table["step"] == 4].set_index(["metric", "model"])
    shown, interval = table.loc[("bce", "TopoVAE3"), "minus baseline"].split(" ", 1)
    decimals = len(shown.split(".")[1])
    assert shown == f"{gain:+z.{decimals}f}"
    assert decimals >= 4
    assert interval.startswith("[")
    assert {model for _, model in table.index} == MODELS
    assert 0 <= json.loads((results / "classifier/accuracy.json").read_text())["test_accuracy"] <= 1


# Which jobs an edit makes Snakemake run again.

VERDICTS = {"verdicts", "verdict_table"}
EFFECTS = VERDICTS | {"replication", "gradient_sizes", "spike_in", "calibration"}
EFFECTS |= {"improvement", "bce_curves", "improvement_curves", "table_1"}
AFTER_TRAINING = EFFECTS | {"step_costs", "cost"}
REPLAY = {"replay_means", "replay"}  # of the models as run
EVALUATION = VERDICTS | {"evaluate", "held_out_means", "held_out_table", "prior_samples"}


@contextmanager
def edited(path, change):
    """Meanwhile, a text is another."""
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before
    try:
        yield
    finally:
        path.write_text(before)


def configured(space, change):
    """Meanwhile, the content of config.yaml is another."""

    def rewrite(text):
        config = yaml.safe_load(text)
        change(config)
        return yaml.safe_dump(config, sort_keys=False)

    return edited(space.folder / "config.yaml", rewrite)


def test_a_finished_run_has_nothing_to_do(finished):
    assert finished.planned() == (Counter(), set())


def test_a_weight_reruns_its_model_and_what_aggregates_it(finished):
    def change(config):
        config["models"]["TopoVAE2"]["regularizers"][1]["weight"] = 4

    with configured(finished, change):
        rules, runs = finished.planned()
    assert runs == {("TopoVAE2", "1"), ("TopoVAE2", "2")}
    assert set(rules) == AFTER_TRAINING | EVALUATION | {"train", "measure_step_times", "image_comparison"}
    assert rules["evaluate"] == 2
    assert rules["image_comparison"] == 1


def test_swapped_parameters_are_a_change(finished):
    def change(config):
        config["models"]["TopoVAE4"]["regularizers"][0]["parameters"] |= {"stop": 30, "points": 15}

    with configured(finished, change):
        assert finished.planned()[1] == {("TopoVAE4", "1"), ("TopoVAE4", "2")}


def test_another_spelling_of_a_number_is_no_change(finished):
    def change(config):
        config["models"]["TopoVAE1"]["regularizers"][0]["weight"] = 5.0

    with configured(finished, change):
        assert finished.planned() == (Counter(), set())


def test_a_seed_trains_only_that_seed(finished):
    with edited(
        finished.folder / "tiny.yaml", lambda text: text.replace("seeds:\n- 1\n- 2", "seeds:\n- 1\n- 2\n- 3")
    ):
        rules, runs = finished.planned()
    assert runs == {(model, "3") for model in MODELS | SHORT}
    # The pictures show the first seed.
    assert set(rules) == AFTER_TRAINING | REPLAY | EVALUATION - {"prior_samples"} | {"train"}


def test_a_model_is_added_by_the_configuration_alone(finished):
    def change(config):
        push = {"name": "push", "degree": 1, "weight": 1}
        config["models"]["Pushed"] = {"latent_dim": 10, "baseline": "VAE0", "regularizers": [push]}
        config["comparisons"]["defined"]["models"].insert(0, "Pushed")

    with configured(finished, change):
        rules, runs = finished.planned()
    assert runs == {("Pushed", "1"), ("Pushed", "2")}
    assert set(rules) == AFTER_TRAINING | EVALUATION | {"train", "measure_step_times"}


@pytest.fixture(scope="module")
def graph(finished):
    """The jobs of `all`, and which of them need which."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(finished.folder)
        return built([Path("tiny.yaml")], targets={"all"}).dag


def rules_of(jobs):
    return {job.rule.name for job in jobs} - {"all"}


def test_the_picture_of_the_rules_shows_those_of_today(graph):
    """If not: make rulegraph."""
    picture = (ROOT / "docs/rulegraph.svg").read_text(encoding="utf-8")
    assert set(re.findall(r">(\w+)</text>", picture)) == rules_of(graph.jobs)


def rerun_by(graph, module):
    """Rules of the jobs that read a module, and of all that follow from them: what its edit runs again."""
    return rules_of(graph.bfs(graph.depending, *(job for job in graph.jobs if module in job.input)))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (
            "plotting/curves.py",
            {"bce_curves", "improvement_curves", "latent_curves"}
            | {"replication", "replay", "gradient_sizes", "calibration"},
        ),
        ("evaluation/metrics.py", VERDICTS | {"held_out_table", "prior_samples"}),
        ("evidence/effects.py", EFFECTS | REPLAY),
        ("evidence/claims.py", VERDICTS),
        ("evidence/calibration.py", {"spike_in", "calibration"}),
        ("evaluation/held_out.py", EVALUATION | {"prepare_test_set"}),
        ("evidence/improvement.py", EFFECTS | REPLAY | {"held_out_means", "held_out_table"}),
        ("theory/differentiability.py", VERDICTS | {"gradients", "gradient_checks"}),
        ("synthetic/pointclouds.py", {"pointclouds", "point_cloud_descent", "half_loss"}),
        ("synthetic/gan.py", {"gan", "modes_covered"}),
        (
            "models/vae.py",
            AFTER_TRAINING
            | REPLAY
            | EVALUATION
            | {"train", "measure_step_times", "image_comparison", "latent_curves", "latent_scatter"}
            | {"forward_pass", "working_principle"},
        ),
    ],
)
def test_a_module_reruns_the_rules_that_use_it(graph, module, expected):
    assert rerun_by(graph, f"src/topogen/{module}") == expected


def test_how_files_are_written_concerns_every_rule(graph):
    assert rerun_by(graph, "src/topogen/files.py") == rules_of(graph.jobs)


@pytest.mark.parametrize("module", ["src/topogen/evaluation/held_out.py", "src/torchrips/engine.py"])
def test_snakemake_reruns_the_jobs_that_read_an_edited_module_and_what_follows(finished, graph, module):
    with edited(finished.folder / module, lambda text: text + "\n# edited\n"):
        assert set(finished.planned()[0]) == rerun_by(graph, module)


def test_the_engine_concerns_every_rule_but_those_of_the_data(graph):
    unconcerned = {"download", "prepare", "classifier"}
    assert rerun_by(graph, "src/torchrips/engine.py") == rules_of(graph.jobs) - unconcerned
