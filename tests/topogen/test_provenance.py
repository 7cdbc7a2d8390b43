import hashlib
import json
import os
import subprocess

import numpy as np
import pytest

from topogen import provenance


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit, whatever the user's own git settings are."""

    def git(*arguments):
        identity = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    (tmp_path / "code.py").write_text("1\n")
    try:
        git("init")
    except FileNotFoundError:
        pytest.skip("git is not installed")
    git("add", "code.py")
    git("commit", "--message", "first")
    return tmp_path


def test_everything_is_told_and_json_can_hold_it(tmp_path):
    (tmp_path / "data.gz").write_bytes(b"data")
    facts = provenance.provenance(tmp_path, [tmp_path / "data.gz", tmp_path / "missing.gz"])
    assert json.loads(json.dumps(facts)) == facts
    assert facts["packages"]["numpy"] == np.__version__
    assert facts["machine"]["cores"] > 0
    assert facts["machine"]["memory"] > 10**8
    assert facts["machine"]["system"]
    assert list(facts["datasets"].values()) == [hashlib.md5(b"data").hexdigest(), None]


def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 2, 5}, raising=False)
    assert provenance.machine()["cores"] == 3
    monkeypatch.delattr("os.sched_getaffinity")
    assert provenance.machine()["cores"] == os.cpu_count()


def test_a_commit_is_named_and_what_differs_from_it(repository):
    clean = provenance.repository(repository)
    assert len(clean["commit"]) == 40
    assert (clean["dirty"], clean["changed"]) == (False, [])
    (repository / "code.py").write_text("2\n")
    (repository / "new.py").write_text("")
    changed = provenance.repository(repository)
    assert changed == {"commit": clean["commit"], "dirty": True, "changed": ["code.py", "new.py"]}


def test_times_are_added_up_by_rule(tmp_path):
    for rule, job, seconds in (("train", "a", 2.5), ("train", "b", 3.25), ("table_1", "c", 1)):
        (tmp_path / rule).mkdir(exist_ok=True)
        (tmp_path / rule / f"{job}.tsv").write_text(f"s\th:m:s\n{seconds}\t0:00:00\n")
    expected = {"table_1": {"jobs": 1, "seconds": 1.0}, "train": {"jobs": 2, "seconds": 5.75}}
    assert provenance.times_by_rule(tmp_path) == expected
    assert provenance.times_by_rule(tmp_path / "missing") == {}


def test_times_of_trainings_are_kept_by_model(tmp_path):
    (tmp_path / "train").mkdir()
    for job in ("A-V-1", "A-V-22", "A-V-strength-0.1-1", "B-V-1", "A-W-1+1"):
        (tmp_path / "train" / f"{job}.tsv").write_text(f"s\th:m:s\n{len(job)}\t0:00:00\n")
    assert provenance.training_times(tmp_path, "A") == {
        "V": [5.0, 6.0],
        "V-strength-0.1": [18.0],
        "W": [3.5, 3.5],  # two seeds in one job
    }


def test_without_git_or_a_repository_there_is_no_commit(repository, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path_factory.getbasetemp().parent))
    assert provenance.repository(tmp_path_factory.mktemp("plain")) is None
    monkeypatch.setenv("PATH", "")
    assert provenance.repository(repository) is None
