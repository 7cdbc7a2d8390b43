"""The parameters of every job of a configuration, as lines that a person can read and compare.

A job's parameters decide whether it runs again: a change of the code that changes one of them makes finished
results old. If it is meant, write the files anew: ``python tests/workflow/jobs.py`` at the repository's root.
"""

import contextlib
import hashlib
import io
import json
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

TARGETS = frozenset(
    {"all", "controls", "confirmation", "confirmation_orders", "mode_collapse", "sweeps", "evaluation_full"}
)
FILES = {  # golden file -> configuration files on top of config.yaml
    Path("tests/workflow/jobs_thesis.jsonl"): (),
    Path("tests/workflow/jobs_tiny.jsonl"): (Path("tests/workflow/tiny.yaml"),),
}


def built(configuration_files, targets=TARGETS):
    """The workflow of the working directory with the graph of all jobs of the targets, in this process."""
    with (
        SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        loaded = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=list(configuration_files)),
            snakefile=Path("Snakefile"),
        )
        loaded.dag(dag_settings=DAGSettings(targets=targets, forceall=True)).printrulegraph()
        return loaded._workflow


def readable(value, seed):
    """JSON text as what it says, if that loses nothing; the job's own seed as ``{seed}``."""
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    content = json.loads(value)
    if json.dumps(content, sort_keys=True) != value:
        return value
    if str(content.get("seed")) == seed:
        content["seed"] = "{seed}"
    return content


def listed(jobs):
    """One line for all jobs that differ in their seed alone; named targets, without parameters, have none."""
    seeds = {}
    for job in jobs:
        if not job.params:
            continue
        wildcards = dict(job.wildcards_dict)
        seed = wildcards.pop("seed", None)
        content = {name: readable(value, seed) for name, value in job.params.items()}
        line = json.dumps({"rule": job.rule.name, "wildcards": wildcards, "params": content})
        seeds.setdefault(line, []).append(seed)
    for line, found in seeds.items():
        job = json.loads(line)
        if found != [None]:
            job["seeds"] = sorted(map(int, found))
        yield json.dumps({key: job[key] for key in ("rule", "wildcards", "seeds", "params") if key in job})


def golden(configuration_files):
    """A first line that says which configuration it is, and the jobs in the order of the alphabet."""
    workflow = built(configuration_files)
    text = json.dumps(workflow.config, sort_keys=True, default=dict)
    head = json.dumps({"configuration": hashlib.sha256(text.encode()).hexdigest()})
    return "\n".join([head, *sorted(listed(workflow.dag.jobs))]) + "\n"


if __name__ == "__main__":
    for file, configuration_files in FILES.items():
        file.write_text(golden(configuration_files))
