"""Time of the persistence layer, forward and backward, beside other libraries: `make benchmark`.

All in one process, on one thread unless it says two, taking turns; medians. Run it on a quiet machine. Writes
docs/benchmark.md and docs/benchmark.png. Images are those that rule prepare makes, where they are there.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import seaborn as sns
import torch
import yaml
from conformance import table
from history import remember
from libraries import Bars, GiottoPH, Gudhi, Oineus, Torchrips, TorchTopological
from matplotlib.ticker import NullLocator
from torch import Tensor

from topogen import provenance
from topogen.plotting.style import model_colours, save, use_style
from topogen.variants import datasets_of
from torchrips.engine import (
    NEVER,
    bar_edges,
    edge_gradient,
    edge_lengths,
    pairwise_distances,
    rips_bars,
    sorted_edges,
)

ROOT = Path(__file__).parents[1]
PAGE, FIGURE = (ROOT / "docs" / name for name in ("benchmark.md", "benchmark.png"))

SIZES = (32, 64, 128, 256, 512, 1024)
BATCH, POINTS = 16, 128
PART_SIZES = (128, 512)
ROUNDS = range(3, 31)  # at least so many repetitions, and at most
REMEMBERED = (128, 512)  # points: sizes that are followed over time
SECONDS = 1.0  # for the repetitions of one library, once it had the least number
LONGEST = 6.0  # seconds of one call: what is expected to take longer is left out

Clouds = Callable[[int, int], Tensor]  # number of points, seed -> cloud
Times = dict[str, float]  # milliseconds by name

INTRODUCTION = """\
# Time of the persistence layer

Made by `make benchmark`. Degrees 0 and 1 of one cloud in float32, forward and backward of the sum of
(d - b)^2, in milliseconds: medians of {least} to {most} calls, the libraries taking turns in one process, on
one thread. `-`: expected to take more than {longest:.0f} s. Ratio: the time of the fastest other
library, divided by that of torchrips. Reduced Rips filtrations, made for planar points, will be
compared when a release of gudhi has them ([pull request 1360](https://github.com/GUDHI/gudhi-devel/pull/1360))."""

OVER_TIME = """\
## Over time

Rows of [history.csv](../benchmarks/history.csv), to which `make benchmark` adds its own. A ratio depends less
on the machine than a time does: the rows before 24fb3f4 are of an older processor of the same name.

![Times and ratios by commit](history.png)"""


def main() -> None:
    """Measure, and write the page and the figure."""
    torch.set_num_threads(1)
    kinds = images()
    kinds |= {"uniform, 784 dimensions": uniform, "normal, 10 dimensions": latent, "noisy circle": circle}
    warm_up(kinds)
    growth = {kind: grown(kind, clouds) for kind, clouds in kinds.items()}
    draw(growth)
    parts = [
        INTRODUCTION.format(least=ROUNDS[0], most=ROUNDS[-1], longest=LONGEST),
        machine("torchrips", "torch-topological", "giotto-ph", "gudhi", "oineus", "torch"),
        "![Growth with the number of points](benchmark.png)",
        OVER_TIME,
        *(f"## {kind}\n\n{growth_table(times)}" for kind, times in growth.items()),
        f"## {BATCH} clouds of {POINTS} points\n\nOn one thread and on two.",
        rows_table("clouds", {kind: batch_times(clouds) for kind, clouds in kinds.items()}),
        "With two threads giotto-ph, and with it torch-topological, returns other birth edges: see "
        "[conformance.md](conformance.md).",
        "## Parts of torchrips\n\nA step is all of them, the loss, and torch.",
        rows_table(
            "clouds, points",
            {
                f"{kind}, {n}": part_times(clouds, n)
                for (kind, clouds), n in product(kinds.items(), PART_SIZES)
            },
        ),
    ]
    PAGE.write_text("\n\n".join(parts) + "\n")
    remember(followed(growth))
    print(PAGE.read_text())


# Clouds


def images() -> dict[str, Clouds]:
    """Images of the first dataset of config.yaml, where `make results` prepared them."""
    name, *_ = datasets_of(yaml.safe_load((ROOT / "config.yaml").read_text()))
    file = ROOT / "results" / name / "images.npy"
    if not file.exists():
        print(f"without {name}: {file.relative_to(ROOT)} is missing, `make results` makes it")
        return {}
    pixels = np.load(file, mmap_mode="r")

    def clouds(n: int, seed: int) -> Tensor:
        chosen = np.random.default_rng(seed).choice(len(pixels), n, replace=False)
        return torch.from_numpy(pixels[np.sort(chosen)].reshape(n, -1) / np.float32(255))

    return {name: clouds}


def uniform(n: int, seed: int) -> Tensor:
    return torch.rand(n, 784, generator=torch.manual_seed(seed))


def latent(n: int, seed: int) -> Tensor:
    return torch.randn(n, 10, generator=torch.manual_seed(seed))


def circle(n: int, seed: int) -> Tensor:
    generator = torch.manual_seed(seed)
    angles = 2 * math.pi * torch.rand(n, generator=generator)
    return torch.stack([angles.cos(), angles.sin()], dim=1) + 0.1 * torch.randn(n, 2, generator=generator)


# Libraries, each in its fastest way


def single() -> dict[str, Callable[[Tensor], Bars]]:
    """Diagrams of one cloud on one thread."""

    def of_distances(library: GiottoPH | Gudhi | Oineus) -> Callable[[Tensor], Bars]:
        return lambda points: library.rips_of_matrix(torch.cdist(points, points))

    others = {library.name: of_distances(library) for library in (GiottoPH(), Gudhi(), Oineus())}
    return {library.name: library.rips for library in (Torchrips(), TorchTopological())} | others


def batched() -> dict[str, Callable[[Sequence[Tensor]], Sequence[Bars]]]:
    """Diagrams of many clouds on one and two threads."""

    def call(
        library: Torchrips | TorchTopological, threads: int
    ) -> Callable[[Sequence[Tensor]], Sequence[Bars]]:
        return lambda clouds: library.rips_of_batch(clouds, threads)

    def loop(threads: int) -> Callable[[Sequence[Tensor]], Sequence[Bars]]:
        return lambda clouds: [GiottoPH().rips_of_matrix(torch.cdist(c, c), threads) for c in clouds]

    calls = {}
    for threads in (1, 2):
        for library in (Torchrips(), TorchTopological()):
            calls[f"{library.name}, {threads}"] = call(library, threads)
        calls[f"giotto-ph, {threads}"] = loop(threads)
    return calls


# Measuring


def warm_up(kinds: Mapping[str, Clouds]) -> None:
    """Import and compile everything, and see that all libraries agree."""
    for kind, clouds in kinds.items():
        points = clouds(SIZES[0], 0)
        found = {name: float(loss(diagrams(points))) for name, diagrams in single().items()}
        if not np.allclose(list(found.values()), found["torchrips"], rtol=0.01):
            raise ValueError(f"the libraries do not agree on {kind}: {found}")


def loss(bars: Bars) -> Tensor:
    """Sum of (d - b)^2 over both degrees."""
    return (bars[0].diff() ** 2).sum() + (bars[1].diff() ** 2).sum()


def step(diagrams: Callable[[Tensor], Bars], cloud: Tensor) -> None:
    """Forward and backward to the points."""
    loss(diagrams(cloud.clone().requires_grad_())).backward()


def batch_step(diagrams: Callable[[Sequence[Tensor]], Sequence[Bars]], clouds: Sequence[Tensor]) -> None:
    """Forward and backward to the points of many clouds."""
    points = [cloud.clone().requires_grad_() for cloud in clouds]
    torch.stack([loss(bars) for bars in diagrams(points)]).sum().backward()


def take_turns(calls: Mapping[str, Callable[[int], object]]) -> Times:
    """Median time in ms of each call, which is given the number of the round."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(ROUNDS.stop - 1):
        # In random order: a call is slower after one that needs much memory.
        for name in np.random.default_rng(round_).permutation(list(calls)).tolist():
            if round_ >= ROUNDS.start and sum(seconds[name]) > SECONDS:
                continue
            started = time.perf_counter()
            calls[name](round_)
            seconds[name].append(time.perf_counter() - started)
    return {name: 1000 * median(taken) for name, taken in seconds.items()}


def grown(kind: str, clouds: Clouds) -> dict[int, Times]:
    """Times by number of points; the number of triangles says which call would take too long."""
    found: dict[int, Times] = {}
    calls = single()
    for n in SIZES:
        if found:
            for name, milliseconds in found[n // 2].items():
                if milliseconds * 8 > 1000 * LONGEST:
                    print(f"{kind}, {n} points: without {name}, {milliseconds / 1000:.1f} s for half of them")
                    del calls[name]
        given = [clouds(n, seed) for seed in range(3)]
        found[n] = take_turns({name: in_turn(diagrams, given) for name, diagrams in calls.items()})
    return found


def in_turn(diagrams: Callable[[Tensor], Bars], clouds: Sequence[Tensor]) -> Callable[[int], None]:
    """A step that takes another cloud in every round."""
    return lambda round_: step(diagrams, clouds[round_ % len(clouds)])


def batch_times(clouds: Clouds) -> Times:
    """Times of a batch, by library and number of threads."""
    given = [clouds(POINTS, seed) for seed in range(BATCH)]

    def call(diagrams: Callable[[Sequence[Tensor]], Sequence[Bars]]) -> Callable[[int], None]:
        return lambda _: batch_step(diagrams, given)

    return take_turns({name: call(diagrams) for name, diagrams in batched().items()})


def part_times(clouds: Clouds, n: int) -> Times:
    """Times of the parts of torchrips, and of a step, which has the loss and torch besides."""
    cloud = clouds(n, 0)
    points = cloud.numpy()
    distances = pairwise_distances(points)
    order = sorted_edges(distances, math.inf)
    bars = np.concatenate(rips_bars(order, True, NEVER))
    edges = bar_edges(order, bars)
    lengths = edge_lengths(points, edges).astype(points.dtype)
    return take_turns(
        {
            "distances": lambda _: pairwise_distances(points),
            "sort": lambda _: sorted_edges(distances, math.inf),
            "engine": lambda _: rips_bars(order, True, NEVER),
            "gather": lambda _: edge_lengths(points, bar_edges(order, bars)),
            "backward": lambda _: edge_gradient(points, lengths, lengths, edges),
            "step": lambda _: step(Torchrips().rips, cloud),
        }
    )


# Showing


def machine(*names: str) -> str:
    """Processor, and versions of packages."""
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Processor: {provenance.machine()['processor']}. Versions: {versions}."


def number(milliseconds: float) -> str:
    """Three digits."""
    return f"{milliseconds:.{max(0, 2 - math.floor(math.log10(max(milliseconds, 0.01))))}f}"


def growth_table(times: Mapping[int, Times]) -> str:
    """A row for each number of points."""
    names = list(times[SIZES[0]])
    rows = []
    for n, found in times.items():
        ratio = f"{ratio_to_next(found):.1f}" if len(found) > 1 else "-"
        rows.append((str(n), *(number(found[name]) if name in found else "-" for name in names), ratio))
    return table([("points", *names, "ratio"), *rows])


def ratio_to_next(times: Times) -> float:
    """How many times as fast torchrips is as the fastest other library."""
    return min(taken for name, taken in times.items() if name != "torchrips") / times["torchrips"]


def followed(growth: Mapping[str, Mapping[int, Times]]) -> Times:
    """What benchmarks/history.csv keeps: of the first kind of clouds, the times and the ratios."""
    kind, times = next(iter(growth.items()))
    milliseconds = {f"{n} points of {kind} (ms)": times[n]["torchrips"] for n in REMEMBERED}
    ratios = {f"{n} points of {kind} (ratio)": ratio_to_next(times[n]) for n in REMEMBERED}
    return milliseconds | ratios


def rows_table(head: str, rows: Mapping[str, Times]) -> str:
    """A row for each name, in ms."""
    names: Iterable[str] = next(iter(rows.values()))
    return table([(head, *names), *((row, *map(number, times.values())) for row, times in rows.items())])


def draw(growth: Mapping[str, Mapping[int, Times]]) -> None:
    """Time against number of points, a panel for each kind of cloud."""
    use_style()
    long = pd.DataFrame(
        [
            {"clouds": kind, "points": n, "library": name, "ms": taken}
            for kind, times in growth.items()
            for n, found in times.items()
            for name, taken in found.items()
        ]
    )
    names = list(long["library"].unique())
    grid = sns.relplot(
        long,
        x="points",
        y="ms",
        hue="library",
        style="library",
        col="clouds",
        col_wrap=2,
        kind="line",
        markers=True,
        dashes=False,
        palette=model_colours(names),
        height=2.8,
        aspect=1.3,
    )
    grid.set(xscale="log", yscale="log", xticks=SIZES, xticklabels=SIZES)
    grid.set_titles("{col_name}").set_axis_labels("points in the cloud", "forward and backward, ms")
    for axes in grid.axes.flat:
        axes.xaxis.set_minor_locator(NullLocator())
    save(grid.figure, FIGURE)


if __name__ == "__main__":
    main()
