import os

# One core, also in processes that tests start: threads that wait for one another keep the cores busy.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)
# The same examples in every run: a failure is a fault, never bad luck.
settings.register_profile(
    "topogen", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fast", settings.get_profile("topogen"), max_examples=5)  # make check-fast
settings.load_profile("topogen")

collect_ignore = ["wheel.py"]  # `make test-wheel` runs it, in an environment of its own


@pytest.fixture(autouse=True)
def gpu(request, monkeypatch):
    """Tests of a GPU need one; for all others there is none, since they expect the values of the CPU."""
    if request.node.get_closest_marker("gpu") is None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    elif not torch.cuda.is_available():
        pytest.skip("torch can use no GPU here")
