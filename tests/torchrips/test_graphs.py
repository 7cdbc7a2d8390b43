"""torch.compile beside the layer: graphs break at its functions, and values stay."""

import inspect

import pytest
import torch
from strategies import normal
from test_regularizers import FAMILY, regularizer

from torchrips import (
    RipsDiagrams,
    batched_rips_diagrams,
    landmarks,
    random_subsets,
    representatives,
    rips_diagrams,
    spread_gradient,
)
from torchrips.regularizers import lifetime_density
from torchrips.vectorizations import Landscape, PersistenceImage

RIPS, GENERATOR = RipsDiagrams(), torch.Generator()
# What torch.compile meets, and a function of points, shape (n, 2), that calls it. They are a diagram too.
CALLS = {
    "rips_diagrams": lambda x: RIPS(x)[0],
    "batched_rips_diagrams": lambda x: batched_rips_diagrams([x, 2 * x], 0)[1][0],
    "representatives": lambda x: x[torch.cat(representatives(x, 0)[-1])],
    "landmarks": lambda x: x[landmarks(x, 4)[0]],
    "spread_gradient": lambda x: rips_diagrams(spread_gradient(x, 0.5))[0],
    "random_subsets": lambda x: random_subsets(x, 5, 2, GENERATOR),
    "PersistenceImage.forward": PersistenceImage((0, 1), (0, 1), (2, 3), 0.3),
    "Landscape.forward": Landscape(-1, 1, 5, 2),
    "lifetime_density": lambda x: lifetime_density(x, torch.tensor([0.1, 0.2]), 0.3, 1.0),
}
MODULES = {
    "push": "Push.forward",
    "total_persistence": "TotalPersistence.forward",
    "4sgde": "LifetimeDensity.forward",
    "entropy": "Entropy.forward",
}
LOSSES = {name: regularizer(name) for name in FAMILY}
CALLS |= {MODULES.get(name, name): lambda x, name=name: LOSSES[name](x, x[:4] + 0.1) for name in FAMILY}


@pytest.fixture(autouse=True)
def _nothing_compiled():
    torch._dynamo.reset()


def value_and_gradient(function, points):
    GENERATOR.manual_seed(0)
    points = points.clone().requires_grad_()
    value = function(points)
    value.backward()
    return value.detach(), points.grad


@pytest.mark.filterwarnings(
    "ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"
)  # of torch
@pytest.mark.parametrize(
    "name",
    [
        "rips_diagrams",
        "batched_rips_diagrams",
        "spread_gradient",
        "random_subsets",
        "bottleneck",
        "Entropy.forward",
    ],
)
def test_compiling_keeps_the_values_whatever_the_number_of_bars(name):
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    def loss(points):
        return CALLS[name](2 * points).square().sum()

    compiled = torch.compile(loss, backend=backend)
    for n in (8, 9, 12, 17):
        points = normal(n, n, 2)
        for found, expected in zip(
            value_and_gradient(compiled, points), value_and_gradient(loss, points), strict=True
        ):
            assert torch.equal(found, expected)
        if n == 9:
            enough = len(graphs)
    assert len(graphs) == enough


@pytest.mark.parametrize("name", CALLS)
def test_one_graph_for_everything_is_refused_with_a_remedy(name):
    compiled = torch.compile(lambda x: CALLS[name](x).sum(), backend="eager", fullgraph=True)
    # torch 2.7 names the function, and takes no reason.
    reasons = "reason" in inspect.signature(torch.compiler.disable).parameters
    remedy = f"{name} works outside of PyTorch, .* use fullgraph=False" if reasons else name
    with pytest.raises(RuntimeError, match=remedy):
        compiled(normal(0, 8, 2))
