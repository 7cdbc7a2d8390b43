"""Who may import whom: the directions of the house, read from the imports of every module."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STAGES = ["data", "models", "training", "evaluation", "evidence"]  # each may know those before it
BESIDE = {"theory", "synthetic"}  # stand beside evaluation
SHOWN = {"tables", "plotting"}
# Read by Snakemake.
PLANNING = {"checks", "imports", "offered", "plan", "variants", "written", "provenance", "forecast"}
PLANNING |= {"seeds", "steps", "stored"}
BELOW = {"files", "intervals", "seeds", "steps", "stored"}  # single modules that every stage may know
PACKED = {"crate", "archive", "verification"}  # results as a whole
FLAT = {*BELOW, *PLANNING, *PACKED, "cost"}
WITHOUT_TORCH = ["evidence", *SHOWN, "cost", *BELOW, *PLANNING, *PACKED]


def imported(file):
    """Dotted names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{part.name}" for part in node.names)
        elif isinstance(node, ast.Import):
            yield from (part.name for part in node.names)


def rooms(file):
    """Rooms of topogen that a module imports from."""
    return {name.split(".")[1] for name in imported(file) if name.startswith("topogen.")}


def allowed(room):
    """Rooms that a room may import from."""
    if room in STAGES:
        return set(STAGES[: STAGES.index(room) + 1]) | BELOW
    if room in BESIDE:
        return {room, *BELOW, *STAGES[:3]}
    if room in SHOWN:
        return {room, *BELOW, "plotting", *STAGES, *BESIDE}
    if room in PACKED:
        return PACKED | BELOW
    return PLANNING if room in PLANNING else {room}


MODULES = sorted(SOURCE.glob("topogen/**/*.py"))
LAYER = sorted(SOURCE.glob("torchrips/*.py"))


def room_of(file):
    return file.relative_to(SOURCE / "topogen").parts[0].removesuffix(".py")


def test_every_room_has_a_place():
    assert {room_of(file) for file in MODULES} <= {*STAGES, *BESIDE, *SHOWN, *FLAT, "__init__"}


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_module_knows_only_what_stands_before_it(file):
    assert rooms(file) <= allowed(room_of(file))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_only_the_workflow_names_snakemake(file):
    assert not [name for name in imported(file) if name.split(".")[0] == "snakemake"]


@pytest.mark.parametrize("file", LAYER, ids=lambda file: file.name)
def test_the_layer_imports_only_what_the_package_depends_on(file):
    """The wheel must work where neither the study nor what it needs is installed.

    Matplotlib is for pictures only, which ask for it where it is missing.
    """
    extra = PROJECT["optional-dependencies"].get("high-degrees", [])
    needed = {name.split(">")[0].replace("-", "_") for name in PROJECT["dependencies"] + extra}
    names = {name.split(".")[0] for name in imported(file)}
    assert names - set(sys.stdlib_module_names) <= needed | {"torchrips", "matplotlib"}


@pytest.mark.parametrize("room", PLANNING)
def test_what_snakemake_reads_needs_nothing_that_snakemake_does_not_bring(room):
    """The standard library and the reader of its configuration."""
    file = SOURCE / f"topogen/{room}.py"
    if file.is_file():
        names = {name.split(".")[0] for name in imported(file)}
        assert names <= {*sys.stdlib_module_names, "topogen", "yaml"}


@pytest.mark.parametrize("file", [*SOURCE.glob("topogen/*/__init__.py")], ids=lambda file: file.parent.name)
def test_a_folder_introduces_itself_and_imports_nothing(file):
    """At most at first use: what it imports would concern every rule that uses a module of the folder."""
    introduction, *rest = ast.parse(file.read_text()).body
    assert isinstance(introduction, ast.Expr)
    known = {"importlib.import_module", "typing.TYPE_CHECKING", "typing.Any"}
    imports = [node for node in rest if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {f"{node.module}.{part.name}" for node in imports for part in node.names} <= known


def test_what_counts_or_shows_does_not_load_torch():
    """Torch costs seconds and hundreds of megabytes in every process."""
    modules = [
        ".".join(file.relative_to(SOURCE).with_suffix("").parts)
        for file in MODULES
        if room_of(file) in WITHOUT_TORCH and file.name != "__init__.py"
    ]
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
