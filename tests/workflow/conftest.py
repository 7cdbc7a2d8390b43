"""A copy of the repository with a made-up MNIST in resources/, and Snakemake to run in it."""

import gzip
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings

ROOT = Path(__file__).parents[2]
# What a run needs of the repository; without git, because the files may come from an archive.
FOLDERS = ("config", "docs", "envs", "notebooks", "profiles", "src", "tests", "workflow")
FILES = ("Snakefile", "config.yaml")
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


def loaded(*configuration_files, snakefile=Path("Snakefile"), nodes=None, **settings):
    """A workflow as every run reads it first, in this process; with nodes, a run on a cluster."""
    with SnakemakeApi() as api:
        read = api.workflow(
            resource_settings=ResourceSettings(cores=1, nodes=nodes),
            config_settings=ConfigSettings(configfiles=list(configuration_files), **settings),
            snakefile=snakefile,
        )
        read.list_rules()
        return read._workflow


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

    @property
    def python(self):
        """This Python, by a path with a space."""
        return str(self.folder / ".venv/bin" / Path(sys.executable).name)

    @property
    def circumstances(self):
        """Variables of another machine: a home that cannot be written, plain ASCII, another kernel."""
        caches = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        jupyter = str(self.folder / "jupyter")
        return ascii_only | {"HOME": os.devnull, "XDG_CACHE_HOME": caches, "JUPYTER_PATH": jupyter}

    @property
    def results(self):
        return self.folder / "results/MNIST"

    def start(self, *arguments, before_path=()):
        """Snakemake in a process of its own, whose PYTHONPATH holds some folders."""
        cores = [] if "--workflow-profile" in arguments else ["--cores", "2"]  # a cluster has its own
        return subprocess.Popen(
            [self.python, "-m", "snakemake", "--configfile=tiny.yaml", *cores, *arguments],
            cwd=self.folder,
            env=os.environ | self.circumstances | {"PYTHONPATH": os.pathsep.join(map(str, before_path))},
            umask=0o077,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def snakemake(self, *arguments, before_path=()):
        process = self.start(*arguments, before_path=before_path)
        output, _ = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, "")

    def planned(self, *options):
        """Rules that would run for `all` with how many jobs each, and the runs that would be trained."""
        dry = self.snakemake("-n", *options, "all")
        assert dry.returncode == 0, dry.stdout[-4000:]
        output = dry.stdout
        statistics = output.split("Job stats:")[1].split("total")[0] if "Job stats:" in output else ""
        rules = Counter({name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", statistics, re.M)})
        rules.pop("all", None)
        runs = set(re.findall(r"Train (\S+) on MNIST, seed (\d+)", output))
        assert len(runs) == rules.get("train", 0)
        return rules, runs


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Make a copy of the repository's files, as a run before left it, in a folder whose name has a space.

    Its environment seems to lie in it, as `make` puts it there, and Jupyter's path holds a broken kernel.
    """

    def copy():
        folder = tmp_path_factory.mktemp("my clone")
        # Other tests may write to src: a file that is not complete has another ending.
        incomplete = shutil.ignore_patterns("*.tmp.*", "*.pyc.*")
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=incomplete)
        for name in FILES:
            shutil.copy2(ROOT / name, folder / name)
        # What is compiled is shared, and known by the times of the sources, which are copied: or the tests in
        # a new clone would compile the layer twice. tests/torchrips/test_compilation.py tests first uses.
        compiled = Path("src/torchrips/__pycache__")
        (ROOT / compiled).mkdir(exist_ok=True)
        shutil.rmtree(folder / compiled, ignore_errors=True)
        (folder / compiled).symlink_to(ROOT / compiled)
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "jupyter/kernels/python3").mkdir(parents=True)
        kernel = {"argv": ["false"], "display_name": "of another Python", "language": "python"}
        (folder / "jupyter/kernels/python3/kernel.json").write_text(json.dumps(kernel))
        return folder

    return copy


def edit(file, change):
    """Write a YAML file with a change in its content."""
    content = yaml.safe_load(file.read_text())
    change(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def few(mapping, count):
    """Leave the first entries only."""
    for key in [*mapping][count:]:
        del mapping[key]


def fewer_pictures(config):
    """Leave what differs in kind: a model of outputs and one of latents, points and lines."""
    images = config["figures"]["images"]
    config["figures"]["images"] = {model: images[model] for model in ("TopoVAE2", "TopoVAE-Z1")}
    few(config["synthetic"]["pointclouds"]["experiments"], 2)


def cut(models):
    """A change that leaves few models, so that a whole run is short."""

    def change(config):
        topological = [model for model in models if "baseline" in config["models"][model]]
        config["models"] = {model: config["models"][model] for model in models}
        config["published"] = {model: config["published"][model] for model in models}
        config["figures"]["images"] = {model: config["figures"]["images"][model] for model in topological}
        for key in ("run", "scaled"):
            del config["figures"]["comparison"][key]
        config["comparisons"] = {"defined": {"models": topological}}
        config["controls"] |= {"noise_comparison": "defined", "significance_comparison": "defined"}
        config["calibration"]["comparisons"] = ["defined"]
        replayed = dict.fromkeys(("without", "run", "paired"), "defined")
        config["replay"] = {"first": replayed | {"likely": topological}}
        del config["sweeps"]
        config["claims"] |= {"comparisons": {"defined": "as defined"}, "stored": {}, "held_out": []}
        config["figures"]["latents"]["model"] = topological[0]
        few(config["synthetic"]["pointclouds"]["experiments"], 1)

    return change


def tiny(folder):
    """The tiny configuration, with its dataset put into a copy of the repository."""
    config = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    whole = yaml.safe_load((folder / "config.yaml").read_text())
    images, clouds = config["figures"]["images"], config["synthetic"]["pointclouds"]
    config["figures"]["images"] = {model: images[model] for model in whole["figures"]["images"]}
    experiments = whole["synthetic"]["pointclouds"]["experiments"]
    for name in set(clouds["experiments"]) - set(experiments):
        del clouds["experiments"][name]
    for name in set(config["comparisons"]) - set(whole["comparisons"]):
        del config["comparisons"][name]
    claims = config["claims"]["held_out"]
    config["claims"]["held_out"] = [claim for claim in claims if claim["comparison"] in whole["comparisons"]]
    config["datasets"] = {"MNIST": {"md5": put_dataset(folder / "resources/MNIST/raw")}}
    space = Workspace(folder)
    space.config = config
    return space


@pytest.fixture(scope="session")
def workspace(repository):
    folder = repository()
    edit(folder / "config.yaml", fewer_pictures)
    return tiny(folder)


@pytest.fixture(scope="session")
def small(repository):
    """Make a workspace of few models, whose whole run is short."""

    def make(models=("VAE0", "TopoVAE1", "TopoVAE2")):
        folder = repository()
        edit(folder / "config.yaml", cut(models))
        return tiny(folder)

    return make


@pytest.fixture(scope="session")
def finished(workspace):
    """The workspace after a full run."""
    run = workspace.snakemake("all")
    assert run.returncode == 0, run.stdout[-6000:]
    return workspace
