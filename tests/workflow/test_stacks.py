"""With `training.stack` one job trains several seeds of a model."""

import numpy as np
import pandas as pd
import pytest
from conftest import edit

from topogen.training.trainer import Trainer

MADE = "history", "timing", "monitored_bce"


def change(space, **keys):
    edit(space.folder / "tiny.yaml", lambda config: config["training"].update(keys))


@pytest.fixture(scope="module")
def stacked(small):
    """Seeds 1 and 2 from one job, 3 by itself; 4 belongs to the stack of 3."""
    space = small(("VAE0", "TopoVAE1"))
    edit(space.folder / "tiny.yaml", lambda config: config.update(seeds=[1, 2, 3]))
    change(space, stack=2)
    run = space.snakemake(*(f"results/MNIST/runs/TopoVAE1/{seed}/history.parquet" for seed in (2, 3)))
    assert run.returncode == 0, run.stdout[-4000:]
    assert "Train TopoVAE1 on MNIST, seeds 1, 2" in run.stdout
    assert "Train TopoVAE1 on MNIST, seed 3" in run.stdout
    assert "This run: 3 trainings" in run.stdout
    edit(space.folder / "tiny.yaml", lambda config: config.update(seeds=[1, 2, 3, 4]))
    return space


def test_a_stack_makes_the_files_of_each_seed(stacked):
    folders = [stacked.results / f"runs/TopoVAE1/{seed}" for seed in (1, 2, 3)]
    names = [{file.name for file in folder.iterdir()} for folder in folders]
    assert names[0] == names[1] == names[2]
    tables = [[pd.read_parquet(folder / f"{name}.parquet") for name in MADE] for folder in folders]
    for of_seed in tables:
        assert [table.shape for table in of_seed] == [table.shape for table in tables[2]]
    images = np.load(stacked.results / "images.npy")
    for seed, (history, *_) in enumerate(tables, 1):
        settings = {"latent_dim": 10, "regularizers": [], "batch_size": 8, "learning_rate": 0.001}
        row, _ = Trainer(images, [], **settings, seed=seed).step()
        assert history["bce"][0] == pytest.approx(row["bce"], rel=1e-6)
        assert history["kld"][0] == pytest.approx(row["kld"], rel=1e-4)  # seeds differ by more


def test_another_seed_runs_the_last_stack_again_and_no_other(stacked):
    run = stacked.snakemake("-n", "all")
    assert "Train TopoVAE1 on MNIST, seeds 3, 4" in run.stdout
    assert "Train TopoVAE1 on MNIST, seeds 1, 2" not in run.stdout
    assert "Train VAE0 on MNIST, seeds 1, 2" in run.stdout


def test_a_stack_of_which_a_seed_is_missing_is_not_taken_for_current_without_a_word(stacked):
    """Snakemake compares no parameters of a job that has not made all of its outputs."""
    change(stacked, learning_rate=0.01)
    run = stacked.snakemake("-n", "results/MNIST/runs/TopoVAE1/3/history.parquet")
    assert "TopoVAE1 on MNIST: one stack trains the seeds 3, 4; there are no results of 4." in run.stdout
