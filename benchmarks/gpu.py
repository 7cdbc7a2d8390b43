"""Times of the layer and of training steps on a GPU: `make benchmark-gpu`.

Writes docs/benchmark_gpu.md. On a machine without a GPU that torch can use, everything runs on the CPU with
small numbers, so that one sees that it works; then nothing is written.
"""

import multiprocessing
import statistics
import subprocess
import time
from collections.abc import Callable
from functools import partial
from itertools import product
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
from topogen.training.trainer import Trainer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmark_gpu.md"

GPU = any(usable())
DEVICE = torch.device("cuda" if GPU else "cpu")
SIZES = (64, 128, 512, 1024) if GPU else (32, 64)
BATCH, POINTS = (16, 128) if GPU else (4, 32)
ROUNDS = 20 if GPU else 3
TIMING = {"steps": 50, "rounds": 5} if GPU else {"steps": 1, "rounds": 1}
PROCESSES = (1, 2, 4, 8) if GPU else (1, 2)
STEPS_TOGETHER = 300 if GPU else 3

LAYER = Torchrips()

Array = NDArray[Any]

TEXT = """\
# The layer and training on a GPU

Made by `make benchmark-gpu`, one thread per process on the host. {machine} {card}.

## Forward and backward of the layer

Degrees 0 and 1 in float32, the sum of (d - b)^2, in milliseconds: medians of {rounds} calls. *Host*: the
cloud is on the host. *Card*: the cloud is on the card; the layer takes its points to the host once and
returns the bars. *Distances on the card*: torch takes the distances there, and the layer gets the matrix.

{layer}

{clouds} clouds of {points} points in one call:

{batches}

Copies between the card and the host in one call for {points} points, as torch's profiler counts them:

{copies}

## Training steps

{steps} steps with the batch, without D0, in seconds; medians of {step_rounds} rounds. `slowdown` is the
ratio to the baseline.

{training}

Copies in one step, as torch's profiler counts them:

{step_copies}

## Several trainings on one card

{model}, {steps_together} steps in each process, which start at the same time. Utilisation is the median of
what nvidia-smi says.

{together}
"""


def main() -> None:
    """Measure, and write the page if there is a GPU."""
    torch.set_num_threads(1)
    kinds = images() | {
        "uniform, 784 dimensions": uniform,
        "normal, 10 dimensions": latent,
        "noisy circle": circle,
    }
    pixels, plan = images_and_plan()
    size = plan.config["training"]["batch_size"]
    pixels = pixels[: size * (STEPS_TOGETHER + 1)]
    references = reference_diagrams(pixels, size, (0, 1), threads=1)
    models = {
        device: {
            model: plan.trainer(model, plan.seeds[0]) | {"device": device} for model in plan.trained_fully
        }
        for device in dict.fromkeys(("cpu", DEVICE.type))
    }
    one = next(reversed(models[DEVICE.type]))
    page = TEXT.format(
        machine=machine("torchrips", "torch"),
        card=f"Card: {torch.cuda.get_device_name()}" if GPU else "Without a GPU",
        rounds=ROUNDS,
        points=POINTS,
        layer=rows_table("clouds, points", layer_times(kinds)),
        clouds=BATCH,
        batches=rows_table("clouds", batch_times(kinds)),
        copies=copies_table(
            {kind: partial(step, LAYER.rips, clouds(POINTS, 0).to(DEVICE)) for kind, clouds in kinds.items()}
        ),
        steps=TIMING["steps"],
        step_rounds=TIMING["rounds"],
        training="\n\n".join(
            f"{device}:\n\n{step_times(pixels, references, arguments, plan)}"
            for device, arguments in models.items()
        ),
        step_copies=copies_table(
            {
                model: Trainer(pixels, references, **arguments).step
                for model, arguments in models[DEVICE.type].items()
            }
        ),
        model=one,
        steps_together=STEPS_TOGETHER,
        together=together_table(pixels, references, models[DEVICE.type][one]),
    )
    print(page)
    if GPU:
        PAGE.write_text(page)
    else:
        print("torch can use no GPU here: these are small numbers of the CPU, and no page was written")


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


def utilisation() -> list[int]:
    """What nvidia-smi says of the first card now, in percent."""
    if not GPU:
        return []
    command = ["nvidia-smi", "--id=0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    return [int(line) for line in subprocess.check_output(command, text=True).splitlines()]


if __name__ == "__main__":
    main()
