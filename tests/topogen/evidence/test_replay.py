"""The author's averages, by hand: sums of differences over sums of BCE, beside the published rows."""

import numpy as np
import pandas as pd
import pytest

from topogen.evidence.replay import near_published, replay

ROWS = {"plain-b": ["T1", "T2"], "T1-run": ["T1"], "T2-run": ["T2"], "other": ["T3"]}
PUBLISHED = {"T1": {"25": 0.3, "50": 1.2}, "T2": {"25": 0.2}}
LISTS = [
    ("first", {"without": "without", "run": "run", "paired": "paired", "likely": ["T1"]}),
    ("second", {"without": "without", "run": "run", "paired": "not measured", "likely": ["T2"]}),
]


def improvements(**differences):
    """Of two seeds with a BCE of 100 and 300; differences: model -> those of the seeds, at all steps."""
    rows = [
        (model, seed, step, difference, bce, 100 * difference / bce)
        for model, pair in differences.items()
        for seed, difference, bce in zip((1, 2), pair, (100.0, 300.0), strict=True)
        for step in (25, 50, 99)
    ]
    return pd.DataFrame(rows, columns=["model", "seed", "step", "bce_difference", "bce_baseline", "r"])


def table():
    measured = {
        "without": improvements(**{"plain-b": (1.0, 0.0)}),
        "run": improvements(**{"T1-run": (1.0, 1.0), "T2-run": (2.0, 0.0), "other": (9.0, 9.0)}),
        "paired": improvements(**{"T1-run": (0.0, 1.0), "T2-run": (1.0, 0.0)}),
    }
    return replay(measured, LISTS, replicates=ROWS, published=PUBLISHED, at_steps=(25, 50), confidence=0.95)


def test_averages_stand_beside_the_published_rows():
    found = table().set_index(["row", "step"])
    assert set(found.index) == {(row, step) for row in ("T1", "T2") for step in (25, 50)}
    assert set(found["list"]) == {"first"}  # the second has not been measured
    first = found.loc["T1", 25]
    assert first[["published", "without", "run", "paired", "mean"]].tolist() == pytest.approx(
        [0.3, 0.25, 0.5, 0.25, 100 / 300 / 2]
    )
    assert (first["n"], first["differ"]) == (2, 1)
    assert found["likely"].to_dict() == {(row, step): row == "T1" for row, step in found.index}
    assert np.isnan(found.loc["T2", 50]["published"])


def test_what_is_near_is_counted_on_the_likely_list_alone():
    near = near_published(table()).set_index("quantity")
    assert near["published"].tolist() == [2, 2]  # of T1 at two steps
    assert near["unrounded"].to_dict() == {"without": 1, "run": 0}  # 0.25 and 0.5 beside 0.3
    assert near["printed"].to_dict() == {"without": 1, "run": 0}


@pytest.mark.parametrize(("value", "near"), [(0.36, (1, 1)), (0.42, (0, 1)), (0.46, (0, 0))])
def test_rounding_as_printed_may_bring_a_value_near(value, near):
    row = {"likely": True, "published": 0.3, "without": value, "run": value}
    counts = near_published(pd.DataFrame([row]))
    assert tuple(counts.loc[0, ["unrounded", "printed"]]) == near
