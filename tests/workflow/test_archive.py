"""A run in one file, and what a reader does with it: check, compare, draw, load."""

import json
import re
import zipfile
from pathlib import Path
from subprocess import run

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT

import topogen.models
from topogen import archive, verification
from topogen.crate import CRATE

NOTEBOOKS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


@pytest.fixture(scope="module")
def packed(finished, tmp_path_factory):
    """As `make archive` packs the run, without a report."""
    done = finished.snakemake("all", "configuration")
    assert done.returncode == 0, done.stdout[-4000:]
    summary = run(
        [finished.python, "-m", "snakemake", "--configfile=tiny.yaml", "--summary", "all", "configuration"],
        cwd=finished.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    (finished.folder / archive.LISTED).write_text(summary.stdout)
    file = tmp_path_factory.mktemp("archive") / "archive.zip"
    archive.pack(file, finished.folder, ROOT)
    return file


@pytest.fixture(scope="module")
def unpacked(packed):
    folder = packed.parent / "a reader's folder"
    with zipfile.ZipFile(packed) as content:
        content.extractall(folder)
    return folder


def test_every_file_of_an_archive_is_described_and_has_its_checksum(packed, unpacked):
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    with zipfile.ZipFile(packed) as content:
        assert archive.damaged(content) == []
    assert len((unpacked / archive.SUMS).read_text().splitlines()) == len(names) - 1
    graph = json.loads((unpacked / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert {name for name, entity in entities.items() if entity["@type"] == "File"} == names - {
        archive.SUMS,
        "ro-crate-metadata.json",
    }
    assert {part["@id"] for part in entities["./"]["hasPart"]} <= set(entities)
    assert {f"results/MNIST/{kind}" for kind in ("tables/table1.csv", "runs/VAE0/1/checkpoint.pt")} <= {
        part["@id"] for part in entities["#run"]["result"]
    }


def test_a_reader_draws_all_figures_without_training(finished, unpacked):
    """A dry run: every notebook finds its numbers. `make redraw` was seen to draw equal figures."""
    arguments = ["--directory", str(unpacked), "--configfile", str(unpacked / "results/config.yaml")]
    arguments += ["--replace-workflow-config", "--cores", "1", "--allowed-rules", "all", *NOTEBOOKS]
    drawn = run(
        [
            finished.python,
            "-m",
            "snakemake",
            *arguments,
            "--forcerun",
            *NOTEBOOKS,
            "-n",
            "--quiet",
            "rules",
            "--",
            "all",
        ],
        cwd=finished.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert drawn.returncode == 0, drawn.stdout[-4000:] + drawn.stderr[-4000:]
    planned = dict(re.findall(r"^(\w+) +(\d+)$", drawn.stdout + drawn.stderr, re.M))
    assert "table_1" in planned
    assert set(planned) <= {*NOTEBOOKS, "all", "total"}


def test_a_trained_model_is_given_back_in_one_line(finished, unpacked):
    run_of_model = Path("results/MNIST/runs/TopoVAE3/1")
    ours, theirs = (topogen.models.load(folder / run_of_model) for folder in (finished.folder, unpacked))
    noise = torch.randn(4, ours.noise_dim)
    assert torch.equal(ours.sample(noise), theirs.sample(noise))
    sizes = [
        (folder / run_of_model / "checkpoint.pt").stat().st_size for folder in (finished.folder, unpacked)
    ]
    assert 2 * sizes[1] < sizes[0]


def copied(finished, folder, change=None):
    """The verdicts and one history of the run, alone in another folder."""
    statistics, history = "statistics/verdicts.parquet", "runs/VAE0/1/history.parquet"
    for name in (statistics, history):
        copy = folder / "results/MNIST" / name
        copy.parent.mkdir(parents=True)
        table = pd.read_parquet(finished.results / name)
        if change:
            change(table)
        table.to_parquet(copy, index=False)
    return folder


def test_an_equal_run_is_equal(finished, packed, tmp_path, capsys):
    assert verification.verify(packed, copied(finished, tmp_path)) == ""
    shown = capsys.readouterr().out
    assert "No verdict differs" in shown
    with zipfile.ZipFile(packed) as content:
        numbers = verification.compared(content, tmp_path)
    assert set(numbers["place"]) == {"equal"}
    assert numbers["file"].nunique() == 2


def test_another_verdict_is_an_error(finished, packed, tmp_path):
    def change(table):
        if "verdict" in table:
            first = np.flatnonzero(table["verdict"].isin(["negligible", "undecided"]))[0]
            table.loc[first, ["mean", "verdict"]] = [1e9, "positive"]

    wrong = verification.verify(packed, copied(finished, tmp_path, change))
    assert wrong.startswith("1 verdicts are not those of the archive")
    assert "positive (1e+09), in the archive" in wrong


def test_numbers_are_equal_within_or_apart():
    archived = pd.DataFrame(
        {"model": list("abc"), "mean": [0.0, 1, 2], "low": 0.5, "high": 1.5, "verdict": ""}
    )
    pairs = verification.means_beside(archived, archived.assign(mean=[0.0, 1.2, 1.6]))
    assert list(pairs["place"]) == ["equal", "within", "apart"]
    without_verdicts = archived.drop(columns="verdict")
    assert list(verification.means_beside(without_verdicts, without_verdicts)["verdict"]) == ["", "", ""]


def test_a_damaged_archive_and_an_empty_run_are_told_apart(packed, tmp_path):
    assert "has no numbers of the archive" in verification.verify(packed, tmp_path)
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(packed) as content, zipfile.ZipFile(damaged, "w") as copy:
        for name in content.namelist():
            copy.writestr(name, content.read(name) + (b" " if name == "results/config.yaml" else b""))
    assert "results/config.yaml is not what its checksum says" in verification.verify(damaged, tmp_path)


@pytest.mark.parametrize("names", [["a.txt"], ["a.txt", archive.SUMS], [CRATE]])
def test_a_zip_that_is_no_archive_of_a_run_is_named(tmp_path, names):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as content:
        for name in names:
            content.writestr(name, "of another kind")
    wrong = verification.verify(tmp_path / "some.zip", tmp_path)
    assert "some.zip is not the archive of a run" in wrong
    assert "name a file that `make archive` wrote" in wrong


def test_old_results_are_not_packed(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / archive.LISTED).write_text(
        "output_file\tdate\trule\tlog-file(s)\tstatus\tplan\n"
        "results/a.csv\tnow\ta\t-\tok\tno update\nresults/b.csv\tnow\tb\t-\tok\tupdate pending\n"
    )
    with pytest.raises(ValueError, match=r"results/b.csv is missing or old"):
        archive.results_to_pack(tmp_path)
