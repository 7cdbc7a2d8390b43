"""Where the minutes of a run went, by rule: `make budget`, after `make results` in the same folder.

Reads Snakemake's log of the run with most jobs, or the log that is named. Prints the table, and writes it and
a picture of the jobs over time to results/budget.md and results/budget.png. Snakemake's benchmarks have
seconds of the processor too, but they miss the end of a job that takes more than 15 s: after 30 looks, half a
second apart, version 9.27.1 looks every 30 s. So the table has the seconds from start to end, and the run
says at its end how many of the processor it took.
"""

import re
import sys
from datetime import datetime
from operator import itemgetter
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from topogen.plotting.style import model_colours, save, use_style

LOGS = Path(".snakemake/log")
PAGE, FIGURE = Path("results/budget.md"), Path("results/budget.png")
SMALL = 0.005  # share of the time below which a rule is not listed by itself
SHOWN = 9  # rules with a colour of their own; the others share one
TIME = re.compile(r"\[(\w{3} \w{3} +\d+ [\d:]{8} \d{4})\]")
STARTED = re.compile(r"Job (\d+): ")
SPENT = re.compile(r"Seconds of the processor: (\d+) in jobs, (\d+) in Snakemake\.")
CORES = re.compile(r"Provided cores: (\d+)")
# Of a stack of trainings the first word, `train`.
FINISHED = re.compile(r"Finished jobid: (\d+) \(Rule: (\w+)")


def main() -> None:
    logs = [Path(argument) for argument in sys.argv[1:]] or sorted(LOGS.glob("*.log"))
    runs = {log: jobs_of(log) for log in logs}
    log = max(runs, key=lambda log: len(runs[log]), default=None)
    if log is None or runs[log].empty:
        sys.exit(f"no job has ended in {LOGS}: run `make results` first, or name a log of Snakemake")
    jobs = runs[log]
    digits = ("", ".0f", ".0f", ".1f", ".1f")
    page = f"{table(jobs).to_markdown(floatfmt=digits)}\n\n{processor_of(log, jobs)}\n"
    PAGE.write_text(page, encoding="utf-8")
    print(page)
    use_style()
    figure, axes = plt.subplots(figsize=(9, 2.6))
    draw(axes, jobs)
    save(figure, FIGURE)


def jobs_of(log: Path) -> pd.DataFrame:
    """Rule, start and end (seconds since 1970) of each job that ended, in order of the starts."""
    started: dict[str, float] = {}
    ended: list[tuple[str, float, float]] = []
    now = 0.0
    for line in log.read_text(encoding="utf-8").splitlines():
        if time := TIME.match(line):
            now = datetime.strptime(time[1], "%a %b %d %H:%M:%S %Y").timestamp()
        elif job := STARTED.match(line):
            started[job[1]] = now
        elif (job := FINISHED.match(line)) and job[1] in started:  # a target has no work, and no start
            ended.append((job[2], started[job[1]], now))
    return pd.DataFrame(sorted(ended, key=itemgetter(1)), columns=["rule", "start", "end"])


def length_of(jobs: pd.DataFrame) -> float:
    """Seconds from the start of the first job to the end of the last."""
    return float(jobs["end"].max() - jobs["start"].min())


def table(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs, their seconds from start to end, and their share of these, by rule."""
    seconds = (jobs["end"] - jobs["start"]).groupby(jobs["rule"])
    rows = pd.DataFrame({"jobs": seconds.count(), "seconds": seconds.sum()})
    rows = rows.sort_values("seconds", ascending=False)
    total = rows["seconds"].sum()
    small = rows["seconds"] < SMALL * total
    together = {
        f"{small.sum()} other rules": rows[small].sum(),
        f"all, in {length_of(jobs):.0f} s": rows.sum(),
    }
    rows = pd.concat([rows[~small], pd.DataFrame(together).T])
    rows["seconds a job"] = rows["seconds"] / rows["jobs"]
    rows["share, %"] = 100 * rows["seconds"] / total
    return rows.rename_axis("rule")


def processor_of(log: Path, jobs: pd.DataFrame) -> str:
    """What a run said of its processor, and how busy the cores were."""
    content = log.read_text(encoding="utf-8")
    spent, cores = SPENT.search(content), CORES.search(content)
    if spent is None or cores is None:
        return "The log does not say how many seconds of the processor the run took."
    busy = sum(map(int, spent.groups())) / (int(cores[1]) * length_of(jobs))
    return f"{spent[0]} {cores[1]} cores, {busy:.0%} of their time."


def lanes(starts: pd.Series, ends: pd.Series) -> list[int]:
    """Lane of each job: the first one that is free when it starts."""
    free_from: list[float] = []
    chosen = []
    for start, end in zip(starts, ends, strict=True):
        lane = next((lane for lane, free in enumerate(free_from) if free <= start), len(free_from))
        free_from[lane : lane + 1] = [end]
        chosen.append(lane)
    return chosen


def draw(axes: Axes, jobs: pd.DataFrame) -> None:
    """A bar for each job over minutes, one lane for each job at a time; white is idle."""
    minutes = (jobs["end"] - jobs["start"]) / 60
    longest = minutes.groupby(jobs["rule"]).sum().nlargest(SHOWN).index
    colours = model_colours([*longest, "others"])
    axes.barh(
        lanes(jobs["start"], jobs["end"]),
        minutes,
        left=(jobs["start"] - jobs["start"].min()) / 60,
        color=[colours.get(rule, colours["others"]) for rule in jobs["rule"]],
        linewidth=0,
    )
    axes.set(xlabel="minutes", ylabel="jobs at a time", yticks=[])
    axes.grid(visible=False)
    handles = [Patch(color=colour, label=rule) for rule, colour in colours.items()]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1.05), fontsize="x-small")


if __name__ == "__main__":
    main()
