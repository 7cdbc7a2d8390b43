"""How well low-dimensional vectors keep the distances and neighbours of the data that they stand for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

Array = NDArray[np.float64]

WIDTHS = (0.01, 0.1, 1)


def quality(
    data: NDArray[Any],
    embedding: NDArray[Any],
    neighbours: Sequence[int],
    reconstruction: NDArray[Any] | None = None,
) -> dict[str, float]:
    """The measures of :data:`topogen.evaluation.names.EMBEDDING`.

    Trustworthiness punishes neighbours in the embedding that are none in the data, by their rank there, and
    continuity neighbours in the data that are none in the embedding. RMSE is that of all n^2
    distances, and the error of reconstruction the mean square of all n d numbers.

    Args:
        data: shape (n, d).
        embedding: the same points in few dimensions, shape (n, e).
        neighbours: numbers k of nearest neighbours, each less than n / 2, over which the measures of
            neighbours are averaged.
        reconstruction: of the data, shape (n, d); None: there is none, and no error of it.

    Source:
        M. Moor, M. Horn, B. Rieck, K. Borgwardt, *Topological autoencoders*, 2020, section 5.1.

    """
    far, near = (squareform(pdist(np.asarray(points, dtype=np.float64))) for points in (data, embedding))
    error = (
        {} if reconstruction is None else {"reconstruction": float(np.square(reconstruction - data).mean())}
    )
    return {
        **{f"KL_{width}": density_divergence(far, near, width) for width in WIDTHS},
        "MRRE": float(np.mean([rank_errors(far, near, k) for k in neighbours])),
        "continuity": float(np.mean([_trustworthiness(near, data, k) for k in neighbours])),
        "trustworthiness": float(np.mean([_trustworthiness(far, embedding, k) for k in neighbours])),
        "RMSE": float(np.sqrt(np.square(far - near).mean())),
        **error,
    }


def density_divergence(data: Array, embedding: Array, width: float) -> float:
    r"""Kullback-Leibler divergence of densities at the points, of the data from the embedding.

    .. math::
        \sum_i p_i \log \frac{p_i}{q_i}, \qquad p_i \propto \sum_j e^{-(A_{ij} / \max A)^2 / s},

    and q in the same way of the distances B in the embedding.

    Args:
        data: distances A, shape (n, n).
        embedding: distances B, shape (n, n).
        width: s.

    """
    p, q = (np.exp(-np.square(matrix / matrix.max()) / width).sum(axis=1) for matrix in (data, embedding))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def rank_errors(data: Array, embedding: Array, k: int) -> float:
    r"""Mean relative rank error, the mean of both directions.

    With the ranks r of the points j by their distance to i in the data, and s in the embedding, one direction
    is, over the k nearest neighbours of each i in the embedding,

    .. math::
        \frac{1}{n \sum_{l=1}^k |n - 2l + 1| / l}
        \sum_i \sum_{j : s_{ij} \le k} \frac{|r_{ij} - s_{ij}|}{s_{ij}},

    and the other one is the same with r and s exchanged.

    Args:
        data: distances, shape (n, n).
        embedding: distances, shape (n, n).
        k: number of neighbours, < n.

    Source:
        J. Lee, M. Verleysen, *Quality assessment of dimensionality reduction: rank-based criteria*, 2009.

    """
    r, s = _ranks(data), _ranks(embedding)
    far = np.abs(r - s)
    places = np.arange(1, k + 1)
    worst = len(data) * (np.abs(len(data) - 2 * places + 1) / places).sum()
    near = [(ranks >= 1) & (ranks <= k) for ranks in (r, s)]
    sums = [(far[chosen] / ranks[chosen]).sum() for chosen, ranks in zip(near, (r, s), strict=True)]
    return float(np.mean(sums) / worst)


def _ranks(distances: Array) -> NDArray[np.int64]:
    """Rank of each point j by its distance to i, shape (n, n); of i itself 0."""
    inside = distances.copy()
    np.fill_diagonal(inside, -1)
    ranks: NDArray[np.int64] = inside.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return ranks


def _trustworthiness(distances: Array, points: NDArray[Any], k: int) -> float:
    return float(trustworthiness(distances, points, n_neighbors=k, metric="precomputed"))


def _umap(**parameters: Any) -> Any:
    """UMAP in one thread: so its seed decides the result. It is imported here because that takes seconds."""
    from umap import UMAP

    return UMAP(n_jobs=1, **parameters)


METHODS = {"PCA": PCA, "TSNE": TSNE, "UMAP": _umap}


def fitted(
    method: str, parameters: Mapping[str, Any], data: NDArray[Any], test: NDArray[Any], seed: int
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """An embedding of the test by a method that is not trained, and its reconstruction.

    Args:
        method: of :data:`METHODS`, with two components. One that cannot embed further points is fitted to
            the test.
        parameters: further ones of the class, of scikit-learn or of umap.
        data: for the fit, shape (n, d).
        test: shape (m, d).
        seed: of draws, if there are some.

    Returns:
        Shapes (m, 2) and (m, d); None for every method but PCA. What UMAP calls an inverse is a search.

    """
    model = METHODS[method](n_components=2, random_state=seed, **parameters)
    if not hasattr(model, "transform"):
        return model.fit_transform(test), None
    embedding = model.fit(data).transform(test)
    return embedding, model.inverse_transform(embedding) if isinstance(model, PCA) else None
