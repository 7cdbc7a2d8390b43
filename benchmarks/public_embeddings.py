"""The quality of the embeddings that the authors of topological autoencoders made public.

Their repository, github.com/BorgwardtLab/topological-autoencoders, keeps where one run of each method puts
the test, in data/visualizations/. Make the tables of docs/spheres.md first: then results/ has the tests.
With that folder of a clone of theirs, ``python benchmarks/public_embeddings.py FOLDER`` prints rows for
docs/studies/spheres/published.csv. That has the paper's own row of PCA on SPHERES; leave out the printed one.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from steps import ROOT, images_and_plan

from topogen.data.batches import scaled
from topogen.evaluation.embedding import quality
from topogen.plan import Plan

# Our names -> their folders. That of t-SNE holds other points, in an order that is not known.
METHODS = {"Autoencoder": "Vanilla", "TopoAE": "TopoAE", "PCA": "PCA", "UMAP": "UMAP"}
TABLES = (("config/spheres.yaml",), ("config/spheres.yaml", "config/spheres_fashion.yaml"))


def rows_of(plan: Plan, method: str, file: Path) -> pd.DataFrame:
    """Measures of one embedding of the test, as the plan has them: rows of the table of published values.

    Raises:
        ValueError: the labels are not those of the test, so the points are others, or in another order.

    """
    dataset, settings = plan.dataset, plan.embedding()
    images, labels = (
        np.load(ROOT / "results" / dataset / name)[: settings["points"]]
        for name in ("test_images.npy", "test_labels.npy")
    )
    embedding = pd.read_csv(file).head(settings["points"])
    if embedding["labels"].tolist() != labels.tolist():
        raise ValueError(
            f"{file}: its labels are not those of the test of {dataset}, in the order of the test"
        )
    data = scaled(images).flatten(1).numpy()
    measures = quality(data, embedding[["0", "1"]].to_numpy(), settings["neighbours"])
    rows = [(name, f"{value:#.4g}") for name, value in measures.items()]
    return pd.DataFrame(rows, columns=["measure", "value"]).assign(dataset=dataset, model=method)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    plans = [images_and_plan(*files)[1] for files in TABLES]
    table = pd.concat(
        rows_of(plan, method, folder / plan.dataset / theirs / "latents.csv")
        for plan in plans
        for method, theirs in METHODS.items()
    )
    # Their levels of FashionMNIST are in [-1, 1], ours in [0, 1]: distances have another unit there.
    table = table[(table["dataset"] == "spheres") | (table["measure"] != "RMSE")]
    columns = ["dataset", "model", "measure", "value", "runs", "source"]
    table.assign(runs=1, source="embedding")[columns].to_csv(sys.stdout, index=False)
