"""Tables of the numerical checks of the propositions."""

import pandas as pd


def stability_table(worst: pd.DataFrame) -> pd.DataFrame:
    """How near perturbations come to the stability bound, cells formatted as text.

    Args:
        worst: columns degree, move, perturbations, mean, worst, above_tight, above_bound.
    """
    return pd.DataFrame(
        {
            "degree": worst["degree"].astype(str),
            "moved": worst["move"],
            "perturbations": worst["perturbations"].astype(str),
            "mean of distance / eps": worst["mean"].map("{:.3f}".format),
            "largest": worst["worst"].map("{:.6f}".format),
            "above sqrt(2)": worst["above_tight"].astype(str),
            "2 or more": worst["above_bound"].astype(str),
        }
    )


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Automatic gradients against central differences, cells formatted as text.

    Args:
        agreement: columns degree, regularizer, clouds, agree, median, largest, flat.
    """
    return pd.DataFrame(
        {
            "regularizer": agreement["regularizer"],
            "degree": agreement["degree"].astype(str),
            "clouds": agreement["clouds"].astype(str),
            "agree (%)": (100 * agreement["agree"]).map("{:.1f}".format),
            "median error": agreement["median"].map("{:.1e}".format),
            "largest error": agreement["largest"].map("{:.1e}".format),
            "gradient zero (%)": (100 * agreement["flat"]).map("{:.1f}".format),
        }
    )


def exception_table(slopes: pd.DataFrame) -> pd.DataFrame:
    """One-sided slopes at the exceptions and what is computed there, cells formatted as text.

    Args:
        slopes: columns exception, regularizer, jump, before, after, automatic, difference.
    """
    text = {
        "exception": slopes["exception"],
        "regularizer": slopes["regularizer"],
        "jump of the value": slopes["jump"],
        "slope before": slopes["before"],
        "slope after": slopes["after"],
        "automatic gradient": slopes["automatic"],
        "central difference": slopes["difference"],
    }
    return pd.DataFrame(
        {
            name: column if name in ("exception", "regularizer") else column.map(_rounded)
            for name, column in text.items()
        }
    )


def _rounded(value: float) -> str:
    return f"{round(value, 8) + 0.0:.4g}"  # 0.0: no minus zero
