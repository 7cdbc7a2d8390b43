"""No job's parameters change unless somebody means it: a change makes finished results old."""

import json
from pathlib import Path

import pytest
from jobs import FILES, built, golden


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
