"""What the front pages show in Python runs as it stands, and their numbers are those of the pages behind."""

import re
from collections import Counter
from pathlib import Path

import pytest
import torch
import yaml

from torchrips import __version__

ROOT = Path(__file__).parents[1]
README, LAYER = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/layer.md"))
EXAMPLE, *OTHERS = re.findall(r"```python\n(.*?)```", LAYER, re.S)
FAULTS = ("wrong value", "wrong gradient"), ("NaN",), ("error", "no error")


def rows(text):
    """Cells of the Markdown tables of a text, without the lines below their heads."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" *") for cell in line] for line in lines if set("".join(line)) - set("- ")]


def section(page, title):
    return (ROOT / "docs" / page).read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_readme_shows_the_example_of_the_layer():
    assert f"```python\n{EXAMPLE}```" in README


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize("example", [EXAMPLE, *OTHERS])
def test_the_examples_are_short(example):
    assert (
        len([line for line in example.splitlines() if line and not line.startswith(("import", "from"))]) <= 10
    )


@pytest.mark.parametrize("example", OTHERS, ids=range(len(OTHERS)))
def test_the_examples_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    exec(example, {})


def test_the_example_opens_a_loop():
    torch.manual_seed(0)
    last = {}
    exec(EXAMPLE, last)
    torch.manual_seed(0)
    first = {}
    exec(EXAMPLE.replace("range(200)", "range(1)"), first)
    longest, at_first = ((names["loops"][:, 1] - names["loops"][:, 0]).max() for names in (last, first))
    assert longest > 5 * at_first


def test_times_of_the_layer_are_those_of_the_benchmark():
    (_, *shown), all_rows = (
        rows(section("layer.md", "How fast it is")),
        rows(section("benchmark.md", "FashionMNIST")),
    )
    assert shown
    assert all(row in all_rows for row in shown)


def test_counts_of_right_answers_are_those_of_the_cases():
    answers = (ROOT / "docs/conformance.md").read_text(encoding="utf-8").split("## Faults")[0]
    _, *libraries = zip(*rows(answers), strict=True)
    counted = []
    for _, *verdicts in libraries:
        count = Counter(verdicts)
        asked = len(verdicts) - count["-"]
        counted.append([asked, count["passed"], *(sum(count[name] for name in names) for names in FAULTS)])
    _, *shown = rows(section("layer.md", "Is it right?"))
    assert [[int(number) for number in row[1:]] for row in shown] == counted


def test_the_citation_and_the_changelog_name_the_version_of_the_package():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == __version__
    assert __version__ in re.findall(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[0]


PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
