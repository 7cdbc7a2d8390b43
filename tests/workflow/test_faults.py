"""What a run survives, and what it says when it cannot continue."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from conftest import ROOT, Workspace, loaded

# Executed in every process of a run: hang where a file of the name HANG_AT is about to get its name, or, at
# "download", when part of one has arrived. What is downloaded comes from the folder MIRROR.
HANG = """
import io, os, pathlib, time, urllib.request
at, mirror = os.environ.get("HANG_AT", "nothing at all"), os.environ.get("MIRROR")
def hang():
    pathlib.Path(os.environ["HANGING"]).touch()
    time.sleep(600)
rename = pathlib.Path.replace
def replace(self, target):
    if str(target).endswith(at):
        hang()
    return rename(self, target)
pathlib.Path.replace = replace
class Answer(io.BytesIO):
    url, length = None, None
    def read(self, size):
        if at == "download" and self.tell() > 0:
            hang()
        return super().read(10_000)
if mirror:
    def urlopen(request, *_, **__):
        return Answer(pathlib.Path(mirror, request.full_url.split("/")[-1]).read_bytes())
    urllib.request.urlopen = urlopen
"""
# These hold measured times, if only in some columns; executed notebooks, logs and benchmarks the time of day.
EXCEPTIONS = {
    *("timing.parquet", "step_time_rounds.parquet", "step_times.parquet", "step_costs.parquet"),
    *("slowdowns.parquet", "verdicts.parquet", "provenance.json"),
    *(
        f"{table}.{kind}"
        for table in ("table1", "cost", "verdicts", "verdict_tests")
        for kind in ("csv", "md", "tex")
    ),
    *("cost.svg", "cost.png"),
}
FOLDERS_OF_EXCEPTIONS = {"notebooks", "logs", "benchmarks"}
TIMES = ["1 steps, ours (s)", "slowdown, ours"]


def contents(space):
    """The bytes of all results but the exceptions, by path."""
    results = space.folder / "results"
    return {
        str(path): (results / path).read_bytes()
        for path in sorted(file.relative_to(results) for file in results.rglob("*") if file.is_file())
        if path.name not in EXCEPTIONS and not FOLDERS_OF_EXCEPTIONS & set(path.parts)
    }


def untimed(space):
    """What the tables that hold measured times say besides."""
    table = pd.read_csv(space.results / "tables/table1.csv", dtype=str).drop(columns=TIMES)
    verdicts = pd.read_csv(space.results / "tables/verdicts.csv", dtype=str)
    verdicts = verdicts[~verdicts["claim"].str.contains("longer")]
    return table.to_csv() + verdicts.to_csv(index=False)


def tables(space):
    """The bytes of Table 1 in its three forms, times included."""
    return {file.name: file.read_bytes() for file in sorted((space.results / "tables").glob("table1.*"))}


def kill_between_writing_and_renaming(space, file, targets, tmp_path, monkeypatch):
    """Start a run, and kill -9 all its processes when a file is written but has not got its name yet."""
    mark = tmp_path / "hanging"
    mark.unlink(missing_ok=True)
    (tmp_path / "sitecustomize.py").write_text(HANG)
    with monkeypatch.context() as patch:
        patch.setenv("HANG_AT", file)
        patch.setenv("HANGING", str(mark))
        run = space.start(*targets, before_path=[tmp_path])
    while not mark.exists():
        assert run.poll() is None, f"the run ended before {file}: {run.stdout.read()[-4000:]}"
        time.sleep(0.05)
    kill(run)


def kill(run):
    """kill -9, kernels of notebooks included; stopped before, so that it starts nothing meanwhile."""
    main = psutil.Process(run.pid)
    main.suspend()
    for process in [main, *main.children(recursive=True)]:
        process.kill()
    run.communicate()


def resume(space, targets):
    """What a user does after a killed run: unlock, and the same command."""
    assert space.snakemake("--unlock").returncode == 0
    return space.snakemake(*targets)


@pytest.fixture(scope="module")
def killed(finished, tmp_path_factory):
    """A finished run, a training taken out, killed while it wrote that training's history, and taken up."""
    space = Workspace(tmp_path_factory.mktemp("killed") / "repository")
    shutil.copytree(finished.folder, space.folder, symlinks=True)
    shutil.rmtree(space.results / "runs/TopoVAE1/1")
    for pattern in ("tables/table1.*", "statistics/defined/*"):
        for file in space.results.glob(pattern):
            file.unlink()  # or what lies before it would not be missed
    with pytest.MonkeyPatch.context() as monkeypatch:
        kill_between_writing_and_renaming(
            space, "TopoVAE1/1/history.parquet", ["table1"], tmp_path_factory.mktemp("hang"), monkeypatch
        )
    left = list((space.results / "runs/TopoVAE1/1").iterdir())
    assert left
    assert all(file.name.startswith(".") for file in left)
    assert not tables(space)
    run = resume(space, ["table1", "--cores", "1"])
    assert run.returncode == 0, run.stdout[-6000:]
    return space


def test_a_killed_run_goes_on_to_the_same_bytes(killed, finished):
    """On one core, beside a run on two that nothing disturbed; the times in the table were not taken anew."""
    ours, theirs = contents(killed), contents(finished)
    assert {name for name in ours if "/." not in name} == set(theirs)
    assert {name: ours[name] for name in theirs} == theirs
    assert tables(killed) == tables(finished)


def test_a_missing_notebook_kernel_is_named(killed, tmp_path):
    (tmp_path / "ipykernel.py").write_text("raise ImportError('not installed')")
    run = killed.snakemake("--forcerun", "table_1", "--", "table1", before_path=[tmp_path])
    assert run.returncode != 0
    assert "The notebook kernel python3 is missing, install ipykernel" in run.stdout


def test_a_notebook_that_fails_says_so_in_few_lines_and_stays(killed):
    notebook = killed.folder / "notebooks/table_1.ipynb"
    before = notebook.read_text()
    notebook.write_text(before.replace("table.style.hide", "table.no_such_thing"))
    run = killed.snakemake("table1")
    notebook.write_text(before)
    assert run.returncode != 0
    assert "has no attribute 'no_such_thing'" in run.stdout
    assert '"cell_type"' not in run.stdout
    assert len(run.stdout.splitlines()) < 250
    executed = (killed.results / "notebooks/table_1.ipynb").read_text()
    assert '"output_type": "error"' in executed


def test_a_training_that_diverges_is_not_tried_again_and_stops_only_its_branch(killed):
    """At a senseless learning rate both models diverge at step 1; timing their first step still works."""
    before = killed.config
    killed.config = before | {"training": before["training"] | {"learning_rate": 1.0e30}}
    figure, times = (
        f"results/MNIST/{name}" for name in ("figures/images_TopoVAE2_1.svg", "statistics/step_times.parquet")
    )
    timed = (killed.folder / times).stat().st_mtime
    (killed.folder / figure).unlink()  # of the run before
    run = killed.snakemake("--retries", "1", "--", figure, times)
    killed.config = before
    assert run.returncode != 0
    assert "TopoVAE2, seed 1: step 1: not finite: bce, kld" in run.stdout
    assert "Trying to restart job" in run.stdout
    log = (killed.folder / "results/logs/train/MNIST-TopoVAE2-1.log").read_text()  # of the second attempt
    assert log.endswith("MNIST-TopoVAE2-1.diverged.csv; not tried again\n")
    assert "step/s" not in log  # tqdm's: no step was trained
    kept = pd.read_csv(killed.folder / "results/logs/train/MNIST-TopoVAE2-1.diverged.csv")
    assert kept["step"].tolist() == [0]
    assert (killed.folder / times).stat().st_mtime > timed
    summary = run.stdout.split("Missing:")[1]
    assert figure in summary
    assert "MNIST-TopoVAE2-1.diverged.csv" in summary


# The long matrix: make test-faults.


@pytest.fixture(scope="module")
def long(small):
    """Make a small workspace whose trainings have three epochs, and a partial file after each."""

    def make():
        space = small()
        config = space.config
        config["training"]["epochs"] = 3
        config["seeds"] = [1, 2]
        space.config = config
        return space

    return make


@pytest.fixture(scope="module")
def undisturbed(long):
    space = long()
    run = space.snakemake("all", "--cores", "1")
    assert run.returncode == 0, run.stdout[-6000:]
    return space


@pytest.mark.faults
def test_two_runs_give_the_same_bytes_whatever_the_cores(undisturbed, long):
    space = long()
    run = space.snakemake("all", "--cores", "2")
    assert run.returncode == 0, run.stdout[-6000:]
    assert contents(space) == contents(undisturbed)
    assert untimed(space) == untimed(undisturbed)


# When a run is killed: while these files are written and have no names yet. Each rule comes after those whose
# files it needs. A notebook that is not listed is killed when only its page is missing.
MOMENTS = {
    "download": ["MNIST/source.json"],
    "prepare": ["MNIST/images.npy", "MNIST/test_labels.npy"],
    "references": ["MNIST/diagrams.npz"],
    "train": [
        "MNIST/runs/VAE0/1/partial.pt",  # after the first epoch
        "MNIST/runs/VAE0/2/history.parquet",
        "MNIST/runs/TopoVAE1/1/checkpoint.pt",
        "MNIST/runs/TopoVAE2/2/latents.npz",
    ],
    "measure_step_times": ["MNIST/statistics/step_times.parquet"],
    "improvement": ["MNIST/statistics/defined/means.parquet"],
    "classifier": ["MNIST/classifier/accuracy.json"],
    "prepare_test_set": ["MNIST/evaluation/held_out/units.json"],
    "evaluate": ["MNIST/evaluation/TopoVAE1/2.parquet"],
    "held_out_means": ["MNIST/statistics/held_out.parquet"],
    "concepts": ["theory/densities_of_clusters.npz"],
    "batch_densities": ["MNIST/theory/densities_by_scale.npz"],
    "forward_pass": ["MNIST/theory/forward_pass.npz"],
    "stability": ["theory/stability_worst.parquet"],
    "gradients": ["theory/along_paths.parquet"],
    "pointclouds": ["synthetic/half_loss.parquet"],
    "damage": ["MNIST/synthetic/moved_images.parquet"],
    "gan": ["synthetic/gan/samples.parquet"],
    "step_costs": ["MNIST/statistics/slowdowns.parquet"],
    "verdicts": ["MNIST/statistics/verdicts.parquet"],
    "spike_in": ["MNIST/statistics/calibration_chances.parquet"],
    # Notebooks, in their kernels.
    "image_comparison": ["MNIST/figures/images_TopoVAE1_1.svg"],
    "improvement_curves": ["MNIST/figures/improvement.svg"],
    "latent_scatter": ["MNIST/figures/latent_scatter.svg"],
    "table_1": ["MNIST/tables/table1.md"],
    "held_out_table": ["MNIST/tables/held_out.csv"],
    "cost": ["MNIST/tables/cost.csv"],
    "replication": ["MNIST/tables/effects.csv"],
    "gradient_sizes": ["MNIST/figures/gradient_sizes.svg"],
    "verdict_table": ["MNIST/tables/verdicts.csv"],
    "working_principle": ["MNIST/figures/working_principle.svg"],
    "rips_filtration": ["theory/figures/persistence_diagram.svg"],
    "densities_of_batch": ["MNIST/figures/densities_of_batch.svg"],
    "stability_scatter": ["theory/tables/stability.csv"],
    "gradient_checks": ["theory/tables/gradients.csv"],
    "point_cloud_descent": ["synthetic/figures/pointclouds_five_to_three.gif"],
    "half_loss": ["synthetic/tables/half_loss.csv"],
    "damage_map": ["MNIST/synthetic/figures/damage.svg"],
    "modes_covered": ["synthetic/figures/mode_collapse.svg"],
}


def moments_of_every_rule(space):
    """Those of MOMENTS, and a page of each other rule of `all`: the others must be notebooks."""
    with contextlib.chdir(space.folder):
        workflow = loaded(Path("tiny.yaml"))
    moments = [moment for of_rule in MOMENTS.values() for moment in of_rule]
    rules = set(space.planned()[0])
    assert set(MOMENTS) <= rules
    for rule in sorted(rules - set(MOMENTS)):
        page = workflow.get_rule(rule).output.html
        moments.append(next(file for file in workflow.globals["TARGETS"]["all"] if page.match(file)))
    return [moment.removeprefix("results/") for moment in moments]


@pytest.mark.faults
def test_a_run_that_is_killed_in_every_rule_ends_as_if_undisturbed(undisturbed, long, tmp_path, monkeypatch):
    """One run, killed and taken up again at each moment in turn."""
    space = long()
    for moment in moments_of_every_rule(space):
        target = "results/" + moment.replace("partial.pt", "history.parquet")
        kill_between_writing_and_renaming(space, moment, [target], tmp_path, monkeypatch)
        assert not (space.folder / "results" / moment).exists(), moment
        assert space.snakemake("--unlock").returncode == 0
    run = space.snakemake("all")
    assert run.returncode == 0, run.stdout[-6000:]
    ours, theirs = contents(space), contents(undisturbed)
    assert {name for name in ours if "/." not in name} == set(theirs)
    assert {name: ours[name] for name in theirs} == theirs
    assert untimed(space) == untimed(undisturbed)
    # The one that was killed after its last epoch began did not begin anew.
    assert "goes on at step 8" in (space.folder / "results/logs/train/MNIST-VAE0-2.log").read_text()
    assert "goes on" not in (space.folder / "results/logs/train/MNIST-VAE0-1.log").read_text()


@pytest.mark.faults
def test_a_download_that_is_killed_is_fetched_again(small, tmp_path, monkeypatch):
    space = small()
    raw, mirror = space.folder / "resources/MNIST/raw", tmp_path / "mirror"
    raw.rename(mirror)
    whole = {file.name: file.read_bytes() for file in mirror.iterdir()}
    monkeypatch.setenv("MIRROR", str(mirror))
    kill_between_writing_and_renaming(space, "download", ["results/MNIST/source.json"], tmp_path, monkeypatch)
    (part,) = raw.iterdir()
    assert 0 < part.stat().st_size < len(whole[part.name])
    assert space.snakemake("--unlock").returncode == 0
    run = space.snakemake("results/MNIST/source.json", before_path=[tmp_path])
    assert run.returncode == 0, run.stdout[-6000:]
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == whole


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [4, 15, 40])
def test_a_run_that_is_killed_at_any_time_goes_on(undisturbed, long, seconds):
    """Killed by the clock, in whatever state it is."""
    space = long()
    run = space.start("figures", "table1")
    time.sleep(seconds)
    assert run.poll() is None
    kill(run)
    run = resume(space, ["figures", "table1"])
    assert run.returncode == 0, run.stdout[-6000:]
    ours, theirs = contents(space), contents(undisturbed)
    assert all(theirs[name] == content for name, content in ours.items() if "/." not in name)


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_space(small):
    space = small()
    (space.folder / "results").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(space.folder / "results")]
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        run = space.snakemake("figures", "table1")
        assert run.returncode != 0
        assert "No space left on device" in run.stdout
        assert "Missing:" in run.stdout
        assert not [file for file in space.results.rglob("*.npz") if file.stat().st_size == 0]
        grow = ["mount", "-o", "remount,size=200m", str(space.folder / "results")]
        subprocess.run(grow, check=True)
        run = space.snakemake("table1")
        assert run.returncode == 0, run.stdout[-6000:]
    finally:
        subprocess.run(["umount", str(space.folder / "results")], check=True)


@pytest.mark.faults
@pytest.mark.skipif(
    len(list((ROOT / "resources/FashionMNIST/raw").glob("*.gz"))) < 4,
    reason="FashionMNIST is not in resources/ (make results puts it there)",
)
def test_a_real_training_gives_the_same_bytes_twice(repository):
    """The strongest model of config.yaml, one epoch, on the CPU."""
    space = Workspace(repository())
    shutil.copytree(ROOT / "resources/FashionMNIST", space.folder / "resources/FashionMNIST")
    space.config = {"training": {"device": "cpu"}}
    folder = space.folder / "results/FashionMNIST/runs/TopoVAE4/10"
    made = []
    for options in ([], ["--forcerun", "train"]):
        run = space.snakemake(*options, "--", str((folder / "history.parquet").relative_to(space.folder)))
        assert run.returncode == 0, run.stdout[-6000:]
        made.append(
            {file.name: file.read_bytes() for file in folder.iterdir() if file.name not in EXCEPTIONS}
        )
    assert len(made[0]) == 5
    assert made[0] == made[1]
