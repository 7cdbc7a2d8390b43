"""What a run survives, and what it says where it cannot go on."""

import os
import shutil
import subprocess
import time

import pandas as pd
import psutil
import pytest
from conftest import ROOT, Workspace

# Executed in every process of a run: hang where a file of the name HANG_AT is about to get its name.
HANG = """
import os, pathlib, time
rename = pathlib.Path.replace
def replace(self, target):
    if str(target).endswith(os.environ.get("HANG_AT", "nothing at all")):
        pathlib.Path(os.environ["HANGING"]).touch()
        time.sleep(600)
    return rename(self, target)
pathlib.Path.replace = replace
"""
# These hold measured times, if only in some columns; executed notebooks, logs and benchmarks the time of day.
EXCEPTIONS = {
    *("timing.parquet", "step_time_rounds.parquet", "step_times.parquet", "step_costs.parquet"),
    *("slowdowns.parquet", "verdicts.parquet", "provenance.json"),
    *(f"{table}.{kind}" for table in ("table1", "cost", "verdicts") for kind in ("csv", "md", "tex")),
    *("cost.svg", "cost.png"),
}
FOLDERS_OF_EXCEPTIONS = {"notebooks", "logs", "benchmarks"}
TIMES = ["10 steps, ours (s)", "slowdown, ours"]
TARGETS = ["figures", "table1"]
TARGETS_AND_THEORY = [*TARGETS, "theory"]
FIGURES_OF_THEORY = {
    f"MNIST/figures/{figure}.{kind}"
    for figure in ("working_principle", "densities_of_batch")
    for kind in ("svg", "png")
}


def contents(space):
    """The bytes of all results but the exceptions, by path."""
    results = space.folder / "results"
    return {
        str(path): (results / path).read_bytes()
        for path in sorted(file.relative_to(results) for file in results.rglob("*") if file.is_file())
        if path.name not in EXCEPTIONS and not FOLDERS_OF_EXCEPTIONS & set(path.parts)
    }


def table(space):
    return pd.read_csv(space.results / "tables/table1.csv", dtype=str).drop(columns=TIMES)


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


def test_a_training_that_diverges_stops_only_its_branch(killed):
    """At a senseless learning rate both models diverge at step 1; timing their first step still works."""
    before = killed.config
    killed.config = before | {"training": before["training"] | {"learning_rate": 1.0e30}}
    figure, times = (
        f"results/MNIST/{name}" for name in ("figures/images_TopoVAE1_1.svg", "statistics/step_times.parquet")
    )
    timed = (killed.folder / times).stat().st_mtime
    (killed.folder / figure).unlink()  # of the run before
    run = killed.snakemake(figure, times)
    killed.config = before
    assert run.returncode != 0
    assert "TopoVAE1, seed 1: step 1: not finite: bce, kld" in run.stdout
    kept = pd.read_csv(killed.folder / "results/logs/train/MNIST-TopoVAE1-1.diverged.csv")
    assert kept["step"].tolist() == [0]
    assert (killed.folder / times).stat().st_mtime > timed
    summary = run.stdout.split("Missing:")[1]
    assert figure in summary
    assert "MNIST-TopoVAE1-1.diverged.csv" in summary


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
    run = space.snakemake(*TARGETS_AND_THEORY, "--cores", "1")
    assert run.returncode == 0, run.stdout[-6000:]
    return space


@pytest.mark.faults
def test_two_runs_give_the_same_bytes_whatever_the_cores(undisturbed, long):
    space = long()
    run = space.snakemake(*TARGETS_AND_THEORY, "--cores", "2")
    assert run.returncode == 0, run.stdout[-6000:]
    assert contents(space) == contents(undisturbed)
    pd.testing.assert_frame_equal(table(space), table(undisturbed))


# Where a run is killed: a file that is written but has not got its name yet, one moment per rule at least.
MOMENTS = [
    "MNIST/source.json",
    "MNIST/images.npy",
    "MNIST/labels.npy",
    "MNIST/diagrams.npz",
    "VAE0/1/partial.pt",  # after the first epoch
    "VAE0/2/history.parquet",
    "TopoVAE1/1/checkpoint.pt",
    "TopoVAE2/2/latents.npz",
    "statistics/step_times.parquet",
    "statistics/improvement_means.parquet",
    "figures/images_TopoVAE1_1.svg",  # in a notebook
    "notebooks/bce_curves.html",
    "tables/table1.md",
    "theory/densities_of_clusters.npz",
    "MNIST/theory/densities_by_scale.npz",
    "theory/forward_pass.npz",
    "theory/stability_worst.parquet",
    "theory/along_paths.parquet",
    "theory/tables/gradients.csv",  # in a notebook that made figures before
]


@pytest.mark.faults
def test_a_run_that_is_killed_at_every_moment_ends_as_if_undisturbed(
    undisturbed, long, tmp_path, monkeypatch
):
    """One run, killed and taken up again at each moment in turn."""
    space = long()
    results = space.folder / "results"
    for moment in MOMENTS:
        kill_between_writing_and_renaming(space, moment, TARGETS_AND_THEORY, tmp_path, monkeypatch)
        assert not [file for file in results.rglob("*") if str(file).endswith(f"/{moment}")], moment
        assert space.snakemake("--unlock").returncode == 0
    run = space.snakemake(*TARGETS_AND_THEORY)
    assert run.returncode == 0, run.stdout[-6000:]
    ours, theirs = contents(space), contents(undisturbed)
    assert {name for name in ours if "/." not in name} == set(theirs)
    assert {name: ours[name] for name in theirs} == theirs
    pd.testing.assert_frame_equal(table(space), table(undisturbed))


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [4, 15, 40])
def test_a_run_that_is_killed_at_any_time_goes_on(undisturbed, long, seconds):
    """Killed by the clock, in whatever state it is."""
    space = long()
    run = space.start(*TARGETS)
    time.sleep(seconds)
    kill(run)
    run = resume(space, TARGETS)
    assert run.returncode == 0, run.stdout[-6000:]
    theirs = {name: content for name, content in contents(undisturbed).items() if "theory/" not in name}
    theirs = {name: content for name, content in theirs.items() if name not in FIGURES_OF_THEORY}
    ours = contents(space)
    assert {name: ours[name] for name in theirs} == theirs
    pd.testing.assert_frame_equal(table(space), table(undisturbed))


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_space(small):
    space = small()
    (space.folder / "results").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(space.folder / "results")]
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        run = space.snakemake(*TARGETS)
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
