"""Results in one file that others can check, read, draw from and compare with, without training.

``python -m topogen.archive FILE`` packs those that ``results/files.tsv`` lists, which is the output of
``snakemake --summary``.
"""

import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from topogen.crate import CRATE, run_crate
from topogen.files import atomic

LISTED = "results/files.tsv"
# Files of the clone, and what they are called in the archive.
OF_THE_CLONE = {"docs/archive.md": "README.md", "requirements.lock": "requirements.lock"}
BESIDE = (
    "results/report.html",
    "results/provenance.json",
    LISTED,
)  # made after the jobs, the report if asked for
# Large, and made anew from the dataset or by the training; what is drawn of them is in other files.
LEFT_OUT = {"images.npy", "test_images.npy", "weights.npz"}
SUMS = "SHA256SUMS"


def pack(archive: str | Path, folder: Path, clone: Path) -> None:
    """Write an archive of a finished run.

    Args:
        archive: the ZIP file to write.
        folder: the working directory of the run; it holds ``results/``.
        clone: the repository.

    Raises:
        ValueError: a result that ``results/files.tsv`` lists is not there, or old.
        OSError: a file cannot be read, or the archive cannot be written.

    """
    sums: dict[str, str] = {}
    sizes: dict[str, int] = {}
    with atomic(archive) as temporary, ZipFile(temporary, "w", ZIP_DEFLATED) as packed:
        for name, content in _contents(folder, clone):
            packed.writestr(name, content)
            sums[name], sizes[name] = hashlib.sha256(content).hexdigest(), len(content)
        provenance = json.loads(Path(folder, "results/provenance.json").read_text(encoding="utf-8"))
        about = json.loads(Path(clone, ".zenodo.json").read_text(encoding="utf-8"))
        crate = json.dumps(run_crate(sizes, provenance, about), indent=1)
        packed.writestr(CRATE, crate)
        sums[CRATE] = hashlib.sha256(crate.encode()).hexdigest()
        packed.writestr(SUMS, "".join(f"{value}  {name}\n" for name, value in sums.items()))


def results_to_pack(folder: Path) -> list[str]:
    """Paths of the results that ``results/files.tsv`` lists, relative to the folder.

    Raises:
        ValueError: one of them is missing or old.

    """
    with Path(folder, LISTED).open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    if old := [row["output_file"] for row in rows if (row["status"], row["plan"]) != ("ok", "no update")]:
        raise ValueError(f"{old[0]} is missing or old: let snakemake make everything, then pack it")
    return [row["output_file"] for row in rows if Path(row["output_file"]).name not in LEFT_OUT]


def _contents(folder: Path, clone: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the archive but those that describe it."""
    for file, name in OF_THE_CLONE.items():
        yield name, Path(clone, file).read_bytes()
    beside = [name for name in BESIDE if Path(folder, name).is_file()]
    for name in (*beside, *results_to_pack(folder)):
        path = Path(folder, name)
        yield name, last_weights(path) if path.name == "checkpoint.pt" else path.read_bytes()


def last_weights(checkpoint: Path) -> bytes:
    """A checkpoint without what only a longer training needs: the optimizer and the random streams."""
    import torch

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    buffer = io.BytesIO()
    torch.save({name: state[name] for name in ("built", "model")}, buffer)
    return buffer.getvalue()


def damaged(packed: ZipFile) -> list[str]:
    """Files of an archive that are missing or whose content is not that of its checksum."""
    lines = packed.read(SUMS).decode().splitlines()
    names = set(packed.namelist())
    return [
        name
        for value, name in (line.split("  ", 1) for line in lines)
        if name not in names or hashlib.sha256(packed.read(name)).hexdigest() != value
    ]


if __name__ == "__main__":
    try:
        pack(sys.argv[1], folder=Path(), clone=Path())
    except (OSError, ValueError) as error:
        sys.exit(f"archive: {error}")
