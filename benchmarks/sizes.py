"""What fits: time and memory of the layer by size, part of `make benchmark`. On a quiet machine with Linux.

Each row has a process to itself. docs/sizes.csv keeps what was measured, row by row, and docs/sizes.md shows
it. All of it takes a quarter of an hour. Rows that are named are measured again, and the others stay:

    python benchmarks/sizes.py
    python benchmarks/sizes.py "degree 1, plane" fisher
"""

import argparse
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median

import pandas as pd
import torch
from conformance import table
from layer import latent, machine, number, uniform
from torch import Tensor

from torchrips import rips_diagrams
from torchrips.distances import bottleneck, fisher, reininghaus, sliced_wasserstein, wasserstein

PAGE, MEASURED = (Path(__file__).parents[1] / "docs" / name for name in ("sizes.md", "sizes.csv"))

POINTS = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)
BARS = (100, 300, 1000, 3000, 10000)
LIMITS = {"a training step of 50 ms": 0.05, "a second": 1.0, "a minute": 60.0}
CALLS, ENOUGH = 5, 1.0  # at most so many calls, none after so many seconds

TEXT = """\
# What fits

Made by `make benchmark`. Forward and backward on one thread in float32: the median time of up to {calls}
calls, and the memory that they add to what Python, PyTorch and the input take. `-`: expected to take more
than a minute, or more memory than was free.

{machine}

## In words

The largest of the sizes measured that fits.

{words}

For more points there are `landmarks` and `random_subsets`, and `max_edge_length`.

## Diagrams of clouds

*plane*: uniform in the unit square; *10 dimensions*: normal; *784 dimensions*: uniform. The loss is the
sum of (d - b)^2.

{clouds}

## Losses

Two diagrams of so many bars each, births and lifetimes uniform in [0, 1]: `wasserstein` of order 2 with
ground norm 2, `sliced_wasserstein` on 50 lines, sigma 0.1.

{losses}
"""


def plane(n: int, seed: int) -> Tensor:
    return torch.rand(n, 2, generator=torch.manual_seed(seed))


CLOUDS = {"plane": plane, "10 dimensions": latent, "784 dimensions": uniform}
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "bottleneck": bottleneck,
    "wasserstein": partial(wasserstein, order=2, ground_norm=2),
    "sliced_wasserstein": partial(sliced_wasserstein, directions=50),
    "fisher": partial(fisher, sigma=0.1),
    "reininghaus": partial(reininghaus, sigma=0.1),
}
NAMES = [*(f"degree {degree}, {clouds}" for degree in (0, 1, 2) for clouds in CLOUDS), *LOSSES]


def main() -> None:
    """Measure the rows that are named, or all of them, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="ROW", help=", ".join(NAMES))
    parser.add_argument("--here", nargs="+", type=int, metavar="SIZE", help="in this process, printed only")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"unknown row {min(unknown)!r}; choose from: {'; '.join(NAMES)}")
    if arguments.here:
        measure(arguments.names[0], arguments.here)
        return
    for name in arguments.names or NAMES:
        rows = in_new_process(name, BARS if name in LOSSES else POINTS)
        if MEASURED.exists():
            kept = pd.read_csv(MEASURED)
            rows = pd.concat([kept[kept["name"] != name], rows])
        rows = rows.sort_values("name", key=lambda names: names.map(NAMES.index), kind="stable")
        rows.to_csv(MEASURED, index=False, float_format="%.4g", lineterminator="\n")
        PAGE.write_text(page(rows))


# Measuring


def in_new_process(name: str, sizes: Iterable[int]) -> pd.DataFrame:
    """Seconds and megabytes of each size; those that do not fit are missing, as after a kill."""
    command = [sys.executable, __file__, name, "--here", *map(str, sizes)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode > 0:
        raise RuntimeError(f"{name} could not be measured; see above")
    print(name, run.stdout, sep="\n", flush=True)
    rows = [(name, *map(float, line.split())) for line in run.stdout.splitlines()]
    return pd.DataFrame(rows, columns=["name", "size", "seconds", "megabytes"]).astype({"size": int})


def measure(name: str, sizes: Iterable[int]) -> None:
    """Print sizes, seconds of a call and megabytes that calls add, until a size is expected not to fit."""
    torch.set_num_threads(1)
    step(name, 40)()  # imports and compiles
    last = (0, 0.0, 0.0)
    for size in sizes:
        growth = (size / last[0]) ** 2 if last[0] else 0
        if last[1] * growth > LIMITS["a minute"] or last[2] * growth > free_megabytes():
            return
        call = step(name, size)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts at what is in use now
        before, seconds = peak(), list[float]()
        while len(seconds) < CALLS and sum(seconds) < ENOUGH:
            started = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - started)
        last = size, median(seconds), peak() - before
        print(*last, flush=True)


def step(name: str, size: int) -> Callable[[], None]:
    """What is measured under a name."""
    if name in LOSSES:
        first, second = torch.rand(2, size, 2, generator=torch.manual_seed(0)).cumsum(dim=2)
        return lambda: LOSSES[name](first.requires_grad_(), second).backward()
    degree, clouds = name.removeprefix("degree ").split(", ")
    points = CLOUDS[clouds](size, 0).requires_grad_()
    return lambda: rips_diagrams(points, int(degree))[0].diff().square().sum().backward()


def peak() -> float:
    """Most megabytes that this process had in memory."""
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) / 1000


def free_megabytes() -> float:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6


# Showing


def page(rows: pd.DataFrame) -> str:
    """The whole of docs/sizes.md."""
    clouds = [f"### Degree {degree}\n\n{grid(rows, f'degree {degree}, ', CLOUDS)}" for degree in (0, 1, 2)]
    return TEXT.format(
        calls=CALLS,
        machine=machine("torchrips", "gudhi", "torch"),
        words="\n".join(sentence(name, rows[rows["name"] == name]) for name in rows["name"].unique()),
        clouds="\n\n".join(clouds),
        losses=grid(rows, "", LOSSES),
    )


def sentence(name: str, rows: pd.DataFrame) -> str:
    """As in: - degree 0, plane: 2,000 points in a training step of 50 ms, 8,000 in a second."""
    unit = "bars" if name in LOSSES else "points"
    largest = {limit: rows.loc[rows["seconds"] <= most, "size"].max() for limit, most in LIMITS.items()}
    fits = [f"{size:,.0f} {unit} in {limit}" for limit, size in largest.items() if not math.isnan(size)]
    nothing = f"less than {rows['size'].min():,} {unit} in a minute"
    return f"- {name}: {', '.join(fits) or nothing}."


def grid(rows: pd.DataFrame, prefix: str, names: Iterable[str]) -> str:
    """Time and memory, a row for each size and a column for each name."""
    shown = rows[rows["name"].isin([prefix + name for name in names])]
    places = zip(shown["name"], shown["size"], strict=True)
    cells = dict(zip(places, map(cell, shown["seconds"], shown["megabytes"]), strict=True))
    sizes = sorted(shown["size"].unique())
    lines = [(f"{size:,}", *(cells.get((prefix + name, size), "-") for name in names)) for size in sizes]
    return table([("", *names), *lines])


def cell(seconds: float, megabytes: float) -> str:
    """As in: 1.2 s, 340 MB."""
    duration = f"{seconds:.1f} s" if seconds >= 1 else f"{number(1000 * seconds)} ms"
    memory = f"{megabytes / 1000:.2g} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
    return f"{duration}, {memory}"


if __name__ == "__main__":
    main()
