"""What a run says that it will take, before it starts."""

import shutil
from types import SimpleNamespace

import pytest

from topogen.forecast import disk


@pytest.mark.parametrize(
    ("free", "said"), [(3e9, "about 2.0 GB of disk"), (1e9, "about 2.0 GB of disk, but only 1.0 GB are free")]
)
def test_disk_that_is_too_small_is_named_before_the_run(tmp_path, monkeypatch, free, said):
    run = tmp_path / "VAE0" / "7"
    run.mkdir(parents=True)
    with (run / "checkpoint.pt").open("wb") as file:
        file.truncate(20_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert disk(100, tmp_path) == said
