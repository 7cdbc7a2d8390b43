"""Times of D0 and of a training step of every model that the workflow times: `make benchmark`.

Run it on a quiet machine. It reads the images that rule prepare makes.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from history import remember
from numpy.typing import NDArray
from snakemake.utils import update_config

from topogen.cost import median_times
from topogen.data.references import reference_diagrams
from topogen.plan import Plan
from topogen.training.timing import measure_step_times
from topogen.variants import of_each_dataset

ROOT = Path(__file__).parents[1]


def main() -> None:
    images, plan = images_and_plan()
    torch.set_num_threads(1)

    started = time.perf_counter()
    references = reference_diagrams(images, plan.config["training"]["batch_size"], (0, 1), threads=1)
    seconds = time.perf_counter() - started
    print(f"D0 of {len(references)} batches: {seconds:.2f} s, {1000 * seconds / len(references):.2f} ms each")

    spec = plan.timing()
    torch.set_num_threads(spec.pop("threads"))
    times = median_times(measure_step_times(images, references, **spec), plan.full_baselines)
    print(times.round(3).to_string(index=False))
    baseline = next(iter(plan.full_baselines.values()))
    milliseconds = 1000 * times.set_index("model")["seconds"][baseline] / spec["steps"]
    slowest = "step of the slowest model, by that of its baseline"
    remember({f"step of {baseline} (ms)": milliseconds, slowest: times["slowdown"].max()})


def images_and_plan(*files: str) -> tuple[NDArray[Any], Plan]:
    """Images of the first dataset of config.yaml, memory-mapped, and the plan of its trainings.

    Args:
        files: further configuration files, which change some keys.

    """
    config: dict[str, Any] = {}
    for name in ("config.yaml", *files):
        update_config(config, yaml.safe_load((ROOT / name).read_text()))
    configuration, *_ = of_each_dataset(config).values()
    plan = Plan(configuration)
    file = ROOT / "results" / plan.dataset / "images.npy"
    if not file.exists():
        sys.exit(
            f"{file} is missing: run `make results` first, or `snakemake --cores 1 {file.relative_to(ROOT)}`"
        )
    return np.load(file, mmap_mode="r"), plan


if __name__ == "__main__":
    main()
