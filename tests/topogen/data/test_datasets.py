"""Every kind of dataset, read from small files of its format that the tests write."""

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import yaml
from PIL import Image
from scipy.io import savemat
from torchvision.datasets import CIFAR10, EMNIST, QMNIST, SVHN

from topogen.data.datasets import KINDS, read
from topogen.data.sources import DataUnavailableError
from topogen.steps import MADE_HERE, training_images

ROOT = Path(__file__).parents[3]
CLASSES = 4
GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def images_and_labels(train, shape):
    stream = np.random.default_rng(int(train))
    labels = np.arange(12 if train else 5) % CLASSES
    return stream.integers(0, 256, (len(labels), *shape), dtype=np.uint8), labels


def md5(content):
    return hashlib.md5(content).hexdigest()


def idx(array, kind=8):
    header = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.astype({8: np.uint8, 12: ">i4"}[kind]).tobytes(), mtime=0)


def write_idx(folder, monkeypatch, parts):
    entry = {"md5": {}}
    for part, (images, labels) in zip(("train", "t10k"), parts, strict=True):
        for name, array in (("images-idx3", images[:, 0]), ("labels-idx1", labels)):
            file, content = f"{part}-{name}-ubyte.gz", idx(array)
            (folder / file).write_bytes(content)
            entry["md5"][file] = [md5(content)]
    return entry


def write_emnist_letters(folder, monkeypatch, parts):
    """Each image transposed, and the first letter is 1."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part, (images, labels) in zip(("train", "test"), parts, strict=True):
            archive.writestr(
                f"gzip/emnist-letters-{part}-images-idx3-ubyte.gz", idx(images[:, 0].swapaxes(1, 2))
            )
            archive.writestr(f"gzip/emnist-letters-{part}-labels-idx1-ubyte.gz", idx(labels + 1))
    raw = folder / "EMNIST/raw"
    raw.mkdir(parents=True)
    (raw / "gzip.zip").write_bytes(buffer.getvalue())
    monkeypatch.setattr(EMNIST, "md5", md5(buffer.getvalue()))
    return {}


def write_qmnist(folder, monkeypatch, parts):
    """The class is the first of eight columns."""
    raw = folder / "QMNIST/raw"
    raw.mkdir(parents=True)
    resources = {}
    for part, (images, labels) in zip(("train", "test"), parts, strict=True):
        columns = np.column_stack([labels, *np.full((7, len(labels)), 99)])
        files = {
            f"qmnist-{part}-images-idx3-ubyte.gz": idx(images[:, 0]),
            f"qmnist-{part}-labels-idx2-int.gz": idx(columns, kind=12),
        }
        for name, content in files.items():
            (raw / name).write_bytes(content)
        resources[part] = [(f"http://nowhere/{name}", md5(content)) for name, content in files.items()]
    monkeypatch.setattr(QMNIST, "resources", resources)
    return {}


def write_cifar10(folder, monkeypatch, parts):
    """Pickles, as they are published; torchvision unpickles only what has the published checksum."""
    batches = {
        name: pickle.dumps({"data": images.reshape(len(images), -1), "labels": labels.tolist()})
        for name, (images, labels) in zip(("data_batch_1", "test_batch"), parts, strict=True)
    }
    batches["batches.meta"] = pickle.dumps({"label_names": list("abcd")})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (folder / CIFAR10.filename).write_bytes(buffer.getvalue())
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(buffer.getvalue()))
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", md5(batches["data_batch_1"])]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5(batches["test_batch"])]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": md5(batches["batches.meta"])})
    return {}


def write_svhn(folder, monkeypatch, parts):
    """Matlab files; the digit 0 has the label 10."""
    listed = {}
    for part, (images, labels) in zip(("train", "test"), parts, strict=True):
        file = folder / f"{part}_32x32.mat"
        pictures = images.transpose(2, 3, 1, 0)
        savemat(file, {"X": pictures, "y": np.where(labels == 0, 10, labels)[:, None]})
        listed[part] = ["http://nowhere/", file.name, md5(file.read_bytes())]
    monkeypatch.setattr(SVHN, "split_list", listed)
    return {}


def write_folder(folder, monkeypatch, parts):
    """The files of a class are read in the order of their names, and the classes too."""
    for part, (images, labels) in zip(("train", "test"), parts, strict=True):
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            file = folder / part / "abcd"[label] / f"{number:02}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(file)
    return {}


WRITTEN = {
    "idx": (write_idx, GREY),
    "emnist_letters": (write_emnist_letters, GREY),
    "qmnist": (write_qmnist, GREY),
    "cifar10": (write_cifar10, COLOUR),
    "svhn": (write_svhn, COLOUR),
    "folder": (write_folder, (3, 9, 5)),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def no_answer(request, *_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", no_answer)


@pytest.mark.parametrize("kind", WRITTEN)
def test_files_are_read_as_they_were_written(tmp_path, monkeypatch, kind):
    write, shape = WRITTEN[kind]
    parts = [images_and_labels(train, shape) for train in (True, False)]
    entry = write(tmp_path, monkeypatch, parts)
    assert KINDS[kind].obtain("FashionMNIST", tmp_path, entry)
    for train, (images, labels) in zip((True, False), parts, strict=True):
        found, classes = read(tmp_path, kind, shape, CLASSES, train=train)
        order = np.arange(len(labels))
        if kind == "folder":  # in an order of its own, in which classes alternate
            order = np.array([np.flatnonzero((images == image).all(axis=(1, 2, 3)))[0] for image in found])
            assert (np.diff(classes.astype(int)) < 0).sum() > 1
            assert sorted(order) == list(range(len(labels)))
        np.testing.assert_array_equal(found, images[order])
        np.testing.assert_array_equal(classes, labels[order])
        assert found.dtype == classes.dtype == np.uint8
        assert found.flags.c_contiguous


def test_grey_files_of_a_folder_have_one_channel(tmp_path):
    parts = [images_and_labels(train, (1, 6, 4)) for train in (True, False)]
    write_folder(tmp_path, None, parts)
    images, labels = read(tmp_path, "folder", (1, 6, 4), CLASSES, train=True)
    found, written = (
        sorted(image.tobytes() for image in part) for part in (images[labels == 2], parts[0][0][2::4])
    )
    assert found == written


@pytest.mark.parametrize("kind", MADE_HERE)
def test_the_number_of_images_is_known_before_the_run_and_read_afterwards(tmp_path, kind):
    images, _ = KINDS[kind].read(tmp_path, train=True)
    np.save(tmp_path / "images.npy", images[::2])
    assert training_images(kind, None) == len(images)
    assert training_images(kind, tmp_path / "images.npy") == len(images[::2])
    assert training_images("idx", None) is training_images("idx", tmp_path / "none.npy") is None


def test_the_digits_come_with_scikit_learn(tmp_path):
    counts = {True: 1437, False: 360}
    for train, count in counts.items():
        images, labels = read(tmp_path, "digits", (1, 8, 8), 10, train=train)
        assert images.shape == (count, 1, 8, 8)
        assert (images.min(), images.max()) == (0, 255)
        assert set(np.diff(np.unique(images))) <= {15, 16}  # 17 levels
        assert len(labels) == count


@pytest.mark.parametrize(
    ("shape", "classes", "message"),
    [
        ((1, 6, 5), 4, r"images of shape \[1, 6, 4\]; shape in config.yaml says \[1, 6, 5\]"),
        ((3, 6, 4), 4, "shape"),
        ((1, 6, 4), 5, "4 classes, labels 0 to 3; classes in config.yaml says 5, labels 0 to 4"),
        ((1, 6, 4), 3, "4 classes, labels 0 to 3; classes in config.yaml says 3"),
    ],
)
def test_files_that_differ_from_the_entry_are_refused(tmp_path, shape, classes, message):
    write_folder(tmp_path, None, [images_and_labels(train, (1, 6, 4)) for train in (True, False)])
    with pytest.raises(ValueError, match=message):
        read(tmp_path, "folder", shape, classes, train=True)


def test_a_file_of_another_size_is_named(tmp_path):
    write_folder(tmp_path, None, [images_and_labels(train, (1, 6, 4)) for train in (True, False)])
    Image.fromarray(np.zeros((7, 4), np.uint8)).save(tmp_path / "train/c/99.png")
    with pytest.raises(ValueError, match=r"99.png has shape \[1, 7, 4\], the first image \[1, 6, 4\]"):
        read(tmp_path, "folder", (1, 6, 4), CLASSES, train=True)


def test_a_class_without_test_images_is_named(tmp_path):
    write_folder(tmp_path, None, [images_and_labels(train, (1, 6, 4)) for train in (True, False)])
    (tmp_path / "train/z").mkdir()
    Image.fromarray(np.zeros((6, 4), np.uint8)).save(tmp_path / "train/z/1.png")
    with pytest.raises(ValueError, match="train or test lacks the class z"):
        read(tmp_path, "folder", (1, 6, 4), 5, train=True)


@pytest.mark.parametrize("kind", ["emnist_letters", "qmnist", "cifar10", "svhn", "folder"])
def test_an_error_says_which_files_to_put_where(tmp_path, kind):
    with pytest.raises(DataUnavailableError, match="Letters") as error:
        KINDS[kind].obtain("Letters", tmp_path, {})
    files = getattr(KINDS[kind], "files", {"train/CLASS": "test/CLASS"})
    for file, checksum in files.items():
        assert f"{tmp_path}/{file}" in str(error.value)
        assert checksum in str(error.value)


def test_a_damaged_archive_is_not_read(tmp_path, monkeypatch):
    write_svhn(tmp_path, monkeypatch, [images_and_labels(train, COLOUR) for train in (True, False)])
    (tmp_path / "test_32x32.mat").write_bytes(b"<html>not found</html>")
    with pytest.raises(DataUnavailableError, match=r"test_32x32\.mat"):
        KINDS["svhn"].obtain("SVHN", tmp_path, {})


def test_schema_names_every_kind():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    assert schema["$defs"]["dataset"]["properties"]["kind"]["enum"] == list(KINDS)


def test_a_pickle_from_elsewhere_is_never_opened(tmp_path, monkeypatch):
    write_cifar10(tmp_path, monkeypatch, [images_and_labels(train, (3, 32, 32)) for train in (True, False)])
    KINDS["cifar10"].obtain("CIFAR10", tmp_path, {})

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "taken over"),)

    (tmp_path / "cifar-10-batches-py/data_batch_1").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(RuntimeError, match="corrupted"):
        KINDS["cifar10"].read(tmp_path, True)
    assert not (tmp_path / "taken over").exists()
