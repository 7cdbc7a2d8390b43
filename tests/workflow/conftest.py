"""A copy of the repository with a made-up MNIST in resources/, and Snakemake to run in it."""

import gzip
import hashlib
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]
IMAGES = 28  # three batches of 8 and one of 4


def idx(array):
    """An unsigned byte array in the IDX format."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


def put_dataset(raw):
    """Write four small IDX files, and return their checksums."""
    stream = np.random.default_rng(0)
    checksums = {}
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        files = {
            f"{part}-images-idx3-ubyte.gz": stream.integers(0, 256, (IMAGES, 28, 28)),
            f"{part}-labels-idx1-ubyte.gz": np.arange(IMAGES) % 10,
        }
        for name, array in files.items():
            content = idx(array)
            (raw / name).write_bytes(content)
            checksums[name] = [hashlib.md5(content).hexdigest()]
    return checksums


@dataclass
class Workspace:
    """A copy of the repository in which the tiny configuration runs."""

    folder: Path

    @property
    def config(self):
        return yaml.safe_load((self.folder / "tiny.yaml").read_text())

    @config.setter
    def config(self, content):
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(content))

    def snakemake(self, *arguments):
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src")}
        return subprocess.run(
            ["snakemake", "--configfile", "tiny.yaml", "--cores", "2", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    config = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    config["datasets"] = {"MNIST": {"md5": put_dataset(folder / "resources/MNIST/raw")}}
    space = Workspace(folder)
    space.config = config
    return space


@pytest.fixture(scope="session")
def finished(workspace):
    """The workspace after a full run."""
    run = workspace.snakemake("all")
    assert run.returncode == 0, run.stderr[-6000:]
    return workspace
