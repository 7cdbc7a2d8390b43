"""What tables say of the numbers that they show."""

import pandas as pd

from topogen.evidence.rule import VERDICTS
from topogen.plotting.evidence import verdicts_over_effects
from topogen.tables.evidence import smallest_effects_found, wrong_verdicts
from topogen.tables.table_1 import table_1


def test_table_1_says_of_how_many_steps_each_time_is():
    """The times of the thesis are of ten steps, ours of as many as are configured."""
    times = pd.DataFrame({"model": ["VAE0"], "seconds": [2.5], "slowdown": [1.0]})
    defined = pd.DataFrame({"model": ["VAE0"], "step": [5], "mean": [0.0], "low": [0.0], "high": [0.0]})
    published = {"VAE0": {"seconds": 1.5}}
    table = table_1(
        ["VAE0"], published, times, timed_steps=5, defined=defined, run=None, scaled=None, names={}
    )
    assert table.loc[0, ["10 steps, thesis (s)", "5 steps, ours (s)"]].tolist() == ["1.5", "2.50"]


def test_a_calibration_without_rows_can_be_shown():
    columns = ["comparison", "model", "step", "sd", "n", "effect", *VERDICTS]
    chances = pd.DataFrame(columns=columns)
    errors = pd.DataFrame(columns=["comparison", "n", "effect", "wrong_direction", "wrongly_negligible"])
    assert list(smallest_effects_found(chances, 0.8)) == ["comparison", "model", "step", "sd (%)"]
    assert wrong_verdicts(errors).empty
    (ax,) = verdicts_over_effects(chances, 0.1).axes
    assert "nothing to draw" in ax.texts[0].get_text()
