"""What the rule would say of a true effect: residuals of real comparisons, with a known effect added.

Nothing is trained. The r(s) of a comparison, less their mean over seeds, say how r(s) varies from seed to
seed. Seeds are drawn from them, an effect is added to every row of the family, and the rule of
:mod:`topogen.evidence.rule` gives its verdicts.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from topogen.evidence.effects import Array, equivalence_p, sign_flip_p
from topogen.evidence.rule import NEGATIVE, NEGLIGIBLE, POSITIVE, VERDICTS, holm, verdicts


def residuals(improvement: pd.DataFrame, steps: Sequence[int]) -> pd.DataFrame:
    r"""Deviations from the mean over seeds, times :math:`\sqrt{n / (n - 1)}`.

    Args:
        improvement: columns model, seed, step, r, of n seeds.
        steps: the reported ones.

    Returns:
        One row per seed and one column per model and step. The mean square of a column is the variance of
        the n seeds. Columns of models that do not differ from their baselines are left out.
    """
    reported = improvement[improvement["step"].isin(steps)]
    r = reported.pivot(index="seed", columns=["model", "step"], values="r")
    centred: pd.DataFrame = (r - r.mean()) * np.sqrt(len(r) / max(len(r) - 1, 1))
    return centred[centred.columns[(r != r.iloc[0]).any()]]


def drawn_seeds(residuals: Array, seeds: int, stream: np.random.Generator) -> Array:
    """Residuals of new seeds, shape (seeds, k), from those of shape (n, k).

    Whole seeds are drawn with replacement, so that models and steps vary together as they do. The sign of
    each is flipped at random, so that the mean is 0 and the distribution symmetric, as the test presupposes.
    """
    signs = stream.choice((-1.0, 1.0), (seeds, 1))
    return signs * residuals[stream.integers(len(residuals), size=seeds)]


def calibration(
    table: pd.DataFrame,
    rows: Sequence[int],
    *,
    effects: Sequence[float],
    seeds: Sequence[int],
    trials: int,
    seed: int,
    margin: float,
    confidence: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How often the rule gives each verdict on a known effect, which every row of one family has.

    Args:
        table: what :func:`residuals` returned, k columns.
        rows: as how many rows of the family each column counts.
        effects: percent, >= 0.
        seeds: numbers of seeds.
        trials: families that are drawn for each number and effect.
        seed: decides the draws; those of all effects are the same.
        margin: percent.
        confidence: 1 - level.

    Returns:
        By column: model, step, sd, n, effect, and the share of trials with each verdict. By family: n,
        effect; wrong_direction, the share of trials in which any row is negative, or positive without an
        effect; and wrongly_negligible, in which any row is negligible, NaN for effects below the margin.
    """
    values, counts, level = table.to_numpy(), np.asarray(rows), 1 - confidence
    columns = table.columns.to_frame(index=False).assign(sd=np.sqrt((values**2).mean(axis=0)))
    by_column, by_family = [], []
    for number in seeds:
        stream = np.random.default_rng(seed)
        samples = [drawn_seeds(values, number, stream) for _ in range(trials)]
        for effect in effects:
            found = np.array([_verdicts(sample + effect, counts, margin, level) for sample in samples])
            shares = {verdict: (found == verdict).mean(axis=0) for verdict in VERDICTS}
            by_column.append(columns.assign(n=number, effect=effect, **shares))
            wrong = [NEGATIVE] if effect > 0 else [NEGATIVE, POSITIVE]
            missed = (found == NEGLIGIBLE).any(axis=1).mean() if effect >= margin else np.nan
            by_family.append(
                {
                    "n": number,
                    "effect": effect,
                    "wrong_direction": np.isin(found, wrong).any(axis=1).mean(),
                    "wrongly_negligible": missed,
                }
            )
    return pd.concat(by_column, ignore_index=True), pd.DataFrame(by_family)


def _verdicts(differences: Array, rows: NDArray[np.int64], margin: float, level: float) -> NDArray[np.str_]:
    """Verdicts on the columns of differences, shape (n, k), as on one family."""
    p, p_equivalence = sign_flip_p(differences), equivalence_p(differences, margin)
    return verdicts(differences.mean(axis=0), holm(p, rows), holm(p_equivalence, rows), level)
