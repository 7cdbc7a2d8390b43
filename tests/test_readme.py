"""What the README shows in Python runs as it stands, and does what it says."""

import re
from pathlib import Path

import torch

README = (Path(__file__).parents[1] / "README.md").read_text()
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", README, re.S)


def test_the_example_is_short():
    assert (
        len([line for line in EXAMPLE.splitlines() if line and not line.startswith(("import", "from"))]) <= 10
    )


def test_the_example_opens_a_loop():
    torch.manual_seed(0)
    last = {}
    exec(EXAMPLE, last)
    torch.manual_seed(0)
    first = {}
    exec(EXAMPLE.replace("range(200)", "range(1)"), first)
    longest, at_first = ((names["loops"][:, 1] - names["loops"][:, 0]).max() for names in (last, first))
    assert longest > 5 * at_first
