"""What scripts make of inputs that a run of the tiny configuration does not have."""

import json
import runpy
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT


@pytest.fixture
def run_script(tmp_path, monkeypatch):
    """Run a script as Snakemake does, in this process, with these inputs, outputs and arguments."""

    def run(name, spec, *, inputs, outputs):
        job = SimpleNamespace(
            log=[str(tmp_path / "log.txt")],
            params=SimpleNamespace(spec=json.dumps(spec)),
            input=SimpleNamespace(**inputs),
            output=SimpleNamespace(**outputs),
        )
        with monkeypatch.context() as patch:
            for stream in ("stdout", "stderr"):  # which the script replaces
                patch.setattr(sys, stream, getattr(sys, stream))
            before = sys.stdout
            try:
                runpy.run_path(str(ROOT / "workflow/scripts" / name), init_globals={"snakemake": job})
            finally:
                if sys.stdout is not before:
                    sys.stdout.close()

    return run


@pytest.mark.parametrize("seeds", [1, 5])
def test_a_calibration_has_its_columns_however_many_seeds_there_are(run_script, tmp_path, seeds):
    """From one seed no r(s) varies, so there are no rows."""
    stream = np.random.default_rng(0)
    rows = [(name, seed, 25, stream.normal()) for name in "AB" for seed in range(seeds)]
    pd.DataFrame(rows, columns=["model", "seed", "step", "r"]).to_parquet(tmp_path / "improvement.parquet")
    spec = {"comparisons": ["defined"], "at_steps": [25], "margin": 0.1, "confidence": 0.95}
    spec |= {"families": {"defined": [(name, 25, "further", 1) for name in "AB"]}}
    spec |= {"effects": [0, 1], "seeds": [3], "trials": 2, "seed": 1}
    files = {name: tmp_path / f"{name}.parquet" for name in ("chances", "errors")}
    run_script(
        "evidence/spike_in.py",
        spec,
        inputs={"improvements": [tmp_path / "improvement.parquet"]},
        outputs=files,
    )
    chances, errors = (pd.read_parquet(file) for file in files.values())
    verdicts = ["positive", "negative", "negligible", "undecided"]
    assert list(chances) == ["comparison", "model", "step", "sd", "n", "effect", *verdicts]
    assert list(errors) == ["comparison", "n", "effect", "wrong_direction", "wrongly_negligible"]
    assert (len(chances), len(errors)) == ((0, 0) if seeds == 1 else (4, 2))


def test_without_a_confirmation_there_are_no_orders_to_compare(run_script, tmp_path):
    with pytest.raises(SystemExit, match="comparisons: none has the target confirmation"):
        run_script(
            "evidence/order_effects.py",
            {"tables": [], "at_steps": [25]},
            inputs={"improvements": []},
            outputs={"orders": tmp_path / "orders.csv"},
        )
