"""Checks of the installed wheel, run by `make test-wheel` in an environment that has nothing else."""

import importlib.util
import re
import time
from pathlib import Path


def seconds_of(code: str) -> float:
    started = time.perf_counter()
    exec(code, {})
    return time.perf_counter() - started


absent = ["snakemake", "papermill", "notebook", "torchvision", "pandas", "seaborn"]
assert not [name for name in absent if importlib.util.find_spec(name)]

print(f"import torch: {seconds_of('import torch'):.2f} s")
print(f"import torchrips, beyond torch: {seconds_of('from torchrips import *'):.3f} s")

import torch  # noqa: E402

import torchrips  # noqa: E402

assert "site-packages" in torchrips.__file__
readme = (Path(__file__).parents[1] / "README.md").read_text()
(example,) = re.findall(r"```python\n(.*?)```", readme, re.S)
print(f"example of the README, compilation included: {seconds_of(example):.1f} s")
print(f"the same again: {seconds_of(example):.2f} s")
octahedron = torch.cat([torch.eye(3), -torch.eye(3)])
(void,) = torchrips.rips_diagrams(octahedron, (2,))
print(f"void of the octahedron: {void.tolist()}")
assert void.shape == (1, 2)
