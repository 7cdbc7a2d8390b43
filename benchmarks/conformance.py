"""The same questions to several libraries, each in its own convention: `make conformance`.

All of them, into docs/conformance.md, or one row, with its numbers:

    python benchmarks/conformance.py
    python benchmarks/conformance.py --library gudhi --case bottleneck-degree-0
"""

import argparse
import inspect
import platform
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cases import CASES, ERROR, FINITE, Trial
from libraries import LIBRARIES, Library, NotOfferedError

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"

PASSED = "passed"
NOT_OFFERED = "not offered"
NOT_INSTALLED = "not installed"

INTRODUCTION = """\
# The same questions to several libraries

Made by `make conformance`. Each library is asked for what it offers, in the convention that it documents
(last table). The right answers are definitions carried out slowly, in benchmarks/exhaustive.py: a boundary
matrix reduced column by column, all matchings tried, central differences. A case is passed when all its
trials are; `-` is what a library does not offer. multipers 2.3.2 cannot be asked: making its Rips
filtration ends the process with gudhi 3.13.0."""

FAULTS = """\
## Faults

The first trial of a case that went wrong.
`python benchmarks/conformance.py --library LIBRARY --case CASE`, in the environment of `make conformance`,
asks again and prints inputs, expected and got in full. With two threads, how many trials go wrong differs
from run to run."""

# Read in the source of the versions compared.
CAUSES = {
    ("torch-topological", "rips-no-points"): "no points are refused, in giotto-ph",
    ("torch-topological", "rips-gradient-two-threads"): "giotto-ph's",
    ("torch-topological", "rips-nan"): "no bars, loss 0: giotto-ph does not check distances",
    ("torch-topological", "wasserstein-order-1"): "points are compared in the maximum norm, whatever p",
    ("torch-topological", "wasserstein-order-2"): "points are compared in the maximum norm, whatever p",
    ("torch-topological", "wasserstein-gradient-equal"): "derivative of the root at 0",
    ("torch-topological", "sliced-no-points"): "an empty list of projections is stacked",
    ("torch-topological", "kernel-gradient"): "a result that backward needs is overwritten by `-=`",
    ("torch-topological", "kernel-keeps-its-input"): "meant to swap birth and death; sets both to the death",
    ("torch-topological", "entropy-all-on-diagonal"): "0 / 0",
    ("torch-topological", "persistence-norm-3"): "p is not handed on: the cubic root of the sum of squares",
    ("giotto-ph", "rips-no-points"): "no points are refused",
    ("giotto-ph", "rips-gradient-two-threads"): "other birth edges than the births that it returns itself",
    ("gudhi", "rips-nan"): "the point stays a component of its own",
    ("gudhi", "bottleneck-degree-0"): "also with `e=0`; right in `gudhi.hera`",
    ("gudhi", "bottleneck-random"): "also with `e=0`; right in `gudhi.hera`",
    ("gudhi", "wasserstein-no-points"): "a float, no tensor",
    ("gudhi", "wasserstein-gradient-equal"): "derivative of a norm at 0",
    ("gudhi", "sliced-value"): "takes one line fewer than asked for; with one line, NaN",
    ("gudhi", "kernel-short-bar"): "the difference of two exponentials, which float32 cannot tell apart",
    ("gudhi", "entropy-point-on-diagonal"): "0 log 0",
    ("gudhi", "entropy-all-on-diagonal"): "0 / 0",
    ("oineus", "rips-one-and-two-points"): "one point is refused; with two, degree 1 is a KeyError",
    ("oineus", "rips-no-points"): "no points are refused",
    ("oineus", "wasserstein-no-points"): "a constant, 0, which can only be added to another loss",
    (
        "oineus",
        "wasserstein-gradient-diagonal",
    ): "holds the projection fixed: right in norm 2, not in its default",
    ("oineus", "wasserstein-gradient-equal"): "derivative of the ground norm at 0",
    ("persim", "kernel-distance-equal"): "root of a rounding error below 0",
    ("persim", "entropy-point-on-diagonal"): "refuses bars of length 0",
    ("persim", "entropy-all-on-diagonal"): "refuses bars of length 0",
}


@dataclass(frozen=True)
class Outcome:
    """How a library did in a case.

    Args:
        verdict: a cell of the table.
        trial: the first trial that went wrong, else the first.
        got: the answer to it, or the error.
        wrong: number of trials that went wrong.
        trials: number of all trials.
    """

    verdict: str
    trial: Trial | None = None
    got: Any = None
    wrong: int = 0
    trials: int = 0


def main() -> None:
    """Ask all, or one."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", choices=[library.name for library in LIBRARIES])
    parser.add_argument("--case", choices=list(CASES))
    arguments = parser.parse_args()
    libraries = [library for library in LIBRARIES if arguments.library in (None, library.name)]
    cases = [case for case in CASES if arguments.case in (None, case)]
    outcomes = {(library.name, case): outcome(library, case) for case in cases for library in libraries}
    if len(outcomes) == 1:
        print(row(libraries[0], cases[0], outcomes.popitem()[1]))
    elif len(outcomes) < len(LIBRARIES) * len(CASES):
        print(grid(libraries, cases, outcomes))
    else:
        PAGE.write_text(page(outcomes) + "\n")
        print(grid(libraries, cases, outcomes))


def outcome(library: Library, case: str) -> Outcome:
    """Ask a library all trials of a case."""
    if library.version is None:
        return Outcome(NOT_INSTALLED)
    asked = []
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        for trial in CASES[case](library):
            try:
                asked.append((trial, *answer(trial)))
            except NotOfferedError:
                return Outcome(NOT_OFFERED)
    faults = [(trial, got, verdict) for trial, got, verdict in asked if verdict != PASSED]
    trial, got, verdict = (faults or asked)[0]
    return Outcome(verdict, trial, got, len(faults), len(asked))


def answer(trial: Trial) -> tuple[Any, str]:
    """Answer to a trial and verdict on it."""
    try:
        got = trial.ask()
    except NotOfferedError:
        raise
    except Exception as error:
        return error, PASSED if trial.expected is ERROR else "error"
    numbers = np.array(list(flat(got)))
    if trial.expected is ERROR:
        return got, "no error"
    if np.isnan(numbers).any():
        return got, "NaN"
    right = np.isfinite(numbers).all() if trial.expected is FINITE else agree(got, trial)
    return got, PASSED if right else trial.fault


def agree(got: Any, trial: Trial) -> bool:
    """Whether an answer has the shapes and, up to the tolerance, the numbers that are expected."""
    if list(shapes(got)) != list(shapes(trial.expected)):
        return False
    numbers, expected = (np.array(list(flat(nested))) for nested in (got, trial.expected))
    return np.allclose(numbers, expected, rtol=trial.tolerance, atol=trial.tolerance)


def flat(nested: Any) -> Iterator[float]:
    """All numbers of nested lists of numbers and arrays."""
    if isinstance(nested, list | tuple):
        for item in nested:
            yield from flat(item)
    else:
        yield from np.ravel(nested)


def shapes(nested: Any) -> Iterator[tuple[int, ...]]:
    """Shapes of the arrays in nested lists."""
    if isinstance(nested, list | tuple):
        for item in nested:
            yield from shapes(item)
    else:
        yield np.shape(nested)


def row(library: Library, case: str, found: Outcome) -> str:
    """All that is known of one library in one case."""
    lines = [f"{library.name} {library.version}, {case}: {found.verdict}", asked(CASES[case])]
    if found.trial:
        lines.append(f"{found.wrong} of {found.trials} trials wrong; the first of these, or of all:")
        with np.printoptions(floatmode="unique", threshold=2000):
            lines += [f"{name} = {value!r}" for name, value in found.trial.inputs.items()]
            lines += [f"expected: {found.trial.expected!r}", f"got: {found.got!r}"]
    return "\n".join(lines)


def page(outcomes: dict[tuple[str, str], Outcome]) -> str:
    """The whole of docs/conformance.md."""
    parts = [
        INTRODUCTION,
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "scipy", "POT")),
        grid(list(LIBRARIES), list(CASES), outcomes),
        FAULTS,
        faults(outcomes),
        "## What is asked",
        table([("case", "question"), *((f"`{name}`", asked(case)) for name, case in CASES.items())]),
        "## Conventions\n\nThose of torchrips in full: [conventions.md](conventions.md).",
        table([("library", "method", "call"), *conventions()]),
    ]
    return "\n\n".join(parts)


def grid(libraries: list[Library], cases: list[str], outcomes: dict[tuple[str, str], Outcome]) -> str:
    """Verdicts, a row for each case and a column for each library."""
    heads = [f"{library.name} {library.version or ''}".strip() for library in libraries]
    rows = [
        (f"`{case}`", *(shown(outcomes[library.name, case].verdict) for library in libraries))
        for case in cases
    ]
    return table([("case", *heads), *rows])


def shown(verdict: str) -> str:
    """A verdict as a cell; faults stand out."""
    return {PASSED: "passed", NOT_OFFERED: "-", NOT_INSTALLED: NOT_INSTALLED}.get(verdict, f"**{verdict}**")


def faults(outcomes: dict[tuple[str, str], Outcome]) -> str:
    """The faults, a row for each."""
    rows = [
        (
            library,
            f"`{case}`",
            found.verdict,
            f"{found.wrong} of {found.trials}",
            short(found.trial.expected),
            short(found.got),
            CAUSES.get((library, case), ""),
        )
        for library in (library.name for library in LIBRARIES)
        for case in CASES
        if (found := outcomes[library, case]).wrong and found.trial
    ]
    return table([("library", "case", "verdict", "trials wrong", "expected", "got", "cause"), *rows])


def short(value: Any, width: int = 60) -> str:
    """A value in few characters: four digits, the shapes where there are too many numbers."""
    if isinstance(value, Exception):
        text = f"{type(value).__name__}: {str(value).splitlines()[0]}"
        return text if len(text) <= 2 * width else text[: 2 * width] + "..."
    if isinstance(value, str):
        return value
    text = ", ".join(np.array2string(np.array(number), precision=4) for number in flat(value))
    return text if 0 < len(text) <= width else "shapes " + ", ".join(str(shape) for shape in shapes(value))


def asked(case: Any) -> str:
    """What a case asks, in one line."""
    return " ".join((case.__doc__ or "").split())


def conventions() -> Iterator[tuple[str, str, str]]:
    """Library, method, call and convention, from the docstrings of libraries.py."""
    for library in LIBRARIES:
        for name, method in vars(type(library)).items():
            if inspect.isfunction(method) and method.__doc__:
                yield library.name, name.replace("_", " "), asked(method)


def table(rows: list[tuple[str, ...]]) -> str:
    """A Markdown table; the first row is the head."""
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    main()
