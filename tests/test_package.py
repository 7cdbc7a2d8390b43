"""The package as a researcher gets it: light to import, and without the workflow's dependencies."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import topogen

ROOT = Path(__file__).parents[1]
LIBRARY = ["persistence", "engine", "spreading", "distances", "regularizers"]


def modules_after(statement):
    code = f"{statement}\nimport sys; print(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_every_public_name_is_there():
    for name in topogen.__all__:
        assert getattr(topogen, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'rips'"):
        topogen.rips  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    assert not {"torch", "numba", "gudhi", "scipy"} & modules_after("import topogen")


def test_importing_the_layer_imports_torch_and_no_engine():
    modules = modules_after("from topogen import rips_diagrams, spread_gradient, regularizers, distances")
    assert "torch" in modules
    assert not {"numba", "gudhi", "scipy", "sklearn", "pandas"} & modules


@pytest.mark.parametrize(
    "module",
    [
        "statistics",
        "files",
        "tables",
        "plotting.style",
        "plotting.curves",
        "plotting.diagrams",
        "plotting.theory",
        "plotting.schematic",
    ],
)
def test_tables_and_plots_need_no_torch(module):
    assert "torch" not in modules_after(f"import topogen.{module}")


def test_the_engine_works_where_no_folder_can_be_written():
    code = """
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = []
from topogen.engine import ONE, _lowest_bit
print(_lowest_bit(ONE << ONE * 37))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "37\n", run.stderr


@pytest.mark.parametrize("module", LIBRARY)
def test_the_layer_imports_only_what_the_package_depends_on(module):
    """The wheel must work where neither Snakemake, notebooks nor torchvision are installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = {requirement.split(">")[0].replace("-", "_") for requirement in project["dependencies"]}
    tree = ast.parse((ROOT / f"src/topogen/{module}.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) <= allowed | {"topogen"}
