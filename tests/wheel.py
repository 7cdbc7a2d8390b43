"""Checks of the installed wheel, run by `make test-wheel` in an environment that has nothing else."""

import importlib.util
import re
import time
from pathlib import Path


def seconds_of(code: str) -> float:
    started = time.perf_counter()
    exec(code, {})
    return time.perf_counter() - started


absent = ["topogen", "snakemake", "papermill", "torchvision", "pandas", "seaborn", "gudhi", "sklearn"]
assert not [name for name in absent if importlib.util.find_spec(name)]

print(f"import torch: {seconds_of('import torch'):.2f} s")
print(f"import torchrips, beyond torch: {seconds_of('from torchrips import *'):.3f} s")

import torch  # noqa: E402

import torchrips  # noqa: E402

assert "site-packages" in torchrips.__file__
page = (Path(__file__).parents[1] / "docs/layer.md").read_text(encoding="utf-8")
example, *_ = re.findall(r"```python\n(.*?)```", page, re.S)
print(f"example of docs/layer.md, compilation included: {seconds_of(example):.1f} s")
print(f"the same again: {seconds_of(example):.2f} s")
message = ""
try:
    torchrips.rips_diagrams(torch.eye(3), (2,))
except ImportError as error:
    message = str(error)
print(f"degree 2 without gudhi: {message}")
assert "torchrips[high-degrees]" in message
