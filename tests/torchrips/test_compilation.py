"""Compiled code on disk: many first uses at once, full disks, folders that are read-only."""

import os
import resource
import shutil
import subprocess
import sys

import pytest

from torchrips import compilation

# A module beside a copy of the cache, small enough to compile in a moment.
DOUBLED = """
from compilation import compiled

@compiled
def doubled(x):
    return x + x
"""

HITS = "from doubling import doubled; print(doubled(2.5), sum(doubled.stats.cache_hits.values()))"


@pytest.fixture
def folder(tmp_path):
    shutil.copy(compilation.__file__, tmp_path)
    (tmp_path / "doubling.py").write_text(DOUBLED)
    return tmp_path


def environment(folder):
    return {**os.environ, "HOME": str(folder / "home"), "PYTHONPATH": str(folder)}


def run(folder, code, **options):
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(folder), **options
    )


def test_results_are_kept(folder):
    assert run(folder, HITS).stdout == "5.0 0\n"
    assert run(folder, HITS).stdout == "5.0 1\n"


def test_results_that_were_installed_are_used_where_nothing_can_be_written(folder):
    assert run(folder, HITS).returncode == 0
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
    found = run(folder, refuse)
    assert found.stdout == "5.0 1\n4 abab\n"
    assert found.stderr.count("compiled code cannot be kept") == 1


def test_a_full_disk_costs_time_and_raises_no_error(folder):
    def full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    found = run(folder, "from doubling import doubled; print(doubled(2.5), doubled(2))", preexec_fn=full_disk)
    assert found.stdout == "5.0 4\n"
    assert found.stderr.count("compiled code cannot be kept") == 1


def test_an_index_that_was_cut_short_is_made_again(folder):
    assert run(folder, HITS).returncode == 0
    for index in folder.rglob("*.nbi"):
        index.write_bytes(index.read_bytes()[:20])
    assert [run(folder, HITS).stdout for _ in range(2)] == ["5.0 0\n", "5.0 1\n"]


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
    code = "import sys; from doubling import doubled; print(doubled(eval(sys.argv[1])))"
    values = ["2.5", "2", "2.5j"] * 2
    for _ in range(2):
        started = [
            subprocess.Popen(
                [sys.executable, "-c", code, value], stdout=subprocess.PIPE, env=environment(folder)
            )
            for value in values
        ]
        assert [process.communicate()[0].decode() for process in started] == ["5.0\n", "4\n", "5j\n"] * 2
