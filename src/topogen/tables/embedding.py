"""The table of the quality of embeddings."""

import pandas as pd


def embedding_table(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per model or method, its cells formatted as text.

    If something is published, two rows follow: that, and whether it is compatible.

    Args:
        summary: of :func:`topogen.evidence.embedding.means_beside_published`, as it was or read from a file.

    """
    measures = list(dict.fromkeys(summary["measure"]))
    rows = []
    for model, part in summary.groupby("model", sort=False):
        entries = part.set_index("measure").reindex(measures)
        ours = {name: _with_deviation(row["mean"], row["sd"]) for name, row in entries.iterrows()}
        rows.append({"model": model, "seeds": str(part["seeds"].iloc[0]), **ours})
        if part["published"].notna().any():
            known = {name: _number(value) for name, value in entries["published"].items()}
            runs = f"{entries['runs'].max():.0f}"
            rows.append({"model": f"{model}, published", "seeds": runs, **known})
            rows.append({"model": "compatible", "seeds": "", **entries["compatible"].fillna("").to_dict()})
    return pd.DataFrame(rows)


def _with_deviation(mean: float, sd: float) -> str:
    return _number(mean) if pd.isna(sd) or sd == 0 else f"{_number(mean)} ± {sd:.1g}"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"
