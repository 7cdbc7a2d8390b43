"""What differences that are paired by seed say: effects with intervals and tests, bands, and verdicts.

Why these methods: at ten seeds the t interval of a mean covers about what it says, where bootstrap intervals
do not; the sign-flip test is exact for symmetric differences, its smallest two-sided p being 2/2^n; that
nothing was found says little, so equivalence to a margin is tested as well, and the seeds that an effect
would take are counted.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from topogen.intervals import half_width

Array = NDArray[np.float64]
FLIPS = 10_000  # sign patterns of a test: all of them up to 13 seeds, that many random ones beyond


def paired_effect(differences: Array, *, confidence: float, margin: float) -> dict[str, float]:
    r"""What the differences of n seeds say about their mean.

    Args:
        differences: one per seed, shape (n,).
        confidence: coverage of the intervals; 1 - confidence is the level of the tests.
        margin: means between minus and plus this count as none, unit of the differences, > 0.

    Returns:
        n; mean, sd, and the paired t interval low, high. better: share of seeds with a difference above 0,
        a difference of 0 counting half, with the Clopper-Pearson interval better_low, better_high of its
        number rounded down and up. p: two-sided sign-flip test, exact for differences that are symmetric
        about 0; where they are skewed it may disagree with the t interval. p_equivalence: two one-sided t
        tests of a mean beyond the margin. All but n, mean and better are NaN for one seed.

    Raises:
        ValueError: a difference is NaN or infinite.

    Source:
        D. Schuirmann, *A comparison of the two one-sided tests procedure and the power approach*, 1987;
        R. Fisher, *The design of experiments*, 1935, section 21 (sign flips).
    """
    if not np.isfinite(differences).all():
        raise ValueError("a difference is NaN or infinite")
    n, mean = len(differences), float(np.mean(differences))
    level = 1 - confidence
    wins = np.sum(differences > 0) + np.sum(differences == 0) / 2
    row = {"n": n, "mean": mean, "better": float(wins / n)}
    if n == 1:
        names = ("sd", "low", "high", "better_low", "better_high", "p", "p_equivalence")
        return row | dict.fromkeys(names, np.nan)
    sd = float(np.std(differences, ddof=1))
    half = half_width(sd, n, confidence)
    fewest, _ = proportion_confint(np.floor(wins), n, alpha=level, method="beta")
    _, most = proportion_confint(np.ceil(wins), n, alpha=level, method="beta")
    return row | {
        "sd": sd,
        "low": mean - half,
        "high": mean + half,
        "better_low": float(fewest),
        "better_high": float(most),
        "p": _sign_flip_p(differences),
        "p_equivalence": _equivalence_p(differences, margin),
    }


def _sign_flip_p(differences: Array) -> float:
    """Share of sign patterns whose mean is as far from 0; of random ones, the observed is counted as one."""
    signs = _signs(len(differences))
    sums = np.abs(signs @ differences)
    as_far = np.count_nonzero(sums >= abs(differences.sum()) * (1 - 1e-12))
    exact = len(signs) == 2 ** len(differences)
    return as_far / len(signs) if exact else (as_far + 1) / (len(signs) + 1)


def _equivalence_p(differences: Array, margin: float) -> float:
    if np.ptp(differences) == 0:  # no spread, no t test: the mean is what it is
        return float(abs(differences[0]) >= margin)
    return float(DescrStatsW(differences).ttost_mean(-margin, margin)[0])


def seeds_needed(effect: float, sd: float, *, level: float, power: float) -> float:
    """Fewest seeds, at least 2, with which a two-sided t test finds a mean with that chance; NaN if sd is.

    Args:
        effect: the mean, > 0.
        sd: standard deviation over seeds, unit of the effect.
        level: of the test.
        power: the chance.
    """
    if np.isnan(sd):
        return np.nan
    if sd <= 1e-9 * effect:  # no differences but those of rounding: scipy's tail has no value so far out
        return 2.0
    for seeds in range(2, 20):  # on few the solver does not converge
        critical, shift = stats.t.isf(level / 2, seeds - 1), effect / sd * np.sqrt(seeds)
        if stats.nct.sf(critical, seeds - 1, shift) >= power:  # the other tail is nothing where few suffice
            return float(seeds)
    return float(np.ceil(TTestPower().solve_power(effect_size=effect / sd, alpha=level, power=power)))


def effects(
    table: pd.DataFrame, keys: Sequence[str], value: str, *, confidence: float, margin: float, power: float
) -> pd.DataFrame:
    """Effect of every group of a table, its p corrected for the number of groups.

    Args:
        table: columns ``keys``, seed and ``value``, one row per seed in a group.
        keys: what makes a group, such as model and step.
        value: paired difference, positive where the model is better.
        confidence: see :func:`paired_effect`.
        margin: likewise.
        power: chance of finding a mean as large as the margin, for ``seeds_needed``.

    Returns:
        Columns ``keys``, those of :func:`paired_effect`; seeds_needed to find the margin, were the spread
        that of these; and p_holm, p by Holm's correction over all rows.
    """
    rows = []
    for group, part in table.groupby(list(keys), sort=False):
        found = paired_effect(part[value].to_numpy(), confidence=confidence, margin=margin)
        found["seeds_needed"] = seeds_needed(margin, found["sd"], level=1 - confidence, power=power)
        rows.append(dict(zip(keys, group, strict=True)) | found)
    effect = pd.DataFrame(rows)
    tested = effect["p"].notna()
    effect["p_holm"] = np.nan
    if tested.any():
        effect.loc[tested, "p_holm"] = multipletests(effect.loc[tested, "p"], method="holm")[1]
    return effect


def simultaneous_band(curves: Array, confidence: float) -> tuple[Array, Array]:
    r"""Band that holds a whole mean curve with the given chance, not each of its points by itself.

    With mean :math:`\bar r(s)`, standard error e(s) and signs :math:`\epsilon \in \{-1, 1\}^n`, the band is
    :math:`\bar r(s) \pm q \, e(s)`, where q is the quantile over all signs of
    :math:`\max_s |t_\epsilon(s)|`, t the studentised mean of :math:`\epsilon_i (r_i(s) - \bar r(s))`.

    Args:
        curves: one row per seed, shape (n, s), n >= 2; a step at which all are equal has a band of width 0.
        confidence: of the band.

    Returns:
        Lower and upper edge, each (s,).

    Source:
        R. Liu, *Bootstrap procedures under some non-i.i.d. models*, 1988 (wild bootstrap, Rademacher signs).
    """
    n = len(curves)
    mean, sd = curves.mean(axis=0), curves.std(axis=0, ddof=1)
    spread = sd > 0
    rest = (curves - mean)[:, spread]
    signs = _signs(n)
    flipped = signs @ rest / n
    variances = ((rest**2).sum(axis=0) - n * flipped**2) / (n - 1)
    # Signs that leave nothing of the spread at some step count as the largest.
    ratios = np.divide(
        np.abs(flipped), np.sqrt(variances / n), out=np.full_like(flipped, np.inf), where=variances > 0
    )
    largest = ratios.max(axis=1, initial=0)
    half = np.quantile(largest, confidence, method="higher") * sd / np.sqrt(n) if spread.any() else 0 * sd
    return mean - half, mean + half


def bands(table: pd.DataFrame, value: str, confidence: float) -> pd.DataFrame:
    """The :func:`simultaneous_band` of every model over all its steps.

    Args:
        table: columns model, seed, step and ``value``.
        value: the column whose mean over seeds the band holds.
        confidence: of each band.

    Returns:
        Columns model, step, band_low, band_high; NaN for one seed.
    """
    tables = []
    for model, part in table.groupby("model", sort=False):
        curves = part.pivot(index="seed", columns="step", values=value)
        low = high = np.full(curves.shape[1], np.nan)
        if len(curves) > 1:
            low, high = simultaneous_band(curves.to_numpy(), confidence)
        columns = {"model": model, "step": curves.columns, "band_low": low, "band_high": high}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


@cache
def _signs(n: int) -> Array:
    """All sign patterns of n seeds where they are few, else random ones; shape (patterns, n)."""
    if 2**n <= FLIPS:
        return np.array(list(product((-1.0, 1.0), repeat=n)))
    return np.random.default_rng(0).choice((-1.0, 1.0), (FLIPS, n))


def stochastic_order(scores: Array, others: Array, *, confidence: float, seed: int) -> float:
    r"""Almost stochastic order: upper bound of how far ``scores`` are from dominating ``others``.

    .. math::
        \varepsilon = \frac{\int_{F^{-1} < G^{-1}} (F^{-1} - G^{-1})^2 dt}{\int (F^{-1} - G^{-1})^2 dt},

    with the quantile functions of scores, :math:`F^{-1}`, and others; 0: dominance, 1/2: none, 1: the
    reverse. The bound adds the normal quantile times the standard deviation over bootstrap samples. It
    ignores the pairing; kept because the thesis' author used it, and reported with how often it finds what
    is not there.

    Args:
        scores: higher is better, shape (n,).
        others: shape (m,).
        confidence: of the bound.
        seed: of the bootstrap.

    Source:
        R. Dror, S. Shlomov, R. Reichart, *Deep dominance*, 2019, section 4; E. del Barrio, J.
        Cuesta-Albertos, C. Matran, *An optimal transportation approach for assessing almost stochastic
        order*, 2018.
    """
    stream = np.random.default_rng(seed)
    samples = _violation(*(stream.choice(x, (1000, len(x))) for x in (scores, others)))
    bound = _violation(scores, others) + stats.norm.ppf(confidence) * samples.std()
    return float(np.clip(bound, 0, 1))


def _violation(scores: Array, others: Array) -> Array:
    """The ratio of :func:`stochastic_order` for samples in the last axis; 1/2 where they are equal."""
    sizes = scores.shape[-1], others.shape[-1]
    places = np.unique(np.concatenate([np.arange(n + 1) / n for n in sizes]))
    middles, widths = (
        (places[1:] + places[:-1]) / 2,
        np.diff(places),
    )  # quantile functions are constant between
    ours, theirs = (
        np.sort(x)[..., (middles * n).astype(int)] for x, n in zip((scores, others), sizes, strict=True)
    )
    squares = (ours - theirs) ** 2 * widths
    total, against = squares.sum(axis=-1), np.where(ours < theirs, squares, 0).sum(axis=-1)
    ratio: Array = np.divide(against, total, out=np.full_like(total, 0.5), where=total > 0)
    return ratio


def verdict(effect: pd.Series, published: float | None, confidence: float) -> str:
    """What an effect says of a claim, by this rule, in this order.

    replicated: the mean is positive, its p after Holm's correction below the level, and the interval holds
    the published value, where there is one. partly: the same, but the interval does not hold it.
    contradicted: the mean is negative and p below the level. equivalent to nothing: the mean is within the
    margin by the test of equivalence. undecided: none of these.

    Args:
        effect: a row of :func:`effects`, positive in the direction of the claim.
        published: what the thesis states, in the unit of the effect; None where it states a direction only.
        confidence: 1 - level.
    """
    level = 1 - confidence
    if effect["p_holm"] < level and effect["mean"] > 0:
        meets = published is None or effect["low"] <= published <= effect["high"]
        return "replicated" if meets else "partly"
    if effect["p_holm"] < level and effect["mean"] < 0:
        return "contradicted"
    return "equivalent to nothing" if effect["p_equivalence"] < level else "undecided"
