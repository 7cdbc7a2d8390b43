"""Which terms look at the reference: what the plan says of them, and what they do."""

import pytest
import torch
from strategies import normal
from test_opponents import PARAMETERS

from topogen.plan import WITHOUT_REFERENCE
from topogen.training.as_run import AS_RUN
from topogen.training.terms import OF_POINTS, build_terms
from topogen.training.views import View
from torchrips.regularizers import REGULARIZERS

OF_DIAGRAMS = {
    "total_persistence": {"power": 2},
    "wasserstein": {"order": 2, "ground_norm": 2},
    "sliced_wasserstein": {"directions": 4},
    "fisher": {"sigma": 0.3},
    "reininghaus": {"sigma": 0.5},
    "4sgde": {"start": 0, "stop": 3, "points": 9, "sigma": 0.5, "scale": 1},
    "entropy": {"delta": 0.01},
}


@pytest.mark.parametrize("name", [*REGULARIZERS, *AS_RUN, *OF_POINTS])
def test_the_plan_names_the_terms_that_have_no_reference(name):
    parameters = (OF_DIAGRAMS | PARAMETERS).get(name.removeprefix("as_run_"), {})
    entry = {"name": name, "weight": 1, "parameters": parameters}
    if name not in OF_POINTS:
        entry["degree"] = 0
    (term,) = build_terms([entry])
    points, *references = (scale * normal(seed, 8, 3) for seed, scale in enumerate([1, 1.2, 1.4]))
    seen, first, second = (View().of_points(cloud, [term.key]) for cloud in (points, *references))
    same = torch.equal(term.value(seen, first), term.value(seen, second))
    assert same == (name in WITHOUT_REFERENCE)
