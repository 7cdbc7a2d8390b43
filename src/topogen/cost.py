"""What the topological terms cost: the time of a training step, and that of whole trainings."""

from collections.abc import Mapping

import pandas as pd


def step_costs(timings: Mapping[tuple[str, int], pd.DataFrame]) -> pd.DataFrame:
    r"""Time of one training step per model, split into the model's part and the topology's.

    The median over all steps of all runs is what a step usually takes; the sums hold everything, also the
    first step of a run, which compiles the persistence engine or loads it.

    Args:
        timings: (model, seed) -> columns step, model_seconds, topology_seconds. Topology: distances, diagrams
            and the regularizers with their gradients; the model's part is the rest of the step.

    Returns:
        Columns model, runs, steps, model_seconds, topology_seconds (medians over all steps),
        model_total, topology_total (sums, in seconds); models in the order of ``timings``.

    """
    steps = pd.concat([table.assign(model=model, seed=seed) for (model, seed), table in timings.items()])
    grouped = steps.groupby("model", sort=False)
    return grouped.agg(
        runs=("seed", "nunique"),
        steps=("step", "size"),
        model_seconds=("model_seconds", "median"),
        topology_seconds=("topology_seconds", "median"),
        model_total=("model_seconds", "sum"),
        topology_total=("topology_seconds", "sum"),
    ).reset_index()


def slowdowns(
    times: pd.DataFrame, published: Mapping[str, float], baselines: Mapping[str, str]
) -> pd.DataFrame:
    """How many times as long as its baseline's a model's steps take: ours, and the thesis'.

    Args:
        times: of :func:`topogen.cost.median_times`: columns model, slowdown.
        published: model -> seconds of some steps in the thesis; a model may be missing.
        baselines: model -> the model it is compared with.

    Returns:
        Columns model, ours, thesis: one row per model of ``baselines`` in their order; thesis is NaN where it
        gives no time of the model or of its baseline.

    """
    ours = times.set_index("model")["slowdown"]
    seconds = pd.Series(published, dtype=float)
    table = pd.DataFrame({"model": list(baselines), "baseline": list(baselines.values())})
    theirs = seconds.reindex(table["model"]).to_numpy() / seconds.reindex(table["baseline"]).to_numpy()
    return table.assign(ours=ours[table["model"]].to_numpy(), thesis=theirs).drop(columns="baseline")


def median_times(rounds: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """Median over rounds of the time of some steps, and the slowdown over the baseline.

    Args:
        rounds: columns model, round, seconds.
        baselines: model -> the model it is compared with; a model that is no key is its own baseline.

    Returns:
        Columns model, seconds, slowdown; slowdown is the median over rounds of the ratio within a round.

    """
    wide = rounds.pivot(index="round", columns="model", values="seconds")
    models = list(dict.fromkeys(rounds["model"]))
    slowdowns = [(wide[model] / wide[baselines.get(model, model)]).median() for model in models]
    return pd.DataFrame({"model": models, "seconds": wide[models].median().to_numpy(), "slowdown": slowdowns})
