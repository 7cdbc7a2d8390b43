"""Datasets of several kinds: how the files of each are obtained, and how they become images and labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import sklearn
import torchvision
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from torchvision.datasets import CIFAR10, EMNIST, QMNIST, SVHN, ImageFolder

from topogen.data.planted import SHAPES, planted
from topogen.data.sources import DataUnavailableError, fetch, read_idx
from topogen.data.spheres import DIMENSION, spheres

Array = NDArray[Any]
Part = tuple[
    Array, Array
]  # images, levels 0 ... 255, or vectors, shape (n, channels, height, width), and their classes, (n,)


class Kind(Protocol):
    """A kind of datasets."""

    def obtain(self, name: str, folder: Path, entry: Mapping[str, Any]) -> str:
        """Put the files of a dataset into its folder, if they are not there, and say where they come from.

        Args:
            name: of the dataset.
            folder: where the files are put; it exists.
            entry: of the dataset in config.yaml.

        Raises:
            DataUnavailableError: no source has the files; the message says what to do.

        """

    def read(self, folder: Path, train: bool) -> Part:
        """The images for training, or those for the test."""


def read(folder: Path, kind: str, shape: Sequence[int], classes: int, *, train: bool) -> Part:
    """Images and labels of one part of a dataset, compared with what its entry in config.yaml says.

    Args:
        folder: where the files are.
        kind: a key of :data:`KINDS`.
        shape: channels, height and width of every image.
        classes: number of classes, at most 256.
        train: the images for training, or those for the test.

    Returns:
        Images, levels 0 ... 255, shape (n, channels, height, width), and classes 0 ... c - 1, shape (n,).
        Vectors of d real numbers, in float32, have the shape (n, 1, 1, d).

    Raises:
        ValueError: the files hold images of another shape or other classes, no images, or not one label for
            each image.

    """
    images, labels = KINDS[kind].read(folder, train)
    part = f"{folder}: the {'training' if train else 'test'} part"
    if len(images) != len(labels) or len(images) == 0:
        raise ValueError(f"{part} has {len(images)} images and {len(labels)} labels")
    if images.shape[1:] != tuple(shape):
        stored, stated = list(images.shape[1:]), list(shape)
        raise ValueError(f"{part} has images of shape {stored}; shape in config.yaml says {stated}")
    found = np.unique(labels).tolist()
    # Each class must occur in the training: the classifier learns as many as there are.
    if found[0] < 0 or found[-1] >= classes or (train and len(found) < classes):
        raise ValueError(
            f"{part} has {len(found)} classes, labels {found[0]} to {found[-1]}; "
            f"classes in config.yaml says {classes}, labels 0 to {classes - 1}"
        )
    numbers = np.float32 if images.dtype.kind == "f" else np.uint8
    return np.ascontiguousarray(images, dtype=numbers), labels.astype(np.uint8)


class Idx:
    """Files in the format of MNIST, one channel; their checksums are in config.yaml."""

    def obtain(self, name: str, folder: Path, entry: Mapping[str, Any]) -> str:
        return fetch(name, folder, entry["md5"], entry.get("debian_package"))

    def read(self, folder: Path, train: bool) -> Part:
        part = "train" if train else "t10k"
        return read_idx(folder / f"{part}-images-idx3-ubyte.gz", folder / f"{part}-labels-idx1-ubyte.gz")


@dataclass(frozen=True)
class Torchvision:
    """A dataset that torchvision downloads, checks, unpacks and reads.

    Attributes:
        load: images and classes of a part; of folder, train, and whether missing files are downloaded.
        files: archives that it unpacks, below the folder, and their checksums.

    """

    load: Callable[[Path, bool, bool], Part]
    files: Mapping[str, str]

    def obtain(self, name: str, folder: Path, entry: Mapping[str, Any]) -> str:
        try:
            for train in (True, False):
                self.load(folder, train, True)
        except (OSError, RuntimeError, HTTPException) as error:
            wanted = "\n".join(f"  {folder / file}  (md5 {md5})" for file, md5 in self.files.items())
            raise DataUnavailableError(
                f"{name} could not be obtained by torchvision: {' '.join(str(error).split())}\n"
                f"Put these files there by hand, from any copy of the dataset, and run again:\n{wanted}"
            ) from error
        return f"torchvision {torchvision.__version__}, or files in {folder}"

    def read(self, folder: Path, train: bool) -> Part:
        return self.load(folder, train, False)


def emnist_letters(folder: Path, train: bool, download: bool) -> Part:
    """Images upright and classes from 0; the files hold the images transposed and count from 1."""
    part = EMNIST(folder, split="letters", train=train, download=download)
    return part.data.numpy()[:, None].swapaxes(2, 3), part.targets.numpy() - 1


def qmnist(folder: Path, train: bool, download: bool) -> Part:
    """Grey images; the class is the first of several columns."""
    part = QMNIST(folder, train=train, download=download)
    return part.data.numpy()[:, None], part.targets[:, 0].numpy()


def cifar10(folder: Path, train: bool, download: bool) -> Part:
    """Colour images; torchvision keeps the channels last."""
    part = CIFAR10(folder, train=train, download=download)
    return part.data.transpose(0, 3, 1, 2), np.array(part.targets)


def svhn(folder: Path, train: bool, download: bool) -> Part:
    """Colour images of house numbers."""
    part = SVHN(folder, split="train" if train else "test", download=download)
    return part.data, part.labels


class Folder:
    """Images of any format that Pillow reads, in train/CLASS and test/CLASS.

    The files come class by class, and batches follow the order of the images: they are put in a random order,
    always the same.
    """

    def obtain(self, name: str, folder: Path, entry: Mapping[str, Any]) -> str:
        for part in ("train", "test"):
            if not (folder / part).is_dir():
                raise DataUnavailableError(
                    f"{name}: there is no folder {folder / part}\n"
                    f"Put the images into {folder}/train/CLASS and {folder}/test/CLASS, and run again."
                )
        return f"files in {folder}"

    def read(self, folder: Path, train: bool) -> Part:
        parts = {name: ImageFolder(folder / name) for name in ("train", "test")}
        if differing := {*parts["train"].classes} ^ {*parts["test"].classes}:
            raise ValueError(f"{folder}: train or test lacks the class {', '.join(sorted(differing))}")
        part = parts["train" if train else "test"]
        images = [pixels(file) for file, _ in part.samples]
        for (file, _), image in zip(part.samples, images, strict=True):
            if image.shape != images[0].shape:
                shape, first = list(image.shape), list(images[0].shape)
                raise ValueError(f"{file} has shape {shape}, the first image {first}; make all alike")
        order = np.random.default_rng(0).permutation(len(images))
        return np.stack(images)[order], np.array(part.targets)[order]


def pixels(file: str) -> Array:
    """Levels of one image, shape (channels, height, width): one channel if it is grey, else three."""
    with Image.open(file) as image:
        if image.mode in {"1", "L", "LA"}:
            return np.array(image.convert("L"))[None]
        return np.array(image.convert("RGB")).transpose(2, 0, 1)


class Digits:
    """The digits that scikit-learn ships, 8 x 8 pixels of levels 0 to 16: no download."""

    training = 1437  # of 1,797 images the first ones; the others are the test

    def obtain(self, name: str, folder: Path, entry: Mapping[str, Any]) -> str:
        return f"scikit-learn {sklearn.__version__}"

    def read(self, folder: Path, train: bool) -> Part:
        digits = load_digits()
        images = (digits.images * 255 / 16).round().astype(np.uint8)[:, None]
        part = slice(self.training) if train else slice(self.training, None)
        return images[part], digits.target[part]


@dataclass(frozen=True)
class Planted:
    """Images that are made on the spot.

    Attributes:
        shape: of :data:`topogen.data.planted.SHAPES`.

    """

    shape: str

    def obtain(self, name: str, folder: Path, entry: Mapping[str, Any]) -> str:
        return "made by topogen.data.planted"

    def read(self, folder: Path, train: bool) -> Part:
        return planted(self.shape, train)


class Spheres:
    """Vectors that are made on the spot: no download."""

    def obtain(self, name: str, folder: Path, entry: Mapping[str, Any]) -> str:
        return "made by topogen.data.spheres"

    def read(self, folder: Path, train: bool) -> Part:
        points, labels = spheres(train)
        return points.reshape(-1, 1, 1, DIMENSION), labels


KINDS: dict[str, Kind] = {
    "idx": Idx(),
    "emnist_letters": Torchvision(emnist_letters, {"EMNIST/raw/gzip.zip": EMNIST.md5}),
    "qmnist": Torchvision(
        qmnist,
        {
            f"QMNIST/raw/{url.rsplit('/', 1)[-1]}": md5
            for url, md5 in [*QMNIST.resources["train"], *QMNIST.resources["test"]]
        },
    ),
    "cifar10": Torchvision(cifar10, {CIFAR10.filename: CIFAR10.tgz_md5}),
    "svhn": Torchvision(
        svhn, {SVHN.split_list[part][1]: SVHN.split_list[part][2] for part in ("train", "test")}
    ),
    "folder": Folder(),
    "digits": Digits(),
    **{f"planted_{shape}": Planted(shape) for shape in SHAPES},
    "spheres": Spheres(),
}
