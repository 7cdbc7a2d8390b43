"""What every rule must have, and that rules, notebooks, captions and targets belong together."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from conftest import ROOT, loaded
from snakemake.exceptions import WorkflowError
from snakemake.io import get_flag_value, is_flagged

from topogen.imports import source_files

RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))
# Rules that run a job, by name: the first word after `rule` or `as`.
NAMES = sorted(
    name
    for file in RULES
    for name in re.findall(r"^(?:rule|use rule \w+ as) (\w+)", file.read_text(), re.M)
    if name != "notebook"  # the pattern of the others
)
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
IN_REPORT = (".html", ".svg", ".gif", ".csv")
BESIDE = {".png": ".svg", ".md": ".csv", ".tex": ".csv"}  # other forms of what is in the report


@pytest.fixture(scope="module")
def workflow(repository):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository())
        yield loaded()


@pytest.fixture(params=NAMES)
def rule(request, workflow):
    return workflow.get_rule(request.param)


def script_of(rule):
    return str((ROOT / "workflow/rules" / rule.script).resolve().relative_to(ROOT))


def parameters(notebook):
    """Source of the cell that papermill fills in."""
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text())["cells"]
    (cell,) = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return "".join(cell["source"])


def test_every_rule_is_listed_here(workflow):
    assert [rule.name for rule in sorted(workflow.rules, key=lambda rule: rule.name) if rule.output] == NAMES


def test_a_run_makes_results_of_its_dataset_only(workflow):
    check = dict(workflow.get_rule("download").input.items())["dataset"]
    assert check(SimpleNamespace(dataset=workflow.config["dataset"])) == []
    with pytest.raises(
        WorkflowError, match=r"results/digits: .* FashionMNIST only; .* write `dataset: digits`"
    ):
        check(SimpleNamespace(dataset="digits"))


def test_a_rule_says_what_it_needs_and_does(rule):
    assert {"mem_mb", "runtime"} <= set(rule.resources)
    assert ("gpu" in rule.resources) == (rule.name in ("train", "measure_step_times", "compare_gradients"))
    assert rule.message
    assert rule.conda_env
    assert f"results/logs/{rule.name}/" in str(rule.log)
    assert f"results/benchmarks/{rule.name}/" in str(rule.benchmark)


@pytest.mark.parametrize(
    ("name", "section"),
    {
        "alignment_effects": "alignment",
        "detection_areas": "detection",
        "embedding_summary": "embedding",
        "predict_metrics": "information",
    }.items(),
)
def test_a_target_whose_section_is_missing_stops_before_any_job(workflow, name, section):
    check = dict(workflow.get_rule(name).input.items())["section"]
    with pytest.raises(WorkflowError, match=f"no section `{section}`; add --configfile config/"):
        check(SimpleNamespace(dataset="FashionMNIST"))


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_a_rule_says_how_many_threads_it_uses(file):
    """In the text: Snakemake does not tell a rule that says 1 from one that says nothing."""
    for name, body in re.findall(r"^rule (\w+):\n((?:(?: .*)?\n)*)", file.read_text(), re.M):
        assert "\n    threads: " in body, name


def test_a_change_of_any_module_that_a_job_uses_runs_it_again(rule):
    inputs = dict(rule.input.items())
    script = script_of(rule)
    assert list(inputs["code"]) == source_files(inputs.get("notebook", script))
    assert set(source_files(script)) <= set(inputs["code"])


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_gets_every_parameter_from_its_rule(workflow, notebook):
    """None has a plausible default that would be used if the rule forgot the parameter."""
    rule = workflow.get_rule(notebook)
    arguments = dict(rule.params.items())["arguments"]
    if callable(arguments):
        (model, entry), *_ = workflow.config["figures"]["images"].items()
        sweep, *_ = workflow.config["sweeps"]
        of_job = {"dataset": workflow.config["dataset"], "model": model, "step": entry["at_steps"][0]}
        arguments = arguments(SimpleNamespace(**of_job, sweep=sweep))
    names = {*dict(rule.input.items()), *dict(rule.output.items())} - {"notebook", "code", "html"}
    assert not names & set(json.loads(arguments))
    expected = {f"{name} = None" for name in names | set(json.loads(arguments))}
    assert set(parameters(notebook).splitlines()) == expected


def test_what_people_read_is_in_the_report(rule):
    captions = set()
    for file in rule.output:
        if not re.search("/(figures|tables|notebooks)/", file):
            assert not is_flagged(file, "report")
        elif (kind := Path(file).suffix) in IN_REPORT:
            entry = get_flag_value(file, "report")
            captions.add(entry.caption.get_filename())
            assert entry.category
            assert callable(entry.labels) or {"row", "figure"} <= set(entry.labels)
        else:
            assert str(Path(file).with_suffix(BESIDE[kind])) in rule.output
    assert captions == ({f"{rule.name}.rst"} if rule.name in NOTEBOOKS else set())


def test_slurm_gets_notebooks_in_groups(workflow):
    """They are the short jobs; a rule that was renamed would be sent job by job without a word."""
    groups = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())["groups"]
    assert set(NOTEBOOKS) <= set(groups) <= set(NAMES)


def test_every_notebook_has_a_rule_a_caption_and_a_target(workflow):
    captions = {path.stem for path in (ROOT / "workflow/report").glob("*.rst")} - {"workflow"}
    with_a_notebook = {rule.name for rule in workflow.rules if "notebook" in dict(rule.input.items())}
    assert with_a_notebook == captions == set(NOTEBOOKS)
    asked_for = [file for files in workflow.globals["TARGETS"].values() for file in files]
    for name in NOTEBOOKS:
        for output in workflow.get_rule(name).output:
            assert any(output.match(file) for file in asked_for), output
