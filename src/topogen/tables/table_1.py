"""Table 1 of the thesis, its values beside those measured with the losses as defined and as run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from topogen.tables.forms import mean_with_interval

Cells = Mapping[tuple[str, int], str]  # model and step -> mean and interval


def table_1(
    models: Sequence[str],
    published: Mapping[str, Any],
    times: pd.DataFrame,
    *,
    timed_steps: int,
    defined: pd.DataFrame,
    run: pd.DataFrame | None,
    scaled: pd.DataFrame | None,
    names: Mapping[str, str],
) -> pd.DataFrame:
    """Table 1 of the thesis: its values beside the measured ones, cells formatted as text.

    Args:
        models: one row each; a baseline has no r(s).
        published: model -> {seconds, rbar: {step: percent}}; a model may be missing.
        times: columns model, seconds, slowdown.
        timed_steps: number of training steps that ``seconds`` is the time of; those of the thesis are 10.
        defined: effects of the losses as defined: columns model, step, mean, low, high.
        run: the same of the losses as run: a further column for each step.
        scaled: the same of the losses as defined with scaled weights: further rows, without times.
        names: model of ``run`` or ``scaled`` -> the model of the thesis whose row it belongs to.

    Returns:
        Columns model, time and slowdown of the thesis and of ours, and for each step s of ``defined`` the
        mean r(s) of the thesis, as defined and as run, the last two with their interval in brackets; all in
        the units of the header. The last rows are those of the scaled weights.
    """
    measured = times.set_index("model")[["seconds", "slowdown"]].to_dict("index")
    steps = sorted(defined["step"].unique())
    printed = {step for model in published for step in _rbar(published, model)}
    as_defined, as_run, as_scaled = (_intervals(effects, names) for effects in (defined, run, scaled))
    steps_as_run = {step for _, step in as_run}  # these trainings are shorter: their last step is another one

    def improvements(model: str, measured_cells: Cells, cells_as_run: Cells) -> dict[str, str]:
        cells = {}
        for step in steps:
            if str(step) in printed:
                value = _rbar(published, model).get(str(step))
                cells[f"r({step}), thesis (%)"] = "" if value is None else f"{value:.1f}"
            cells[f"r({step}), as defined (%)"] = measured_cells.get((model, step), "")
            if step in steps_as_run:
                cells[f"r({step}), as run (%)"] = cells_as_run.get((model, step), "")
        return cells

    rows = []
    for model in models:
        seconds = published.get(model, {}).get("seconds")
        row = {
            "model": model,
            "10 steps, thesis (s)": "" if seconds is None else f"{seconds:.1f}",
            f"{timed_steps} steps, ours (s)": f"{measured[model]['seconds']:.2f}",
            "slowdown, ours": f"{measured[model]['slowdown']:.2f}",
        }
        rows.append(row | improvements(model, as_defined, as_run))
    for model in dict.fromkeys(model for model, _ in as_scaled):
        rows.append({"model": f"{model}, scaled"} | improvements(model, as_scaled, {}))
    return pd.DataFrame(rows).fillna("")


def _rbar(published: Mapping[str, Any], model: str) -> Mapping[str, float]:
    rbar: Mapping[str, float] = published.get(model, {}).get("rbar", {})
    return rbar


def _intervals(effects: pd.DataFrame | None, names: Mapping[str, str]) -> dict[tuple[str, int], str]:
    rows = [] if effects is None else effects.to_dict("records")
    return {
        (names.get(row["model"], row["model"]), row["step"]): mean_with_interval(
            row["mean"], row["low"], row["high"], 2
        )
        for row in rows
    }
