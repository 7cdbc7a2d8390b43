"""Step times of every model and of D0, both sides in one process on one thread: `make benchmark`.

Run it on a quiet machine, after `make results` (it reads the prepared images).
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
import yaml

from topogen.cost import median_times
from topogen.data.references import reference_diagrams
from topogen.training.timing import time_steps

ROOT = Path(__file__).parents[1]


def main() -> None:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    file = ROOT / "results" / config["dataset"] / "images.npy"
    if not file.exists():
        sys.exit(
            f"{file} is missing: run `make results` first, or `snakemake --cores 1 {file.relative_to(ROOT)}`"
        )
    images = np.load(file, mmap_mode="r")
    torch.set_num_threads(1)

    started = time.perf_counter()
    references = reference_diagrams(images, config["training"]["batch_size"], (0, 1), threads=1)
    seconds = time.perf_counter() - started
    print(f"D0 of {len(references)} batches: {seconds:.2f} s, {1000 * seconds / len(references):.2f} ms each")

    shared = {"seed": 0, **{key: config["training"][key] for key in ("batch_size", "learning_rate")}}
    models = {
        name: shared | {key: model[key] for key in ("latent_dim", "regularizers")} | {"device": "cpu"}
        for name, model in config["models"].items()
    }
    baselines = {name: model["baseline"] for name, model in config["models"].items() if "baseline" in model}
    rounds = time_steps(images, references, models, **config["timing"])
    print(median_times(rounds, baselines).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
