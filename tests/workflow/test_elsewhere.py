"""Other folders and machines. The end-to-end test meets more of them: see `Workspace.circumstances`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT, loaded
from snakemake.exceptions import WorkflowError
from snakemake.io import get_flag_value, is_flagged
from snakemake.shell import shell

from topogen import provenance


@pytest.fixture(scope="module")
def clone(repository):
    return repository()


@pytest.fixture(scope="module")
def elsewhere(clone, tmp_path_factory):
    """The workflow as --directory or --snakefile finds it, on a machine with 8 GB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "memory", lambda: 8 * 10**9)
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield loaded(snakefile=clone / "Snakefile")


def outputs(workflow):
    return {rule.name: list(rule.output) for rule in workflow.rules if rule.output}


def test_a_run_in_another_folder_takes_the_code_of_the_clone(clone, elsewhere):
    for rule in elsewhere.rules:
        files = [path for name, path in rule.input.items() if name in ("code", "notebook")]
        for file in [path for part in files for path in ([part] if isinstance(part, str) else part)]:
            assert Path(file).is_relative_to(clone)
            assert Path(file).is_file()
        assert all(file.startswith("results/") for file in rule.output)
    stored = elsewhere.globals["stored_controls"](SimpleNamespace(dataset="FashionMNIST"))
    assert all(Path(file).is_file() for file in stored)


def test_a_run_takes_no_more_memory_than_there_is(elsewhere):
    assert elsewhere.global_resources["mem_mb"].value == 8000


def test_jobs_find_the_packages_in_an_environment_without_them(clone, elsewhere):
    """--sdm conda takes PYTHONPATH from its jobs; each of their commands begins with this one."""
    program = "import topogen, torchrips; print(topogen.__file__, torchrips.__file__)"
    for path in ({}, {"PYTHONPATH": "another"}):
        found = subprocess.run(
            ["bash", "-c", f'{shell._process_prefix} "{sys.prefix}/bin/python" -c "{program}"'],
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.count(str(clone / "src")) == 2


def test_the_workflow_is_found_where_catalogs_look_for_it(clone, elsewhere, monkeypatch):
    monkeypatch.chdir(clone)
    there = loaded(snakefile=Path("workflow/Snakefile"))
    assert outputs(there) == outputs(elsewhere)
    assert there.default_target == elsewhere.default_target == "all"


def test_rules_without_their_code_say_what_is_missing(clone, tmp_path):
    """As a catalog's tool would deploy them: the folder `workflow` alone."""
    shutil.copytree(clone / "workflow", tmp_path / "workflow")
    with pytest.raises(WorkflowError, match="src/topogen is missing: this workflow runs in a clone"):
        loaded(snakefile=tmp_path / "workflow/Snakefile")


def test_a_file_on_top_can_take_keys_away(clone, tmp_path, monkeypatch):
    monkeypatch.chdir(clone)
    top = tmp_path / "top.yaml"
    top.write_text(
        "models: {TopoVAE1-15-run: null}\n"
        "comparisons: {significance: null}\n"
        "controls: {significance_comparison: defined}\n"
    )
    assert "TopoVAE1-15-run" not in loaded(top).config["models"]
    with pytest.raises(WorkflowError, match="'dataset' is a required property"):
        loaded(top, replace_workflow_config=True)


def made_by(workflow):
    """Rules of which `all` asks for a product."""
    files = workflow.globals["TARGETS"]["all"]
    return {rule.name for rule in workflow.rules for path in rule.output if any(map(path.match, files))}


def test_the_demo_shows_every_kind_of_figure_and_table_and_says_what_it_is(clone, elsewhere, monkeypatch):
    monkeypatch.chdir(clone)
    demo = loaded(Path("config/demo.yaml"))
    assert made_by(demo) == made_by(elsewhere)
    labels = [
        get_flag_value(path, "report").labels
        for rule in demo.rules
        for path in rule.output
        if is_flagged(path, "report")
    ]
    assert labels
    assert all(callable(label) or "proves nothing" in label["notice"] for label in labels)


def test_make_finds_a_place_for_caches_if_the_home_cannot_be_written():
    told = subprocess.run(
        ["make", "--dry-run", "--print-data-base", "clean"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"XDG_CACHE_HOME := {ROOT}/.snakemake/cache\n" in told.stdout
