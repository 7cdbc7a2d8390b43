import numpy as np
import pandas as pd
import pytest

from topogen.cost import slowdowns, step_costs


def timing(model_seconds, topology_seconds):
    steps = range(len(model_seconds))
    return pd.DataFrame({"step": steps, "model_seconds": model_seconds, "topology_seconds": topology_seconds})


def test_a_slow_first_step_is_in_the_sum_but_not_in_the_median():
    slow_start = timing([1.0, 0.1, 0.1], [5.0, 0.01, 0.01])
    costs = step_costs({("Topo", 1): slow_start, ("Topo", 2): slow_start, ("VAE0", 1): timing([0.1], [0.0])})
    assert costs["model"].tolist() == ["Topo", "VAE0"]
    topo = costs.iloc[0]
    assert (topo["runs"], topo["steps"]) == (2, 6)
    assert topo[["model_seconds", "topology_seconds"]].tolist() == [0.1, 0.01]
    assert topo[["model_total", "topology_total"]].tolist() == pytest.approx([2.4, 10.04])


def test_slowdowns_are_ratios_to_the_baseline_and_unknown_where_nothing_is_published():
    times = pd.DataFrame({"model": ["VAE0", "Topo", "Z", "Z1"], "slowdown": [1.0, 1.5, 1.0, 2.0]})
    table = slowdowns(times, {"VAE0": 1.5, "Topo": 7.1}, {"Topo": "VAE0", "Z1": "Z"})
    assert table["model"].tolist() == ["Topo", "Z1"]
    assert table["ours"].tolist() == [1.5, 2.0]
    np.testing.assert_allclose(table["thesis"], [7.1 / 1.5, np.nan])
