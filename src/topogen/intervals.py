"""The t interval of a mean, and the name of the other kind."""

from typing import Any, TypeVar

import numpy as np
import pandas as pd
from scipy import stats

Numbers = TypeVar("Numbers", float, "pd.Series[Any]")


def half_width(sd: Numbers, n: Numbers, confidence: float) -> Numbers:
    r"""Half of the t interval of a mean: :math:`t_{n-1} \, \mathrm{sd} / \sqrt n`; NaN if n is 1.

    Args:
        sd: standard deviation of the values, with n - 1 in its denominator; of one mean, or of several.
        n: number of the values, likewise.
        confidence: coverage of the interval, such as 0.95.

    """
    half: Numbers = stats.t.ppf((1 + confidence) / 2, n - 1) * sd / np.sqrt(n)
    return half


def interval_name(confidence: float) -> str:
    """Name of the interval of an effect, the sign-flip test inverted before correction."""
    return f"{100 * confidence:g} % interval (sign flips)"
