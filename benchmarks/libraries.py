"""One way to call all libraries: what each offers, in the convention that it documents.

The docstring of a method says which call it is and which convention that call has; docs/conformance.md prints
it. What a library does not offer raises :class:`NotOfferedError`. A library is imported when first called.
"""

import math
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context, parent_process
from typing import Any

import numpy as np
import torch
from torch import Tensor

Bars = tuple[Tensor, Tensor]  # finite bars of degrees 0 and 1, shape (k, 2) each

SECONDS = 2  # for an answer of a library that sometimes gives none


class NotOfferedError(Exception):
    """The library has no such function."""


class Library:
    """What may be asked of a library, and the conventions that most of them share."""

    name: str
    module: str
    differentiable: frozenset[str] = frozenset()  # the methods below whose results carry gradients

    # Conventions, where libraries differ.
    entropy_base = math.e

    def length(self, distance: Any) -> Any:
        """Where an edge between points at a distance enters the filtration."""
        return distance

    def wasserstein_exponent(self, order: float) -> float:
        """Power of the Wasserstein distance that is returned."""
        return 1

    def kernel_factor(self, sigma: float) -> float:
        """Factor of the scale-space kernel over the published one."""
        return 1

    kernel_distance_exponent = 1  # power of the distance that is returned

    @property
    def version(self) -> str | None:
        """Version of the installed library, if any."""
        return version(self.name) if find_spec(self.module) else None

    def rips(self, points: Tensor) -> Bars:
        raise NotOfferedError

    def rips_of_batch(self, clouds: Sequence[Tensor], threads: int = 1) -> Sequence[Bars]:
        raise NotOfferedError

    def rips_of_matrix(self, matrix: Tensor, threads: int = 1) -> Bars:
        raise NotOfferedError

    def bottleneck(self, first: Tensor, second: Tensor) -> Any:
        raise NotOfferedError

    def wasserstein(self, first: Tensor, second: Tensor, order: float, norm: float) -> Any:
        raise NotOfferedError

    def sliced_wasserstein(self, first: Tensor, second: Tensor, directions: int) -> Any:
        raise NotOfferedError

    def fisher(self, first: Tensor, second: Tensor, sigma: float) -> Any:
        raise NotOfferedError

    def kernel(self, first: Tensor, second: Tensor, sigma: float) -> Any:
        raise NotOfferedError

    def kernel_distance(self, first: Tensor, second: Tensor, sigma: float) -> Any:
        raise NotOfferedError

    def entropy(self, diagram: Tensor) -> Any:
        raise NotOfferedError

    def total_persistence(self, diagram: Tensor, power: float) -> Any:
        raise NotOfferedError

    def persistence_norm(self, diagram: Tensor, power: float) -> Any:
        raise NotOfferedError


class Torchrips(Library):
    name = module = "torchrips"
    differentiable = frozenset(
        {
            "rips",
            "rips_of_batch",
            "rips_of_matrix",
            "bottleneck",
            "wasserstein",
            "sliced_wasserstein",
            "fisher",
            "kernel",
            "kernel_distance",
            "entropy",
            "total_persistence",
        }
    )
    kernel_distance_exponent = 2

    def rips(self, points: Tensor) -> Bars:
        """`rips_diagrams(points)`."""
        from torchrips.persistence import rips_diagrams

        bars = rips_diagrams(points)
        return bars[0], bars[1]

    def rips_of_batch(self, clouds: Sequence[Tensor], threads: int = 1) -> Sequence[Bars]:
        """`batched_rips_diagrams(clouds, threads=threads)`: a thread takes one cloud at a time."""
        from torchrips.persistence import batched_rips_diagrams

        return [(bars[0], bars[1]) for bars in batched_rips_diagrams(list(clouds), threads=threads)]

    def rips_of_matrix(self, matrix: Tensor, threads: int = 1) -> Bars:
        """`batched_rips_diagrams([matrix] * threads, metric="precomputed", threads=threads)`, first."""
        from torchrips.persistence import batched_rips_diagrams

        bars = batched_rips_diagrams([matrix] * threads, metric="precomputed", threads=threads)[0]
        return bars[0], bars[1]

    def bottleneck(self, first: Tensor, second: Tensor) -> Tensor:
        """`bottleneck(first, second)`."""
        from torchrips.distances import bottleneck

        return bottleneck(first, second)

    def wasserstein(self, first: Tensor, second: Tensor, order: float, norm: float) -> Tensor:
        """`wasserstein(first, second, order, ground_norm)`: the root is taken."""
        from torchrips.distances import wasserstein

        return wasserstein(first, second, order, norm)

    def sliced_wasserstein(self, first: Tensor, second: Tensor, directions: int) -> Tensor:
        """`sliced_wasserstein(first, second, directions)`: mean over evenly spaced lines."""
        from torchrips.distances import sliced_wasserstein

        return sliced_wasserstein(first, second, directions)

    def fisher(self, first: Tensor, second: Tensor, sigma: float) -> Tensor:
        """`fisher(first, second, sigma)`."""
        from torchrips.distances import fisher

        return fisher(first, second, sigma)

    def kernel(self, first: Tensor, second: Tensor, sigma: float) -> Tensor:
        """`scale_space_kernel(first, second, sigma)`: as published."""
        from torchrips.distances import scale_space_kernel

        return scale_space_kernel(first, second, sigma)

    def kernel_distance(self, first: Tensor, second: Tensor, sigma: float) -> Tensor:
        """`reininghaus(first, second, sigma)`: the square of the distance."""
        from torchrips.distances import reininghaus

        return reininghaus(first, second, sigma)

    def entropy(self, diagram: Tensor) -> Tensor:
        """`entropy(diagram, delta=0)`: natural logarithm."""
        from torchrips.regularizers import entropy

        return entropy(diagram, delta=0.0)

    def total_persistence(self, diagram: Tensor, power: float) -> Tensor:
        """`TotalPersistence(power)`: no root."""
        from torchrips.regularizers import TotalPersistence

        return TotalPersistence(power)(diagram, diagram.new_zeros(0, 2))


class TorchTopological(Library):
    name, module = "torch-topological", "torch_topological"
    differentiable = Torchrips.differentiable | {"persistence_norm"}
    entropy_base = 2

    def rips(self, points: Tensor) -> Bars:
        """`VietorisRipsComplex(dim=1)(points)`."""
        return self._bars(self._complex(threads=1)(points))

    def rips_of_batch(self, clouds: Sequence[Tensor], threads: int = 1) -> Sequence[Bars]:
        """`VietorisRipsComplex(dim=1, n_threads=threads)(clouds)`: all threads take the same cloud."""
        return [self._bars(found) for found in self._complex(threads)(list(clouds))]

    def rips_of_matrix(self, matrix: Tensor, threads: int = 1) -> Bars:
        """`VietorisRipsComplex(dim=1, n_threads=threads)(matrix, treat_as_distances=True)`."""
        return self._bars(self._complex(threads)(matrix, treat_as_distances=True))

    @staticmethod
    def _complex(threads: int) -> Any:
        from torch_topological.nn import VietorisRipsComplex

        return VietorisRipsComplex(dim=1, n_threads=threads)

    @staticmethod
    def _bars(found: Any) -> Bars:
        return found[0].diagram, found[1].diagram

    def wasserstein(self, first: Tensor, second: Tensor, order: float, norm: float) -> Tensor:
        """`WassersteinDistance(p=norm, q=order)`: p is "the exponent of the norm", the root is taken."""
        from torch_topological.nn import WassersteinDistance

        return WassersteinDistance(p=norm, q=order)(*map(self._wrapped, (first, second)))

    def sliced_wasserstein(self, first: Tensor, second: Tensor, directions: int) -> Tensor:
        """`SlicedWassersteinDistance(num_directions)`: mean over evenly spaced lines, in float32."""
        from torch_topological.nn import SlicedWassersteinDistance

        return SlicedWassersteinDistance(directions)(*map(self._wrapped, (first, second)))

    def kernel(self, first: Tensor, second: Tensor, sigma: float) -> Tensor:
        """`MultiScaleKernel(sigma)`: as published."""
        from torch_topological.nn import MultiScaleKernel

        return MultiScaleKernel(sigma)(*map(self._wrapped, (first, second)))

    @staticmethod
    def _wrapped(diagram: Tensor) -> Any:
        from torch_topological.nn import PersistenceInformation

        return PersistenceInformation([], diagram, 0)

    def entropy(self, diagram: Tensor) -> Tensor:
        """`persistent_entropy(diagram)`: logarithm to base 2, 0 log 0 = 0."""
        from torch_topological.utils.summary_statistics import persistent_entropy

        return persistent_entropy(diagram)

    def total_persistence(self, diagram: Tensor, power: float) -> Tensor:
        """`total_persistence(diagram, p=power)`: no root."""
        from torch_topological.utils.summary_statistics import total_persistence

        return total_persistence(diagram, p=power)

    def persistence_norm(self, diagram: Tensor, power: float) -> Tensor:
        """`p_norm(diagram, p=power)`: the p-norm of the lifetimes."""
        from torch_topological.utils.summary_statistics import p_norm

        return p_norm(diagram, p=power)


class GiottoPH(Library):
    name, module = "giotto-ph", "gph"
    differentiable = frozenset({"rips", "rips_of_matrix"})

    def rips(self, points: Tensor) -> Bars:
        """`ripser_parallel(points, return_generators=True)`; lengths of the generators gathered by torch."""
        return self._bars(array(points), torch.cdist(points, points))

    def rips_of_matrix(self, matrix: Tensor, threads: int = 1) -> Bars:
        """`ripser_parallel(matrix, metric="precomputed", return_generators=True, n_threads=threads)`."""
        return self._bars(array(matrix), matrix, metric="precomputed", n_threads=threads)

    @staticmethod
    def _bars(data: Any, matrix: Tensor, **options: Any) -> Bars:
        from gph import ripser_parallel

        deaths, higher, _, _ = ripser_parallel(data, return_generators=True, **options)["gens"]
        return gathered(matrix, deaths, higher[0])


class Gudhi(Library):
    name = module = "gudhi"
    differentiable = frozenset({"rips", "rips_of_matrix", "wasserstein"})

    def rips(self, points: Tensor) -> Bars:
        """`RipsComplex(points=points)`, `flag_persistence_generators()`; their lengths gathered by torch."""
        return self._bars(torch.cdist(points, points), points=array(points))

    def rips_of_batch(self, clouds: Sequence[Tensor], threads: int = 1) -> Sequence[Bars]:
        """`gudhi.sklearn.rips_persistence.RipsPersistence(n_jobs=threads)`: values only."""
        from gudhi.sklearn.rips_persistence import RipsPersistence

        engine = RipsPersistence(homology_dimensions=[0, 1], n_jobs=threads)
        found = engine.fit_transform([array(points) for points in clouds])
        return [(torch.from_numpy(first), torch.from_numpy(second)) for first, second in found]

    def rips_of_matrix(self, matrix: Tensor, threads: int = 1) -> Bars:
        """`RipsComplex(distance_matrix=matrix)`, `flag_persistence_generators()`: one thread."""
        if threads > 1:
            raise NotOfferedError
        return self._bars(matrix, distance_matrix=array(matrix))

    @staticmethod
    def _bars(matrix: Tensor, **data: Any) -> Bars:
        from gudhi import RipsComplex

        tree = RipsComplex(**data).create_simplex_tree(max_dimension=2)
        tree.compute_persistence(homology_coeff_field=2)
        deaths, higher, _, _ = tree.flag_persistence_generators()
        return gathered(matrix, deaths, higher[0] if higher else np.zeros((0, 4), dtype=int))

    def bottleneck(self, first: Tensor, second: Tensor) -> float:
        """`bottleneck_distance(first, second)`: by default exact up to the last bits."""
        from gudhi import bottleneck_distance

        return bottleneck_distance(*map(array, (first, second)))

    def wasserstein(self, first: Tensor, second: Tensor, order: float, norm: float) -> Tensor:
        """`gudhi.wasserstein.wasserstein_distance(..., enable_autodiff=True)`: the root is taken."""
        from gudhi.wasserstein import wasserstein_distance

        return wasserstein_distance(
            first, second, order=order, internal_p=norm, enable_autodiff=True, keep_essential_parts=False
        )

    def sliced_wasserstein(self, first: Tensor, second: Tensor, directions: int) -> float:
        """`SlicedWassersteinDistance(num_directions)`: mean over so many evenly spaced lines."""
        from gudhi.representations import SlicedWassersteinDistance

        return SlicedWassersteinDistance(directions)(*map(array, (first, second)))

    def fisher(self, first: Tensor, second: Tensor, sigma: float) -> float:
        """`PersistenceFisherDistance(bandwidth=sigma)`."""
        from gudhi.representations import PersistenceFisherDistance

        return PersistenceFisherDistance(bandwidth=sigma)(*map(array, (first, second)))

    def kernel(self, first: Tensor, second: Tensor, sigma: float) -> float:
        """`PersistenceScaleSpaceKernel(bandwidth=2 sqrt(sigma))`: the published one by sqrt(8 pi sigma)."""
        from gudhi.representations import PersistenceScaleSpaceKernel

        return PersistenceScaleSpaceKernel(bandwidth=2 * math.sqrt(sigma))(*map(array, (first, second)))

    def kernel_factor(self, sigma: float) -> float:
        return math.sqrt(8 * math.pi * sigma)

    def entropy(self, diagram: Tensor) -> float:
        """`Entropy()`: natural logarithm."""
        from gudhi.representations import Entropy

        return Entropy()(array(diagram))[0]


class Hera(Library):
    name, module = "gudhi.hera", "gudhi"

    @property
    def version(self) -> str | None:
        """Version of gudhi, which it is a part of."""
        return Gudhi().version

    def bottleneck(self, first: Tensor, second: Tensor) -> float:
        """`gudhi.hera.bottleneck_distance(first, second, delta=0)`: exact."""
        from gudhi.hera import bottleneck_distance

        return bottleneck_distance(*map(array, (first, second)), delta=0.0)

    def wasserstein(self, first: Tensor, second: Tensor, order: float, norm: float) -> float:
        """`gudhi.hera.wasserstein_distance(...)`: the root is taken; relative error set to 0.000001."""
        from gudhi.hera import wasserstein_distance

        return in_time(
            lambda: wasserstein_distance(
                *map(array, (first, second)), order=order, internal_p=norm, delta=0.000001
            )
        )


class Oineus(Library):
    name = module = "oineus"
    differentiable = frozenset({"rips", "rips_of_matrix", "wasserstein", "sliced_wasserstein"})

    def length(self, distance: Any) -> Any:
        return np.sqrt(distance**2 + 0.000001)

    def wasserstein_exponent(self, order: float) -> float:
        return order

    def rips(self, points: Tensor) -> Bars:
        """`diff.vr_filtration(points, max_dim=2)`: a simplex of diameter l enters at sqrt(l^2 + 0.000001)."""
        return self._bars(points, threads=1)

    def rips_of_matrix(self, matrix: Tensor, threads: int = 1) -> Bars:
        """`diff.vr_filtration(matrix, from_pwdists=True, max_dim=2, n_threads=threads)`: no such square."""
        return self._bars(matrix, threads, from_pwdists=True)

    @staticmethod
    def _bars(data: Tensor, threads: int, **options: Any) -> Bars:
        from oineus.diff import persistence_diagram, vr_filtration

        filtration = vr_filtration(data, max_dim=2, n_threads=threads, **options)
        found = persistence_diagram(filtration, n_threads=threads)
        return found[0], found[1]

    def bottleneck(self, first: Tensor, second: Tensor) -> float:
        """`bottleneck_distance(first, second, delta=0)`: exact."""
        from oineus import bottleneck_distance

        return bottleneck_distance(*map(array, (first, second)), delta=0.0)

    def wasserstein(self, first: Tensor, second: Tensor, order: float, norm: float) -> Tensor:
        """`diff.wasserstein_cost(..., internal_p=norm)`: no root; relative error set to 0.000001."""
        from oineus.diff import wasserstein_cost

        return wasserstein_cost(
            first, second, wasserstein_q=order, internal_p=norm, wasserstein_delta=0.000001
        )

    def sliced_wasserstein(self, first: Tensor, second: Tensor, directions: int) -> Tensor:
        """`diff.sliced_wasserstein_distance(..., directions=lines)`: mean over the lines that it is given."""
        from oineus.diff import sliced_wasserstein_distance

        angles = -math.pi / 2 + math.pi * np.arange(directions) / directions
        lines = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return sliced_wasserstein_distance(first, second, directions=lines)


class Persim(Library):
    name = module = "persim"

    def bottleneck(self, first: Tensor, second: Tensor) -> float:
        """`bottleneck(first, second)`."""
        from persim import bottleneck

        return bottleneck(*map(array, (first, second)))

    def wasserstein(self, first: Tensor, second: Tensor, order: float, norm: float) -> float:
        """`wasserstein(first, second)`: order 1 and ground norm 2, no others."""
        from persim import wasserstein

        if (order, norm) != (1, 2):
            raise NotOfferedError
        return wasserstein(*map(array, (first, second)))

    def sliced_wasserstein(self, first: Tensor, second: Tensor, directions: int) -> float:
        """`sliced_wasserstein(first, second, M=directions)`: mean over evenly spaced lines."""
        from persim import sliced_wasserstein

        return sliced_wasserstein(*map(array, (first, second)), M=directions)

    def kernel_distance(self, first: Tensor, second: Tensor, sigma: float) -> float:
        """`heat(first, second, sigma)`: the distance, the root taken."""
        from persim import heat

        return heat(*map(array, (first, second)), sigma=sigma)

    def entropy(self, diagram: Tensor) -> float:
        """`persistent_entropy(diagram)`: natural logarithm."""
        from persim.persistent_entropy import persistent_entropy

        return persistent_entropy(array(diagram))[0]


LIBRARIES: tuple[Library, ...] = (
    Torchrips(),
    TorchTopological(),
    GiottoPH(),
    Gudhi(),
    Hera(),
    Oineus(),
    Persim(),
)


def in_time(ask: Callable[[], Any]) -> Any:
    """An answer, asked for in another process, which ends if there is none within seconds."""
    if parent_process():  # here already: a process that is killed leaves its children behind
        return ask()
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def work() -> None:
        try:
            sender.send(ask())
        except Exception as error:
            sender.send(error)

    process = context.Process(target=work)
    process.start()
    answer = receiver.recv() if receiver.poll(SECONDS) else TimeoutError(f"no answer within {SECONDS} s")
    process.kill()
    if isinstance(answer, Exception):
        raise answer
    return answer


def gathered(matrix: Tensor, deaths: Any, generators: Any) -> Bars:
    """Lengths of generators: rows (vertex, i, j) in degree 0, (i, j, k, l) in degree 1."""
    dying = matrix[deaths[:, 1], deaths[:, 2]]
    births, ends = (matrix[generators[:, i], generators[:, i + 1]] for i in (0, 2))
    return torch.stack([torch.zeros_like(dying), dying], dim=1), torch.stack([births, ends], dim=1)


def array(diagram: Tensor) -> Any:
    """The tensor's own memory as an array."""
    return diagram.detach().numpy()
