"""Which loss was trained in which family of models and on which images: writes docs/what_was_run.md.

Counts the seeds in the results that docs/ keeps. What a model is made of says the configuration of its study.
Start it in the clone, with ``python benchmarks/what_was_run.py``; a test says if the page is out of date.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml
from snakemake.utils import update_config

from topogen.variants import of_each_dataset, without_nulls

CLONE = Path(__file__).parents[1]
DOCS = CLONE / "docs"
# Kept results with the seeds, or their number n, of every model -> their page, and files of configuration.
KEPT = {
    "confirmation/FashionMNIST/improvement.csv": ("confirmation.md", []),
    "confirmation/FashionMNIST/orders.csv": ("confirmation.md", []),
    "controls/FashionMNIST/improvement.csv": ("controls.md", []),
    "controls/FashionMNIST/tuning.csv": ("controls.md", []),
    "studies/alignment/values.csv": ("studies.md#alignment", ["alignment"]),
    "studies/planted/circle/values.csv": ("studies.md#planted-topology", ["planted"]),
    "studies/planted/torus/values.csv": ("studies.md#planted-topology", ["planted", "planted_torus"]),
    "studies/planted/components/values.csv": (
        "studies.md#planted-topology",
        ["planted", "planted_components"],
    ),
    "studies/trade-off/values.csv": ("studies.md#trade-off", ["trade-off"]),
    "studies/generation/screening/values.csv": ("studies.md#generation", ["generation"]),
    "studies/generation/fresh/values.csv": (
        "studies.md#generation",
        ["generation", "generation_fresh"],
    ),
    "studies/diffusion/values.csv": ("studies.md#diffusion", ["diffusion"]),
    "studies/gan/values.csv": ("studies.md#gan", ["gan"]),
    "studies/spheres/quality.csv": ("spheres.md", ["spheres"]),
    "studies/spheres_fashion/quality.csv": ("spheres.md#fashionmnist", ["spheres", "spheres_fashion"]),
}
MODE_COLLAPSE = "mode_collapse/seeds.csv"  # of GANs of points, whose models are variants of synthetic.gan
RING = ("GAN of points", "ring of Gaussians")
NONE = "no term"
SCHEMA = CLONE / "workflow/schemas/config.schema.yaml"
HEAD = """# What was run

Each cell is the number of seeds from which models with a loss were trained, with a link to what was found.
If several models of a page have the loss, the one with the most seeds counts. An empty cell was not run.

The numbers are those of the results that are kept in `docs/`; `python benchmarks/what_was_run.py` makes
this page from them and from the configuration of each study. Trainings of the target `all` are not kept
there, such as those with terms on latent vectors of FashionMNIST. Of those on digits, ten seeds of VAEs,
only the [verdicts](findings.md#on-a-second-dataset) are kept. Detection and information train nothing, and
alignment looks at gradients of further losses without training with them.

A loss does not count if its weight or strength is 0, its share is negative, its gradient is random,
permuted or opposite, or its reference is not the images of the batch or samples of the prior. `as_run_`
names what the author's scripts computed.

"""


class Trained(NamedTuple):
    """One loss in one family on one set of images, from a number of seeds."""

    loss: str
    family: str
    dataset: str
    page: str
    seeds: int


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def configuration(files: Iterable[str]) -> Any:
    """That of a study, written out for its dataset."""
    config = read(CLONE / "config.yaml")
    for file in files:
        update_config(config, read(CLONE / f"config/{file}.yaml"))
    (alone,) = of_each_dataset(without_nulls(config)).values()
    return alone


def seeds_of(kept: str, column: str) -> dict[str, int]:
    """Model, or variant -> number of its seeds."""
    groups = pd.read_csv(DOCS / kept).groupby(column)
    return {
        str(model): int(rows["n"].max() if "n" in rows else rows["seed"].nunique()) for model, rows in groups
    }


def losses_of(model: dict[str, Any]) -> list[str]:
    """Names of the terms of a model that act as they are meant to."""
    terms = [term for term in model["regularizers"] if term.get("share", term.get("weight")) > 0]
    if not model["regularizers"]:
        return [NONE]
    meant = model.get("direction", "gradient") == "gradient" and model.get("strength", 1) != 0
    right = model.get("reference", "batch") in ("batch", "prior")
    return [term["name"] for term in terms] if meant and right else []


def trained_in_studies() -> list[Trained]:
    found = []
    for kept, (page, files) in KEPT.items():
        config = configuration(files)
        for name, seeds in seeds_of(kept, "model").items():
            if name in config.get("embedding", {}).get("methods", {}):  # PCA and its like are not trained
                continue
            model = config["models"][name]
            family = model.get("architecture", "vae")
            found += [Trained(loss, family, config["dataset"], page, seeds) for loss in losses_of(model)]
    return found


def trained_on_the_ring() -> list[Trained]:
    variants = configuration([])["synthetic"]["gan"]["variants"]
    found = []
    for name, seeds in seeds_of(MODE_COLLAPSE, "variant").items():
        terms = variants.get(name, {}).get("regularizers", [])
        losses = [term["name"] for term in terms] or [NONE if name == "plain" else f"{name} (remedy)"]
        found += [Trained(loss, *RING, "mode_collapse.md", seeds) for loss in losses]
    return found


def page() -> str:
    """The page as Markdown."""
    trained = pd.DataFrame([*trained_in_studies(), *trained_on_the_ring()])
    most = trained.groupby(["family", "dataset", "loss", "page"], sort=False)["seeds"].max().reset_index()
    most["cell"] = [f"[{seeds}]({page})" for page, seeds in zip(most["page"], most["seeds"], strict=True)]
    cells = most.groupby(["family", "dataset", "loss"], sort=False)["cell"].agg(", ".join)

    definitions = read(SCHEMA)["$defs"]
    families = [*definitions["model"]["properties"]["architecture"]["enum"], RING[0]]
    places = list(dict.fromkeys((family, dataset) for family, dataset, _ in cells.index))
    places.sort(key=lambda place: families.index(place[0]))
    known = [NONE, *definitions["regularizer"]["properties"]["name"]["enum"]]
    losses = [*known, *(loss for loss in dict.fromkeys(most["loss"]) if loss not in known)]
    run = [loss for loss in losses if loss in set(most["loss"])]

    lines = [["loss", *(f"{family}, {dataset}" for family, dataset in places)], ["---"] * (len(places) + 1)]
    lines += [
        [loss if loss not in known[1:] else f"`{loss}`", *(cells.get((*place, loss), "") for place in places)]
        for loss in run
    ]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{HEAD}{table}\n{not_run('Losses', losses, run)}\n{not_run('Families', families, most['family'])}"


def not_run(what: str, names: Iterable[str], run: Iterable[str]) -> str:
    """A sentence that names what no kept result has."""
    missing = [f"`{name}`" for name in names if name not in set(run)]
    return f"{what} without a kept result, not run: {', '.join(missing) or 'none'}.\n"


if __name__ == "__main__":
    (DOCS / "what_was_run.md").write_text(page(), encoding="utf-8")
