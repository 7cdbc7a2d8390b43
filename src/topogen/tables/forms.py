"""The three forms in which people use a table, and how numbers look in one."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from topogen.files import save_text


def save_readable_table(
    table: pd.DataFrame, csv: str | Path, markdown: str | Path, latex: str | Path
) -> None:
    """One table, cells already formatted as text, in the three forms that people use."""
    save_text(csv, table.to_csv(index=False))
    save_text(markdown, table.to_markdown(index=False, disable_numparse=True) + "\n")
    save_text(latex, table.to_latex(index=False, escape=True))


def decimals(values: tuple[float, ...], digits: int) -> int:
    """Number of decimals that shows so many digits of the largest number; of numbers that are all 0, none."""
    largest = max((abs(value) for value in values if np.isfinite(value)), default=0.0)
    return 0 if largest == 0 else max(0, digits - 1 - math.floor(math.log10(largest)))


def mean_with_interval(mean: float, low: float, high: float, places: int, sign: str = "") -> str:
    """A mean and its interval in brackets, with so many decimals; "+" gives positive numbers a sign.

    >>> mean_with_interval(0.5, 0.25, 1, 2), mean_with_interval(0.5, -math.inf, math.inf, 2)
    ('0.50 [0.25, 1.00]', '0.50 (too few seeds for an interval)')
    """
    if math.isinf(low) and math.isinf(high):
        return f"{mean:{sign}z.{places}f} (too few seeds for an interval)"
    middle, *ends = (f"{value:{sign}z.{places}f}" for value in (mean, low, high))
    return f"{middle} [{', '.join(ends)}]"
