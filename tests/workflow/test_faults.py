"""What a run survives, and what it says where it cannot go on."""

import os
import signal
import subprocess
import time

import pandas as pd
import psutil
import pytest
import yaml

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
# These hold measured times, and so do the tables in some columns; executed notebooks hold the time of day.
EXCEPTIONS = {"timing.parquet", "step_time_rounds.parquet", "step_times.parquet"}
FOLDERS_OF_EXCEPTIONS = {"notebooks", "tables"}
TIMES = ["10 steps, ours (s)", "slowdown, ours"]


def contents(space, folder="."):
    """The bytes of all results but the exceptions, by path."""
    return {
        str(file.relative_to(space.results)): file.read_bytes()
        for file in sorted((space.results / folder).rglob("*"))
        if file.is_file() and file.name not in EXCEPTIONS and file.parent.name not in FOLDERS_OF_EXCEPTIONS
    }


def table(space):
    return pd.read_csv(space.results / "tables/table1.csv", dtype=str).drop(columns=TIMES)


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
    """kill -9, kernels of notebooks included; the run first, so that it cannot clean up after the others."""
    main = psutil.Process(run.pid)
    for process in [main, *main.children(recursive=True)]:
        process.send_signal(signal.SIGKILL)
    run.communicate()


def resume(space, targets):
    """What a user does after a killed run: unlock, and the same command."""
    assert space.snakemake("--unlock").returncode == 0
    return space.snakemake(*targets)


@pytest.fixture(scope="module")
def killed(small, tmp_path_factory):
    """A small workspace whose run was killed while it wrote a history, and went on, on one core."""
    space = small()
    with pytest.MonkeyPatch.context() as monkeypatch:
        kill_between_writing_and_renaming(
            space, "TopoVAE1/2/history.parquet", ["table1"], tmp_path_factory.mktemp("hang"), monkeypatch
        )
    left = list((space.results / "runs/TopoVAE1/2").iterdir())
    assert left
    assert all(file.name.startswith(".") for file in left)
    run = resume(space, ["table1", "--cores", "1"])
    assert run.returncode == 0, run.stdout[-6000:]
    return space


def test_a_killed_run_goes_on_to_the_same_bytes(killed, finished):
    """On one core, beside a run on two that nothing disturbed and that has more models."""
    for model in ("VAE0", "TopoVAE1", "TopoVAE2"):
        for seed in (1, 2):
            ours, theirs = (contents(space, f"runs/{model}/{seed}") for space in (killed, finished))
            assert {name: ours[name] for name in theirs} == theirs
    for name in ("images.npy", "labels.npy", "diagrams.npz", "source.json"):
        assert (killed.results / name).read_bytes() == (finished.results / name).read_bytes()
    ours, theirs = table(killed), table(finished)
    pd.testing.assert_frame_equal(ours, theirs[theirs["model"].isin(ours["model"])].reset_index(drop=True))


def test_a_training_that_diverges_stops_only_its_branch(killed):
    """TopoVAE1 diverges at step 1; TopoVAE2, which is due as well, is trained and drawn."""
    file = killed.folder / "config.yaml"
    config = yaml.safe_load(file.read_text())
    for model, weight in {"TopoVAE1": 1.0e300, "TopoVAE2": 4.0}.items():
        for term in config["models"][model]["regularizers"]:
            term["weight"] = weight
    file.write_text(yaml.safe_dump(config))
    figures = [f"results/MNIST/figures/images_{model}_1.svg" for model in ("TopoVAE1", "TopoVAE2")]
    run = killed.snakemake(*figures)
    assert run.returncode != 0
    assert "TopoVAE1, seed 1: step 1: not finite: bce, kld" in run.stdout
    kept = pd.read_csv(killed.folder / "results/logs/train/MNIST-TopoVAE1-1.diverged.csv")
    assert kept["step"].tolist() == [0]
    summary = run.stdout.split("Missing:")[1]
    assert figures[0] in summary
    assert figures[1] not in summary
    assert "MNIST-TopoVAE1-1.diverged.csv" in summary
    assert "TopoVAE2-1.diverged.csv" not in summary


def test_a_missing_notebook_kernel_is_named(killed, tmp_path):
    (tmp_path / "ipykernel.py").write_text("raise ImportError('not installed')")
    run = killed.snakemake("--forcerun", "table_1", "--", "table1", before_path=[tmp_path])
    assert run.returncode != 0
    assert "The notebook kernel python3 is missing, install ipykernel" in run.stdout


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
]


@pytest.mark.faults
def test_a_run_that_is_killed_at_every_moment_ends_as_if_undisturbed(
    undisturbed, long, tmp_path, monkeypatch
):
    """One run, killed and taken up again at each moment in turn."""
    space = long()
    for moment in MOMENTS:
        kill_between_writing_and_renaming(space, moment, ["all"], tmp_path, monkeypatch)
        file = next(space.results.glob(f"**/{moment.removeprefix('MNIST/')}"), None)
        assert file is None, f"{moment} is there although its run was killed before"
        assert space.snakemake("--unlock").returncode == 0
    run = space.snakemake("all")
    assert run.returncode == 0, run.stdout[-6000:]
    assert {name for name in contents(space) if "/." not in name} >= set(contents(undisturbed))
    assert {name: contents(space)[name] for name in contents(undisturbed)} == contents(undisturbed)
    pd.testing.assert_frame_equal(table(space), table(undisturbed))


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [4, 15, 40])
def test_a_run_that_is_killed_at_any_time_goes_on(undisturbed, long, seconds):
    """Killed by the clock, in whatever state it is."""
    space = long()
    run = space.start("all")
    time.sleep(seconds)
    kill(run)
    run = resume(space, ["all"])
    assert run.returncode == 0, run.stdout[-6000:]
    assert {name: contents(space)[name] for name in contents(undisturbed)} == contents(undisturbed)
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
        run = space.snakemake("all")
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
