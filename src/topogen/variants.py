"""The configuration written out: overrides by the dataset, models like other models, and sweeps.

All of it happens after the configuration files are merged, so that a change of a model reaches its variants.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

Config = dict[str, Any]
OVERRIDABLE = ("training", "statistics", "evaluation")  # sections of which a dataset may set keys


@dataclass(frozen=True)
class Variant:
    """A model like another: the model that it varies, and the value of each key that it varies."""

    varied: str
    values: dict[str, float | str]

    @property
    def name(self) -> str:
        """``MODEL-KEY-VALUE``, with more pairs if more keys vary."""
        return "-".join([self.varied, *(f"{key}-{value}" for key, value in self.values.items())])


def without_nulls(config: Config) -> Config:
    """The same configuration without the keys whose value is null: a later file can take a key away.

    >>> without_nulls({"seeds": [1], "models": {"VAE0": {}, "TopoVAE1": None}})
    {'seeds': [1], 'models': {'VAE0': {}}}
    """
    return {
        key: without_nulls(value) if isinstance(value, dict) else value
        for key, value in config.items()
        if value is not None
    }


def datasets_of(config: Config) -> list[str]:
    """Names of the datasets of the run.

    >>> datasets_of({"dataset": "digits"}), datasets_of({"dataset": ["MNIST", "digits"]})
    (['digits'], ['MNIST', 'digits'])
    """
    named: str | list[str] = config["dataset"]
    return [named] if isinstance(named, str) else named


def of_each_dataset(config: Config) -> dict[str, Config]:
    """Dataset of the run -> the configuration for it alone, written out."""
    return {name: written_out(config | {"dataset": name}) for name in datasets_of(config)}


def written_out(config: Config) -> Config:
    """The same configuration without ``like`` and overrides, with the variants of its sweeps and comparisons.

    Args:
        config: all configuration files, merged and valid by the schema, and one dataset of the run; it is
            left as it is.

    Returns:
        A copy of the top level, in which every dataset has its sections in full and that of the run has
        overridden those of the configuration, every model has all its keys, and the variants and comparisons
        of the sweeps are among ``models`` and ``comparisons``. One that changes keys (``with``, ``against``)
        stays as it is, and its variants are among ``models``.

    Raises:
        ValueError: a model, comparison or regularizer is unknown, entries are like each other in a circle, or
            one name stands for two models or two comparisons.

    """
    datasets = {
        dataset: entry | {name: _merged(config[name], entry.get(name, {})) for name in OVERRIDABLE}
        for dataset, entry in config["datasets"].items()
    }
    sections = {name: datasets.get(config["dataset"], config)[name] for name in OVERRIDABLE}
    models = _all_keys("models", config["models"])
    comparisons = _all_keys("comparisons", config["comparisons"])
    swept: Config = {}
    for name, sweep in config.get("sweeps", {}).items():
        if name in comparisons:
            raise ValueError(f"sweeps.{name}: comparisons has this name too; choose another one")
        for variant, entry in _entries(name, sweep, models):
            if (models | swept).get(variant, entry) != entry:
                raise ValueError(f"sweeps.{name}: another model is called {variant}; rename it")
            swept[variant] = entry
        comparisons[name] = {
            "models": [variant.name for variant in variants(sweep)],
            "target": sweep.get("target", "sweeps"),
            **{key: sweep[key] for key in ("seeds",) if key in sweep},
        }
    for name, comparison in comparisons.items():
        for variant, entry in _entries_of_comparison(name, comparison, models):
            if (models | swept).get(variant, entry) != entry:
                raise ValueError(f"comparisons.{name}: another model is called {variant}; rename it")
            swept[variant] = entry
    return config | sections | {"datasets": datasets, "models": models | swept, "comparisons": comparisons}


def column_of(term: Config) -> str:
    """Name of a regularizer in histories and sweeps: NAME_DEGREE, or NAME if it has no degree.

    >>> column_of({"name": "push", "degree": 0}), column_of({"name": "energy_distance"})
    ('push_0', 'energy_distance')
    """
    return f"{term['name']}_{term['degree']}" if "degree" in term else str(term["name"])


def compared(comparison: Config) -> list[Variant]:
    """What a comparison compares: its models, or variants of them if it changes keys (``with``)."""
    return _variants_of(comparison["models"], comparison.get("with", {}))


def opponents(comparison: Config) -> list[Variant]:
    """What a comparison compares its models with, if that is variants of themselves (``against``)."""
    return _variants_of(comparison["models"], comparison["against"]) if "against" in comparison else []


def _variants_of(models: Iterable[str], changes: Config) -> list[Variant]:
    return [Variant(model, dict(sorted(changes.items()))) for model in models]


def variants(sweep: Config) -> list[Variant]:
    """Variants of a sweep, each once: within a grid every combination of values, and all grids together."""
    found: list[Variant] = []
    for grid in sweep["settings"]:
        keys = sorted(grid.keys() - {"model"})
        for values in product(*(grid[key] for key in keys)):
            variant = Variant(grid["model"], dict(zip(keys, values, strict=True)))
            if variant not in found:
                found.append(variant)
    return found


def _merged(section: Config, overrides: Config) -> Config:
    """A section with the values of another one in their places, however deep."""
    changed = {
        key: _merged(section[key], value) if isinstance(value, dict) and key in section else value
        for key, value in overrides.items()
    }
    return section | changed


def _all_keys(section: str, entries: Config) -> Config:
    """Entries of a section: the keys of the entry that each is like, and its own in their places."""
    found = {}
    for name in entries:
        chain = [name]
        while "like" in entries[chain[-1]]:
            other = entries[chain[-1]]["like"]
            if other not in entries:
                known = ", ".join(entries)
                raise ValueError(f"{section}.{chain[-1]}.like: unknown name {other}; choose one of: {known}")
            if other in chain:
                circle = " -> ".join([*chain, other])
                raise ValueError(f"{section}.{name}.like: {circle} is a circle; write one of them out")
            chain.append(other)
        keys = {key: value for link in reversed(chain) for key, value in entries[link].items()}
        found[name] = {key: value for key, value in keys.items() if key != "like"}
    return found


def _entries(name: str, sweep: Config, models: Config) -> list[tuple[str, Config]]:
    """Name and keys of every model of a sweep."""
    entries = []
    for variant in variants(sweep):
        if variant.varied not in models:
            raise ValueError(
                f"sweeps.{name}.settings: unknown model {variant.varied}; choose one of: {', '.join(models)}"
            )
        varied = models[variant.varied]
        entry = varied | {"baseline": varied.get("baseline", variant.varied)}
        entry.pop("replicates", None)  # published rows belong to the model itself
        entry |= {key: sweep[key] for key in ("steps",) if key in sweep}
        for key, value in variant.values.items():
            try:
                entry = _changed(entry, key, value)
            except ValueError as error:
                raise ValueError(f"sweeps.{name}.settings: {variant.varied}: {error}") from error
        entries.append((variant.name, entry))
    return entries


def _entries_of_comparison(name: str, comparison: Config, models: Config) -> list[tuple[str, Config]]:
    """Name and keys of the variants that a comparison needs: of its models, and of their baselines."""
    if not {"with", "against"} & comparison.keys():
        return []
    if unknown := [model for model in comparison["models"] if model not in models]:
        known = ", ".join(models)
        raise ValueError(f"comparisons.{name}.models: unknown model {unknown[0]}; choose one of: {known}")
    entries = [(variant.name, models[variant.varied] | variant.values) for variant in opponents(comparison)]
    if "with" not in comparison:
        return entries
    baselines = [models[model].get("baseline") for model in comparison["models"]]
    for variant in _variants_of([*baselines, *comparison["models"]], comparison["with"]):
        if variant.varied not in models:  # no baseline, or an unknown one, which is refused elsewhere
            continue
        varied = models[variant.varied]
        entry = varied | variant.values
        if "baseline" in varied:
            entry["baseline"] = Variant(varied["baseline"], variant.values).name
            entry["replicates"] = varied.get("replicates", [variant.varied])
        entries.append((variant.name, entry))
    return entries


def _changed(entry: Config, key: str, value: float | str) -> Config:
    """A model with another value of a key, or of ``COLUMN.KEY`` inside one of its regularizers."""
    term_name, dot, inner = key.rpartition(".")
    if not dot:
        return entry | {key: value}
    terms = [column_of(term) for term in entry["regularizers"]]
    if term_name not in terms:
        raise ValueError(f"it has no regularizer {term_name}; it has: {', '.join(terms) or 'none'}")
    place = terms.index(term_name)
    term = entry["regularizers"][place]
    if inner in term.get("parameters", {}):
        term = term | {"parameters": term["parameters"] | {inner: value}}
    else:
        replaced = {"weight": "share", "share": "weight"}.get(inner)  # a term has one of the two
        term = {key: known for key, known in term.items() if key != replaced} | {inner: value}
    return entry | {
        "regularizers": [*entry["regularizers"][:place], term, *entry["regularizers"][place + 1 :]]
    }
