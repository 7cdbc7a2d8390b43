"""A configuration whose parts disagree is stopped with a message that names the key and helps."""

import copy
import math
from pathlib import Path

import pytest
import yaml

from topogen.checks import check, check_each, check_length, check_results_folder
from topogen.plan import Plan
from topogen.variants import of_each_dataset, written_out

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def first_term(config):
    return config["models"]["TopoVAE3"]["regularizers"][1]


MODELS, FIGURES = CONFIG["models"], CONFIG["figures"]
AE = {"architecture": "autoencoder", "latent_dim": 2, "regularizers": []}
GAN = {"architecture": "gan", "latent_dim": 2, "widths": [8, 16], "regularizers": []}
PUSH = {"name": "push", "degree": 0, "share": 0.1}
NEAR = {"name": "energy_distance", "cloud": "latent", "share": 0.1}
DISAGREEING = {
    "baseline that is not a model": (
        lambda c: c["models"]["TopoVAE1"].update(baseline="VAE9"),
        ["models.TopoVAE1.baseline", "VAE9"],
    ),
    "baseline with a baseline": (
        lambda c: c["models"]["TopoVAE1"].update(baseline="TopoVAE2"),
        ["models.TopoVAE1.baseline", "TopoVAE2"],
    ),
    "its own baseline": (
        lambda c: c["models"]["TopoVAE1"].update(baseline="TopoVAE1"),
        ["models.TopoVAE1.baseline"],
    ),
    "latent dimension of another baseline": (
        lambda c: c["models"]["TopoVAE1"].update(latent_dim=3),
        ["models.TopoVAE1", "VAE0", "latent_dim"],
    ),
    "unknown order": (
        lambda c: c["comparisons"]["confirm_A"]["with"].update(order="C"),
        ["models.VAE0-order-C-steps-100.order", "unknown order C", "A, B"],
    ),
    "another order than the baseline": (
        lambda c: c["models"]["Placebo1"].update(order="A"),
        ["models.Placebo1", "VAE0", "differ in order"],
    ),
    "order of a full training": (
        lambda c: c["comparisons"]["confirm_A"].update({"with": {"order": "A"}, "target": "all"}),
        ["models.", ".order", "trained to the end"],
    ),
    "order and a wrong reference": (
        lambda c: (
            c["models"].update(Wrong={"like": "TopoVAE1", "reference": "normal"}),
            c["comparisons"]["confirm_A"]["models"].append("Wrong"),
        ),
        ["models.Wrong-order-A-steps-100.order", "`reference`"],
    ),
    "models that differ in capitals": (
        lambda c: c["models"].update(topovae1=c["models"]["TopoVAE1"]),
        ["models: ", "TopoVAE1 and topovae1", "rename one"],
    ),
    "dataset of the name of another folder": (
        lambda c: c["datasets"].update(Theory=c["datasets"]["digits"]),
        ["datasets: ", "results/Theory/", "another name"],
    ),
    "points of two spaces": (
        lambda c: first_term(c).update(name="energy_distance", cloud="latent"),
        ["models.TopoVAE3.regularizers", "energy_distance", "reference: prior"],
    ),
    "one class in another metric, timed": (
        lambda c: (
            first_term(c).update(metric="cosine"),
            c["models"]["TopoVAE3"].update(reference="one_class"),
        ),
        ["models.TopoVAE3.reference", "one_class", "set `steps`"],
    ),
    "batches of another size that are stored": (
        lambda c: c["models"]["VAE0-short"].update(batch_size=7),
        ["models.VAE0-short.batch_size", "training.batch_size", "in a study, add shuffle"],
    ),
    "shuffled images of `all`": (
        lambda c: [entry.update(shuffle=True) for entry in c["models"].values()],
        ["models.VAE0.shuffle: comparisons.defined", "see the same batches", "target study"],
    ),
    "shuffled images of a sweep": (
        lambda c: (
            c["models"].update(
                Mixed={"latent_dim": 2, "regularizers": [], "shuffle": True, "batch_size": 64, "steps": 90}
            ),
            c["sweeps"].update(mixed={"settings": [{"model": "Mixed", "learning_rate": [0.01]}]}),
        ),
        ["models.Mixed.shuffle: sweeps.mixed", "leave it out"],
    ),
    "shuffled images of the model alone": (
        lambda c: c["models"]["TopoVAE1"].update(shuffle=True),
        ["models.TopoVAE1", "VAE0", "differ in shuffle"],
    ),
    "shuffled images and an order": (
        lambda c: c["models"].update(Mixed=MODELS["VAE0"] | {"shuffle": True, "order": "A"}),
        ["models.Mixed.shuffle", "leave one of the two out"],
    ),
    "theory of shuffled images": (
        lambda c: (
            c["models"].update(Mixed=shared_term("bottleneck", degree=0) | {"shuffle": True}),
            c["theory"]["batch"].update(model="Mixed"),
        ),
        ["theory.batch.model: Mixed must see the data as they come"],
    ),
    "wrong diagram of terms that have no reference": (
        lambda c: c["models"].update(Pushed=shared_term("push", degree=0) | {"reference": "normal"}),
        ["models.Pushed.reference: normal changes nothing", "connectivity, push, total_persistence"],
    ),
    "wrong diagram without regularizers": (
        lambda c: c["models"].update(Plain=MODELS["VAE0"] | {"reference": "one_class"}),
        ["models.Plain.reference: one_class changes nothing"],
    ),
    "wrong diagram, stored, of a model that is timed": (
        lambda c: c["models"]["TopoVAE3"].update(reference="other_batch"),
        ["models.TopoVAE3.reference", "not with other_batch", "set `steps`"],
    ),
    "prior beside images": (
        lambda c: c["models"].update(Prior=shared_term("wasserstein", degree=0) | {"reference": "prior"}),
        ["models.Prior.reference", "wasserstein_0", "`cloud: latent`"],
    ),
    "prior without a share": (
        lambda c: c["models"].update(Prior=MODELS["TopoVAE-Z1"] | {"reference": "prior"}),
        ["models.Prior.reference", "bottleneck_0", "`share`"],
    ),
    "strength of no regularizer": (
        lambda c: c["sweeps"].update(none={"settings": [{"model": "VAE0", "strength": [1, 3]}]}),
        ["models.VAE0-strength-3.strength: 3 changes nothing", "leave it out"],
    ),
    "direction of no regularizer": (
        lambda c: c["models"]["VAE0-short"].update(direction="random"),
        ["models.VAE0-short.direction: random changes nothing"],
    ),
    "scale of a reference that is ignored": (
        lambda c: c["models"].update(Pushed=shared_term("push", degree=0, reference_scale=2)),
        ["models.Pushed.regularizers: push: reference_scale changes nothing"],
    ),
    "early end of a training that is compared step by step": (
        lambda c: (
            c["models"]["VAE0"].update(stop_early={"patience": 2, "images": 100}),
            [c["models"][model].update(stop_early={"patience": 2, "images": 100}) for model in c["models"]],
        ),
        ["models.", ".stop_early: comparisons.", "target study"],
    ),
    "early end of the model alone": (
        lambda c: c["models"]["TopoVAE1"].update(stop_early={"patience": 2, "images": 100}),
        ["models.TopoVAE1", "VAE0", "differ in stop_early"],
    ),
    "embedding of an unknown model": (
        lambda c: c.update(embedding={"models": ["VAE9"], "neighbours": [2], "points": 8}),
        ["embedding.models", "VAE9"],
    ),
    "half of the points as neighbours": (
        lambda c: c.update(embedding={"models": ["VAE0"], "neighbours": [2, 4], "points": 8}),
        ["embedding.neighbours", "4", "half"],
    ),
    "dataset that is not listed": (lambda c: c.update(dataset="ImageNet"), ["dataset", "ImageNet", "MNIST"]),
    "image step without a snapshot": (
        lambda c: c["training"].update(snapshot_steps=[9]),
        ["figures.images.TopoVAE", ".at_steps", "snapshot_steps"],
    ),
    "images of a baseline": (
        lambda c: c["figures"]["images"].update(VAE0=c["figures"]["images"]["TopoVAE1"]),
        ["figures.images", "VAE0", "baseline"],
    ),
    "pictures of batches of another size": (
        lambda c: (
            c["models"].update(
                Mixed=MODELS["VAE0"] | {"shuffle": True},
                Smaller=shared_term("push", degree=0) | SMALLER | {"baseline": "Mixed"},
            ),
            c["figures"]["images"].update(Smaller=c["figures"]["images"]["TopoVAE1"]),
        ),
        ["figures.images: Smaller and its baseline Mixed differ in batch_size"],
    ),
    "comparison of an unknown model": (
        lambda c: c["comparisons"]["defined"].update(models=["TopoVAE1", "TopoVAE9"]),
        ["comparisons.defined.models", "TopoVAE9"],
    ),
    "unknown baseline of a comparison": (
        lambda c: c["comparisons"]["run_paired"].update(baseline="VAE9"),
        ["comparisons.run_paired.baseline", "VAE9"],
    ),
    "baseline of a comparison among its models": (
        lambda c: c["comparisons"]["run_paired"].update(baseline="TopoVAE1-run"),
        ["comparisons.run_paired.baseline", "TopoVAE1-run"],
    ),
    "baseline of a comparison that ends first": (
        lambda c: c["comparisons"]["defined"].update(baseline="VAE0-other-draws"),
        ["comparisons.defined.baseline", "more steps", "VAE0-other-draws"],
    ),
    "replay of an unknown comparison": (
        lambda c: c["replay"]["first"].update(run="runn"),
        ["replay.first.run", "runn"],
    ),
    "replay of several lists of seeds": (
        lambda c: c["replay"]["first"].update(run="run_second"),
        ["replay.first", "same seeds"],
    ),
    "replay without a list that is made": (
        lambda c: c["comparisons"]["run_paired"].update(target="controls"),
        ["replay", "target all"],
    ),
    "groups of more seeds than there are": (
        lambda c: c["comparisons"]["other_noise"].update(seeds=[1, 2]),
        ["controls.noise_comparison: other_noise has 2 seeds", "groups of 10", "add seeds"],
    ),
    "order at a step that is not reached": (
        lambda c: c["controls"].update(significance_steps=[40, 76]),
        ["controls.significance_steps", "76", "other_noise"],
    ),
    "figures of an unknown comparison": (
        lambda c: c["figures"]["comparison"].update(name="definde"),
        ["figures.comparison.name", "definde", "defined"],
    ),
    "unknown GAN": (
        lambda c: c["synthetic"]["gan"].update(in_all=["push", "pull"]),
        ["synthetic.gan.in_all", "pull", "choose one of"],
    ),
    "packs that do not fit": (
        lambda c: c["synthetic"]["gan"]["study"]["tuning"].update(packed=[2, 3]),
        ["packed", "[3]", "batch_size, 128"],
    ),
    "GANs that are tuned on the seeds of the study": (
        lambda c: c["synthetic"]["gan"]["study"]["tuning"].update(seeds=[101, 230]),
        ["study.tuning.seeds", "[230]", "other seeds"],
    ),
    "claim of an unknown comparison": (
        lambda c: c["claims"]["held_out"][0].update(comparison="definde"),
        ["claims.held_out[0].comparison", "definde"],
    ),
    "claim of a step that is not evaluated": (
        lambda c: c["claims"]["held_out"][0].update(step=7),
        ["claims.held_out[0].step", "7", "evaluation.at_steps"],
    ),
    "claim of models that are not evaluated": (
        lambda c: c["claims"]["held_out"][0].update(comparison="run"),
        ["claims.held_out[0].comparison", "TopoVAE1-run", "early"],
    ),
    "more steps than the baseline": (
        lambda c: c["models"]["VAE0"].update(steps=99),
        ["models.", "more steps", "baseline VAE0"],
    ),
    "image after the last step": (
        lambda c: c["models"]["TopoVAE3"].update(steps=100),
        ["figures.images.TopoVAE3.at_steps", "125"],
    ),
    "r(s) after the last step": (
        lambda c: c["statistics"].update(at_steps=[25, 100]),
        ["statistics.at_steps", "100", "comparisons.run ends after 100"],
    ),
    "published without its baseline": (
        lambda c: c["published"].update({"TopoVAE-Z1": {"seconds": 1.0}}),
        ["published", "TopoVAE-Z1", "VAE0-Z1"],
    ),
    "latents of an unknown model": (
        lambda c: c["figures"]["latents"].update(model="Z9"),
        ["figures.latents.model", "Z9"],
    ),
    "one regularizer twice": (
        lambda c: c["models"]["TopoVAE1"].update(regularizers=MODELS["TopoVAE1"]["regularizers"][:1] * 2),
        ["models.TopoVAE1.regularizers", "twice"],
    ),
    "empty interval of 4sgde": (
        lambda c: c["models"]["TopoVAE4"]["regularizers"][0]["parameters"].update(stop=0),
        ["models.", ".regularizers: 4sgde", "start 0", "stop 0"],
    ),
    "theory of an unknown model": (
        lambda c: c["theory"]["batch"].update(model="TopoVAE9"),
        ["theory.batch.model", "TopoVAE9"],
    ),
    "theory of latents": (
        lambda c: c["theory"]["batch"].update(model="TopoVAE-Z1"),
        ["theory.batch.model", "TopoVAE-Z1"],
    ),
    "theory of a step without a snapshot": (
        lambda c: c["theory"]["batch"].update(step=2),
        ["theory.batch.step", "2", "snapshot_steps"],
    ),
    "evaluation of a step without a snapshot": (
        lambda c: c["evaluation"]["at_steps"].append(2),
        ["evaluation.at_steps", "2", "snapshot_steps"],
    ),
    "evaluation on less than two batches": (
        lambda c: c["evaluation"].update(images=200),
        ["evaluation.images", "200"],
    ),
    "subsets of more images than there are": (
        lambda c: c["evaluation"]["kernel"].update(subset_size=3000),
        ["evaluation.kernel.subset_size", "2560"],
    ),
    "published row of an unknown model": (
        lambda c: c["published"].update(TopoVAE5={"seconds": 1.0}),
        ["published", "TopoVAE5"],
    ),
    "learning rate that is not a number": (
        lambda c: c["training"].update(learning_rate=math.nan),
        ["training.learning_rate", "nan"],
    ),
    "infinite weight": (
        lambda c: first_term(c).update(weight=math.inf),
        ["models.TopoVAE3.regularizers[1].weight", "inf"],
    ),
    "gradients along trainings of two baselines": (
        lambda c: c.update(alignment={"models": ["TopoVAE1", "TopoVAE-Z1"], "steps": 2, "margin": 0.1}),
        ["alignment.models", "one baseline"],
    ),
    "gradients without regularizers": (
        lambda c: c.update(alignment={"models": ["VAE0-other-draws"], "steps": 2, "margin": 0.1}),
        ["alignment.models: VAE0-other-draws must have regularizers"],
    ),
    "gradients with other noise": (
        lambda c: (
            c["models"]["TopoVAE1"].update(noise={"stream": 1}),
            c.update(alignment={"models": ["TopoVAE1"], "steps": 2, "margin": 0.1}),
        ),
        ["alignment.models: TopoVAE1 and its baseline VAE0 differ in noise", "make that equal"],
    ),
    "gradients of other batches": (
        lambda c: (
            c["models"].update(
                Mixed=MODELS["VAE0"] | {"shuffle": True},
                Smaller=shared_term("push", degree=0) | SMALLER | {"baseline": "Mixed"},
            ),
            c.update(alignment={"models": ["Smaller"], "steps": 2, "margin": 0.1}),
        ),
        ["alignment.models: Smaller and its baseline Mixed differ in batch_size"],
    ),
    "comparison of a study that is not there": (
        lambda c: c["comparisons"]["other_noise"].update(target="study"),
        ["comparisons.other_noise.target", "section `study`"],
    ),
    "study without trainings": (
        lambda c: c.update(study=study_of("bce", -1)),
        ["study: no comparison or sweep has the target study"],
    ),
    "study of holes that nobody knows": (
        lambda c: studied(c, study_of("holes", -1)),
        ["study.measures[0]", "holes of FashionMNIST", "datasets.NAME.holes"],
    ),
    "study of a step that is not evaluated": (
        lambda c: studied(c, study_of("bce", 25)),
        ["study.measures[0].step", "bce is measured at the steps [-1, 50, 100] only"],
    ),
    "study of samples of an unknown model": (
        lambda c: studied(c, study_of("bce", -1) | {"samples": ["VAE9"]}),
        ["study.samples", "VAE9"],
    ),
    "option of another family": (
        lambda c: c["models"].update(AE=AE | {"kld_weight": 2}),
        ["models.AE.kld_weight: it is no option of the family autoencoder, whose are: hidden, latent_dim"],
    ),
    "term on a cloud that the family lacks": (
        lambda c: c["models"]["TopoVAE1"]["regularizers"][0].update(cloud="scaled"),
        ["TopoVAE1.regularizers: bottleneck_0: vae has no cloud scaled; choose one of: features, latent"],
    ),
    "embedding by a model that does not encode": (
        lambda c: with_flows(c).update(
            study=study_of("flow_matching", -1),
            embedding={"models": ["Flow"], "neighbours": [2], "points": 8},
        ),
        ["embedding.models: Plain has no latent means", "these families have it: vae, autoencoder"],
    ),
    "study of what a family does not have": (
        lambda c: with_flows(c).update(study=study_of("bce_test", -1)),
        ["study.measures[0]: bce_test: Plain has no bce, because it is of the family diffusion"],
    ),
    "study of samples of a model that cannot sample": (
        lambda c: with_flows(c).update(study=study_of("flow_matching", -1) | {"samples": ["AE"]}),
        ["study.samples: AE has no prior samples", "these families have it: vae, diffusion, gan"],
    ),
    "r(s) of models without BCE": (
        lambda c: with_flows(c)["comparisons"]["flows"].update(target="all"),
        ["comparisons.flows: it compares BCE step by step, unless its target is study: Plain has no bce"],
    ),
    "figure of latent samples of a model that draws none": (
        lambda c: with_flows(c).update(
            study=study_of("flow_matching", -1), figures=FIGURES | {"latents": {"model": "Flow"}}
        ),
        ["figures.latents.model: Plain has no latent samples", "these families have it: vae"],
    ),
    "figure of reconstructions of a model that makes none": (
        lambda c: with_flows(c).update(
            study=study_of("flow_matching", -1), figures=FIGURES | {"images": {"Flow": {"at_steps": [50]}}}
        ),
        ["figures.images: Plain has no reconstructions", "these families have it: vae, autoencoder"],
    ),
    "latent vectors that no prior is of": (
        lambda c: c["models"].update(AE=AE | {"reference": "prior", "regularizers": [NEAR]}),
        ["models.AE.reference: AE has no latent samples"],
    ),
    "gradients of a model with an adversary": (
        lambda c: c.update(
            models=MODELS | {"GAN": GAN, "GAN-push": GAN | {"baseline": "GAN", "regularizers": [PUSH]}},
            alignment={"models": ["GAN-push"], "steps": 2, "margin": 0.1},
        ),
        ["alignment.models: the adversary of GAN-push is updated before"],
    ),
    "early stop of a model without BCE": (
        lambda c: c["models"].update(AE=AE | {"stop_early": {"patience": 1, "images": 10}}),
        ["models.AE.stop_early: AE has no bce"],
    ),
    "one regularizer twice under damage": (
        lambda c: c["synthetic"]["damage"]["regularizers"].append({"name": "push", "degree": 1, "weight": 2}),
        ["synthetic.damage.regularizers: push stands there twice"],
    ),
    "study that pays with what is not evaluated then": (
        lambda c: studied(c, study_of("bce_test", 25, beyond={"sweep": "other_noise", "price": "elbo"})),
        ["study.measures[0].step", "elbo is measured at the steps [-1, 50, 100] only"],
    ),
    "study of one measure twice": (
        lambda c: studied(c, study_of("bce", -1), study_of("bce", -1)),
        ["study.measures[1]", "bce at step -1 stands there twice"],
    ),
    "study of other seeds in one comparison": (
        lambda c: (studied(c, study_of("bce", -1)), c["sweeps"]["tuning"].update(target="study", seeds=[7])),
        ["seeds: models of a study are paired by seed"],
    ),
    "study evaluated after the end of a training": (
        lambda c: studied(c, study_of("bce", -1)),
        ["evaluation.at_steps: [100]", "VAE0-short ends after 76 steps"],
    ),
    "study of a step that is not monitored": (
        lambda c: studied(c, study_of("bce_test", 100)),
        ["study.measures[0].step", "bce_test is measured at the steps [-1, 25, 50, 75] only"],
    ),
}


SMALLER = {"shuffle": True, "batch_size": 64}


def shared_term(name, **more):
    """A model with one regularizer, which has a share."""
    return {"latent_dim": 10, "regularizers": [{"name": name, "share": 0.1} | more]}


def study_of(measure, step, **more):
    entry = {"measure": measure, "step": step, "margin": 0.1, "rank": "primary"} | more
    return {"name": "mine", "question": "Why?", "measures": [entry]}


def with_flows(config):
    """A comparison of two diffusion models as a study, and an autoencoder."""
    plain = {"architecture": "diffusion", "widths": [8, 16], "regularizers": []}
    flow = plain | {"baseline": "Plain", "regularizers": [PUSH]}
    config["models"] |= {"Plain": plain, "Flow": flow, "AE": AE}
    config["comparisons"]["flows"] = {"models": ["Flow"], "target": "study"}
    return config


def studied(config, *studies):
    """Make the study, with the measures of all of them, of a comparison that there is."""
    config["comparisons"]["other_noise"]["target"] = "study"
    measures = [entry for study in studies for entry in study["measures"]]
    config["study"] = studies[0] | {"measures": measures}


def checked(config):
    check(Plan(written_out(config)))


def test_the_configuration_of_the_thesis_agrees():
    checked(CONFIG)


@pytest.mark.parametrize("fault", DISAGREEING)
def test_parts_that_disagree_are_named(fault):
    config = copy.deepcopy(CONFIG)
    breaks, words = DISAGREEING[fault]
    breaks(config)
    with pytest.raises(ValueError, match=r"^[\w.-]+") as error:
        checked(config)
    for word in words:
        assert word in str(error.value)


def test_in_a_study_images_may_be_shuffled_and_batches_of_another_size():
    """Trainings are compared at their ends."""
    config = copy.deepcopy(CONFIG)
    config["models"]["Mixed"] = MODELS["VAE0"] | {"shuffle": True}
    config["models"]["Smaller"] = shared_term("push", degree=0) | SMALLER | {"baseline": "Mixed"}
    config["comparisons"]["mine"] = {"models": ["Smaller"], "target": "study"}
    config["study"] = study_of("bce_test", -1)
    checked(config)


def test_a_wrong_diagram_needs_one_term_that_looks_at_it():
    config = copy.deepcopy(CONFIG)
    both = [{"name": name, "degree": 0, "share": 0.1} for name in ("push", "bottleneck")]
    config["models"]["Both"] = MODELS["VAE0"] | {"regularizers": both, "reference": "normal"}
    checked(config)


def test_keys_of_regularizers_may_say_what_holds_without_them():
    config = copy.deepcopy(CONFIG)
    config["models"]["VAE0-short"] |= {"strength": 1, "direction": "gradient", "reference": "batch"}
    checked(config)


def test_gradients_are_compared_if_the_noise_is_equal_however_it_is_written():
    config = copy.deepcopy(CONFIG)
    config["alignment"] = {"models": ["TopoVAE1-run-shared"], "steps": 2, "margin": 0.1}
    checked(config)


def test_of_several_datasets_the_one_that_disagrees_is_named():
    config = copy.deepcopy(CONFIG) | {"dataset": ["FashionMNIST", "digits"]}
    config["datasets"]["digits"]["evaluation"]["at_steps"] = [51]
    plans = {name: Plan(entry) for name, entry in of_each_dataset(config).items()}
    with pytest.raises(ValueError, match=r"^on digits: evaluation.at_steps: \[51\]"):
        check_each(plans)


def test_a_training_too_short_for_a_step_is_refused():
    """Step 125 is the 126th batch of 128 images."""
    plan = Plan(written_out(CONFIG))
    check_length(plan, "VAE0", None)
    check_length(plan, "VAE0", 125 * 128 + 1)
    with pytest.raises(
        ValueError, match=r"^models.VAE0: on FashionMNIST, snapshot_steps \[125\]: .* 0 to 124"
    ):
        check_length(plan, "VAE0", 125 * 128)
    check_length(plan, "VAE0-other-draws", 125 * 128)  # ends after 100 steps


def test_an_infinite_ground_norm_is_the_maximum_norm():
    config = copy.deepcopy(CONFIG)
    first_term(config).update(name="wasserstein", parameters={"order": 2, "ground_norm": math.inf})
    checked(config)


def test_results_that_cannot_be_written_stop_the_run(tmp_path, monkeypatch):
    file = tmp_path / "results"
    file.touch()
    with pytest.raises(ValueError, match="results is not a directory"):
        check_results_folder(file / "inner")
    file.unlink()
    check_results_folder(file / "inner")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    with pytest.raises(ValueError, match="cannot be written"):
        check_results_folder(file)
