r"""The rule by which the tests of several effects give verdicts.

Two questions are asked of every effect, and both are corrected by Holm's method over the effect's family: the
rows of a table that answer one question.

1. Direction: the sign-flip test. Below the level, the effect is *positive* or *negative*, as its mean is.
2. Size: two one-sided t tests against the margin. Below the level, the effect is *negligible*, whether its
   direction is significant or not.

Otherwise it is *undecided*. An effect whose differences are all exactly 0 is *equal in every seed*. It is
in no family, and neither is an effect that is reported although no question is asked of it, such as that of
the last step.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from topogen.seeds import seeds_for_a_direction

Array = NDArray[np.float64]
POSITIVE, NEGATIVE, NEGLIGIBLE, UNDECIDED = VERDICTS = "positive", "negative", "negligible", "undecided"
EQUAL = "equal in every seed"
DECIDED = {  # what is decided within a family, with the types of the columns
    "p_holm": float,
    "p_equivalence_holm": float,
    "seeds_needed": float,
    "seeds_needed_equivalence": float,
    "verdict": object,
}


def judged(effect: pd.DataFrame, families: pd.DataFrame, *, confidence: float, power: float) -> pd.DataFrame:
    """Effects with their verdicts.

    Args:
        effect: columns of :func:`topogen.evidence.effects.paired_effect`, and others.
        families: some of those others, which tell the rows of ``effect`` apart; family, the name of the
            row's family; and rows, as how many rows of the family it counts (a control is one row of its
            table and stands for several of its treatment's). A row of ``effect`` that is missing here is in
            no family.
        confidence: 1 - level of the corrected tests.
        power: chance that the numbers of seeds below refer to.

    Returns:
        ``effect`` with the columns family (empty: none); p_holm and p_equivalence_holm, corrected;
        seeds_needed to find a mean as large as the margin, and seeds_needed_equivalence to show that a mean
        of 0 is within it, were the standard deviation that of these seeds; verdict, empty where no
        question is asked; and before_correction: undecided, though the test of the direction without
        correction is below the level. The p and numbers of seeds of a row without a family are NaN.

    Source:
        S. Holm, *A simple sequentially rejective multiple test procedure*, 1979.
    """
    level = 1 - confidence
    keys = [column for column in families if column not in ("family", "rows")]
    rows = effect.merge(families, on=keys, how="left", validate="one_to_one")
    equal = (rows["mean"] == 0) & ~(rows["sd"] > 0)
    rows["family"] = rows["family"].astype(object).mask(equal | rows["family"].isna(), "")
    families_of_rows = rows[rows["family"] != ""].groupby("family")
    decided = [_decided(family, level, power) for _, family in families_of_rows]
    nothing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in DECIDED.items()})
    rows = rows.join(pd.concat(decided) if decided else nothing)
    rows["verdict"] = rows["verdict"].astype(object).where(rows["family"] != "", np.where(equal, EQUAL, ""))
    rows["before_correction"] = (rows["verdict"] == UNDECIDED) & (rows["p"] < level)
    return rows.drop(columns="rows")


def _decided(family: pd.DataFrame, level: float, power: float) -> pd.DataFrame:
    """The columns of :data:`DECIDED` of one family."""
    count = family["rows"].to_numpy(int)
    p, p_equivalence = (holm(family[name].to_numpy(), count) for name in ("p", "p_equivalence"))
    question: dict[str, Any] = {"rows": int(count.sum()), "level": level, "power": power}
    spread = list(zip(family["margin"], family["sd"], strict=True))
    columns = {
        "p_holm": p,
        "p_equivalence_holm": p_equivalence,
        "seeds_needed": [seeds_to_find(*pair, **question) for pair in spread],
        "seeds_needed_equivalence": [seeds_for_equivalence(*pair, **question) for pair in spread],
        "verdict": verdicts(family["mean"].to_numpy(), p, p_equivalence, level),
    }
    return pd.DataFrame(columns, index=family.index).astype(DECIDED)


def verdicts(mean: Array, p: Array, p_equivalence: Array, level: float) -> NDArray[np.str_]:
    """Verdicts on the effects of one family by their means and corrected p, each of shape (k,)."""
    found = np.where(mean > 0, POSITIVE, NEGATIVE)
    return np.where(p_equivalence < level, NEGLIGIBLE, np.where(p < level, found, UNDECIDED))


def holm(p: Array, rows: NDArray[np.int64]) -> Array:
    """Holm's correction of p, shape (k,), each counted as so many rows of its family.

    Written out, because statsmodels collects garbage in each call, and the calibration asks 40,000 times.
    """
    repeated = np.repeat(p, rows)
    order = np.argsort(repeated)
    corrected = np.empty_like(repeated)
    corrected[order] = np.maximum.accumulate(repeated[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return corrected[np.cumsum(rows) - 1]


def seeds_to_find(effect: float, sd: float, *, rows: int, level: float, power: float) -> float:
    """Fewest seeds with which the sign-flip test finds a mean with that chance, corrected for its family.

    At least :func:`topogen.seeds.seeds_for_a_direction`. The chance is that of the t test at level / rows,
    which the sign-flip test follows closely.

    Args:
        effect: the mean, >= 0; infinitely many seeds find none.
        sd: standard deviation over seeds, unit of the effect.
        rows: of the family.
        level: of the family.
        power: the chance.
    """
    fewest = seeds_for_a_direction(rows, level)

    def chance(seeds: int) -> float:
        return _beyond(level / rows / 2, seeds, effect, sd)

    return _fewest_seeds(chance, fewest, effect, sd, power)


def seeds_for_equivalence(margin: float, sd: float, *, rows: int, level: float, power: float) -> float:
    """Fewest seeds, at least 2, with which two one-sided t tests put a mean of 0 within the margin.

    Args:
        margin: >= 0; no number of seeds is enough for a margin of 0.
        sd: standard deviation over seeds, unit of the margin.
        rows: of the family.
        level: of the family.
        power: chance that they do, up to the two tests failing at once.
    """

    def chance(seeds: int) -> float:
        return 2 * _beyond(level / rows, seeds, margin, sd) - 1

    return _fewest_seeds(chance, 2, margin, sd, power)


def _beyond(level: float, seeds: int, mean: float, sd: float) -> float:
    """Chance that a one-sided t test finds a mean."""
    shift = min(mean / sd * math.sqrt(seeds), 1e6)  # scipy's tail has no values much farther out
    return float(stats.nct.sf(stats.t.isf(level, seeds - 1), seeds - 1, shift))


def _fewest_seeds(chance: Callable[[int], float], fewest: int, mean: float, sd: float, power: float) -> float:
    """Fewest seeds from some number on whose chance reaches the power, by bisection."""
    if np.isnan(sd):
        return np.nan
    if mean == 0:
        return np.inf
    if sd == 0 or chance(fewest) >= power:
        return fewest
    low, high = fewest, 2 * fewest
    while chance(high) < power:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return high


def compatible(
    effect: pd.DataFrame,
    published: pd.Series,
    *,
    seeds: int | pd.Series,
    rounding: float | pd.Series,
    confidence: float,
) -> pd.Series:
    r"""Whether two experiments of n and of n0 seeds, alike but for their seeds, may have means as different.

    .. math:: |\bar r - v| \leq t_{n-1} \, \mathrm{sd} \sqrt{1/n + 1/n_0} + h,

    with v the published value, h half a unit of its last digit, and the standard deviation of the n seeds for
    both. This is a prediction interval; it plays no part in the verdict.

    Args:
        effect: columns n, mean, sd.
        published: v; NaN where there is none.
        seeds: n0, of all rows or of each.
        rounding: h, of all rows or of each.
        confidence: of the interval.

    Returns:
        yes, no, or empty where there is no published value or only one seed.
    """
    quantile = stats.t.ppf((1 + confidence) / 2, effect["n"] - 1)
    half = quantile * effect["sd"] * np.sqrt(1 / effect["n"] + 1 / seeds) + rounding
    distance = (effect["mean"] - published).abs()
    answer = np.where(distance <= half, "yes", "no")
    return pd.Series(answer, effect.index).mask(distance.isna() | half.isna(), "")


def half_of_last_digit(values: list[float]) -> float:
    """Half a unit of the last digit of a table's values, which all have as many digits as the longest.

    >>> half_of_last_digit([0.3, 1, 0.2])
    0.05
    """
    return min((half_a_unit(f"{value:g}") for value in values), default=0.5)


def half_a_unit(number: str) -> float:
    """Half a unit of the last digit of a number as it is written.

    >>> [half_a_unit(number) for number in ("0.9600", "12", "-.5")]
    [5e-05, 0.5, 0.05]
    """
    return 0.5 * 10.0 ** -len(number.partition(".")[2])
