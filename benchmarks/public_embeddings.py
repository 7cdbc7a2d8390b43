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

from topogen.data.batches import scaled
from topogen.evaluation.embedding import quality

# Our names -> their folders. That of t-SNE holds other points, in an order that is not known.
METHODS = {"Autoencoder": "Vanilla", "TopoAE": "TopoAE", "PCA": "PCA", "UMAP": "UMAP"}
POINTS = {"spheres": 1000, "FashionMNIST": 2000}  # of the test, the first ones, as in config/
NEIGHBOURS = range(10, 201, 10)


def rows_of(dataset: str, method: str, file: Path) -> pd.DataFrame:
    """Measures of one embedding, as rows of the table of published values.

    Raises:
        ValueError: the labels are not those of the test, so the points are others, or in another order.

    """
    results = Path("results") / dataset
    images, labels = (
        np.load(results / name)[: POINTS[dataset]] for name in ("test_images.npy", "test_labels.npy")
    )
    embedding = pd.read_csv(file).head(POINTS[dataset])
    if embedding["labels"].tolist() != labels.tolist():
        raise ValueError(
            f"{file}: its labels are not those of the test of {dataset}, in the order of the test"
        )
    data = scaled(images).flatten(1).numpy()
    measures = quality(data, embedding[["0", "1"]].to_numpy(), NEIGHBOURS)
    rows = [(name, f"{value:#.4g}") for name, value in measures.items()]
    return pd.DataFrame(rows, columns=["measure", "value"]).assign(dataset=dataset, model=method)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    table = pd.concat(
        rows_of(dataset, method, folder / dataset / theirs / "latents.csv")
        for dataset in POINTS
        for method, theirs in METHODS.items()
    )
    # Their levels of FashionMNIST are in [-1, 1], ours in [0, 1]: distances have another unit there.
    table = table[(table["dataset"] == "spheres") | (table["measure"] != "RMSE")]
    columns = ["dataset", "model", "measure", "value", "runs", "source"]
    table.assign(runs=1, source="embedding")[columns].to_csv(sys.stdout, index=False)
