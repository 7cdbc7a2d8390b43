"""The schema and the code say the same, and a wrong configuration is stopped with a message that helps."""

import copy
import inspect
import json
import math
import os
import re
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from conftest import loaded
from jsonschema import Draft202012Validator
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config, validate

from topogen import provenance
from topogen.checks import check, in_words
from topogen.evaluation.metrics import METRICS
from topogen.plan import OF_ONE_SPACE, OF_SUBSETS, WITHOUT_REFERENCE, Plan
from topogen.synthetic.damage import DAMAGES
from topogen.synthetic.pointclouds import PARTS
from topogen.theory.clouds import SHAPES
from topogen.training.as_run import AS_RUN
from topogen.training.terms import OF_POINTS
from topogen.variants import of_each_dataset, without_nulls, written_out
from topogen.written import check_written
from torchrips.regularizers import REGULARIZERS

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_schema_names_every_regularizer_and_its_arguments():
    definitions = yaml.safe_load(SCHEMA.read_text())["$defs"]
    names = definitions["regularizer"]["properties"]["name"]["enum"]
    assert set(names) == {*REGULARIZERS, *AS_RUN, *OF_POINTS}
    for name, regularizer in (REGULARIZERS | OF_POINTS).items():
        arguments = set(inspect.signature(regularizer).parameters) - {"args", "kwargs", "degree"}
        assert set(definitions.get(name, {}).get("properties", {})) == arguments, name
        assert set(definitions.get(name, {}).get("required", [])) == arguments, name
    without_degree, *_ = definitions["regularizer"]["allOf"]
    assert {*without_degree["if"]["properties"]["name"]["enum"], OF_SUBSETS} == set(OF_POINTS)
    assert set(OF_POINTS) >= OF_ONE_SPACE
    assert {*REGULARIZERS, *OF_POINTS} >= WITHOUT_REFERENCE


def test_the_schema_refuses_parameters_that_a_regularizer_does_not_have():
    """Its parameters could be described and no rule refer to them."""
    definitions = yaml.safe_load(SCHEMA.read_text())["$defs"]
    validator = Draft202012Validator({"$defs": definitions, "$ref": "#/$defs/regularizer"})
    for name in (*REGULARIZERS, *AS_RUN, *OF_POINTS):
        term = {"name": name, "share": 1, "parameters": {"misspelt": 1}}
        errors = [error for degree in ({}, {"degree": 1}) for error in validator.iter_errors(term | degree)]
        assert [error for error in errors if "misspelt" in error.message], name


@pytest.mark.parametrize("name", AS_RUN)
def test_a_loss_as_run_takes_the_parameters_of_the_one_as_defined(name):
    signatures = [
        inspect.signature(loss) for loss in (AS_RUN[name], REGULARIZERS[name.removeprefix("as_run_")])
    ]
    assert signatures[0].parameters.keys() == signatures[1].parameters.keys()


def test_schema_names_every_metric():
    schema = yaml.safe_load(SCHEMA.read_text())
    assert schema["$defs"]["metric"]["enum"] == list(METRICS)


def test_schema_names_every_family_of_models_and_its_options():
    model = yaml.safe_load(SCHEMA.read_text())["$defs"]["model"]
    modules = {file.stem for file in (ROOT / "src/topogen/models").glob("*.py")} - {
        "__init__",
        "families",
        "trained",
    }
    assert set(model["properties"]["architecture"]["enum"]) == modules
    for module in modules:
        options = inspect.signature(import_module(f"topogen.models.{module}").Model).parameters
        assert set(options) - {"shape"} <= set(model["properties"])


def test_the_theory_is_configured_for_every_regularizer_and_shape():
    schema = yaml.safe_load(SCHEMA.read_text())
    gradients = schema["properties"]["theory"]["properties"]["gradients"]
    assert set(gradients["properties"]["regularizers"]["properties"]) == set(REGULARIZERS)
    assert set(CONFIG["theory"]["gradients"]["regularizers"]) == set(REGULARIZERS)
    assert set(schema["$defs"]["clouds"]["items"]["properties"]["shape"]["enum"]) == set(SHAPES)


def test_the_schema_names_every_part_and_damage_and_their_arguments():
    schema = yaml.safe_load(SCHEMA.read_text())
    assert set(schema["$defs"]["parts"]["items"]["properties"]["kind"]["enum"]) == set(PARTS)
    for name, part in PARTS.items():
        arguments = set(inspect.signature(part).parameters) - {"stream"}
        assert set(schema["$defs"][name]["properties"]) == arguments | {"kind"}
        assert set(schema["$defs"][name]["required"]) == arguments
    damage = schema["properties"]["synthetic"]["properties"]["damage"]["properties"]
    assert set(damage["levels"]["properties"]) == set(DAMAGES) == set(CONFIG["synthetic"]["damage"]["levels"])


def test_the_thesis_configuration_is_valid():
    validate(copy.deepcopy(CONFIG), str(SCHEMA))


@pytest.mark.parametrize("dataset", CONFIG["datasets"])
def test_every_dataset_can_be_the_one_of_the_run(dataset):
    check(Plan(written_out(CONFIG | {"dataset": dataset})))


SHIPPED = [(study,) for study in sorted((ROOT / "config").glob("*.yaml")) if "_" not in study.stem]
FURTHER = [(study.with_stem(study.stem.split("_")[0]), study) for study in (ROOT / "config").glob("*_*.yaml")]


@pytest.mark.parametrize("files", SHIPPED + FURTHER, ids=lambda files: files[-1].stem)
def test_a_shipped_configuration_is_valid(files):
    config = copy.deepcopy(CONFIG)
    for file in files:
        update_config(config, yaml.safe_load(file.read_text()))
    config = without_nulls(config)
    validate(config, str(SCHEMA))
    for alone in of_each_dataset(config).values():
        validate(alone, str(SCHEMA))
        check(Plan(alone))


def test_a_seed_that_torch_takes_for_a_smaller_one_is_refused():
    largest = yaml.safe_load(SCHEMA.read_text())["$defs"]["seed"]["maximum"]
    zero, last, further = (
        torch.rand(4, generator=torch.Generator().manual_seed(seed)) for seed in (0, largest, largest + 1)
    )
    assert torch.equal(zero, further)
    assert not torch.equal(zero, last)


def first_term(config):
    return config["models"]["TopoVAE3"]["regularizers"][1]


def first_descent(config):
    return config["synthetic"]["pointclouds"]["experiments"]["five_to_three"]


@pytest.mark.parametrize(
    "term",
    [
        "{name: total_persistence, parameters: {power: 1}}",
        "{name: wasserstein, parameters: {order: 2, ground_norm: .inf}}",
        "{name: sliced_wasserstein, parameters: {directions: 50}}",
        "{name: fisher, parameters: {sigma: 0.1}}",
    ],
)
def test_what_the_schema_allows_the_code_takes(term):
    config = copy.deepcopy(CONFIG)
    first_term(config).update(yaml.safe_load(term))
    validate(config, str(SCHEMA))
    term = first_term(config)
    REGULARIZERS[term["name"]](**term["parameters"])


BROKEN = {
    "tag in a text": (lambda c: c.update(notice="<b>"), ["notice: '<b>' is not one line without tags"]),
    "model with a space": (lambda c: c["models"].update({"a b": {}}), ["models: 'a b' is not a name of"]),
    "unknown regularizer": (lambda c: first_term(c).update(name="entropi"), ["entropi", "reininghaus"]),
    "negative sigma": (lambda c: first_term(c)["parameters"].update(sigma=-1), ["sigma", "-1"]),
    "sigma as text": (
        lambda c: first_term(c)["parameters"].update(sigma="1e-3"),
        ["sigma", "1e-3", "number"],
    ),
    "power below 1": (
        lambda c: first_term(c).update(name="total_persistence", parameters={"power": 0.5}),
        ["power", "0.5"],
    ),
    "half a neighbour": (lambda c: c["evaluation"].update(neighbours=0.5), ["neighbours", "0.5"]),
    "unknown metric": (lambda c: c["evaluation"].update(shown=["fid"]), ["shown", "fid"]),
    "weight and share": (lambda c: first_term(c).update(share=0.1), ["weight", "share"]),
    "neither weight nor share": (lambda c: first_term(c).pop("weight"), ["weight", "required"]),
    "share without a data term": (
        lambda c: first_descent(c).update(terms=[{"name": "push", "degree": 0, "share": 1}]),
        ["terms", "weight", "required"],
    ),
    "infinite order": (
        lambda c: first_term(c).update(
            name="wasserstein", parameters={"order": math.inf, "ground_norm": math.inf}
        ),
        ["order", "inf"],
    ),
    "ground norm as text": (
        lambda c: first_term(c).update(name="wasserstein", parameters={"order": 1, "ground_norm": "inf"}),
        ["ground_norm", "inf", "number"],
    ),
    "half a direction": (
        lambda c: first_term(c).update(name="sliced_wasserstein", parameters={"directions": 0.5}),
        ["directions", "0.5"],
    ),
    "misspelt parameter": (lambda c: first_term(c)["parameters"].update(sgima=1), ["sgima"]),
    "missing parameters": (lambda c: first_term(c).pop("parameters"), ["parameters", "required"]),
    "degree 3": (lambda c: first_term(c).update(degree=3), ["degree", "[0, 1, 2]"]),
    "degree of points": (
        lambda c: first_term(c).update(name="total_variance", parameters={}),
        ["total_variance", "degree"],
    ),
    "neighbours without a graph": (lambda c: first_term(c).update(neighbours=5), ["neighbours", "metric"]),
    "missing seeds": (lambda c: c.pop("seeds"), ["seeds", "required"]),
    "no seeds": (lambda c: c.update(seeds=[]), ["seeds"]),
    "seed twice": (lambda c: c.update(seeds=[1, 1]), ["seeds"]),
    "misspelt key": (lambda c: c["training"].update(batchsize=3), ["batchsize"]),
    "zero batch": (lambda c: c["training"].update(batch_size=0), ["batch_size", "minimum"]),
    "device": (lambda c: c["training"].update(device="gpu"), ["device", "cuda"]),
    "degree of a random cloud": (
        lambda c: c["theory"]["stability"]["clouds"][0].update(degrees=[3]),
        ["degrees", "3"],
    ),
    "one size of perturbation": (lambda c: c["theory"]["stability"].update(epsilon=[1]), ["epsilon"]),
    "part of a cloud": (
        lambda c: first_descent(c)["start"][0].update(kind="torus"),
        ["kind", "torus", "clusters"],
    ),
    "place in space": (
        lambda c: first_descent(c)["start"][0].update(centres=[[0, 0, 0]]),
        ["centres"],
    ),
    "term of latents in a descent": (
        lambda c: first_descent(c)["terms"][0].update(cloud="latent"),
        ["cloud", "output"],
    ),
    "plain GAN with terms": (
        lambda c: c["synthetic"]["gan"]["variants"].update(plain={"packed": 2}),
        ["plain"],
    ),
    "GAN with two remedies": (
        lambda c: c["synthetic"]["gan"]["variants"]["nearest"].update(packed=2),
        ["nearest", "packed"],
    ),
    "descent without terms": (lambda c: first_descent(c).update(terms=[]), ["terms"]),
    "more than all pixels": (
        lambda c: c["synthetic"]["damage"]["levels"].update(dropped=[1.5]),
        ["dropped", "1.5"],
    ),
    "model name unfit for a path": (lambda c: c["models"].update({"a/b": c["models"]["VAE0"]}), ["a/b"]),
    "negative batch": (lambda c: c["training"].update(batch_size=-1), ["batch_size", "-1"]),
    "seed as text": (lambda c: c.update(seeds=["ten"]), ["seeds", "ten", "integer"]),
    "seed that repeats a smaller one": (
        lambda c: c.update(seeds=[2**32]),
        ["seeds", "maximum of 4294967295"],
    ),
    "certain interval": (lambda c: c["statistics"].update(confidence=1), ["confidence", "1"]),
    "models as a list": (lambda c: c.update(models=["VAE0"]), ["models"]),
    "checksum": (
        lambda c: c["datasets"]["MNIST"]["md5"].update({"train-images-idx3-ubyte.gz": ["x"]}),
        ["train-images-idx3-ubyte.gz", "x"],
    ),
    "images of one row": (
        lambda c: c["datasets"]["digits"].update(shape=[1, 1, 8]),
        ["shape", "1 is less than the minimum of 4"],
    ),
    "two channels": (lambda c: c["datasets"]["digits"].update(shape=[2, 8, 8]), ["shape", "2", "[1, 3]"]),
    "files without checksums": (lambda c: c["datasets"]["MNIST"].pop("md5"), ["MNIST", "md5", "required"]),
    "override of a dataset": (
        lambda c: c["datasets"]["digits"]["evaluation"]["kernel"].update(subset_size=1),
        ["subset_size", "1"],
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_schema_names_the_faulty_key(fault):
    config = copy.deepcopy(CONFIG)
    breaks, words = BROKEN[fault]
    breaks(config)
    with pytest.raises(WorkflowError) as error:
        validate(config, str(SCHEMA))
    for word in words:
        assert word in in_words(error.value.__context__)


HOSTILE = [
    "",
    ".",
    "..",
    "../up",
    "/tmp",
    "a/b",
    "a b",
    "a\n",
    "-rf",
    "$(id)",
    "`id`",
    "a;id",
    "a|id",
    "a&",
    "{seed}",
    "a'",
    'a"',
    "a\\",
    "\u00e4",
]


@pytest.mark.parametrize("name", [*HOSTILE, "a" * 101])
def test_a_name_that_a_path_or_a_shell_could_misread_is_refused(name):
    definitions = yaml.safe_load(SCHEMA.read_text())["$defs"]
    assert Draft202012Validator({"$ref": "#/$defs/name", "$defs": definitions}).is_valid("Model-0.5_b")
    assert not Draft202012Validator({"$ref": "#/$defs/name", "$defs": definitions}).is_valid(name)


TAGS = ["<script>document.title = 'pwned'</script>", "an end: </script", "a comment: <!-- ", "<b>bold"]


@pytest.mark.parametrize("text", ["", "two\nlines", "a line\n", "a\x1b[2J", "a" * 301, *TAGS])
def test_a_text_that_is_not_one_short_line_without_tags_is_refused(text):
    definitions = yaml.safe_load(SCHEMA.read_text())["$defs"]
    validator = Draft202012Validator({"$ref": "#/$defs/text", "$defs": definitions})
    assert validator.is_valid("Any 'characters' in \"it\": $(id); `id` | \\ ä & 1 < 2 <= 3 > x")
    assert not validator.is_valid(text)


@pytest.mark.parametrize("path", ["../published.csv", "/etc/passwd", "docs/../../a", "$(id).csv", "a b.csv"])
def test_a_file_outside_of_the_clone_is_refused(path):
    embedding = yaml.safe_load(SCHEMA.read_text())["properties"]["embedding"]["properties"]
    assert Draft202012Validator(embedding["published"]).is_valid("docs/spheres/published.csv")
    assert not Draft202012Validator(embedding["published"]).is_valid(path)


def test_every_text_in_the_configuration_is_limited():
    """To a name, a checksum, a path inside the clone, or one line for people."""

    def walk(node, path):
        if isinstance(node, dict):
            if "string" in node.get("type", "") and "pattern" not in node:
                yield path
            for key, value in node.items():
                yield from walk(value, f"{path}.{key}")

    assert list(walk(yaml.safe_load(SCHEMA.read_text()), "")) == []


def test_every_name_in_the_configuration_is_such_a_name():
    """That is, every object whose keys the reader chooses says what a key may be."""

    def walk(node, path):
        if isinstance(node, dict):
            if isinstance(node.get("additionalProperties"), dict) and "propertyNames" not in node:
                yield path
            for key, value in node.items():
                yield from walk(value, f"{path}.{key}")

    assert list(walk(yaml.safe_load(SCHEMA.read_text()), "")) == []


def load(folder, config):
    """Read the Snakefile with a configuration, as every run does first, in this process."""
    file = folder / "broken.yaml"
    file.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return loaded(file)


UNREADABLE = {
    "a bracket too few": ("seeds: [1, 2", ["Config file", "YAML"]),
    "no mapping": ("just text", ["Config file", "keys at top level"]),
    "a tab": ("training:\n\tepochs: 1", ["Config file", "tab"]),
}


@pytest.fixture(scope="module")
def copy_of_repository(repository):
    return repository()


@pytest.fixture
def here(copy_of_repository, monkeypatch):
    """A copy of the repository, as the working directory."""
    monkeypatch.chdir(copy_of_repository)
    return copy_of_repository


DISAGREEING = {
    "baseline that is not a model": (
        lambda c: c["models"]["TopoVAE1"].update(baseline="VAE9"),
        ".baseline: unknown model VAE9; did you mean VAE0? Or choose one of: ",
    ),
    "value of a sweep that the schema refuses": (
        lambda c: c.update(sweeps={"s": {"settings": [{"model": "TopoVAE1", "strength": [-1]}]}}),
        "config: models.TopoVAE1-strength--1.strength: -1 is less than",
    ),
    "sweep of an unknown model": (
        lambda c: c.update(sweeps={"s": {"settings": [{"model": "VAE9", "strength": [1]}]}}),
        "config: sweeps.s.settings: unknown model VAE9; choose one of: ",
    ),
    "misspelt key": (
        lambda c: c["training"].update(batchsize=64),
        "config: training: unknown key batchsize; did you mean batch_size? Or choose one of: ",
    ),
}


@pytest.mark.parametrize("fault", DISAGREEING)
def test_parts_that_disagree_stop_the_run(here, fault):
    config = copy.deepcopy(CONFIG)
    breaks, words = DISAGREEING[fault]
    breaks(config)
    with pytest.raises(WorkflowError) as error:
        load(here, config)
    assert words in str(error.value)


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_file_that_is_no_yaml_is_refused(here, fault):
    text, words = UNREADABLE[fault]
    with pytest.raises(WorkflowError) as error:
        load(here, text)
    for word in words:
        assert word in str(error.value)


WRITTEN = {
    "a key twice": ("seeds: [1]\nmodels:\n  A: {}\n  B: {}\n  A: {}\n", 5, "A stands in line 3 too"),
    "a key twice in a list": ("x: [{like: A, like: B}]\n", 1, "like stands in line 1 too"),
    "a bracket too few": ("a: 1\nseeds: [1, 2\nb: 3\n", 3, "got ':'; look there and above for a tab"),
    "a tab": ("training:\n\tepochs: 1\n", 2, "'\\t' that cannot start any token"),
}


@pytest.mark.parametrize("fault", WRITTEN)
def test_a_mistake_in_writing_is_placed(tmp_path, fault):
    text, line, words = WRITTEN[fault]
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(f"{file}, line {line}: ")) as error:
        check_written(file)
    assert words in str(error.value)


def test_json_may_have_tabs(tmp_path):
    """Which YAML may not; Snakemake reads both."""
    file = tmp_path / "mine.json"
    file.write_text('{\n\t"seeds": [1]\n}\n')
    check_written(file)


def test_a_key_that_is_there_twice_stops_the_run(here):
    with pytest.raises(WorkflowError, match=r"broken.yaml, line 2: seeds stands in line 1 too"):
        load(here, "seeds: [1]\nseeds: [2]\n")


def test_results_that_cannot_be_written_stop_the_run(here):
    (here / "results").touch()
    with pytest.raises(WorkflowError, match="results is not a directory"):
        load(here, CONFIG)
    (here / "results").unlink()


def test_a_wrong_configuration_stops_before_any_job(workspace):
    before = workspace.config
    workspace.config = before | {"dataset": "ImageNet"}
    run = workspace.snakemake("-n", "all")
    workspace.config = before
    assert run.returncode != 0
    assert "Job stats" not in run.stdout
    assert "config: dataset: unknown dataset ImageNet; choose one of: " in run.stdout


@pytest.fixture
def graphics_cards(tmp_path, monkeypatch):
    """Make nvidia-smi list so many GPUs, each cut in two, and torch say which of them work."""

    def pretend(count, works=None, visible=None, free="[N/A]"):
        command = tmp_path / "nvidia-smi"
        cards = "echo 'GPU 0: H100'\necho '  MIG 3g'\necho '  MIG 3g'\n" * count
        command.write_text(f"#!/bin/sh\ncase $1 in --list-gpus)\n{cards};; *) echo '{free}';; esac\n")
        command.chmod(0o755)
        monkeypatch.setenv(
            "CUDA_VISIBLE_DEVICES", visible or ""
        )  # put back, whatever the workflow makes of it
        if visible is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        answer = json.dumps([True] * count if works is None else works)
        asked = provenance.output_of
        monkeypatch.setattr(
            provenance,
            "output_of",
            lambda *command: answer if "devices.py" in command[-1] else asked(*command),
        )

    return pretend


@pytest.mark.parametrize(
    ("device", "cards", "asked"), [("auto", 0, 0), ("auto", 2, 1), ("cpu", 2, 0), ("cuda", 0, 1)]
)
def test_a_training_asks_for_a_gpu_if_there_is_one(here, graphics_cards, device, cards, asked):
    graphics_cards(cards)
    config = copy.deepcopy(CONFIG)
    config["training"]["device"] = device
    workflow = load(here, config)
    assert workflow.globals["gpus_per_run"](SimpleNamespace(dataset=config["dataset"])) == asked
    limit = workflow.global_resources["gpu"].value if "gpu" in workflow.global_resources else None
    assert limit == (cards if asked and cards else None)  # trainings at a time


def test_a_run_on_a_cluster_is_not_limited_by_the_machine_that_submits(here, graphics_cards):
    """Nor asked for GPUs while the rules are read: Snakemake learns later that the jobs go to Slurm."""
    graphics_cards(2)
    workflow = loaded(nodes=100)
    assert not {"gpu", "mem_mb"} & set(workflow.global_resources)
    assert workflow.globals["gpus"].cache_info().currsize == 0


def test_a_slurm_that_keeps_no_accounts_is_noticed(here, tmp_path, monkeypatch):
    """Its plugin for Snakemake would wait for the end of the first job for ever."""
    sacct = tmp_path / "sacct"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    workflow = loaded(nodes=100)
    for keeps, asked, stops in [(False, "sacct", True), (True, "sacct", False), (False, "squeue", False)]:
        sacct.write_text("#!/bin/sh\n" + ("exit 0" if keeps else "echo storage is disabled >&2; exit 1"))
        sacct.chmod(0o755)
        workflow.executor_settings = SimpleNamespace(status_command=asked)
        expected = pytest.raises(
            WorkflowError, match=r"storage is disabled.*add --slurm-status-command squeue"
        )
        with expected if stops else nullcontext():
            workflow.globals["check_cluster_says_how_jobs_end"]()


@pytest.mark.parametrize(("free", "fit"), [("[N/A]", 1), ("1500", 1), ("81559\n9000", 4)])
def test_as_many_trainings_share_a_gpu_as_fit_into_its_memory(here, graphics_cards, free, fit):
    graphics_cards(2, free=free)
    assert load(here, copy.deepcopy(CONFIG)).global_resources["gpu"].value == 2 * fit


@pytest.mark.parametrize(
    ("visible", "works", "left"),
    [
        (None, [], ""),  # a driver that is too old
        (None, [False, False], ""),  # cards that torch has no code for
        (None, [False, True], "1"),
        ("3,5", [True, False], "3"),
        ("GPU-5d,GPU-7f", [True, True], "GPU-5d,GPU-7f"),
        ("", [], ""),
        ("-1", [], "-1"),
    ],
)
def test_gpus_that_torch_cannot_use_are_not_waited_for(here, graphics_cards, visible, works, left):
    graphics_cards(2, works, visible)
    assert load(here, copy.deepcopy(CONFIG)).globals["gpus"]() == sum(works)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == left  # that of the jobs


@pytest.mark.parametrize(("visible", "warned"), [(None, True), ("-1", False)])
def test_a_gpu_that_torch_cannot_use_is_named_unless_it_is_hidden_on_purpose(
    here, graphics_cards, caplog, visible, warned
):
    graphics_cards(1, [], visible)
    load(here, copy.deepcopy(CONFIG))
    assert ("torch can use 0 of the 1 GPUs that nvidia-smi lists" in caplog.text) == warned


def test_a_job_that_is_sent_again_asks_for_more(here):
    more = load(here, copy.deepcopy(CONFIG)).globals["more_on_retry"]
    assert [more(1000)(None, attempt) for attempt in (1, 2, 3)] == [1000, 2000, 3000]


def test_a_missing_gpu_is_said_at_the_start(workspace, graphics_cards):
    graphics_cards(0)
    before = workspace.config
    workspace.config = before | {"training": before["training"] | {"device": "cuda"}}
    run = workspace.snakemake("results/MNIST/runs/VAE0/9/history.parquet")
    workspace.config = before
    assert run.returncode != 0
    assert "training.device: cuda, but this machine has no NVIDIA GPU" in run.stdout
    assert "Finished jobid" not in run.stdout
