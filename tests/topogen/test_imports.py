"""The files that a script runs are found by reading; a name that is not there is an error."""

import json

import pytest

from topogen.imports import source_files

LAZY = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from layer.engine import run
"""


@pytest.fixture
def packages(tmp_path):
    """A lazy package ``layer``, and a package ``study`` that uses it."""
    files = {
        "layer/__init__.py": LAZY,
        "layer/engine.py": "import math\n",
        "layer/other.py": "",
        "study/__init__.py": "",
        "study/models/__init__.py": "",
        "study/models/vae.py": "from layer import run\n",
        "study/plots.py": "import study.models.vae\n",
        "study/alone.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def closure(text, name="script.py"):
        script = tmp_path / name
        script.write_text(text)
        return {file.removeprefix(f"{tmp_path}/") for file in source_files(script, root=tmp_path)}

    return closure


VAE = {
    "study/__init__.py",
    "study/models/__init__.py",
    "study/models/vae.py",
    "layer/__init__.py",
    "layer/engine.py",
}


@pytest.mark.parametrize(
    "statement",
    [
        "from study.models.vae import VAE",
        "from study.models import vae",
        "import study.models.vae",
        "def late():\n    from study.models import vae as model\n",
    ],
)
def test_every_way_to_import_a_module_is_followed(packages, statement):
    assert packages(statement) == VAE


def test_imports_are_followed_through_modules(packages):
    assert packages("import study.plots") == VAE | {"study/plots.py"}


def test_a_lazy_package_leads_to_the_module_of_a_name_and_to_no_other(packages):
    assert packages("import layer") == {"layer/__init__.py"}
    assert packages("from layer import run") == {"layer/__init__.py", "layer/engine.py"}


def test_other_libraries_are_left_out(packages):
    assert packages("import numpy as np\nfrom pathlib import Path") == set()


def test_a_notebook_is_read_cell_by_cell(packages):
    cells = [
        {"cell_type": "markdown", "source": ["import study.alone"]},
        {"cell_type": "code", "source": ["from layer import run\n", "run()"]},
    ]
    found = packages(json.dumps({"cells": cells}), "page.ipynb")
    assert found == {"layer/__init__.py", "layer/engine.py"}


@pytest.mark.parametrize(
    "statement",
    ["from study.modles import vae", "import study.plot", "from study import plot", "from layer import walk"],
)
def test_a_misspelt_import_is_an_error_that_names_it(packages, statement):
    with pytest.raises(ValueError, match=r"script\.py imports .*(modles|plot|walk)"):
        packages(statement)
