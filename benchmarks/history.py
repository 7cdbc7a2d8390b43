"""Speed over time: the scripts of `make benchmark` add what they measured to benchmarks/history.csv.

Each row names the commit and the machine, because times of two machines say nothing of the code.
docs/history.png shows all rows.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import seaborn as sns

from topogen.plotting.style import model_colours, save, use_style
from topogen.provenance import machine, repository

ROOT = Path(__file__).parents[1]
HISTORY, FIGURE = ROOT / "benchmarks/history.csv", ROOT / "docs/history.png"
WRITTEN = ("docs/", "benchmarks/history.csv")  # by the benchmarks themselves
SAME = ["commit", "machine", "figure"]  # a second measurement takes the place of the first


def remember(values: Mapping[str, float]) -> None:
    """Add a row for each value, by the name of its figure with its unit, and draw all rows."""
    this = machine()
    where = {
        "date": date.today().isoformat(),
        "commit": commit(),
        "machine": f"{this['processor']}, {this['cores']} cores",
    }
    rows = pd.DataFrame([where | {"figure": name, "value": value} for name, value in values.items()])
    if HISTORY.exists():
        rows = pd.concat([pd.read_csv(HISTORY), rows]).drop_duplicates(SAME, keep="last")
    rows.to_csv(HISTORY, index=False, float_format="%.4g", lineterminator="\n")
    draw(rows)


def commit() -> str:
    """The first letters of the clone's commit; `+` says that code differs from it."""
    code = repository(ROOT)
    if code is None:
        return "unknown"
    edited = [path for path in code["changed"] if not path.startswith(WRITTEN)]
    return f"{code['commit'][:7]}{'+' if edited else ''}"


def draw(rows: pd.DataFrame) -> None:
    """A panel for each figure: its values over the commits, in the order in which they were measured."""
    use_style()
    machines = list(rows["machine"].unique())
    grid = sns.relplot(
        rows,
        x="commit",
        y="value",
        hue="machine",
        style="machine",
        col="figure",
        col_wrap=2,
        kind="line",
        markers=True,
        dashes=False,
        sort=False,
        palette=model_colours(machines),
        height=2.2,
        aspect=1.7,
        facet_kws={"sharey": False},
    )
    for axes in grid.axes.flat:
        axes.set_ylim(0, 1.1 * axes.dataLim.ymax)
    grid.set_titles("{col_name}").set_axis_labels("commit", "")
    sns.move_legend(grid, "lower center", ncol=2, bbox_to_anchor=(0.45, 1), title=None)
    save(grid.figure, FIGURE)
