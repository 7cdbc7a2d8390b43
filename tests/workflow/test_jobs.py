"""No job's parameters change unless somebody means it: a change makes finished results old."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import loaded
from jobs import FILES, built, golden
from snakemake.exceptions import WorkflowError


@pytest.fixture(scope="module")
def copy_of_repository(repository):
    return repository()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_job_has_the_parameters_that_are_listed(copy_of_repository, monkeypatch, file):
    monkeypatch.chdir(copy_of_repository)
    expected, found = file.read_text().splitlines(), golden(FILES[file]).splitlines()
    if expected[0] != found[0]:
        pytest.skip(
            "another configuration than the listed one; to list its jobs: python tests/workflow/jobs.py"
        )
    listed = {json.loads(line)["rule"] for line in expected[1:]}  # a new rule makes no result old
    assert [line for line in found[1:] if json.loads(line)["rule"] in listed] == expected[1:]


OVERRIDES = {
    "training": {"batch_size": 64, "learning_rate": 0.5, "threads": 2},
    "statistics": {"confidence": 0.9, "margin": 0.5, "power": 0.7},
    "evaluation": {"monitored": 100, "neighbours": 3, "components": 16, "shown": ["bce"]},
}


# Rules whose scripts use training.threads; measure_step_times has all cores to itself.
TORCH = ["train", "compare_gradients", "classifier", "prepare_test_set", "evaluate", "embed_by_model"]


def parameters_and_targets(*datasets):
    """By dataset, every parameter of the rules that make something of it; and the targets of the run.

    Digits override much, and all studies are configured. Read at once: the next run that is loaded in this
    process replaces the functions of the one before.
    """
    content = {"dataset": list(datasets), "datasets": {"digits": OVERRIDES}}
    Path("both.yaml").write_text(json.dumps(content))
    studies = [Path("config/alignment.yaml"), Path("config/detection.yaml")]
    workflow = loaded(*studies, Path("both.yaml"))
    model, *_ = workflow.config["figures"]["images"]
    names = {"model": model, "seed": "1", "step": "50", "comparison": "defined", "order": "A", "full": ""}
    names |= {"sweep": next(iter(workflow.config["sweeps"])), "size": "32"}
    parameters = {
        dataset: {
            (rule.name, name): value(SimpleNamespace(**names, dataset=dataset)) if callable(value) else value
            for rule in workflow.rules
            if any("{dataset}" in file for file in rule.output)
            for name, value in rule.params.items()
        }
        for dataset in datasets
    }
    return parameters, workflow.globals["TARGETS"]


def test_a_job_has_the_parameters_of_its_dataset_whichever_stands_first(copy_of_repository, monkeypatch):
    """Each dataset is made as in a run of it alone; what belongs to none is made once."""
    monkeypatch.chdir(copy_of_repository)
    parameters, targets = parameters_and_targets("FashionMNIST", "digits")
    assert parameters["digits"] == parameters_and_targets("digits")[0]["digits"]
    assert parameters["FashionMNIST"] == parameters_and_targets("FashionMNIST")[0]["FashionMNIST"]
    assert set(targets["claims_by_dataset"]) <= set(targets["verdict"]) & set(targets["all"])
    assert len(set(targets["all"])) == len(targets["all"])
    first, second = (
        {path.replace(dataset, "DATASET") for path in targets["all"] if dataset in path}
        for dataset in parameters
    )
    assert first == second


def test_a_job_asks_for_as_many_threads_as_it_tells_torch_to_use(copy_of_repository, monkeypatch):
    """Or several trainings at a time would take more cores than the run has."""
    monkeypatch.chdir(copy_of_repository)
    content = {"dataset": ["FashionMNIST", "digits"], "datasets": {"digits": OVERRIDES}}
    Path("threads.yaml").write_text(json.dumps(content))
    workflow = loaded(Path("config/alignment.yaml"), Path("config/spheres.yaml"), Path("threads.yaml"))
    for name in TORCH:
        rule = workflow.get_rule(name)
        for dataset, threads in (("FashionMNIST", 1), ("digits", 2)):
            job = SimpleNamespace(dataset=dataset, model="VAE0", seed="1", full="")
            assert json.loads(dict(rule.params.items())["spec"](job))["threads"] == threads
            assert rule.resources["_cores"].evaluate(job).value == threads


def test_a_run_says_first_what_it_takes(copy_of_repository, monkeypatch, caplog):
    monkeypatch.chdir(copy_of_repository)
    workflow = built([Path("tests/workflow/tiny.yaml")])
    workflow.globals["announce_sweeps"]()
    assert "Sweep tuning: 100 trainings of 100 steps; no earlier one tells how long they take." in caplog.text
    monkeypatch.setitem(workflow.globals, "training_times", lambda *_: {"Placebo1": [11.0, 13.0]})
    workflow.globals["announce_sweeps"]()
    assert "Sweep tuning: 100 trainings, about 20 minutes one after another." in caplog.text

    models = [job.wildcards.model for job in workflow.dag.needrun_jobs() if job.rule.name == "train"]
    monkeypatch.setitem(workflow.globals, "training_times", lambda *_: {model: [30.0] for model in models})
    workflow.globals["announce_run"]()
    minutes = -(-len(models) // 2)
    said = f"This run: {len(models)} trainings, about {minutes} minutes one after another; disk: no earlier"
    assert said in caplog.text


def test_a_training_that_is_too_short_stops_the_run_before_any_job(copy_of_repository, monkeypatch):
    monkeypatch.chdir(copy_of_repository)
    workflow = built([Path("tests/workflow/tiny.yaml")])
    workflow.globals["check_trainings_are_long_enough"]()
    monkeypatch.setitem(workflow.globals, "training_images", lambda *_: 8)
    with pytest.raises(WorkflowError, match=r"config: models.* \[1\]: the steps of the training are 0 to 0"):
        workflow.globals["check_trainings_are_long_enough"]()


def test_published_values_that_cannot_be_used_stop_the_run_before_any_job(copy_of_repository, monkeypatch):
    """And not its last job, after all trainings."""
    monkeypatch.chdir(copy_of_repository)
    Path("published.yaml").write_text(json.dumps({"embedding": {"published": "values.csv"}}))
    values = Path("values.csv")
    values.write_text("dataset,model,measure,value,runs\nspheres,TopoAE,KL_1,0.1,1\n")
    workflow = built([Path("config/spheres.yaml"), Path("published.yaml")], {"embedding"})
    workflow.globals["check_published_embeddings"]()
    values.write_text(values.read_text().replace("KL_1", "KL_2"))
    with pytest.raises(WorkflowError, match=r"embedding.published: .*values.csv: unknown measure 'KL_2'"):
        workflow.globals["check_published_embeddings"]()
