import io
import json

import numpy as np
import pandas as pd
import pytest

from topogen.files import (
    atomic,
    load_diagrams,
    load_tables,
    save_array,
    save_arrays,
    save_buffer,
    save_diagrams,
    save_json,
    save_table,
    save_text,
)
from topogen.tables.forms import save_readable_table

ARRAY = np.arange(6.0).reshape(3, 2)
TABLE = pd.DataFrame({"model": ["VAE0", "Topo_1"], "r": [0.5, np.nan]})
SAVERS = {
    "array.npy": lambda path: save_array(path, ARRAY),
    "arrays.npz": lambda path: save_arrays(path, {"a": ARRAY, "b/c": ARRAY[:0]}),
    "diagrams.npz": lambda path: save_diagrams(path, [[ARRAY, ARRAY[:0]]]),
    "table.parquet": lambda path: save_table(path, TABLE),
    "text.txt": lambda path: save_text(path, "r̄ = 1 %\n"),
    "content.json": lambda path: save_json(path, {"b": 1, "a": 2}),
    "checkpoint.pt": lambda path: save_buffer(path, io.BytesIO(b"weights")),
}


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("old")
    with (
        pytest.raises(UnicodeEncodeError),
        atomic(file) as temporary,
        temporary.open("w", 1, "ascii") as half,
    ):
        half.writelines(["half\n", "r̄\n"])
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]
    assert file.read_text() == "old"
    with atomic(file) as temporary:
        temporary.write_text("new")
        assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]
    assert file.read_text() == "new"


def test_a_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "plain").touch()
    save_text(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", SAVERS)
def test_equal_content_gives_equal_bytes_whatever_the_name(tmp_path, name):
    first, second = tmp_path / name, tmp_path / f"other-{name}"
    SAVERS[name](first)
    SAVERS[name](second)
    assert first.read_bytes() == second.read_bytes() != b""
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "sizes", [[], [(0, 0)], [(3, 0)], [(1, 0), (0, 2), (0, 0)], [(2, 1), (5, 3), (4, 0)]]
)
def test_ragged_diagrams_come_back_as_they_were(tmp_path, sizes):
    rng = np.random.default_rng(0)
    diagrams = [[rng.random((k, 2), dtype=np.float32) for k in batch] for batch in sizes]
    save_diagrams(tmp_path / "diagrams.npz", diagrams)
    loaded = load_diagrams(tmp_path / "diagrams.npz")
    assert [[d.shape for d in batch] for batch in loaded] == [[(k, 2) for k in batch] for batch in sizes]
    for batch, original in zip(loaded, diagrams, strict=True):
        for ours, theirs in zip(batch, original, strict=True):
            assert ours.dtype == np.float32
            np.testing.assert_array_equal(ours, theirs)


def test_arrays_tables_and_json_come_back_as_they_were(tmp_path):
    for name, save in SAVERS.items():
        save(tmp_path / name)
    np.testing.assert_array_equal(np.load(tmp_path / "array.npy", mmap_mode="r"), ARRAY)
    assert np.load(tmp_path / "arrays.npz")["b/c"].shape == (0, 2)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), TABLE)
    assert json.loads((tmp_path / "content.json").read_text()) == {"a": 2, "b": 1}
    assert (tmp_path / "checkpoint.pt").read_bytes() == b"weights"


def test_tables_of_several_runs_come_back_by_model_and_seed(tmp_path):
    paths = [tmp_path / f"{seed}.parquet" for seed in (1, 2)]
    for seed, path in zip((1, 2), paths, strict=True):
        save_table(path, TABLE.assign(seed=seed))
    tables = load_tables([["VAE0", 1], ["VAE0", 2]], paths)
    assert {run: set(table["seed"]) for run, table in tables.items()} == {("VAE0", 1): {1}, ("VAE0", 2): {2}}
    with pytest.raises(ValueError, match="zip"):
        load_tables([["VAE0", 1]], paths)


def test_a_readable_table_keeps_its_cells_in_every_form(tmp_path):
    table = pd.DataFrame({"model": ["Topo_1"], "rbar(25)": ["0.30 %"]})
    forms = [tmp_path / name for name in ("table.csv", "table.md", "table.tex")]
    save_readable_table(table, *forms)
    csv, markdown, latex = (form.read_text() for form in forms)
    assert csv == "model,rbar(25)\nTopo_1,0.30 %\n"
    assert "| Topo_1  | 0.30 %     |" in markdown
    assert r"Topo\_1 & 0.30 \% \\" in latex
