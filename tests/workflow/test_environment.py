"""What the rules run in: the same versions everywhere, and no way for foreign code to get in."""

import re
import tomllib

import pytest
import yaml
from conftest import ROOT

# Some packages are locked twice, for an older and a newer Python.
LOCKED = set(re.findall(r"^[a-z0-9.-]+==[^ ]+", (ROOT / "requirements.lock").read_text(), re.M))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = {
    re.match(r"[\w-]+", entry)[0]
    for entry in PROJECT["dependencies"] + EXTRAS["high-degrees"] + EXTRAS["workflow"]
} - {"snakemake", "pygments", "torchrips"}  # outside the rules' environment, and what the clone itself holds
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
SOURCES = [path for room in ("src", "workflow") for path in (ROOT / room).rglob("*.py")]
SOURCES += (ROOT / "notebooks").glob("*.ipynb")
RULES = [ROOT / "Snakefile", ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.name)
def test_conda_environments_pin_the_versions_of_the_lock_file(file):
    conda, pip = [], []
    for entry in yaml.safe_load(file.read_text())["dependencies"]:
        (pip if isinstance(entry, dict) else conda).extend(
            entry["pip"] if isinstance(entry, dict) else [entry]
        )
    assert set(pip) <= LOCKED
    assert {entry.split("==")[0] for entry in pip} >= NEEDED
    assert all(re.fullmatch(r"python=3\.\d+|pip", entry) for entry in conda)


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_nothing_that_is_read_can_carry_code(file):
    """Pickles are refused: torch loads weights only, numpy's allow_pickle stays False."""
    text = file.read_text()
    assert "allow_pickle=True" not in text
    assert not re.search(r"import pickle|read_pickle|yaml\.load\(", text)
    assert text.count("torch.load(") == len(re.findall(r"torch\.load\([^)]*weights_only=True", text))


@pytest.mark.parametrize("file", [*RULES, *SOURCES], ids=lambda file: file.name)
def test_no_shell_reads_the_configuration(file):
    assert not re.search(r"^ +(shell|run):$|\bshell\(|shell=True|os\.system", file.read_text(), re.M)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_executed_notebooks_are_no_logs(file):
    """Snakemake prints the logs of a failed job, and a notebook is thousands of lines of JSON."""
    assert not re.search(r"\.ipynb\"", re.sub(r"\"notebooks/\w+\.ipynb\"", "", file.read_text()))
