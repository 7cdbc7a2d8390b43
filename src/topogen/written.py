"""Mistakes in the writing of a YAML file that its reader passes over or does not place."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode


def check_written(path: Path) -> None:
    """Refuse a file that is not YAML, and one that has a key twice: its reader would take the last silently.

    A file may also be JSON, in which tabs are allowed; it is not looked at.

    Raises:
        ValueError: the message names the file, the line, and the key or what is wrong.

    """
    text = path.read_text(encoding="utf-8")
    with suppress(ValueError):
        json.loads(text)
        return
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        place = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ValueError(
            f"{path}{place}: {error.problem}; look there and above for a tab, for a bracket, quote or colon "
            "that is missing, and for an indentation that differs"
        ) from error
    for key, line, first in written_twice(root):
        raise ValueError(f"{path}, line {line}: {key} stands in line {first} too; keep one of them")


def written_twice(node: Node | None) -> Iterator[tuple[str, int, int]]:
    """Each key that its section has before, with its line and the line of the first."""
    if isinstance(node, MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, ScalarNode) and key.value in first:
                yield key.value, line, first[key.value]
            elif isinstance(key, ScalarNode):
                first[key.value] = line
            yield from written_twice(value)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from written_twice(value)
