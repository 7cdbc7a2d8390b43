"""The report in a real browser that has no network."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import browser
import pytest

pytestmark = pytest.mark.faults
CATEGORIES = ["Cost", "Evidence", "Table 1", "Theory", "Training"]


@pytest.fixture(scope="module")
def chromium():
    """The program, installed where that can be done."""
    if not browser.chromium() and os.geteuid() == 0 and shutil.which("apt-get"):
        for step in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "--quiet", *step], check=False, capture_output=True)
    if not browser.chromium():
        pytest.skip("no Chromium here, and none can be installed (Debian: apt-get install chromium)")
    return browser.chromium()


@pytest.fixture(scope="module")
def report(finished):
    """The report of the tiny run, one file."""
    made = finished.snakemake("--report", "results/report.html")
    assert made.returncode == 0, made.stdout[-4000:]
    return finished.folder / "results/report.html"


@pytest.fixture
def page(chromium, report, tmp_path):
    """The report, opened, where no other file of the run can be reached."""
    alone = shutil.copy(report, tmp_path / "report.html")
    opened = browser.Browser(chromium, tmp_path / "profile")
    try:
        opened.open(alone)
        opened.wait_for("document.querySelector('#rulegraph canvas, #rulegraph svg') !== null")
        yield opened
        # Whatever was clicked: nothing was asked for but the file itself, and nothing went wrong.
        assert set(opened.requests) <= {alone.as_uri()}
        assert opened.faults == []
    finally:
        opened.close()


def entries(page):
    """Paths of all that the report shows, with kind, category, labels and caption."""
    return page.evaluate(
        """Object.entries(categories).flatMap(([category, groups]) =>
            Object.values(groups).flat().map(path => ({
                path, category, kind: results[path].mime_type, labels: results[path].labels,
                caption: results[path].caption
            }))
        )"""
    )


def click(page, text):
    """Click on what is labelled so."""
    place = f"[...document.querySelectorAll('a')].find(link => link.textContent.trim() === {text!r})"
    page.wait_for(f"{place} !== undefined")
    page.evaluate(f"{place}.click()")


def test_the_front_page_explains_itself(page):
    text = page.evaluate("document.body.innerText")
    assert "A reproduction of the thesis" in text
    for question in ("What was asked.", "What came out.", "Where to look."):
        assert question in text
    assert "{{" not in text
    for category in CATEGORIES:
        assert category in text
    assert "A test: $(touch pwned)" in text
    assert "1 < 2 & " in text


def test_the_front_page_leads_to_the_verdicts(page):
    click(page, "verdicts.csv")
    page.wait_for("document.body.innerText.includes('verdict_table')")


def test_a_table_of_a_notebook_can_be_sorted_and_searched(chromium, finished, tmp_path):
    page = browser.Browser(chromium, tmp_path / "profile")
    page.open(finished.results / "notebooks/verdict_table.html")
    rows = "[...document.querySelectorAll('table')[1].tBodies[0].rows]"
    models = f"{rows}.filter(row => !row.hidden).map(row => row.cells[2].textContent.trim())"
    for turn in (1, -1):
        page.evaluate("document.querySelectorAll('table')[1].tHead.rows[0].cells[2].click()")
        shown = page.evaluate(models)
        assert len(set(shown)) > 1
        assert shown[::turn] == sorted(shown)
    page.evaluate(
        "(() => { const box = document.querySelectorAll('.table-search')[1];"
        "box.value = 'topovae3'; box.dispatchEvent(new Event('input')); })()"
    )
    assert set(page.evaluate(models)) == {"TopoVAE3"}
    assert page.faults == []
    page.close()


def test_workflow_and_run_times_are_drawn(page):
    for name, drawing in (("Statistics", "#runtimes"), ("Workflow", "#rulegraph")):
        click(page, name)
        size = f"document.querySelector('{drawing} canvas, {drawing} svg')?.getBoundingClientRect().width"
        assert page.wait_for(size) > 100
    rules = page.evaluate("runtimes_spec.data.values.map(job => job.rule)")
    assert {"train", "cost", "table_1"} <= set(rules)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_entry_of_a_category_can_be_told_apart_and_shown(page, category):
    click(page, category)
    own = [entry for entry in entries(page) if entry["category"] == category]
    labels = [tuple(sorted(entry["labels"].items())) for entry in own]
    assert len(set(labels)) == len(own) > 1
    page.wait_for("document.querySelectorAll('tbody tr').length > 0")
    for kind, content in (("image/svg+xml", "img"), ("text/html", "html")):
        for entry in (entry for entry in own if entry["kind"] == kind):
            view = f"{{content: {content!r}, contentPath: results[{entry['path']!r}].data_uri}}"
            page.evaluate(f"app.setView({view})")
            if content == "img":
                shown = f"image.src === results[{entry['path']!r}].data_uri && image.naturalWidth > 100"
                page.wait_for(f"[...document.querySelectorAll('img')].some(image => {shown})")
            else:
                assert len(page.frame_text("data:text/html")) > 200, entry["path"]


def test_captions_are_sentences_with_their_values(page):
    for entry in entries(page):
        text = re.sub("<[^>]+>", " ", entry["caption"])
        assert len(text.split()) > 15, entry["path"]
        assert not re.search(r"{{|}}|Undefined|problematic|System Message", entry["caption"]), entry["path"]


def test_every_notebook_of_the_run_is_in_the_report(page, finished):
    shown = [Path(entry["path"]).name for entry in entries(page) if entry["kind"] == "text/html"]
    made = [path.name for path in finished.folder.glob("results/**/notebooks/*.html")]
    assert sorted(shown) == sorted(made)
    assert {"table_1.html", "verdict_table.html", "mode_collapse.html"} <= set(shown)
