r"""Losses of other papers, on the distances of a cloud that degree 0 of its Rips filtration singles out.

Each is a module called with two clouds, ``(points, reference)`` of shapes (n, d) and (m, e), and returns a
scalar, as :mod:`topogen.training.opponents` do. X are the points, Y those of the reference, and A(X) is the
matrix of their Euclidean distances. :math:`\pi(X)` are the n - 1 edges of the minimum spanning tree of X,
those that bring death in degree 0. Edges of length 0, of coincident points, are left out.

Signatures and RTD-Lite compare point by point: point k of Y belongs to point k of X. So the cloud is usually
the latent vectors of a batch, and the reference its images.
"""

import torch
from torch import Tensor, nn

from topogen.training.opponents import distances
from torchrips.persistence import rips_diagrams


class Connectivity(nn.Module):
    r"""Deviation of the lifetimes of degree 0 from one length: :math:`L(X) = \sum_{(0, d)} |d - \eta|`.

    The reference is ignored.

    Args:
        eta: wanted length of the edges of the spanning tree, > 0, unit of the distances.

    Raises:
        ValueError: eta is not positive.

    Source:
        C. Hofer, R. Kwitt, M. Niethammer, M. Dixit, *Connectivity-optimized representation learning via
        persistent homology*, 2019. Their code has eta = 2, the weight 20, batches of 100 images, and 16
        branches of 10 latent dimensions, each a cloud of its own in Manhattan distances.

    >>> Connectivity(eta=2)(torch.tensor([[0.0], [1.0], [5.0]]), torch.zeros(0, 1))  # 1 + 2
    tensor(3.)

    """

    def __init__(self, eta: float) -> None:
        super().__init__()
        if not eta > 0:
            raise ValueError(f"eta must be > 0, got {eta}")
        self.eta = eta

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        (diagram,) = rips_diagrams(points, 0)
        value: Tensor = (diagram[:, 1] - self.eta).abs().sum()
        return value


class Signature(nn.Module):
    r"""The loss of topological autoencoders: distances along the spanning trees of both clouds.

    .. math::
        L(X) = \sum_{e \in \pi(X) \cup \pi(Y)} \left(A_e(X) - A_e(Y)\right)^2 ,

    where an edge of both trees counts twice. So each space is compared with the other in its own edges.

    Args:
        relative: whether distances of Y are divided by the longest of them.

    Raises:
        ValueError: the clouds have different numbers of points.

    Source:
        M. Moor, M. Horn, B. Rieck, K. Borgwardt, *Topological autoencoders*, 2020, where there is a
        factor 1/2; their code has none, and its weights belong to it. It divides by the number of points.
        Distances of vectors are relative there, and those of images are divided by the largest distance that
        there can be; latent distances are divided by a learned scale.

    >>> line, bent = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.0], [1.0], [-1.5]])
    >>> Signature(relative=False)(line, bent)  # edges 01 and 12 of lengths 1, 2; 01 and 02 of lengths 1, 1.5
    tensor(2.5000)

    """

    def __init__(self, relative: bool) -> None:
        super().__init__()
        self.relative = relative

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        _demand_pairs(points, reference)
        edges = self.edges(points, reference)
        here, there = (_lengths(edges, cloud) for cloud in (points, reference))
        if self.relative and len(points) > 0:
            there = there / _or_one(distances(reference, reference).max())
        return (here - there).square().sum()

    def edges(self, points: Tensor, reference: Tensor) -> Tensor:
        """Edges that are compared, shape (k, 2)."""
        return torch.cat([spanning_edges(points), spanning_edges(reference)])


class RandomSignature(Signature):
    r"""The control of :class:`Signature`: as many edges, but random ones.

    Both ends of each edge are drawn, without replacement over the edges. Draws come from one stream that
    starts anew in every call, so the value is a function of the clouds.

    Args:
        relative: as of :class:`Signature`.

    Source:
        The public code of *Topological autoencoders*, which draws anew in every call.

    """

    def edges(self, points: Tensor, reference: Tensor) -> Tensor:
        number, stream = max(len(points) - 1, 0), torch.Generator().manual_seed(0)
        ends = [torch.randperm(len(points), generator=stream)[:number] for _ in range(4)]
        return torch.cat([torch.stack(ends[:2], dim=1), torch.stack(ends[2:], dim=1)]).to(points.device)


class RTDLite(nn.Module):
    r"""RTD-Lite of the complete graphs on both clouds, the mean of both directions.

    With :math:`\hat A` the distances, divided by the 0.9-quantile of all entries of their matrix, and
    :math:`\mathrm{mst}` the sum of the edges of a minimum spanning tree,

    .. math::
        L(X) = \tfrac12 \left(\mathrm{mst}(\hat A(X)) + \mathrm{mst}(\hat A(Y))\right)
        - \mathrm{mst}\left(\min(\hat A(X), \hat A(Y))\right) .

    Raises:
        ValueError: the clouds have different numbers of points.

    Source:
        E. Tulchinskii, D. Voronkova, I. Trofimov, E. Burnaev, S. Barannikov, *RTD-Lite: scalable topological
        analysis for comparing weighted graphs in learning tasks*, 2025, and their public code. It trains an
        autoencoder of FashionMNIST with the weight 1, batches of 256 images, 250 epochs and learning rate
        0.0001.

    >>> line, bent = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.0], [1.0], [-1.0]])
    >>> RTDLite()(line, line), RTDLite()(line, bent).round(decimals=4)
    (tensor(0.), tensor(0.1667))

    """

    def forward(self, points: Tensor, reference: Tensor) -> Tensor:
        _demand_pairs(points, reference)
        if len(points) < 2:
            return 0 * (points.sum() + reference.sum())
        here, there = (self._normalised(distances(cloud, cloud)) for cloud in (points, reference))
        both = torch.minimum(here, there)
        value = (_spanning_length(here) + _spanning_length(there)) / 2 - _spanning_length(both)
        return value.clamp(min=0)  # rounding: equal clouds

    @staticmethod
    def _normalised(matrix: Tensor) -> Tensor:
        return matrix / _or_one(matrix.quantile(0.9))


def spanning_edges(cloud: Tensor) -> Tensor:
    """Edges of the minimum spanning tree of a cloud, shape (n, d), as pairs of points, (n - 1, 2)."""
    _, (edges,) = rips_diagrams(cloud.detach(), 0, return_edges=True)
    return edges[:, 1]


def _lengths(edges: Tensor, cloud: Tensor) -> Tensor:
    """Lengths of edges, shape (k, 2), in a cloud, shape (k,); all derivatives are 0 where points coincide."""
    first, second = edges.unbind(dim=1)
    steps = cloud[first] - cloud[second]
    apart = (steps != 0).any(dim=1)
    lengths = torch.linalg.vector_norm(torch.where(apart[:, None], steps, 1), dim=1)
    return torch.where(apart, lengths, 0)


def _spanning_length(matrix: Tensor) -> Tensor:
    (diagram,) = rips_diagrams(matrix, 0, metric="precomputed")
    return diagram[:, 1].sum()


def _or_one(number: Tensor) -> Tensor:
    """The number, or 1 in the place of 0: distances of coincident points stay 0."""
    return torch.where(number > 0, number, torch.ones_like(number))


def _demand_pairs(points: Tensor, reference: Tensor) -> None:
    if len(points) != len(reference):
        raise ValueError(
            f"the cloud has {len(points)} points and the reference {len(reference)}; they are compared point "
            "by point, so both must have as many"
        )


PUBLISHED: dict[str, type[nn.Module]] = {
    "connectivity": Connectivity,
    "signature": Signature,
    "random_signature": RandomSignature,
    "rtd_lite": RTDLite,
}
