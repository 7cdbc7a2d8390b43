"""A dataset of a user: colour images of another size, with more classes, through the whole workflow."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytestmark = pytest.mark.faults  # two minutes

SHAPE = (3, 9, 14)  # an odd height
CLASSES = 11


def put_images(folder):
    """Noise in the colour of each class, 44 images for training and 22 for the test."""
    stream = np.random.default_rng(0)
    for part, count in (("train", 4), ("test", 2)):
        for label in range(CLASSES):
            colour = stream.integers(0, 200, (3, 1, 1))
            for number in range(count):
                levels = (colour + stream.integers(0, 56, SHAPE)).astype(np.uint8)
                file = folder / part / f"class {label:02}" / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(levels.transpose(1, 2, 0)).save(file)


@pytest.fixture(scope="module")
def coloured(small):
    """A finished run on a folder of colour images."""
    space = small()
    put_images(space.folder / "resources/colours/raw")
    config = space.config
    config["dataset"] = "colours"
    config["datasets"] = {"colours": {"kind": "folder", "shape": list(SHAPE), "classes": CLASSES}}
    config["evaluation"]["images"] = 22
    space.config = config
    run = space.snakemake("all")
    assert run.returncode == 0, run.stdout[-6000:]
    return space


def test_images_in_colour_reach_every_table(coloured):
    tables = coloured.folder / "results/colours/tables"
    assert pd.read_csv(tables / "table1.csv")["model"].tolist() == ["VAE0", "TopoVAE1", "TopoVAE2"]
    held_out = pd.read_csv(tables / "held_out.csv").set_index(["metric", "model"])
    assert held_out.loc[("bce", "VAE0")].notna().any(axis=None)


def test_pictures_are_in_colour(coloured):
    """The images of a class share a colour: a picture of grey levels would have three equal channels."""
    (picture,) = (coloured.folder / "results/colours/figures").glob("images_TopoVAE1*.png")
    levels = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    assert (np.ptp(levels, axis=2) > 50).mean() > 0.05
