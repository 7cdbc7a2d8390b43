"""The package as a researcher gets it: light to import, and without the workflow's dependencies."""

import subprocess
import sys
from pathlib import Path

import pytest

import torchrips


def modules_after(statement):
    code = f"{statement}\nimport sys; print(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_every_public_name_is_there():
    for name in torchrips.__all__:
        assert getattr(torchrips, name).__doc__
    assert set(dir(torchrips)) == set(torchrips.__all__)
    with pytest.raises(AttributeError, match="no attribute 'rips'"):
        torchrips.rips  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    assert not {"torch", "numba", "gudhi", "scipy"} & modules_after("import torchrips")


def test_importing_the_layer_imports_torch_and_no_engine():
    modules = modules_after("from torchrips import rips_diagrams, spread_gradient, regularizers, distances")
    assert "torch" in modules
    assert not {"numba", "gudhi", "scipy", "sklearn", "pandas", "torch._dynamo"} & modules


def test_only_the_persistence_module_calls_gudhi():
    source = Path(torchrips.__file__).parent
    callers = {file.name for file in source.rglob("*.py") if "gudhi" in file.read_text(encoding="utf-8")}
    assert callers == {"persistence.py"}
