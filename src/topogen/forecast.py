"""What a run will take besides its trainings' time, told by what earlier runs left behind."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path


def counted(number: int, noun: str) -> str:
    """How many there are.

    >>> counted(1, "training"), counted(2, "minute")
    ('1 training', '2 minutes')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def other_jobs(counts: Mapping[str, int], times: Mapping[str, Mapping[str, float]]) -> str:
    """How many jobs there are besides the trainings, and about how long they take.

    Args:
        counts: rule -> jobs of this run.
        times: of :func:`topogen.provenance.times_by_rule`.

    >>> other_jobs({"evaluate": 30, "sweep": 1}, {"evaluate": {"jobs": 2, "seconds": 40.0}})
    '31 other jobs, about 10 minutes one after another, besides those of sweep, of which no earlier job tells'
    """
    known = {rule: times[rule]["seconds"] / times[rule]["jobs"] for rule in counts if rule in times}
    unknown = ", ".join(sorted(counts.keys() - known.keys()))
    number = counted(sum(counts.values()), "other job")
    if not known:
        return f"{number}; no earlier one tells how long they take"
    minutes = math.ceil(sum(counts[rule] * seconds for rule, seconds in known.items()) / 60)
    missing = f", besides those of {unknown}, of which no earlier job tells" if unknown else ""
    return f"{number}, about {counted(minutes, 'minute')} one after another{missing}"


def disk(trainings: int, runs: Path) -> str:
    """How much disk so many trainings take, and how much is free if that is not enough.

    Args:
        trainings: their number.
        runs: folder of earlier ones, MODEL/SEED/file.

    """
    sizes = [file.stat().st_size for file in runs.glob("*/*/*") if file.is_file()]
    if not sizes:
        return "disk: no earlier training tells"
    earlier = len({*runs.glob("*/*/checkpoint.pt")})
    gigabytes = trainings * sum(sizes) / max(earlier, 1) / 1e9
    free = shutil.disk_usage(runs).free / 1e9
    warning = f", but only {free:.1f} GB are free" if gigabytes > free else ""
    return f"about {gigabytes:.1f} GB of disk{warning}"
