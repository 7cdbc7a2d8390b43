"""Files in the IDX format of MNIST: where they come from, their checksums, and what is in them."""

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torchvision
from numpy.typing import NDArray
from torchvision.datasets.mnist import read_image_file, read_label_file
from torchvision.datasets.utils import calculate_md5, download_url, extract_archive


class DataUnavailableError(RuntimeError):
    """No source has the files of a dataset; the message says what each answered and what to do."""


def fetch(
    dataset: str, folder: Path, checksums: Mapping[str, Sequence[str]], debian_package: str | None = None
) -> str:
    """Put the compressed files of a dataset into a folder, from the first source that has them intact.

    Sources in order: files already in the folder; torchvision's mirrors; a Debian package, unpacked without
    root. Every file's md5 is checked, whatever its source; a damaged one is removed and fetched again.

    Args:
        dataset: name of the dataset, for torchvision's mirrors the name of its class.
        folder: where the files are put, in torchvision's layout ROOT/DATASET/raw.
        checksums: md5s that a file may have, by file name; packagers compress the same content differently.
        debian_package: package that holds the files, if there is one.

    Returns:
        The source that the last missing file came from.

    Raises:
        DataUnavailableError: all sources failed.

    """
    folder.mkdir(parents=True, exist_ok=True)
    sources: dict[str, Callable[[], None]] = {
        f"files in {folder}": lambda: None,
        "torchvision's mirrors": lambda: _download_from_mirrors(dataset, folder, checksums),
    }
    if debian_package:
        sources[f"Debian package {debian_package}"] = lambda: _unpack_debian(
            debian_package, folder, checksums
        )
    answers = []
    for source, bring in sources.items():
        failure = []
        try:
            bring()
        except (OSError, RuntimeError, HTTPException, subprocess.CalledProcessError) as error:
            failure = [_in_one_line(error)]
        faults = _remove_damaged(folder, checksums)
        if not faults:
            return source
        faults = failure or faults
        answers.append(f"  - {source}: {'; '.join(faults)}")
        print(f"{source}: {'; '.join(faults)}", flush=True)
    wanted = "\n".join(
        f"  {folder / name}  (md5 {' or '.join(accepted)})" for name, accepted in checksums.items()
    )
    raise DataUnavailableError(
        f"{dataset} could not be obtained from any source:\n" + "\n".join(answers) + "\n"
        f"Put these files there by hand, from any copy of the dataset, and run again:\n{wanted}"
    )


def _in_one_line(error: Exception) -> str:
    output = getattr(error, "stderr", None) or str(error)
    return " ".join(output.split())


def _remove_damaged(folder: Path, checksums: Mapping[str, Sequence[str]]) -> list[str]:
    """Remove damaged files, and say which files are damaged or missing."""
    faults = []
    for name, accepted in checksums.items():
        file = folder / name
        if not file.exists():
            faults.append(f"{name} is missing")
        elif calculate_md5(str(file)) not in accepted:
            faults.append(f"{name} is damaged (md5 differs), removed")
            file.unlink()
    return faults


def _download_from_mirrors(dataset: str, folder: Path, checksums: Mapping[str, Sequence[str]]) -> None:
    mirrors = getattr(getattr(torchvision.datasets, dataset, None), "mirrors", [])
    if not mirrors:
        raise RuntimeError(f"torchvision has no dataset of the name {dataset} with mirrors")
    answers: list[str] = []
    for name in checksums:
        if (folder / name).exists():  # intact: what was damaged has been removed
            continue
        for mirror in mirrors:
            answer = f"{mirror}: {name} arrived damaged"
            try:
                download_url(f"{mirror}{name}", str(folder), filename=name)
            except (OSError, RuntimeError, HTTPException) as error:
                answer = f"{mirror}: {_in_one_line(error)}"
            if not _remove_damaged(folder, {name: checksums[name]}):
                break
            answers.append(answer)
        else:
            raise RuntimeError("; ".join(answers))


def _unpack_debian(package: str, folder: Path, checksums: Mapping[str, Sequence[str]]) -> None:
    """Download a Debian package and take the files out of it; neither needs root.

    If the package lists are missing or stale, they are read anew into a temporary folder.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        lists = scratch / "lists"
        lists.mkdir()
        fresh_lists = [f"-oDir::State::Lists={lists}", "-oDebug::NoLocking=1", "-oAPT::Sandbox::User="]
        try:
            _run("apt-get", "download", package, folder=scratch)
        except subprocess.CalledProcessError:
            _run("apt-get", *fresh_lists, "update", folder=scratch)
            _run("apt-get", *fresh_lists, "download", package, folder=scratch)
        for archive in scratch.glob(f"{package}_*.deb"):
            _run("dpkg-deb", "-x", str(archive), "unpacked", folder=scratch)
        for file in scratch.glob("unpacked/**/*.gz"):
            if file.name in checksums:
                (folder / file.name).write_bytes(file.read_bytes())


def _run(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


def read_idx(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images and labels of two compressed IDX files, whose checksums are taken to be right.

    Returns:
        Levels 0 ... 255, shape (n, 1, height, width), and classes, shape (n,).

    Raises:
        ValueError: the files do not hold as many labels as images.

    """
    with tempfile.TemporaryDirectory() as scratch:
        pixels = read_image_file(extract_archive(str(images), scratch)).numpy()[:, None]
        classes = read_label_file(extract_archive(str(labels), scratch)).numpy().astype(np.uint8)
    if len(pixels) != len(classes):
        raise ValueError(f"{images} holds {len(pixels)} images, {labels} {len(classes)} labels")
    return pixels, classes
