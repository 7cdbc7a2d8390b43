"""The table of the quality of embeddings."""

import pandas as pd


def embedding_table(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per model or method, and under it the published one, if there is any; cells formatted as text.

    Args:
        summary: of :func:`topogen.evidence.embedding.means_beside_published`.

    """
    measures = list(dict.fromkeys(summary["measure"]))
    rows = []
    for model, part in summary.groupby("model", sort=False):
        entries = part.set_index("measure").reindex(measures)
        ours = {name: _with_deviation(row["mean"], row["sd"]) for name, row in entries.iterrows()}
        rows.append({"model": model, "seeds": str(part["seeds"].iloc[0]), **ours})
        if part["published"].notna().any():
            known = {name: _number(value) for name, value in entries["published"].items()}
            rows.append({"model": f"{model}, published", "seeds": "", **known})
    return pd.DataFrame(rows)


def _with_deviation(mean: float, sd: float) -> str:
    return _number(mean) if pd.isna(sd) or sd == 0 else f"{_number(mean)} ± {sd:.1g}"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"
