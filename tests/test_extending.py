"""Whoever follows docs/extending.md to the letter has a loss, or a family of models, that can be trained."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
FENCES = re.findall(r"([^`]*(?:`[^`\n]+`[^`]*)*)\n```(\w+)\n(.*?)```", PAGE, re.S)
# Trains every model of a file for a step, as its jobs would, and prints what the histories hold.
TRAIN_A_STEP = """
import sys
from pathlib import Path
import numpy as np, yaml
from snakemake.utils import update_config, validate
from topogen.checks import check
from topogen.data.references import reference_diagrams
from topogen.plan import Plan
from topogen.training.trainer import Trainer
from topogen.variants import written_out
images = np.random.default_rng(0).integers(0, 256, (12, 1, 8, 8)).astype(np.uint8)
references = reference_diagrams(images, 12, (0, 1), threads=1)
for file in sys.argv[1:]:
    config = yaml.safe_load(Path("config.yaml").read_text())
    update_config(config, yaml.safe_load(Path(file).read_text()))
    validate(config, "workflow/schemas/config.schema.yaml")
    plan = Plan(written_out(config))
    check(plan)
    for model in plan.trained_in(plan.comparisons_of("study")[0]):
        row, _ = Trainer(images, references, **plan.trainer(model, 1) | {"batch_size": 12}).step()
        print(model, *row)
"""


def edited(content, kind, text, block):
    """A file after the edit that a block asks for, in the place that it or the text before it names."""
    if kind == "diff":
        lines = block.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] in f" {sign}") for sign in "-+")
    else:
        (before,) = re.findall(r"above the line `(.*)`", text)
        after = f"{block}\n\n{before}"
    assert content.count(before) == 1, f"not once in the file:\n{before}"
    return content.replace(before, after)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A clone in which somebody did what the page says."""
    clone = tmp_path_factory.mktemp("clone")
    # What is compiled comes along. Other tests may write there: files that are not complete end otherwise.
    incomplete = shutil.ignore_patterns("*.tmp.*", "*.pyc.*")
    for name in ("src", "workflow", "config"):
        shutil.copytree(ROOT / name, clone / name, ignore=incomplete)
    shutil.copy2(ROOT / "config.yaml", clone)
    file = None
    for text, kind, block in FENCES:
        named = re.findall(r"`((?:src|workflow|config)/[\w./]+)`", text)
        file = clone / named[-1] if named else file
        if kind == "sh":
            continue
        new = f"the new file `{file.relative_to(clone)}`" in text
        assert file.exists() != new
        file.write_text(block if new else edited(file.read_text(encoding="utf-8"), kind, text, block))
    return clone


def test_what_the_page_adds_can_be_trained(followed):
    commands = [block.split() for _, kind, block in FENCES if kind == "sh"]
    assert all(command[:4] == ["snakemake", "--cores", "1", "--configfile"] for command in commands)
    files = [command[4] for command in commands]
    trained = subprocess.run(
        [sys.executable, "-c", TRAIN_A_STEP, *files],
        cwd=followed,
        env=os.environ | {"PYTHONPATH": str(followed / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert trained.returncode == 0, trained.stderr
    columns = {model: row for model, *row in map(str.split, trained.stdout.splitlines())}
    assert columns.keys() == {"VAE0", "Radius", "Longest", "Linear", "Linear-matched"}
    assert "mean_radius" in columns["Radius"]
    assert "longest_bar_1" in columns["Longest"]
    assert "kld" not in columns["Linear"]


def test_a_loss_has_20_lines_of_code():
    losses = [block for _, kind, block in FENCES if kind == "python" and "(nn.Module)" in block]
    assert len(losses) == 2
    assert all(len([line for line in block.splitlines() if line]) <= 20 for block in losses)
