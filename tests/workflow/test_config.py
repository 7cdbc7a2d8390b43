"""The schema and the code say the same, and a wrong configuration is stopped with a message that helps."""

import copy
import inspect
import math
from pathlib import Path

import pytest
import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from topogen.regularizers import REGULARIZERS
from topogen.theory import SHAPES

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_schema_names_every_regularizer_and_its_arguments():
    definitions = yaml.safe_load(SCHEMA.read_text())["$defs"]
    assert set(definitions["regularizer"]["properties"]["name"]["enum"]) == set(REGULARIZERS)
    for name, regularizer in REGULARIZERS.items():
        arguments = set(inspect.signature(regularizer).parameters) - {"args", "kwargs"}
        assert set(definitions.get(name, {}).get("properties", {})) == arguments, name
        assert set(definitions.get(name, {}).get("required", [])) == arguments, name


def test_every_key_is_described():
    def walk(node, path):
        for key, value in node.get("properties", {}).items():
            if not {"description", "$ref"} & set(value):
                yield f"{path}.{key}"
            yield from walk(value, f"{path}.{key}")

    schema = yaml.safe_load(SCHEMA.read_text())
    found = [*walk(schema, ""), *(x for name, node in schema["$defs"].items() for x in walk(node, name))]
    assert found == []


def test_the_theory_is_configured_for_every_regularizer_and_shape():
    schema = yaml.safe_load(SCHEMA.read_text())
    gradients = schema["properties"]["theory"]["properties"]["gradients"]
    assert set(gradients["properties"]["regularizers"]["properties"]) == set(REGULARIZERS)
    assert set(CONFIG["theory"]["gradients"]["regularizers"]) == set(REGULARIZERS)
    assert set(schema["$defs"]["clouds"]["items"]["properties"]["shape"]["enum"]) == set(SHAPES)


def test_the_thesis_configuration_is_valid():
    validate(copy.deepcopy(CONFIG), str(SCHEMA))


def first_term(config):
    return config["models"]["TopoVAE3"]["regularizers"][1]


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
    "degree 2": (lambda c: first_term(c).update(degree=2), ["degree", "[0, 1]"]),
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
    "model name unfit for a path": (lambda c: c["models"].update({"a/b": c["models"]["VAE0"]}), ["a/b"]),
    "checksum": (
        lambda c: c["datasets"]["MNIST"]["md5"].update({"train-images-idx3-ubyte.gz": ["x"]}),
        ["train-images-idx3-ubyte.gz", "x"],
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
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"models": {"TopoVAE1": {"baseline": "VAE9"}}}, ["models.TopoVAE1.baseline", "VAE9"]),
        ({"models": {"TopoVAE1": {"latent_dim": 3}}}, ["models.TopoVAE1.latent_dim", "VAE0"]),
        ({"dataset": "CIFAR10"}, ["dataset", "CIFAR10", "MNIST"]),
        ({"training": {"snapshot_steps": [9]}}, ["figures.images.TopoVAE", ".steps", "snapshot_steps"]),
        ({"training": {"batch_size": -1}}, ["batch_size", "-1"]),
        ({"theory": {"batch": {"model": "TopoVAE9"}}}, ["theory.batch.model", "TopoVAE9"]),
        ({"theory": {"batch": {"model": "TopoVAE-Z1", "step": 1}}}, ["theory.batch.model", "TopoVAE-Z1"]),
        ({"theory": {"batch": {"step": 2}}}, ["theory.batch.step", "2", "snapshot_steps"]),
    ],
)
def test_a_wrong_configuration_stops_before_any_job(workspace, changes, words):
    before = workspace.config
    config = copy.deepcopy(before)
    for key, value in changes.items():
        config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
    workspace.config = config
    run = workspace.snakemake("-n", "all")
    workspace.config = before
    assert run.returncode != 0
    assert "Job stats" not in run.stdout + run.stderr
    for word in words:
        assert word in run.stdout + run.stderr
