import torch
from hypothesis import HealthCheck, settings

# One core, and the same examples in every run: a failure is a fault, never bad luck.
torch.set_num_threads(1)
settings.register_profile(
    "topogen", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fast", settings.get_profile("topogen"), max_examples=5)  # make check-fast
settings.load_profile("topogen")

collect_ignore = ["wheel.py"]  # `make test-wheel` runs it, in an environment of its own
