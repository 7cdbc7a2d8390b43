"""What differences that are paired by seed say: effects with intervals and tests, and bands.

Why these methods: the sign-flip test is exact for symmetric differences, its smallest two-sided p being
2/2^n, and the interval is that test inverted, so that the two never disagree; that nothing was found says
little, so equivalence to a margin is tested as well. What the tests of several effects say together is
decided in :mod:`topogen.evidence.rule`.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

Array = NDArray[np.float64]
FLIPS = 10_000  # sign patterns of a test: all of them up to 13 seeds, that many random ones beyond


def paired_effect(differences: Array, *, confidence: float, margin: float) -> dict[str, float]:
    r"""What the differences of n seeds say about their mean.

    Args:
        differences: one per seed, shape (n,).
        confidence: coverage of the intervals; 1 - confidence is the level of the tests.
        margin: means between minus and plus this count as none, unit of the differences, >= 0.

    Returns:
        n; mean, sd (NaN for one seed), and the interval low, high of :func:`sign_flip_interval`. better:
        share of seeds with a difference above 0, a difference of 0 counting half, with the Clopper-Pearson
        interval better_low, better_high of its number rounded down and up. p of :func:`sign_flip_p`, exact
        for differences that are symmetric about 0; p_equivalence of :func:`equivalence_p`; and margin.

    Raises:
        ValueError: a difference is NaN or infinite.

    """
    if not np.isfinite(differences).all():
        raise ValueError("a difference is NaN or infinite")
    n, level = len(differences), 1 - confidence
    wins = np.sum(differences > 0) + np.sum(differences == 0) / 2
    fewest, _ = proportion_confint(np.floor(wins), n, alpha=level, method="beta")
    _, most = proportion_confint(np.ceil(wins), n, alpha=level, method="beta")
    low, high = sign_flip_interval(differences, level)
    return {
        "n": n,
        "mean": float(np.mean(differences)),
        "sd": float(np.std(differences, ddof=1)) if n > 1 else np.nan,
        "low": low,
        "high": high,
        "better": float(wins / n),
        "better_low": float(fewest),
        "better_high": float(most),
        "p": float(sign_flip_p(differences[:, np.newaxis])[0]),
        "p_equivalence": float(equivalence_p(differences[:, np.newaxis], margin)[0]),
        "margin": margin,
    }


def sign_flip_p(differences: Array) -> Array:
    r"""Two-sided sign-flip test of the mean 0: the share of sign patterns s with a mean as far from 0.

    A pattern counts if :math:`|\sum_i s_i d_i| \geq |\sum_i d_i|`. If the patterns are random, the observed
    one is counted besides.

    Args:
        differences: of n seeds, in k effects, shape (n, k).

    Returns:
        p, shape (k,); at least 2/2^n.

    Source:
        R. Fisher, *The design of experiments*, 1935, section 21.
    """
    signs = _signs(len(differences))
    observed = int(len(signs) < 2 ** len(differences))
    total = np.abs(differences.sum(axis=0))
    # A sum may differ from an equal one by rounding.
    as_far = np.count_nonzero(np.abs(signs @ differences) >= total * (1 - 1e-12), axis=0)
    p: Array = (as_far + observed) / (len(signs) + observed)
    return p


def sign_flip_interval(differences: Array, level: float) -> tuple[float, float]:
    """Interval of the means that the sign-flip test does not reject: all m with p >= level.

    If m is subtracted from the differences, a pattern counts if and only if m lies between the mean of the
    differences that it flips and the mean of those that it keeps. So the ends are order statistics of these
    means. A pattern that flips all or nothing counts at every m.

    Args:
        differences: shape (n,).
        level: of the test, between 0 and 1.

    Returns:
        The ends, which belong to it; infinite if no p can be below the level.

    Source:
        E. Lehmann, J. Romano, *Testing statistical hypotheses*, 2005, section 5.10 (intervals by inversion).
    """
    n, signs = len(differences), _signs(len(differences))
    total, sums, counts = differences.sum(), signs @ differences, signs.sum(axis=1)
    some = np.abs(counts) < n
    flipped = (total - sums[some]) / (n - counts[some])
    kept = (total + sums[some]) / (n + counts[some])
    patterns = len(signs) + int(len(signs) < 2**n)  # random ones, and the observed one
    needed = int(np.ceil(level * patterns)) - (patterns - len(flipped))  # to hold a mean that is not rejected
    if needed <= 0:
        return -np.inf, np.inf
    lows, highs = np.sort(np.minimum(flipped, kept)), np.sort(np.maximum(flipped, kept))
    return float(lows[needed - 1]), float(highs[-needed])


def equivalence_p(differences: Array, margin: float) -> Array:
    """Two one-sided t tests of a mean beyond the margin.

    Args:
        differences: of n seeds, in k effects, shape (n, k).
        margin: >= 0.

    Returns:
        p, shape (k,); 1 for one seed. Without any spread there is no t test, and the mean is what it is:
        0 within the margin, else 1.

    Source:
        D. Schuirmann, *A comparison of the two one-sided tests procedure and the power approach*, 1987.
    """
    if len(differences) == 1:
        return np.ones(differences.shape[1])
    p: Array = (np.abs(differences[0]) >= margin).astype(float)
    spread = np.ptp(differences, axis=0) > 0
    if spread.any():
        p[spread] = DescrStatsW(differences[:, spread]).ttost_mean(-margin, margin)[0]
    return p


def effects(
    table: pd.DataFrame, keys: Sequence[str], value: str, *, confidence: float, margin: float
) -> pd.DataFrame:
    """Effect of every group of a table.

    Args:
        table: columns ``keys``, seed and ``value``, one row per seed in a group.
        keys: what makes a group, such as model and step.
        value: paired difference, positive where the model is better.
        confidence: see :func:`paired_effect`.
        margin: likewise.

    Returns:
        Columns ``keys``, and those of :func:`paired_effect`.
    """
    return pd.DataFrame(
        [
            dict(zip(keys, group, strict=True))
            | paired_effect(part[value].to_numpy(), confidence=confidence, margin=margin)
            for group, part in table.groupby(list(keys), sort=False)
        ]
    )


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
