"""Every key of the configuration, its meaning, allowed values and default, read from the schema."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

Schema = Mapping[str, Any]
# Parts of the schema that several keys share -> the section that shows them.
SHARED = {
    "training": "training",
    "statistics": "statistics",
    "evaluation": "evaluation",
    "regularizer": "Regularizers",
    "metric": "Metrics",
}
HEAD = "| key | meaning | allowed | default |\n|---|---|---|---|\n"
LONGEST = 40  # characters of a default that is shown


class Row(NamedTuple):
    """A line of the reference."""

    key: str
    meaning: str
    allowed: str
    default: str


def key_reference(schema: Schema, config: Schema) -> str:
    """The reference as Markdown: a section for each key of the top level, and one for each shared part.

    Args:
        schema: of the configuration.
        config: the configuration that is delivered; its values are the defaults.
    """
    reader = _Reader(schema["$defs"])
    sections = {
        name: reader.rows(name, entry, config.get(name), required=name in schema["required"])
        for name, entry in schema["properties"].items()
    }
    sections[SHARED["regularizer"]] = reader.keys_of("", {"$ref": "#/$defs/regularizer"}, None)
    metrics = ", ".join(f"`{name}`" for name in schema["$defs"]["metric"]["enum"])
    tables = [f"## {name}\n\n{HEAD}{''.join(map(_line, rows))}" for name, rows in sections.items()]
    return "\n".join(
        [*tables, f"## {SHARED['metric']}\n\nDefined in `topogen.evaluation.metrics`: {metrics}.\n"]
    )


def _line(row: Row) -> str:
    cells = (f"`{row.key}`", row.meaning, row.allowed, row.default)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


class _Reader:
    """Reads rows out of a schema whose shared parts are given by name."""

    def __init__(self, parts: Schema) -> None:
        self.parts = parts

    def rows(self, path: str, entry: Schema, value: Any, *, required: bool, note: str = "") -> Iterator[Row]:
        """The row of a key, and those of the keys in it unless another section shows them."""
        meaning, _, default = self.resolved(entry).get("description", "").partition("; default: ")
        here = self.section(entry) in ("", path)
        allowed = self.allowed(entry, here=here)
        yield Row(path, note + meaning, allowed, default or _default(value, required=required))
        if here:
            yield from self.keys_of(path, entry, value)

    def keys_of(self, path: str, entry: Schema, value: Any) -> Iterator[Row]:
        """Rows of the keys in an object, of those in the entries of a mapping, or in the items of a list."""
        full = self.resolved(entry)
        dot = f"{path}." if path else ""
        known = value if isinstance(value, dict) else {}
        for key, inner in full.get("properties", {}).items():
            needed = key in full.get("required", [])
            yield from self.rows(f"{dot}{key}", inner, known.get(key), required=needed)
        if isinstance(full.get("additionalProperties"), Mapping):
            yield from self.keys_of(f"{dot}NAME", full["additionalProperties"], None)
        if isinstance(full.get("items"), Mapping) and not self.section(full["items"]):
            yield from self.keys_of(f"{path}[]", full["items"], None)
        for condition in full.get("allOf", []):
            yield from self.keys_if(dot, condition)

    def keys_if(self, dot: str, condition: Schema) -> Iterator[Row]:
        """Rows of the keys that an object has if one of its keys has a certain value."""
        ((key, test),) = condition["if"].get("properties", {"": {}}).items()
        names = test.get("enum", [test.get("const")])
        note = f"({key}: {', '.join(map(str, names))}) "
        parameters = condition["then"].get("properties", {}).get("parameters", {})
        for prefix, reference in ((f"{dot}parameters.", parameters), (dot, condition["then"])):
            if "$ref" in reference:
                full = self.resolved(reference)
                for name, inner in full["properties"].items():
                    if name != key:
                        yield from self.rows(f"{prefix}{name}", inner, None, required=True, note=note)

    def resolved(self, entry: Schema) -> dict[str, Any]:
        """An entry with what it refers to written out; its keywords come first."""
        if "$ref" not in entry:
            return dict(entry)
        part = self.resolved(self.parts[_name(entry)])
        properties = dict(part.get("properties", {}))
        for key, inner in entry.get("properties", {}).items():
            properties[key] = {**properties.get(key, {}), **inner}
        return {**part, **entry} | ({"properties": properties} if properties else {})

    def section(self, entry: Schema) -> str:
        """The section that shows a shared part; empty for any other entry."""
        name = _name(entry)
        if name not in SHARED and "$ref" in entry:
            return self.section(self.parts[name])
        return SHARED.get(name, "")

    def allowed(self, entry: Schema, *, here: bool = False, plural: bool = False) -> str:
        """The values of an entry in words.

        Args:
            entry: of the schema.
            here: the keys of a shared part follow; otherwise its section is linked.
            plural: words for several values.
        """
        full, section = self.resolved(entry), self.section(entry)
        if _name(entry) == "name":
            return "names" if plural else "a name: letters, digits and `._-`"
        if section and not here:
            return f"[{section}](#{section.lower()})"
        if "enum" in full or "const" in full:
            return ", ".join(f"`{_text(value)}`" for value in full.get("enum", [full.get("const")]))
        if full.get("type") == "array":
            return self._list(full)
        if "properties" in full or full.get("type") == "object":
            return self._mapping(full)
        options = [self.allowed(option, plural=plural) for option in full.get("anyOf", [])]
        return " or ".join(options) or _plain(full, plural=plural)

    def _list(self, full: Schema) -> str:
        if "prefixItems" in full:
            return f"list: {'; '.join(map(self.allowed, full['prefixItems']))}"
        items = self.allowed(full["items"], plural=True)
        count = full.get("minItems", 0)
        return f"list of {count} {items}" if count == full.get("maxItems") else f"list of {items}"

    def _mapping(self, full: Schema) -> str:
        if full.get("maxProperties") == 0:
            return "`{}`"
        if "properties" in full or "allOf" in full:
            return "one of the keys below" if full.get("maxProperties") == 1 else "the keys below"
        if "additionalProperties" in full:
            return f"NAME: {self.allowed(full['additionalProperties'])}"
        return "keys that depend on `name`"


def _name(entry: Schema) -> str:
    return str(entry.get("$ref", "")).removeprefix("#/$defs/")


def _default(value: Any, *, required: bool) -> str:
    if value is not None and not isinstance(value, dict) and len(_text(value)) <= LONGEST:
        return f"`{_text(value)}`"
    if required:
        return "required" if value is None else "in config.yaml"
    return "none" if value is None else "in config.yaml"


def _text(value: Any) -> str:
    """As config.yaml has it."""
    if isinstance(value, float):
        return np.format_float_positional(value, trim="-")
    return value if isinstance(value, str) else json.dumps(value)


def _plain(full: Schema, *, plural: bool) -> str:
    """Numbers, texts and truth values in words."""
    words = {"boolean": "`true`, `false`", "string": "text", "integer": "whole number", "number": "number"}
    kind = words.get(str(full.get("type")), "numbers or names")
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    bounds = [
        f"{sign} {full[name]:g}"
        for name, sign in signs.items()
        if name in full and full[name] not in (math.inf, 2**64 - 1)
    ]
    return f"{kind}{'s' if plural and kind.endswith('number') else ''} {', '.join(bounds)}".strip()
