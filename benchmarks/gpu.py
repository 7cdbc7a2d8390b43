"""Times of the layer and of training steps on a GPU: `make benchmark-gpu`.

Writes docs/benchmark_gpu.md. On a machine without a GPU that torch can use, everything runs on the CPU with
small numbers, so that one sees that it works; then nothing is written.
"""

import math
import multiprocessing
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, product
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import torch
from conformance import table
from layer import Clouds, batch_step, circle, images, latent, loss, machine, number, rows_table, step, uniform
from libraries import Torchrips
from numpy.typing import NDArray
from steps import images_and_plan
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from topogen.cost import median_times
from topogen.data.references import reference_diagrams
from topogen.plan import Plan
from topogen.training.devices import usable
from topogen.training.timing import measure_step_times
from topogen.training.trainer import Trainer, step_together

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmark_gpu.md"

GPU = any(usable())
DEVICE = torch.device("cuda" if GPU else "cpu")
SIZES = (64, 128, 512) if GPU else (32, 64)
BATCH, POINTS = (16, 128) if GPU else (4, 32)
ROUNDS = 10 if GPU else 3
TIMING = {"steps": 30, "rounds": 3} if GPU else {"steps": 1, "rounds": 1}
PROCESSES = (1, 2, 4, 8) if GPU else (1, 2)
STEPS_TOGETHER = 100 if GPU else 3
STACKS = (1, 4, 10, 16, 32) if GPU else (1, 2)
LARGER_MODELS = (
    (
        ("config/diffusion.yaml", "config/diffusion_gpu.yaml"),
        ("config/spheres.yaml", "config/spheres_fashion.yaml"),
    )
    if GPU
    else (("config/diffusion.yaml",),)
)

LAYER = Torchrips()

Array = NDArray[Any]

INTRODUCTION = """\
# The layer and training on a GPU

Made by `make benchmark-gpu`, one thread per process on the host. {machine} {card}.
"""

ONE_CLOUD = """\
## Forward and backward of the layer

Degrees 0 and 1 in float32, the sum of (d - b)^2, in milliseconds: medians of {rounds} calls. *Host*: the
cloud is on the host. *Card*: the cloud is on the card; the layer takes its points to the host once and
returns the bars. *Distances on the card*: torch takes the distances there, and the layer gets the matrix.

{layer}
"""

MANY_CLOUDS = """\
{clouds} clouds of {points} points in one call:

{batches}
"""

COPIES = """\
Copies between the card and the host in one call for {points} points, as torch's profiler counts them:

{copies}
"""

TRAINING = """\
## Training steps

{steps} steps with the batch, without D0, in seconds; medians of {rounds} rounds. `slowdown` is the ratio to
the baseline.

{training}
"""

COPIES_OF_STEPS = """\
Copies in one step, as torch's profiler counts them:

{copies}
"""

TOGETHER = """\
## Several trainings on one card

{model}, {steps} steps in each process, which start at the same time. Utilisation is the median of what
nvidia-smi says.

{together}
"""

STACKED = """\
## Several trainings in one stack

`training.stack` seeds of a model in one process, with their weights in one stack. Milliseconds of a whole
step, divided by the number of trainings in the stack:

{stacks}
"""

LARGER = """\
Steps of {files}, in milliseconds, and how long a training then takes:

{larger}
"""


def main() -> None:
    """Measure, show each section once it is there, and write the page if there is a GPU."""
    torch.set_num_threads(1)
    page = []
    for section in chain(of_layer(), of_training()):
        print(section, flush=True)
        page.append(section)
    if GPU:
        PAGE.write_text("\n".join(page))
    else:
        print("torch can use no GPU here: these are small numbers of the CPU, and no page was written")


def of_layer() -> Iterator[str]:
    """The sections on the layer."""
    kinds = images() | {
        "uniform, 784 dimensions": uniform,
        "normal, 10 dimensions": latent,
        "noisy circle": circle,
    }
    calls: dict[str, Callable[[], object]] = {
        kind: partial(step, LAYER.rips, clouds(POINTS, 0).to(DEVICE)) for kind, clouds in kinds.items()
    }
    card = f"Card: {torch.cuda.get_device_name()}" if GPU else "Without a GPU"
    yield INTRODUCTION.format(machine=machine("torchrips", "torch"), card=card)
    yield ONE_CLOUD.format(rounds=ROUNDS, layer=rows_table("clouds, points", layer_times(kinds)))
    yield MANY_CLOUDS.format(clouds=BATCH, points=POINTS, batches=rows_table("clouds", batch_times(kinds)))
    yield COPIES.format(points=POINTS, copies=copies_table(calls))


def of_training() -> Iterator[str]:
    """The sections on trainings."""
    pixels, plan = images_and_plan()
    size = plan.config["training"]["batch_size"]
    pixels = pixels[: size * (STEPS_TOGETHER + 1)]
    references = reference_diagrams(pixels, size, (0, 1), threads=1)
    one = plan.trained_fully[-1]
    timed = {"cpu": [plan.full_baselines[one], one], DEVICE.type: plan.trained_fully}
    models = {
        device: {model: plan.trainer(model, plan.seeds[0]) | {"device": device} for model in names}
        for device, names in timed.items()
    }
    on_card = models[DEVICE.type]
    times = [f"{device}:\n\n{step_times(pixels, references, of, plan)}" for device, of in models.items()]
    yield TRAINING.format(steps=TIMING["steps"], rounds=TIMING["rounds"], training="\n\n".join(times))
    calls: dict[str, Callable[[], object]] = {
        model: Trainer(pixels, references, **arguments).step for model, arguments in on_card.items()
    }
    yield COPIES_OF_STEPS.format(copies=copies_table(calls))
    together = together_table(pixels, references, on_card[one])
    yield TOGETHER.format(model=one, steps=STEPS_TOGETHER, together=together)
    of_seeds = {
        model: [plan.trainer(model, seed) | {"device": DEVICE} for seed in range(max(STACKS))]
        for model in on_card
    }
    yield STACKED.format(stacks=stacks_table(pixels, references, of_seeds))
    yield "## Larger models\n"
    for files in LARGER_MODELS:
        yield LARGER.format(files=" and ".join(files), larger=larger_table(files))


# The layer


def matrix_step(points: Tensor) -> None:
    """Forward and backward to the points, with distances taken by torch where the points are."""
    points = points.detach().requires_grad_()
    # Exact as the layer's are: the faster formula with a matrix product is off where points are close.
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    loss(LAYER.rips_of_matrix(distances)).backward()


def layer_times(kinds: dict[str, Clouds]) -> dict[str, dict[str, float]]:
    """Milliseconds by kind of cloud and number of points."""
    return {
        f"{kind}, {n}": {
            "host": milliseconds(partial(step, LAYER.rips, clouds(n, 0))),
            "card": milliseconds(partial(step, LAYER.rips, clouds(n, 0).to(DEVICE))),
            "distances on the card": milliseconds(partial(matrix_step, clouds(n, 0).to(DEVICE))),
        }
        for (kind, clouds), n in product(kinds.items(), SIZES)
    }


def batch_times(kinds: dict[str, Clouds]) -> dict[str, dict[str, float]]:
    """Milliseconds of a batch of clouds, by kind."""
    rows = {}
    for kind, clouds in kinds.items():
        batch = [clouds(POINTS, seed) for seed in range(BATCH)]
        on_card = [cloud.to(DEVICE) for cloud in batch]
        rows[kind] = {
            "host": milliseconds(partial(batch_step, LAYER.rips_of_batch, batch)),
            "card": milliseconds(partial(batch_step, LAYER.rips_of_batch, on_card)),
        }
    return rows


def milliseconds(call: Callable[[], object]) -> float:
    """Median time of a call, the work on the card included; the first three are not counted."""
    taken = []
    for _ in range(3 + ROUNDS):
        wait()
        started = time.perf_counter()
        call()
        wait()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken[3:])


def wait() -> None:
    """Until the card has done what it was given."""
    if GPU:
        torch.cuda.synchronize()


def copies_table(calls: dict[str, Callable[[], object]]) -> str:
    """How often each call copies between the card and the host; the second call of each is counted."""
    rows: list[tuple[str, ...]] = [("call", "to the host", "to the card")]
    for name, call in calls.items():
        call()
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if GPU else [])]
        with profile(activities=activities) as profiled:
            call()
            wait()
        events = profiled.key_averages()
        counts = [
            sum(event.count for event in events if event.key.startswith(f"Memcpy {way}"))
            for way in ("DtoH", "HtoD")
        ]
        rows.append((name, *map(str, counts)))
    return table(rows)


# Training


def step_times(pixels: Array, references: list[list[Array]], models: dict[str, Any], plan: Plan) -> str:
    """Times of the training steps of all models, in turn."""
    found = median_times(measure_step_times(pixels, references, models, **TIMING), plan.full_baselines)
    cells = found.map(lambda cell: cell if isinstance(cell, str) else number(cell))
    return table([tuple(found.columns), *cells.itertuples(index=False, name=None)])


def together_table(pixels: Array, references: list[list[Array]], arguments: dict[str, Any]) -> str:
    """Steps per second by the number of processes on one card."""
    rows: list[tuple[str, ...]] = [
        ("processes", "steps per second, all together", "ratio", "utilisation of the card, percent")
    ]
    first = None
    for processes in PROCESSES:
        speed, utilisation = together(processes, pixels, references, arguments)
        first = first or speed
        rows.append((str(processes), number(speed), f"{speed / first:.2f}", utilisation))
    return table(rows)


def together(
    processes: int, pixels: Array, references: list[list[Array]], arguments: dict[str, Any]
) -> tuple[float, str]:
    """Steps per second of several trainings at once, and how busy the card was."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    given = (barrier, np.asarray(pixels), references, arguments)
    workers = [context.Process(target=train, args=given) for _ in range(processes)]
    for worker in workers:
        worker.start()
    barrier.wait()
    started = time.perf_counter()
    busy = []
    while barrier.n_waiting < processes and all(worker.is_alive() for worker in workers):
        busy += utilisation()
        time.sleep(0.01)
    seconds = time.perf_counter() - started
    if barrier.n_waiting < processes:
        barrier.abort()
        raise RuntimeError(f"a training among {processes} at once failed: see its traceback above")
    barrier.wait()
    for worker in workers:
        worker.join()
    return processes * STEPS_TOGETHER / seconds, f"{statistics.median(busy):.0f}" if busy else "-"


def train(barrier: Barrier, pixels: Array, references: list[list[Array]], arguments: dict[str, Any]) -> None:
    """A training; its first step, which loads and compiles, comes before the clock starts."""
    torch.set_num_threads(1)
    trainer = Trainer(pixels, references, **arguments)
    trainer.step()
    barrier.wait()
    for _ in range(STEPS_TOGETHER):
        trainer.step()
    wait()
    barrier.wait()


def stacks_table(
    pixels: Array, references: list[list[Array]], models: dict[str, list[dict[str, Any]]]
) -> str:
    """Milliseconds of a step of one training, by model and by how many trainings are stacked."""
    rows: list[tuple[str, ...]] = [("trainings in a stack", *map(str, STACKS))]
    for model, of_seeds in models.items():
        times = []
        for size in STACKS:
            trainers = [Trainer(pixels, references, **arguments) for arguments in of_seeds[:size]]
            times.append(milliseconds(partial(step_together, trainers)) / size)
        rows.append((model, *map(number, times)))
    return table(rows)


def larger_table(files: tuple[str, ...]) -> str:
    """Milliseconds of a step of each model of some configuration files, and hours of a training."""
    pixels, plan = images_and_plan(*files)
    rows: list[tuple[str, ...]] = [("model", "a step", "a training, hours")]
    models = [model for model in plan.models if plan.models[model].get("architecture", "vae") != "vae"]
    for model in models:
        arguments = plan.trainer(model, plan.seeds[0]) | {"device": DEVICE}
        batch, epochs = arguments["batch_size"], plan.config["training"]["epochs"]
        few = pixels[: batch * (ROUNDS + 4)]
        references = reference_diagrams(few, batch, (0, 1), threads=1)
        taken = milliseconds(Trainer(few, references, **arguments).step)
        steps = epochs * math.ceil(len(pixels) / batch)
        rows.append((model, number(taken), number(taken * steps / 3.6e6)))
    return table(rows)


def utilisation() -> list[int]:
    """What nvidia-smi says of the first card now, in percent."""
    if not GPU:
        return []
    command = ["nvidia-smi", "--id=0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    return [int(line) for line in subprocess.check_output(command, text=True).splitlines()]


if __name__ == "__main__":
    main()
