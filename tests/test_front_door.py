"""What others read of the repository without running it: catalogs, archives, the forge that hosts it."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
FORMS = sorted(
    set((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"}
)
MATRIX = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))["jobs"]


def test_the_workflow_catalog_lists_the_workflow():
    """By its rules for every workflow and for standardized usage; `make lint` runs the same linters."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (ROOT / "workflow/Snakefile").is_file()
    assert list((ROOT / "workflow/rules").glob("*.smk"))
    assert (ROOT / "config/README.md").read_text(encoding="utf-8").startswith("# ")
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert set(usage["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    # Small enough for a job that clones it.
    files = [file for room in ("docs", "src", "tests", "workflow") for file in (ROOT / room).rglob("*")]
    assert sum(file.stat().st_size for file in files if file.suffix not in (".pyc", ".nbi", ".nbc")) < 50e6


def test_an_archive_says_of_the_software_what_the_citation_says():
    archived = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    assert archived["title"] == CITATION["title"]
    assert archived["license"] == CITATION["license"] == PROJECT["license"]
    assert [person["name"] for person in archived["creators"]] == [
        person["name"] for person in CITATION["authors"]
    ]
    assert archived["upload_type"] == CITATION["type"] == "software"


def test_every_version_of_python_is_tested_on_linux_and_macos():
    matrix = MATRIX["test"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}
    known = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert set(known) <= set(matrix["python"])
    assert f">={matrix['python'][0]}" == PROJECT["requires-python"]


def test_the_forge_runs_targets_of_make_that_exist():
    steps = [step["run"] for job in MATRIX.values() for step in job["steps"] if "run" in step]
    asked = {step.removeprefix("make ") for step in steps if step.startswith("make ")}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert asked == {"lint", "check-packages", "check-run", "check-workflow", "demo"}
    assert asked <= set(re.findall(r"^([\w-]+):", makefile, re.M))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_an_issue_form_can_be_filled_in(form):
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(content)
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) > 0
    for field in fields:
        assert field["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert field["attributes"]["label"]
