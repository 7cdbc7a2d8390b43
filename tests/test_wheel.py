"""The layer as strangers install it: the wheel by itself, and with the oldest and newest packages allowed.

Each environment is new and holds no package of the study. `make test-wheel` runs these tests.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("pytest", "hypothesis", "matplotlib")

pytestmark = pytest.mark.wheel


def run(*command):
    """Run a command outside the clone, so that nothing is imported from it by accident."""
    done = subprocess.run([*map(str, command)], cwd=ROOT.parent, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr, sep="\n")
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    assert run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT).returncode == 0
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture
def python(tmp_path, request):
    """Interpreter of a new environment of the version asked for; skips if this machine cannot have it."""
    version = getattr(request, "param", "3.11")
    made = run("uv", "venv", "--python", version, tmp_path / "venv")
    if made.returncode != 0:
        pytest.skip(f"Python {version} is neither installed nor can it be fetched: {made.stderr[-200:]}")
    return tmp_path / "venv/bin/python"


def install(python, *arguments):
    assert run("uv", "pip", "install", "--python", python, *arguments).returncode == 0


def layer_tests(python):
    """Run the tests of the layer against the installed wheel, not against the clone's source."""
    options = (
        "--override-ini",
        "pythonpath=tests",
        "-W",
        "default",
        "--rootdir",
        ROOT,
        "-c",
        ROOT / "pyproject.toml",
    )
    done = run(python, "-m", "pytest", "-q", *options, ROOT / "tests/torchrips")
    assert done.returncode == 0


def test_the_wheel_needs_nothing_else(wheel, python):
    """Isolated (-I): the folders tests/topogen and tests/torchrips must not be found as packages."""
    install(python, wheel)
    assert run(python, "-I", ROOT / "tests/wheel.py").returncode == 0


def test_the_lowest_versions_allowed(wheel, python, tmp_path):
    lowest = tmp_path / "lowest.txt"
    resolve = ("--resolution", "lowest-direct", "--extra", "high-degrees", "--python", python)
    compiled = run("uv", "pip", "compile", *resolve, "--output-file", lowest, ROOT / "pyproject.toml")
    assert compiled.returncode == 0
    install(python, "--requirements", lowest, *TOOLS)
    install(python, "--no-deps", wheel)
    layer_tests(python)


@pytest.mark.parametrize("python", ["3.12", "3.13", "3.14"], indirect=True)
def test_newer_versions_of_python(wheel, python):
    install(python, f"{wheel}[high-degrees]", *TOOLS)
    layer_tests(python)
