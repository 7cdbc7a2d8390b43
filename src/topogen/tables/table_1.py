"""Table 1 of the thesis, its values beside ours."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def table_1(
    models: Sequence[str], published: Mapping[str, Any], times: pd.DataFrame, effects: pd.DataFrame
) -> pd.DataFrame:
    """Table 1 of the thesis: its values beside ours, cells formatted as text.

    Args:
        models: one row each; a baseline has no r(s).
        published: model -> {seconds, rbar: {step: percent}}; a model may be missing.
        times: columns model, seconds, slowdown.
        effects: columns model, step, n, mean, low, high.

    Returns:
        Columns model, time and slowdown of the thesis and of ours, and for each reported step s the mean
        r(s) of the thesis and ours with its interval in brackets; all in the units of the header.
    """
    measured = times.set_index("model")[["seconds", "slowdown"]].to_dict("index")
    means = effects.set_index(["model", "step"])
    rows = []
    for model in models:
        theirs = published.get(model, {})
        row = {
            "model": model,
            "10 steps, thesis (s)": _text(theirs.get("seconds"), "{:.1f}"),
            "10 steps, ours (s)": f"{measured[model]['seconds']:.2f}",
            "slowdown, ours": f"{measured[model]['slowdown']:.2f}",
        }
        for step in sorted(effects["step"].unique()):
            if str(step) in {key for entry in published.values() for key in entry.get("rbar", {})}:
                row[f"r({step}), thesis (%)"] = _text(theirs.get("rbar", {}).get(str(step)), "{:.1f}")
            ours = means.loc[(model, step)] if (model, step) in means.index else None
            row[f"r({step}), ours (%)"] = (
                "" if ours is None else f"{ours['mean']:.2f} [{ours['low']:.2f}, {ours['high']:.2f}]"
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _text(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
