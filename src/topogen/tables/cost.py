"""The table of what topological terms cost."""

import pandas as pd


def cost_table(costs: pd.DataFrame, slowdowns: pd.DataFrame) -> pd.DataFrame:
    """Time of a step and of all trainings of each model, cells formatted as text.

    Args:
        costs: of :func:`topogen.cost.step_costs`.
        slowdowns: of :func:`topogen.cost.slowdowns`; a baseline has none.
    """
    factors = slowdowns.set_index("model").reindex(costs["model"]).reset_index()
    whole = costs["model_seconds"] + costs["topology_seconds"]
    total = costs["model_total"] + costs["topology_total"]
    return pd.DataFrame(
        {
            "model": costs["model"],
            "step, model (ms)": (1000 * costs["model_seconds"]).map("{:.1f}".format),
            "step, topology (ms)": (1000 * costs["topology_seconds"]).map("{:.2f}".format),
            "topology's share (%)": (100 * costs["topology_seconds"] / whole).map("{:.1f}".format),
            "slowdown, ours": _known(factors["ours"]),
            "slowdown, thesis": _known(factors["thesis"]),
            "trainings": costs["runs"].astype(str),
            "all trainings (min)": (total / 60).map("{:.1f}".format),
        }
    )


def _known(values: pd.Series) -> pd.Series:
    return values.map(lambda value: "" if pd.isna(value) else f"{value:.2f}")
