"""Measures of embeddings, next to their definitions point by point, and to a published row."""

import math

import numpy as np
import pytest
from hypothesis import given
from strategies import SEEDS, at_most, normal

from topogen.data.spheres import spheres
from topogen.evaluation.embedding import fitted, quality
from topogen.evaluation.names import EMBEDDING


def definitions(data, embedding, neighbours):
    """All measures by loops over points."""
    points = range(len(data))
    far, near = ([[math.dist(x, y) for y in cloud] for x in cloud] for cloud in (data, embedding))

    def densities(distances, width):
        longest = max(map(max, distances))
        sums = [sum(math.exp(-((d / longest) ** 2) / width) for d in row) for row in distances]
        return [value / sum(sums) for value in sums]

    def divergence(width):
        pairs = zip(densities(far, width), densities(near, width), strict=True)
        return sum(p * math.log(p / q) for p, q in pairs)

    def ranks(distances):
        orders = [sorted((j for j in points if j != i), key=lambda j, i=i: distances[i][j]) for i in points]
        return [{j: place + 1 for place, j in enumerate(order)} for order in orders]

    n, r, s = len(data), ranks(far), ranks(near)

    def trust(there, here, k):
        wrong = [there[i][j] - k for i in points for j in there[i] if here[i][j] <= k < there[i][j]]
        return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * sum(wrong)

    def errors(ranks, k):
        worst = n * sum(abs(n - 2 * place + 1) / place for place in range(1, k + 1))
        chosen = [(i, j) for i in points for j in ranks[i] if ranks[i][j] <= k]
        return sum(abs(r[i][j] - s[i][j]) / ranks[i][j] for i, j in chosen) / worst

    def mean(values):
        return sum(values) / len(values)

    return {
        **{f"KL_{width}": divergence(width) for width in (0.01, 0.1, 1)},
        "MRRE": mean([errors(ranks, k) for ranks in (r, s) for k in neighbours]),
        "continuity": mean([trust(s, r, k) for k in neighbours]),
        "trustworthiness": mean([trust(r, s, k) for k in neighbours]),
        "RMSE": math.sqrt(sum((far[i][j] - near[i][j]) ** 2 for i in points for j in points) / n**2),
    }


@at_most(15)
@given(seed=SEEDS)
def test_measures_are_their_definitions(seed):
    data, embedding = normal(seed, 11, 4).numpy(), normal(seed + 1, 11, 2).numpy()
    found = quality(data, embedding, [1, 3])
    assert found == pytest.approx(definitions(data.tolist(), embedding.tolist(), [1, 3]), rel=1e-9)
    assert list(found) == [name for name in EMBEDDING if name != "reconstruction"]


def test_a_copy_is_perfect():
    data = normal(0, 12, 3).numpy()
    perfect = {name: float(direction > 0) for name, direction in EMBEDDING.items()}
    assert quality(data, data, [2, 4], data) == pytest.approx(perfect, abs=1e-12)


def test_principal_components_of_the_spheres_have_the_published_quality():
    """The row of PCA in the paper's table. Its fit leaves 15 % out, for validation, which moves KL_0.01."""
    training, test = (spheres(train)[0] for train in (True, False))
    embedding, reconstruction = fitted("PCA", {}, training, test, seed=0)
    found = quality(test, embedding, range(10, 201, 50))
    published = {"KL_0.1": 0.651, "KL_1": 0.0153, "RMSE": 11.8, "KL_0.01": 0.332}
    assert {name: found[name] for name in published} == pytest.approx(published, rel=0.015)
    assert np.square(reconstruction - test).mean() == pytest.approx(0.961, rel=0.001)


def test_what_cannot_embed_further_points_is_fitted_to_the_test():
    test = normal(0, 12, 3).numpy()
    embedding, reconstruction = fitted("TSNE", {"perplexity": 3}, normal(1, 20, 3).numpy(), test, seed=0)
    assert embedding.shape == (12, 2)
    assert reconstruction is None


def test_umap_embeds_further_points_the_same_way_each_time():
    training, test = normal(1, 60, 3).numpy(), normal(0, 12, 3).numpy()
    (first, none), (again, _) = (fitted("UMAP", {"n_neighbors": 5}, training, test, seed=3) for _ in range(2))
    assert first.shape == (12, 2)
    assert none is None
    assert (first == again).all()
    assert (first != fitted("UMAP", {"n_neighbors": 5}, training, test, seed=4)[0]).any()
