"""Compiled code on disk: many first uses at once, full disks, folders that are read-only."""

import os
import resource
import shutil
import subprocess
import sys

import pytest

from torchrips import compilation

pytestmark = pytest.mark.slow  # each compiles anew

# A module beside a copy of the cache, small enough to compile in a moment.
DOUBLED = """
from compilation import compiled

@compiled
def doubled(x):
    return x + x
"""

HITS = "from doubling import doubled; print(doubled(2.5), sum(doubled.stats.cache_hits.values()))"


def filled(folder):
    shutil.copy(compilation.__file__, folder)
    (folder / "doubling.py").write_text(DOUBLED)
    return folder


@pytest.fixture
def folder(tmp_path):
    return filled(tmp_path)


@pytest.fixture(scope="module")
def first_use(tmp_path_factory):
    """A folder in which the result of one kind of arguments is kept."""
    folder = filled(tmp_path_factory.mktemp("first"))
    assert run(folder, HITS).stdout == "5.0 0\n"
    return folder


@pytest.fixture
def used(first_use, tmp_path):
    """A copy of that folder; the source keeps its time, by which numba knows what it was compiled from."""
    return shutil.copytree(first_use, tmp_path / "used")


def environment(folder):
    return {**os.environ, "HOME": str(folder / "home"), "PYTHONPATH": str(folder)}


def run(folder, code, **options):
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(folder), **options
    )


def test_results_are_kept(used):
    assert run(used, HITS).stdout == "5.0 1\n"


def test_results_that_were_installed_are_used_where_nothing_can_be_written(used):
    # As in a container's image: no folder passes for writable, and nothing can be written.
    refuse = """
import tempfile
def refuse(*args, **kwargs):
    raise OSError("read-only file system")
tempfile.TemporaryFile = refuse
from numba.core.caching import IndexDataCacheFile
IndexDataCacheFile._open_for_write = refuse
from doubling import doubled
print(doubled(2.5), sum(doubled.stats.cache_hits.values()))
print(doubled(2), doubled("ab"))
"""
    found = run(used, refuse)
    assert found.stdout == "5.0 1\n4 abab\n"
    assert found.stderr.count("compiled code cannot be kept") == 1


def test_a_full_disk_costs_time_and_raises_no_error(folder):
    def full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    found = run(folder, "from doubling import doubled; print(doubled(2.5), doubled(2))", preexec_fn=full_disk)
    assert found.stdout == "5.0 4\n"
    assert found.stderr.count("compiled code cannot be kept") == 1


def test_an_index_that_was_cut_short_is_made_again(used):
    for index in used.rglob("*.nbi"):
        index.write_bytes(index.read_bytes()[:20])
    assert [run(used, HITS).stdout for _ in range(2)] == ["5.0 0\n", "5.0 1\n"]


def test_two_processes_that_save_at_once_do_not_swap_their_results(folder, monkeypatch):
    """Each reads the index before the other writes it, which numba's own cache does not survive."""
    stamp = b"stamp"
    first, second = (compilation._Files(str(folder), "f", stamp) for _ in range(2))
    second.save("float64", "of float64")
    monkeypatch.setattr(first, "_load_index", dict)  # as it was before
    first.save("float32", "of float32")
    fresh = compilation._Files(str(folder), "f", stamp)
    assert fresh.load("float32") == "of float32"
    assert fresh.load("float64") in (None, "of float64")
    fresh.save("float64", "of float64")
    assert fresh.load("float64") == "of float64"
    assert fresh.load("float32") == "of float32"


def test_many_first_uses_at_once(folder):
    code = "import sys; from doubling import doubled; print(*(doubled(eval(x)) for x in sys.argv[1:]))"
    values = ["2.5", "2", "2.5j", "2.5"]
    started = [
        subprocess.Popen([sys.executable, "-c", code, x], stdout=subprocess.PIPE, env=environment(folder))
        for x in values
    ]
    found = [process.communicate()[0].decode() for process in started]
    assert found == ["5.0\n", "4\n", "5j\n", "5.0\n"]
    last = [sys.executable, "-c", code, *values]  # what was kept under wrong arguments shows now
    assert subprocess.check_output(last, env=environment(folder), text=True) == "5.0 4 5j 5.0\n"
