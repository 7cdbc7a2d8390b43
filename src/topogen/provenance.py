"""Where results come from: the code, the packages, the machine and the files that made them."""

import csv
import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any


def provenance(folder: str | Path, datasets: Iterable[str | Path]) -> dict[str, Any]:
    """All that this process can tell of a run in a folder, as it ends.

    Args:
        folder: the working directory of the run; its git repository is named, if it has one.
        datasets: files whose checksums are noted; a missing one has none.

    Returns:
        time (UTC), git, python, packages, machine, datasets: what JSON can hold, None where nothing is known.

    """
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": repository(folder),
        "python": platform.python_version(),
        "packages": packages(),
        "machine": machine(),
        "datasets": {str(file): checksum(file) for file in datasets},
    }


def repository(folder: str | Path) -> dict[str, Any] | None:
    """Commit of the git repository that holds the files of a folder, and those that differ from it.

    Returns:
        commit and changed (paths, new files among them); None without git, a repository or a commit, or if
        the folder merely lies in a repository that knows none of its files.

    """
    commit = output_of("git", "-C", str(folder), "rev-parse", "HEAD")
    if commit is None or not output_of("git", "-C", str(folder), "ls-files"):
        return None
    status = output_of("git", "-C", str(folder), "status", "--porcelain", ".") or ""
    changed = [line[3:] for line in status.splitlines()]
    return {"commit": commit.strip(), "dirty": bool(changed), "changed": changed}


def packages() -> dict[str, str]:
    """Version of every installed distribution, by name."""
    return {found.name: found.version for found in metadata.distributions() if found.name}


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory in bytes, GPUs and operating system."""
    gpus = output_of("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or ""
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory": memory(),
        "gpus": gpus.splitlines(),
        "system": platform.platform(),
    }


def cores() -> int | None:
    """Cores that this process may use, or those of the machine if the system tells no more."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count()


def memory(groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes of memory that this process may use: those of the machine, or fewer if a control group limits it.

    Args:
        groups: folder of the control groups of Linux; containers and cluster jobs have one each.

    Returns:
        None if the system does not tell.

    """
    try:
        installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
    return min([installed, *_limits(groups)])


def times_by_rule(benchmarks: str | Path) -> dict[str, dict[str, float]]:
    """Jobs of each rule and their wall time together, from Snakemake's benchmarks: of each job its last run.

    Args:
        benchmarks: folder that holds RULE/JOB.tsv, each with a column ``s``, the seconds.

    Returns:
        rule -> {jobs, seconds}.

    """
    times: dict[str, dict[str, float]] = {}
    for file in sorted(Path(benchmarks).glob("*/*.tsv")):
        rule = times.setdefault(file.parent.name, {"jobs": 0, "seconds": 0.0})
        rule["jobs"] += 1
        rule["seconds"] = round(rule["seconds"] + _seconds(file), 2)
    return times


def training_times(benchmarks: str | Path, dataset: str) -> dict[str, list[float]]:
    """Seconds of the trainings on a dataset, by model, from Snakemake's benchmarks.

    Args:
        benchmarks: folder that holds train/DATASET-MODEL-SEED.tsv, each with a column ``s``, the seconds; or
            SEED+N, of a job that trained N more seeds with the first.
        dataset: its name.
    """
    times: dict[str, list[float]] = {}
    for file in sorted(Path(benchmarks).glob(f"train/{dataset}-*.tsv")):
        model, _, seeds = file.stem.removeprefix(f"{dataset}-").rpartition("-")
        _, _, more = seeds.partition("+")
        number = 1 + int(more or 0)
        times.setdefault(model, []).extend(number * [_seconds(file) / number])
    return times


def checksum(file: str | Path) -> str | None:
    """MD5 of a file's content, as configurations of datasets list it; None where there is no such file."""
    try:
        with Path(file).open("rb") as content:
            return hashlib.file_digest(content, "md5").hexdigest()
    except OSError:
        return None


def output_of(*command: str) -> str | None:
    """What a command prints; None if it fails or does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _seconds(benchmark: Path) -> float:
    with benchmark.open(newline="", encoding="utf-8") as table:
        return sum(float(row["s"]) for row in csv.DictReader(table, delimiter="\t"))


def _processor() -> str:
    """Name of the processor's model; Linux tells it in a file, other systems by themselves."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _limits(groups: Path) -> Iterator[int]:
    """Limits of memory, in bytes, of the control groups of this process and of those around them."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, name = line.split(":", 2)
        # Version 2 keeps all groups in one tree, version 1 those of each controller in a tree of its own.
        file = "memory.limit_in_bytes" if controllers else "memory.max"
        group = groups / controllers / name.lstrip("/")
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError):  # no such file, or "max"
                yield int(Path(folder, file).read_text(encoding="utf-8"))
