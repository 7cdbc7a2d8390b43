"""Which source files a script or notebook runs: the closure of its imports, read without importing.

A rule declares these files as inputs, so that a change of one of them reruns the rule and no others.
"""

import ast
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


def source_files(*files: str | Path, root: str | Path = "src") -> list[str]:
    """Files below ``root`` that some scripts or notebooks import, directly or through one another.

    Args:
        files: Python scripts or notebooks; they do not belong to the result.
        root: folder of the packages; an import of anything that it does not hold is left out.

    Returns:
        Paths, sorted. The ``__init__.py`` of a package belongs to them if a module of the package does.
        A name that a package offers only under ``TYPE_CHECKING`` (and so imports at first use) leads to the
        module that defines it.

    Raises:
        ValueError: a file imports a module or a name of a package below ``root`` that is not there.

    """
    root = Path(root)
    found: set[Path] = set()
    waiting = [Path(file) for file in files]
    while waiting:
        file = waiting.pop()
        for imported in _imports(file, root):
            if imported not in found:
                found.add(imported)
                waiting.append(imported)
    return sorted(map(str, found))


def _tree(file: Path) -> ast.Module:
    return _parsed(file, file.stat().st_mtime_ns)


@cache
def _parsed(file: Path, changed: int) -> ast.Module:
    """Syntax tree of a script or notebook as it was when it was last changed."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".ipynb":
        cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n".join("".join(source) for source in cells)
    return ast.parse(text, str(file))


def _imports(file: Path, root: Path) -> set[Path]:
    """Files below the root that one file imports."""
    found: set[Path] = set()
    for node in _statements(_tree(file), lazy=file.name == "__init__.py"):
        if isinstance(node, ast.Import):
            for part in node.names:
                found |= _module(part.name, root, file)
        elif isinstance(node, ast.ImportFrom):
            if node.level > 0 or node.module is None:
                raise ValueError(f"{file}, line {node.lineno}: relative import; write the package's name")
            found |= _module(node.module, root, file)
            for part in node.names:
                found |= _member(node.module, part.name, root, file)
    return found


def _statements(tree: ast.AST, *, lazy: bool) -> Iterator[ast.AST]:
    """Every node, without the blocks under TYPE_CHECKING of a package that imports lazily."""
    for node in ast.iter_child_nodes(tree):
        if lazy and _is_type_checking(node):
            continue
        yield node
        yield from _statements(node, lazy=lazy)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _module(name: str, root: Path, importer: Path) -> set[Path]:
    """Files of a module and of the packages around it; none if the root does not hold its first package."""
    parts = name.split(".")
    if not (root / parts[0]).is_dir():
        return set()
    inits = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    module = root.joinpath(*parts).with_suffix(".py")
    files = [*inits[:-1], module] if module.is_file() else inits
    if missing := [file for file in files if not file.is_file()]:
        raise ValueError(f"{importer} imports {name}, but {missing[0]} does not exist")
    return set(files)


def _member(package: str, name: str, root: Path, importer: Path) -> set[Path]:
    """Files behind ``from package import name``: a module, or a name that the package imports lazily."""
    folder = root.joinpath(*package.split("."))
    if not folder.is_dir():  # a name in a module, whose file is known already, or another library's
        return set()
    if (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file():
        return _module(f"{package}.{name}", root, importer)
    tree = _tree(folder / "__init__.py")
    if name == "*":
        offered = _lazy_names(tree)
        return {file for module in offered.values() for file in _module(module, root, importer)}
    if name in _lazy_names(tree):
        return _module(_lazy_names(tree)[name], root, importer)
    if name in _defined(tree.body):
        return set()
    raise ValueError(f"{importer} imports {name} from {package}, which has no such name")


def _lazy_names(tree: ast.Module) -> dict[str, str]:
    """Name -> the module that defines it, of what a package imports under TYPE_CHECKING."""
    blocks = [node for node in tree.body if isinstance(node, ast.If) and _is_type_checking(node)]
    return {
        part.asname or part.name: statement.module
        for block in blocks
        for statement in block.body
        if isinstance(statement, ast.ImportFrom) and statement.module
        for part in statement.names
    }


def _defined(body: Iterable[ast.stmt]) -> set[str]:
    """Names that the statements of a module define or import."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {part.asname or part.name for part in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names
