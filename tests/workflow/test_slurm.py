"""The workflow through a real Slurm of one node, which the test starts: as root on Debian."""

import importlib.util
import math
import os
import re
import shutil
import subprocess
import time
from collections import Counter

import pytest
import yaml
from conftest import ROOT

OBSTACLES = {
    "only root can start Slurm": os.geteuid() != 0,
    "neither Slurm nor apt-get to install it": not (shutil.which("slurmctld") or shutil.which("apt-get")),
    "/etc/slurm/slurm.conf is there: this machine belongs to a cluster": os.path.exists(
        "/etc/slurm/slurm.conf"
    ),
    "snakemake-executor-plugin-slurm is not installed (pip install '.[slurm]')": (
        importlib.util.find_spec("snakemake_executor_plugin_slurm") is None
    ),
}
REASONS = "; ".join(reason for reason, obstacle in OBSTACLES.items() if obstacle)
pytestmark = [pytest.mark.slurm, pytest.mark.skipif(bool(REASONS), reason=REASONS)]
PROFILE = [  # as in the README, and what suits one node
    *("--workflow-profile", "profiles/slurm"),
    *("--default-resources", "slurm_partition=main", "slurm_account=root"),
    *("--jobs", "3"),
    *("--slurm-init-seconds-before-status-checks", "5"),
    *("--slurm-status-command", "squeue"),  # there is no accounting database
    *("--latency-wait", "5"),
]
GROUPED = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A running Slurm, whose node claims to have a GPU. Trainings ask for one if training.device is auto."""
    folder = tmp_path_factory.mktemp("slurm")
    started = subprocess.run(
        [ROOT / "tests/slurm/start.sh", folder, "1"], capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stderr
        yield
    finally:
        subprocess.run([ROOT / "tests/slurm/stop.sh", folder], check=True)


def queue(*options):
    """What squeue answers, by words."""
    asked = subprocess.run(["squeue", "--noheader", *options], capture_output=True, text=True, check=True)
    return asked.stdout.split()


@pytest.fixture(scope="module")
def submitted(cluster, small):
    """A small workspace after a full run through Slurm, whose first job was cancelled."""
    space = small()
    run = space.start("all", *PROFILE)
    while not (jobs := queue("--states", "RUNNING", "--format", "%i")):
        assert run.poll() is None, run.stdout.read()
        time.sleep(0.1)
    subprocess.run(["scancel", jobs[0]], check=True)
    output, _ = run.communicate()
    assert run.returncode == 0, output[-6000:]
    return space, output


def test_a_cancelled_job_is_sent_again_and_the_run_finishes(submitted):
    space, output = submitted
    assert "Trying to restart job" in output
    assert (space.results / "tables/verdicts.csv").is_file()
    made, wanted = re.search(r"(\d+) of (\d+) figures, tables and pages are in results/", output).groups()
    assert made == wanted


def test_many_short_jobs_are_few_submissions(submitted):
    """As the profile groups them: nothing else is grouped, and only the cancelled job is sent twice."""
    space, output = submitted
    groups, sizes = GROUPED["groups"], GROUPED["group-components"]
    jobs, alone = Counter(), 1
    for rule, count in space.planned("--forceall")[0].items():
        if rule in groups:
            jobs[groups[rule]] += count
        elif rule != "download":  # that one runs here
            alone += count
    submissions = [line for line in output.splitlines() if "has been submitted with SLURM jobid" in line]
    sent = Counter(re.findall(r"/group_(\w+?)_", "\n".join(submissions)))
    assert sent == {group: math.ceil(count / sizes[group]) for group, count in jobs.items()}
    assert len(submissions) == alone + sum(sent.values())


@pytest.fixture(scope="module")
def few_jobs(cluster, small):
    """A small workspace of which the tests ask for one training, not for a full run."""
    return small(), "results/MNIST/runs/TopoVAE1/1/history.parquet"


def test_a_training_asks_for_a_gpu_if_the_cluster_has_one_and_no_other_job_does(few_jobs):
    """It then runs on the CPU, because torch finds no GPU. The machine that submits has none either."""
    space, history = few_jobs
    before = space.config
    space.config = before | {"training": before["training"] | {"device": "auto"}}
    run = space.start(*PROFILE, "--", history)
    asked = {}
    while run.poll() is None:
        words = iter(queue("--Format", "comment:60,tres-per-job:20"))
        asked.update(zip(words, words, strict=True))
        time.sleep(0.5)
    output, _ = run.communicate()
    space.config = before
    assert run.returncode == 0, output[-6000:]
    assert asked.pop("rule_train_wildcards_MNIST_TopoVAE1_1") == "gres:gpu:1"
    assert set(asked.values()) == {"N/A"}


def test_a_training_that_diverges_is_reported_with_its_reason_and_not_trained_again(few_jobs):
    """As often as the profile retries a job."""
    space, history = few_jobs
    space.config = space.config | {"training": space.config["training"] | {"learning_rate": 1.0e30}}
    run = space.snakemake(history, *PROFILE)
    assert run.returncode != 0
    assert run.stdout.count("Trying to restart job") == 2
    assert "TopoVAE1, seed 1: step 1: not finite: bce, kld" in run.stdout
    assert "Missing:" in run.stdout
    log = (space.folder / "results/logs/train/MNIST-TopoVAE1-1.log").read_text()  # of the last attempt
    assert log.endswith("MNIST-TopoVAE1-1.diverged.csv; not tried again\n")
    assert "step/s" not in log  # tqdm's: no step was trained
