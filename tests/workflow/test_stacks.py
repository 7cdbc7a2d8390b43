"""With `training.stack` one job trains several seeds of a model."""

import numpy as np
import pandas as pd
import pytest
from conftest import edit

MADE = "history", "timing", "monitored_bce"


@pytest.fixture(scope="module")
def stacked(small):
    space = small(("VAE0", "TopoVAE1"))
    edit(space.folder / "tiny.yaml", lambda config: config.update(seeds=[1, 2, 3]))
    edit(space.folder / "tiny.yaml", lambda config: config["training"].update(stack=2))
    run = space.snakemake("results/MNIST/runs/TopoVAE1/2/history.parquet")
    assert run.returncode == 0, run.stdout[-4000:]
    assert "Train TopoVAE1 on MNIST, seeds 1, 2" in run.stdout
    assert "This run: 2 trainings" in run.stdout
    return space


def test_a_stack_makes_the_files_of_each_seed(stacked):
    alone = stacked.snakemake("results/MNIST/runs/TopoVAE1/3/history.parquet")
    assert "Train TopoVAE1 on MNIST, seed 3" in alone.stdout
    folders = [stacked.results / f"runs/TopoVAE1/{seed}" for seed in (1, 2, 3)]
    names = [{file.name for file in folder.iterdir()} for folder in folders]
    assert names[0] == names[1] == names[2]
    tables = [[pd.read_parquet(folder / f"{name}.parquet") for name in MADE] for folder in folders]
    for of_seed in tables:
        assert [table.shape for table in of_seed] == [table.shape for table in tables[2]]
    first, second = (pd.read_parquet(folder / "history.parquet")["bce"] for folder in folders[:2])
    assert not np.isclose(first, second, rtol=1e-6).any()


def test_another_seed_runs_the_last_stack_again_and_no_other(stacked):
    edit(stacked.folder / "tiny.yaml", lambda config: config.update(seeds=[1, 2, 3, 4]))
    after = stacked.snakemake("-n", "all")
    assert "Train TopoVAE1 on MNIST, seeds 3, 4" in after.stdout
    assert "Train TopoVAE1 on MNIST, seeds 1, 2" not in after.stdout
    assert "Train VAE0 on MNIST, seeds 1, 2" in after.stdout
