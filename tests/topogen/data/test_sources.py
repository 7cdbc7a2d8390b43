import gzip
import hashlib
import shutil
import struct
import subprocess
from urllib.error import URLError

import numpy as np
import pytest

from topogen.data import sources as data
from topogen.data.sources import DataUnavailableError, fetch, read_idx

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


CONTENT = {"train-images-idx3-ubyte.gz": idx(IMAGES), "train-labels-idx1-ubyte.gz": idx(LABELS)}
CHECKSUMS = {
    name: ["another packager's", hashlib.md5(content).hexdigest()] for name, content in CONTENT.items()
}
PACKAGE = "dataset-fashion-mnist"


def flipped(content):
    """The same bytes but for one bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def put(folder, content=CONTENT):
    folder.mkdir(parents=True, exist_ok=True)
    for name, these_bytes in content.items():
        (folder / name).write_bytes(these_bytes)


def intact(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()} == CONTENT


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "FashionMNIST" / "raw"


@pytest.fixture(autouse=True)
def offline(monkeypatch, request):
    """No source but the folder answers, unless a test says so."""

    def no_mirror(url, *_, **__):
        raise URLError(f"no route to {url}")

    def no_package(package, *_):
        raise subprocess.CalledProcessError(100, "apt-get", stderr=f"E: Unable to locate\npackage {package}")

    monkeypatch.setattr(data, "download_url", no_mirror)
    if "network" not in request.keywords:
        monkeypatch.setattr(data, "_unpack_debian", no_package)


def test_intact_files_in_place_need_no_network(folder):
    put(folder)
    assert fetch("FashionMNIST", folder, CHECKSUMS, PACKAGE) == f"files in {folder}"
    assert intact(folder)


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"train-images-idx3-ubyte.gz": CONTENT["train-images-idx3-ubyte.gz"][:-9]},
        CONTENT | {"train-labels-idx1-ubyte.gz": b"<html>not found</html>"},
        CONTENT | {"train-labels-idx1-ubyte.gz": b""},
        CONTENT | {"train-images-idx3-ubyte.gz": flipped(CONTENT["train-images-idx3-ubyte.gz"])},
        CONTENT | {"train-images-idx3-ubyte.gz": idx(255 - IMAGES)},
    ],
    ids=["nothing", "truncated", "another page", "empty", "one bit flipped", "another dataset"],
)
@pytest.mark.parametrize("source", ["torchvision's mirrors", f"Debian package {PACKAGE}"])
def test_what_is_missing_or_damaged_comes_from_the_next_source(monkeypatch, folder, found, source):
    def download(url, root, filename):
        assert not (folder / filename).exists()
        put(folder, {filename: CONTENT[filename]})

    put(folder, found)
    if source == "torchvision's mirrors":
        monkeypatch.setattr(data, "download_url", download)
    else:
        monkeypatch.setattr(data, "_unpack_debian", lambda package, folder, checksums: put(folder))
    assert fetch("FashionMNIST", folder, CHECKSUMS, PACKAGE) == source
    assert intact(folder)


def test_a_source_that_sends_something_else_is_not_believed(monkeypatch, folder):
    login_page = dict.fromkeys(CONTENT, b"<html>please log in</html>")
    monkeypatch.setattr(
        data, "download_url", lambda url, root, filename: put(folder, {filename: login_page[filename]})
    )
    monkeypatch.setattr(data, "_unpack_debian", lambda package, folder, checksums: put(folder))
    assert fetch("FashionMNIST", folder, CHECKSUMS, PACKAGE) == f"Debian package {PACKAGE}"
    assert intact(folder)


@pytest.mark.parametrize("breaks_off", [False, True], ids=["another page", "broken off"])
def test_each_mirror_is_tried_and_no_damaged_file_stays(monkeypatch, folder, breaks_off):
    def download(url, root, filename):
        if (folder / filename).exists():  # as torchvision does without a checksum
            return
        put(folder, CONTENT if url.startswith("good") else {filename: b"<html>"})
        if breaks_off and url.startswith("bad"):
            raise OSError("connection reset")

    monkeypatch.setattr(data, "download_url", download)
    monkeypatch.setattr(data.torchvision.datasets.FashionMNIST, "mirrors", ["bad/"])
    with pytest.raises(DataUnavailableError):
        fetch("FashionMNIST", folder, CHECKSUMS)
    left = list(folder.iterdir())
    monkeypatch.setattr(data.torchvision.datasets.FashionMNIST, "mirrors", ["bad/", "good/"])
    assert fetch("FashionMNIST", folder, CHECKSUMS) == "torchvision's mirrors"
    assert intact(folder)
    assert not left


def test_the_error_says_what_each_source_answered_and_what_to_put_where(folder):
    put(folder, {"train-labels-idx1-ubyte.gz": b"damaged"})
    with pytest.raises(DataUnavailableError) as caught:
        fetch("FashionMNIST", folder, CHECKSUMS, PACKAGE)
    message = str(caught.value)
    assert f"files in {folder}: train-images-idx3-ubyte.gz is missing" in message
    assert "train-labels-idx1-ubyte.gz is damaged" in message
    assert "torchvision's mirrors: http" in message
    assert "<urlopen error no route to http" in message
    assert f"Debian package {PACKAGE}: E: Unable to locate package {PACKAGE}" in message
    for name, (_, checksum) in CHECKSUMS.items():
        assert f"{folder / name}  (md5 another packager's or {checksum})" in message
    assert not any(folder.iterdir())


def test_a_dataset_that_torchvision_does_not_know_is_named(folder):
    with pytest.raises(DataUnavailableError, match="no dataset of the name Shoes"):
        fetch("Shoes", folder, CHECKSUMS)


def test_images_and_labels_are_read_as_they_were_written(folder):
    put(folder)
    images, labels = read_idx(*(folder / name for name in CONTENT))
    np.testing.assert_array_equal(images, IMAGES[:, None])
    np.testing.assert_array_equal(labels, LABELS)
    assert images.dtype == labels.dtype == np.uint8
    assert sorted(file.name for file in folder.iterdir()) == sorted(CONTENT)  # nothing extracted beside them


def test_labels_of_other_images_are_refused(folder):
    put(folder, CONTENT | {"train-labels-idx1-ubyte.gz": idx(LABELS[:4])})
    with pytest.raises(ValueError, match=r"holds 5 images, .* 4 labels"):
        read_idx(*(folder / name for name in CONTENT))


@pytest.mark.network
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is not installed here")
def test_fashion_mnist_comes_out_of_the_debian_package(folder):
    checksums = {
        "train-images-idx3-ubyte.gz": ["cf8536b0aa1a6ac5fa3f23001093305c"],
        "train-labels-idx1-ubyte.gz": ["10bea18fdb374794d4bb42e356e600c9"],
        "t10k-images-idx3-ubyte.gz": ["f78720b4224f21cce2f2ccf2d7a94c9a"],
        "t10k-labels-idx1-ubyte.gz": ["0d30e22e447f3c33dab9ed536400ac01"],
    }
    assert fetch("FashionMNIST", folder, checksums, PACKAGE) == f"Debian package {PACKAGE}"
    for part, count in {"train": 60_000, "t10k": 10_000}.items():
        images, labels = read_idx(
            folder / f"{part}-images-idx3-ubyte.gz", folder / f"{part}-labels-idx1-ubyte.gz"
        )
        assert images.shape == (count, 1, 28, 28)
        assert np.bincount(labels).tolist() == [count // 10] * 10
