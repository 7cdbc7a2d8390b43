"""Limits that keep functions and files readable, and the same linters before a commit as in `make lint`."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
# Files of rules are lists; a file that defines functions is read as a whole.
WITH_FUNCTIONS = [
    file
    for file in sorted((ROOT / "workflow").rglob("*"))
    if file.suffix in (".py", ".smk") and re.search(r"^def ", file.read_text(encoding="utf-8"), re.M)
]


def lines_of(function):
    """Number of lines of a function, without those of its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    return lines - (function.body[0].end_lineno - function.body[0].lineno + 1)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_a_function_fits_on_a_screen(file):
    """At most 50 lines; ruff's PLR0912 counts the branches."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert {node.name: lines_of(node) for node in functions if lines_of(node) > 50} == {}


@pytest.mark.parametrize("file", WITH_FUNCTIONS, ids=lambda file: file.name)
def test_a_file_of_functions_is_short(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300


def test_before_a_commit_the_linters_are_those_of_make_lint():
    (recipe,) = re.findall(r"^lint: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [hook["entry"] for hook in repository["hooks"]]
    assert [line.removeprefix("\t$(RUN) ") for line in recipe.splitlines()] == hooks


def test_test_modules_have_names_of_their_own():
    """pytest refuses two modules of one name in folders that are not packages, when one run collects both."""
    names = Counter(file.name for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
