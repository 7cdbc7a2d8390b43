"""How results are written: whole or not at all, and with equal bytes for equal content."""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Temporary path beside ``path`` to write to; it takes the name of ``path`` when the block succeeds.

    Raises:
        OSError: the folder is missing or cannot be written, or the disk is full; ``path`` is then untouched.

    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def digest(text: str, files: Iterable[str | Path]) -> str:
    """SHA-256 of a text and of the contents of files, in their order."""
    total = hashlib.sha256(text.encode())
    for file in files:
        with Path(file).open("rb") as content:
            total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()


def save_arrays(path: str | Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Named arrays as npz."""
    with atomic(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def save_array(path: str | Path, array: NDArray[Any]) -> None:
    """One array as npy, which can be memory-mapped."""
    with atomic(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def save_diagrams(path: str | Path, diagrams: Sequence[Sequence[NDArray[Any]]]) -> None:
    """Ragged diagrams, ``diagrams[batch][degree]`` of shape (k, 2), as one npz.

    For each degree the file holds all rows and the offsets at which the batches begin.
    """
    arrays = {}
    for degree, batches in enumerate(zip(*diagrams, strict=True)):
        arrays[f"rows_{degree}"] = np.concatenate(batches)
        arrays[f"offsets_{degree}"] = np.cumsum([0, *map(len, batches)])
    save_arrays(path, arrays)


def load_diagrams(path: str | Path) -> list[list[NDArray[Any]]]:
    """What :func:`save_diagrams` wrote: ``diagrams[batch][degree]``."""
    with np.load(path, allow_pickle=False) as file:
        degrees = range(len(file.files) // 2)
        split = [np.split(file[f"rows_{p}"], file[f"offsets_{p}"][1:-1]) for p in degrees]
    return [list(batch) for batch in zip(*split, strict=True)]


def save_table(path: str | Path, table: pd.DataFrame) -> None:
    """Table as Parquet, without its index."""
    with atomic(path) as temporary:
        table.to_parquet(temporary, index=False)


def load_tables(
    runs: Iterable[tuple[str, int]], paths: Iterable[str | Path]
) -> dict[tuple[str, int], pd.DataFrame]:
    """Tables of several runs by model and seed, from one Parquet file for each run, in the same order."""
    return {(model, seed): pd.read_parquet(path) for (model, seed), path in zip(runs, paths, strict=True)}


def save_text(path: str | Path, text: str) -> None:
    """Text in UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def save_json(path: str | Path, content: Any) -> None:
    """JSON with sorted keys."""
    save_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def save_buffer(path: str | Path, buffer: io.BytesIO) -> None:
    """Bytes made in memory: torch.save would write the file's own name into the archive."""
    with atomic(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
