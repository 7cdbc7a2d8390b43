"""Models like others, sweeps and overrides, written out."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topogen.variants import compared, of_each_dataset, opponents, variants, written_out

ENTROPY = {"name": "entropy", "degree": 0, "weight": 5, "parameters": {"delta": 0.1}}
BOTTLENECK = {"name": "bottleneck", "degree": 1, "weight": 5}


def configuration(**changes):
    """What every configuration has, and changes of whole sections."""
    models = {
        "plain": {"latent_dim": 10, "regularizers": []},
        "topological": {"latent_dim": 10, "baseline": "plain", "regularizers": [ENTROPY, BOTTLENECK]},
    }
    return {
        "dataset": "digits",
        "datasets": {"digits": {}},
        "training": {"epochs": 1, "threads": 1},
        "statistics": {"at_steps": [25]},
        "evaluation": {"images": 100, "kernel": {"subsets": 20, "subset_size": 50}},
        "models": models,
        "comparisons": {},
    } | changes


def with_models(**models):
    return configuration(models=configuration()["models"] | models)


def swept(**sweep):
    return configuration(sweeps={"strengths": sweep})


def test_a_model_like_another_follows_its_changes():
    config = with_models(placebo={"like": "topological", "steps": 100, "direction": "random"})
    config["models"]["topological"]["regularizers"] = [BOTTLENECK]
    assert written_out(config)["models"]["placebo"] == {
        "latent_dim": 10,
        "baseline": "plain",
        "regularizers": [BOTTLENECK],
        "steps": 100,
        "direction": "random",
    }


NAMES = ["a", "b", "c", "d", "e", "f"]


@given(
    entries=st.tuples(
        *(
            st.fixed_dictionaries(
                {"like": st.sampled_from(["plain", *NAMES[:place]])},
                optional={"latent_dim": st.integers(1, 3), "steps": st.integers(1, 3)},
            )
            for place in range(len(NAMES))
        )
    ),
    order=st.permutations(NAMES),
)
def test_the_order_of_the_entries_does_not_matter(entries, order):
    models = dict(zip(NAMES, entries, strict=True))
    found = written_out(with_models(**models))["models"]
    assert written_out(with_models(**{name: models[name] for name in order}))["models"] == found
    for name, entry in models.items():
        own = {key: value for key, value in entry.items() if key != "like"}
        assert found[name] == found[entry["like"]] | own


def test_a_comparison_is_like_another():
    first = {"models": ["topological"], "seeds": [7], "target": "controls"}
    comparisons = {"second": {"like": "first", "models": ["placebo"]}, "first": first}
    assert written_out(configuration(comparisons=comparisons))["comparisons"] == {
        "first": first,
        "second": first | {"models": ["placebo"]},
    }


def test_a_comparison_may_change_keys_of_its_models_and_of_their_baselines():
    short = {"models": ["topological"], "with": {"steps": 9}}
    config = written_out(configuration(comparisons={"short": short}))
    models = configuration()["models"]
    assert config["models"] == models | {
        "plain-steps-9": models["plain"] | {"steps": 9},
        "topological-steps-9": models["topological"]
        | {"steps": 9, "baseline": "plain-steps-9", "replicates": ["topological"]},
    }
    assert config["comparisons"] == {"short": short}
    assert [variant.name for variant in compared(short)] == ["topological-steps-9"]


def test_a_comparison_may_put_models_against_variants_of_themselves():
    turned = {"models": ["topological"], "against": {"direction": "opposite"}}
    config = written_out(configuration(comparisons={"turned": turned}))
    models = configuration()["models"]
    opposite = models["topological"] | {"direction": "opposite"}
    assert config["models"] == models | {"topological-direction-opposite": opposite}
    assert [variant.name for variant in opponents(turned)] == ["topological-direction-opposite"]
    assert opponents({"models": ["topological"]}) == []


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({}, "short.models: unknown model other"),
        ({"other": {}, "other-steps-9": {}}, "short: another model is called other-steps-9"),
    ],
)
def test_changes_of_an_unknown_model_and_a_clash_of_names_are_refused(models, words):
    config = with_models(**models) | {"comparisons": {"short": {"models": ["other"], "with": {"steps": 9}}}}
    with pytest.raises(ValueError, match=words):
        written_out(config)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({"a": {"like": "a"}}, ["models.a.like", "a -> a", "circle"]),
        ({"a": {"like": "b"}, "b": {"like": "a"}}, ["a -> b -> a"]),
        ({"a": {"like": "b"}, "b": {"like": "c"}, "c": {"like": "b"}}, ["a -> b -> c -> b"]),
        ({"a": {"like": "plian"}}, ["models.a.like", "unknown name plian", "plain, topological"]),
    ],
)
def test_a_circle_and_an_unknown_model_are_refused(models, words):
    with pytest.raises(ValueError, match=r"models\.\w\.like") as error:
        written_out(with_models(**models))
    for word in words:
        assert word in str(error.value)


VALUES = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True)
GRIDS = st.lists(
    st.fixed_dictionaries(
        {"model": st.sampled_from(["plain", "topological"]), "strength": VALUES},
        optional={"kld_weight": VALUES},
    ),
    min_size=1,
    max_size=4,
)


@given(GRIDS)
def test_a_sweep_is_the_product_in_a_grid_and_the_union_of_grids(settings):
    expected = {
        (grid["model"], strength, kld_weight)
        for grid in settings
        for strength in grid["strength"]
        for kld_weight in grid.get("kld_weight", [None])
    }
    found = variants({"settings": settings})
    values = [(v.varied, v.values["strength"], v.values.get("kld_weight")) for v in found]
    assert set(values) == expected
    assert len(values) == len({variant.name for variant in found}) == len(expected)


def test_variants_are_models_and_a_comparison():
    grid = {"model": "topological", "strength": [0.5, 3], "kld_weight": [2]}
    config = written_out(
        swept(settings=[grid, {"model": "plain", "learning_rate": [0.1]}], seeds=[1], steps=9)
    )
    names = ["topological-kld_weight-2-strength-0.5", "topological-kld_weight-2-strength-3"]
    assert config["comparisons"] == {
        "strengths": {"models": [*names, "plain-learning_rate-0.1"], "target": "sweeps", "seeds": [1]}
    }
    topological = configuration()["models"]["topological"]
    assert config["models"][names[0]] == topological | {"strength": 0.5, "kld_weight": 2, "steps": 9}
    assert config["models"]["plain-learning_rate-0.1"] == {
        "latent_dim": 10,
        "baseline": "plain",
        "regularizers": [],
        "learning_rate": 0.1,
        "steps": 9,
    }


@pytest.mark.parametrize(
    ("key", "value", "terms"),
    [
        ("entropy_0.delta", 0.3, [ENTROPY | {"parameters": {"delta": 0.3}}, BOTTLENECK]),
        ("entropy_0.weight", 1, [ENTROPY | {"weight": 1}, BOTTLENECK]),
        ("bottleneck_1.share", -0.1, [ENTROPY, {"name": "bottleneck", "degree": 1, "share": -0.1}]),
        ("bottleneck_1.cloud", "latent", [ENTROPY, BOTTLENECK | {"cloud": "latent"}]),
    ],
)
def test_a_sweep_varies_a_key_inside_a_regularizer(key, value, terms):
    config = written_out(swept(settings=[{"model": "topological", key: [value]}]))
    assert config["models"][f"topological-{key}-{value}"]["regularizers"] == terms


def test_a_variant_is_compared_with_no_published_row_of_its_model():
    """Or one sweep would be two families, and its models would count several times."""
    config = swept(settings=[{"model": "control", "strength": [2]}])
    config["models"]["control"] = {"like": "topological", "replicates": ["topological", "plain"]}
    models = written_out(config)["models"]
    assert "replicates" in models["control"]
    assert "replicates" not in models["control-strength-2"]


def test_a_variant_of_a_model_that_is_like_another():
    config = swept(settings=[{"model": "placebo", "strength": [2]}])
    config["models"]["placebo"] = {"like": "topological", "direction": "random"}
    variant = written_out(config)["models"]["placebo-strength-2"]
    assert variant["regularizers"] == [ENTROPY, BOTTLENECK]
    assert "like" not in variant


def clash(entry):
    config = swept(settings=[{"model": "plain", "kld_weight": [2]}])
    config["models"]["plain-kld_weight-2"] = entry
    return config


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (swept(settings=[{"model": "plian", "strength": [1]}]), ["sweeps.strengths", "unknown model plian"]),
        (
            swept(settings=[{"model": "topological", "entropy_1.delta": [1]}]),
            ["sweeps.strengths", "topological", "no regularizer entropy_1", "entropy_0, bottleneck_1"],
        ),
        (swept(settings=[{"model": "plain", "push_0.weight": [1]}]), ["no regularizer push_0", "none"]),
        (clash({"latent_dim": 10, "regularizers": []}), ["sweeps.strengths", "plain-kld_weight-2"]),
        (
            swept(settings=[]) | {"comparisons": {"strengths": {"models": ["topological"]}}},
            ["sweeps.strengths", "comparisons"],
        ),
    ],
)
def test_a_sweep_of_what_there_is_not_and_a_clash_of_names_are_refused(config, words):
    with pytest.raises(ValueError, match=r"sweeps\.strengths") as error:
        written_out(config)
    for word in words:
        assert word in str(error.value)


def test_the_dataset_overrides_keys_however_deep():
    digits = {"training": {"epochs": 7}, "evaluation": {"kernel": {"subset_size": 10}}}
    config = written_out(configuration(datasets={"digits": digits, "other": {"training": {"epochs": 9}}}))
    assert config["training"] == {"epochs": 7, "threads": 1}
    assert config["evaluation"] == {"images": 100, "kernel": {"subsets": 20, "subset_size": 10}}
    assert config["statistics"] == {"at_steps": [25]}


def test_each_dataset_of_a_list_is_configured_as_if_it_were_alone():
    config = configuration(
        datasets={"digits": {"training": {"epochs": 7}}, "MNIST": {"statistics": {"at_steps": [5]}}}
    )
    found = of_each_dataset(config | {"dataset": ["MNIST", "digits"]})
    assert list(found) == ["MNIST", "digits"]
    assert found == {name: written_out(config | {"dataset": name}) for name in found}
    assert found["MNIST"]["statistics"] == {"at_steps": [5]}
    assert found["digits"]["training"] == {"epochs": 7, "threads": 1}


def test_what_was_read_stays_as_it_is():
    config = swept(settings=[{"model": "topological", "entropy_0.delta": [0.3]}], seeds=[1])
    config["datasets"]["digits"] = {"training": {"epochs": 7}}
    config["models"]["placebo"] = {"like": "topological"}
    before = copy.deepcopy(config)
    written_out(config)
    assert config == before
