import copy
import math

import numpy as np
import pandas as pd
import pytest
import torch
from strategies import synthetic_images
from torch.utils.data import DataLoader

from topogen.data.batches import scaled
from topogen.data.references import reference_diagrams
from topogen.models.families import rebuild
from topogen.models.vae import Model, binary_cross_entropy, kl_divergence
from topogen.training.regularization import TrainingError
from topogen.training.run import Stopping
from topogen.training.run import train as train_seeds
from topogen.training.timing import measure_step_times
from topogen.training.trainer import Trainer, step_together
from torchrips.distances import wasserstein
from torchrips.persistence import rips_diagrams
from torchrips.regularizers import REGULARIZERS

IMAGES = synthetic_images(20)  # batches of 8, 8 and 4
LABELS = np.arange(20) % 10
REFERENCES = reference_diagrams(IMAGES, 8, (0, 1), threads=1)
SETTINGS = {"latent_dim": 3, "batch_size": 8, "learning_rate": 0.001}
VAE0 = {**SETTINGS, "regularizers": []}
OUTPUT = [
    {"name": "entropy", "degree": 0, "weight": 5000.0, "parameters": {"delta": 0.01}},
    {"name": "bottleneck", "degree": 1, "weight": 300.0},
]
LATENT = [
    {"name": "bottleneck", "degree": 0, "weight": 300.0, "cloud": "latent", "reference_scale": 0.35},
    {"name": "push", "degree": 1, "weight": 500.0, "cloud": "latent"},
]


def train(*data, seed, **arguments):
    (result,) = train_seeds(*data, seeds=[seed], **arguments)
    return result


def without_weights(regularizers):
    return [entry | {"weight": 0} for entry in regularizers]


def history(regularizers, steps=3, seed=7, **control):
    trainer = Trainer(IMAGES, REFERENCES, **SETTINGS, regularizers=regularizers, seed=seed, **control)
    return pd.DataFrame([trainer.step()[0] for _ in range(steps)])


def run(regularizers=OUTPUT, seed=7, epochs=1, **settings):
    settings |= SETTINGS | {"regularizers": regularizers}
    return train(IMAGES, LABELS, REFERENCES, seed=seed, epochs=epochs, snapshot_steps=[0, 1], **settings)


@pytest.mark.parametrize("regularizers", [OUTPUT, LATENT, OUTPUT + LATENT[1:]])
def test_models_of_one_seed_start_as_clones(regularizers):
    regularized, plain = (
        Trainer(IMAGES, REFERENCES, **SETTINGS, regularizers=r, seed=7) for r in (regularizers, [])
    )
    for name, weight in plain.weights().items():
        np.testing.assert_array_equal(regularized.weights()[name], weight)
    (row, outcome), (baseline, other) = regularized.step(), plain.step()
    assert row["bce"] == baseline["bce"]
    assert row["kld"] == baseline["kld"]
    assert torch.equal(outcome.latents["z"], other.latents["z"])
    assert history([], seed=8)["bce"][0] != baseline["bce"]


@pytest.mark.parametrize("regularizers", [OUTPUT, LATENT])
def test_a_term_of_weight_zero_changes_no_bit(regularizers):
    baseline, silent, loud = map(history, ([], without_weights(regularizers), regularizers))
    pd.testing.assert_frame_equal(silent[list(baseline)], baseline, check_exact=True)
    assert (loud["bce"][1:] != baseline["bce"][1:]).all()


def test_shuffled_images_are_compared_with_diagrams_of_themselves():
    """What is stored are the diagrams of other batches."""
    terms = [{"name": "wasserstein", "degree": 0, "weight": 1, "parameters": {"order": 2, "ground_norm": 2}}]
    trainer = Trainer(IMAGES, [], **SETTINGS, regularizers=terms, seed=7, shuffle=2, weight_decay=0.1)
    assert (trainer.steps_per_epoch, len(trainer.batches)) == (3, 6)
    assert trainer.optimizer.weight_decay == 0.1
    for batch in trainer.batches:
        row, outcome = trainer.step()
        clouds = outcome.reconstructions.flatten(1), scaled(IMAGES[batch]).flatten(1)
        diagrams = [rips_diagrams(cloud, 0)[0] for cloud in clouds]
        assert row["wasserstein_0"] == pytest.approx(wasserstein(*diagrams, 2, 2).item(), rel=1e-5)


@pytest.mark.parametrize("regularizers", [[], OUTPUT, LATENT], ids=["VAE0", "output", "latent"])
def test_a_step_follows_the_gradient_of_the_whole_loss(regularizers):
    trainer = Trainer(IMAGES, REFERENCES, **SETTINGS, regularizers=regularizers, seed=7, kld_weight=3)
    trainer.step()  # the second step: nothing of the first may be left in it
    model, stream = copy.deepcopy(trainer.model), trainer.noise.stream.clone_state()
    row, _ = trainer.step()

    images = scaled(IMAGES[8:16])
    logits, mean, log_variance, z, _ = model(images, torch.randn(8, 3, generator=stream))
    bce = binary_cross_entropy(logits, images)
    kld = kl_divergence(mean, log_variance)
    terms = {}
    for entry in regularizers:
        cloud = z if entry.get("cloud") == "latent" else logits.sigmoid().flatten(1)
        (diagram,) = rips_diagrams(cloud, (entry["degree"],))
        reference = torch.from_numpy(REFERENCES[1][entry["degree"]]) * entry.get("reference_scale", 1.0)
        loss = REGULARIZERS[entry["name"]](**entry.get("parameters", {}))
        terms[f"{entry['name']}_{entry['degree']}"] = loss(diagram, reference), entry["weight"]

    sizes = {"bce": bce} | {name: weight * value for name, (value, weight) in terms.items()}
    for name, value in sizes.items():
        place = z if name != "bce" and regularizers is LATENT else logits
        (gradient,) = torch.autograd.grad(value, place, retain_graph=True)
        sizes[name] = gradient.norm().item()
    topology = sum(weight * value for value, weight in terms.values())
    plain = flat(torch.autograd.grad(bce + 3 * kld, model.parameters(), retain_graph=True))
    whole = flat(torch.autograd.grad(bce + 3 * kld + topology, model.parameters()))
    taken = flat([weight.grad for weight in trainer.model.parameters()])
    assert row == pytest.approx(
        {"step": 1, "bce": bce.item(), "kld": kld.item()}
        | {name: value.item() for name, (value, _) in terms.items()}
        | {f"gradient_{name}": size for name, size in sizes.items()},
        rel=1e-5,
    )
    assert (taken - whole).norm() <= 1e-5 * whole.norm()
    if regularizers:  # the topological part is large enough to be missed
        assert (plain - whole).norm() > 1e-2 * whole.norm()


def outcome_of(model, noise):
    images = scaled(IMAGES[:8])
    return model.outcome(model(images, noise), images)


def added(trainer, outcome, batch=0):
    """What the regularizers add to the backward pass of a batch, on each of their clouds."""
    clouds = trainer._clouds(outcome, 8)
    return trainer.regularization.of_step(clouds, {}, batch=batch, step=trainer.steps_done)[2]


def flat(gradients):
    return torch.cat([gradient.flatten() for gradient in gradients])


def assert_equal_runs(first, second):
    for name in ("history", "monitored_bce"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)
    assert first.checkpoint.getvalue() == second.checkpoint.getvalue()
    for name in ("snapshots", "weights", "latents"):
        ours, theirs = getattr(first, name), getattr(second, name)
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[key], theirs[key]) for key in ours)


def test_one_seed_gives_the_same_bytes_twice():
    first, second = run(), run()
    assert_equal_runs(first, second)
    assert run(seed=8).checkpoint.getvalue() != first.checkpoint.getvalue()


def test_a_run_is_its_steps_and_leaves_the_global_stream_alone():
    """Sampling latents, keeping snapshots and the caller's random numbers do not disturb the training."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    result = run(epochs=2)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    pd.testing.assert_frame_equal(result.history, history(OUTPUT, steps=6), check_exact=True)
    assert result.history["step"].tolist() == list(range(6))
    terms = ["entropy_0", "bottleneck_1"]
    sizes = [f"gradient_{name}" for name in terms]
    assert list(result.history) == ["step", "bce", "kld", "gradient_bce", *terms, *sizes]
    assert list(result.timing) == ["step", "model_seconds", "topology_seconds"]
    assert (result.timing[["model_seconds", "topology_seconds"]] > 0).all(axis=None)


def test_monitored_images_leave_the_training_as_it_is():
    """Their BCE is that of the weights before the update, decoded from the mean of the posterior."""
    monitored = synthetic_images(12)
    watched, plain = run(epochs=2, monitored=monitored, monitored_steps=[0, 1]), run(epochs=2)
    assert plain.monitored_bce.empty
    assert watched.monitored_bce["step"].tolist() == [0, 1, 5]  # the last step belongs to them
    model, images = Model((1, 28, 28), latent_dim=3), scaled(monitored)
    for step, bce in watched.monitored_bce.head(2).itertuples(index=False):
        weights = {name: watched.weights[f"{step}/{name}"] for name in model.state_dict()}
        model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        with torch.no_grad():
            logits = model.decoder(model.mean(model.encoder(images)))
        assert bce == pytest.approx(float(binary_cross_entropy(logits, images)), rel=1e-6)
    watched.monitored_bce = plain.monitored_bce
    assert_equal_runs(watched, plain)


@pytest.mark.parametrize("step", [0, 1])
def test_a_snapshot_is_the_forward_pass_before_the_update(step):
    result = run()
    prefix = f"{step}/"
    model = Model((1, 28, 28), latent_dim=3)
    weights = {k.removeprefix(prefix): v for k, v in result.weights.items() if k.startswith(prefix)}
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    stream = Trainer(IMAGES, REFERENCES, **VAE0, seed=7).noise.stream
    noise = [torch.randn(8, 3, generator=stream) for _ in range(2)][step]
    images = scaled(IMAGES[8 * step : 8 * step + 8])
    with torch.no_grad():
        logits, *_ = model(images, noise)
    np.testing.assert_array_equal(result.snapshots[f"truth_{step}"], images)
    np.testing.assert_allclose(result.snapshots[f"output_{step}"], logits.sigmoid(), atol=1e-6)
    bce = float(binary_cross_entropy(logits, images))
    assert result.history["bce"][step] == pytest.approx(bce, rel=1e-6)


def test_latents_are_of_the_same_images_before_and_after():
    result = run(LATENT)
    trained = torch.load(result.checkpoint, weights_only=True)
    last = rebuild(trained["built"], trained["model"])
    first = Trainer(IMAGES, REFERENCES, **VAE0, seed=7).model
    noises = []
    for model, when in ((first, "before"), (last, "after")):
        with torch.no_grad():
            _, mean, log_variance, *_ = model(scaled(IMAGES), torch.zeros(20, 3))
        np.testing.assert_allclose(result.latents[f"mean_{when}"], mean, atol=1e-6)
        noises.append((result.latents[f"z_{when}"] - mean.numpy()) / np.exp(log_variance.numpy() / 2))
    np.testing.assert_allclose(*noises, atol=1e-4)
    np.testing.assert_array_equal(result.latents["label"], LABELS)


def test_a_run_that_diverges_names_the_step_and_keeps_the_history():
    with pytest.raises(TrainingError, match="step 1: not finite: bce, kld") as error:
        train(
            IMAGES, LABELS, REFERENCES, seed=7, epochs=1, snapshot_steps=[], **VAE0 | {"learning_rate": 1e30}
        )
    pd.testing.assert_frame_equal(error.value.history, history([], steps=1))


SHARED = [
    {"name": "push", "degree": 0, "share": 0.1, "cloud": "prior", "subset": 5},
    {"name": "bottleneck", "degree": 0, "share": -0.1, "cloud": "latent"},
]
DIFFUSION = {"architecture": "diffusion", "widths": [2, 4], "batch_size": 8, "learning_rate": 0.001}
GAN = DIFFUSION | {"architecture": "gan", "latent_dim": 3}


@pytest.mark.parametrize(
    ("model", "epochs_before"),
    [
        (SETTINGS | {"regularizers": OUTPUT + SHARED}, 1),
        (SETTINGS | {"regularizers": OUTPUT + SHARED}, 2),
        (DIFFUSION | {"regularizers": OUTPUT}, 1),
        (GAN | {"regularizers": OUTPUT}, 1),
    ],
    ids=["vae-1", "vae-2", "diffusion-1", "gan-1"],
)
def test_a_training_that_was_cut_off_resumes_to_the_same_result(tmp_path, monkeypatch, model, epochs_before):
    noise = {"offset": 1, "stride": 2, "loader": True, "pictures": [1, 4]}
    control = {"noise": noise, "direction": "random"}
    arguments = model | control | {"seed": 7, "epochs": 3, "snapshot_steps": [1, 4, 7]}
    arguments |= {"monitored": synthetic_images(4), "monitored_steps": [0, 5, 6]}
    partial = {"partial": tmp_path / "partial.pt", "identity": "this run"}
    whole = train(IMAGES, LABELS, REFERENCES, **arguments)
    last = 3 * epochs_before + 1

    def cut_off(trainers):
        if trainers[0].steps_done == last:
            raise KeyboardInterrupt
        return step_together(trainers)

    monkeypatch.setattr("topogen.training.run.step_together", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(IMAGES, LABELS, REFERENCES, **arguments, **partial)

    taken = []
    monkeypatch.setattr(
        "topogen.training.run.step_together",
        lambda trainers: taken.append(trainers[0].steps_done) or step_together(trainers),
    )
    resumed = train(IMAGES, LABELS, REFERENCES, **arguments, **partial)
    assert taken == list(range(3 * epochs_before, 9))
    assert_equal_runs(resumed, whole)

    taken.clear()
    train(IMAGES, LABELS, REFERENCES, **arguments, partial=partial["partial"], identity="another run")
    assert taken == list(range(9))


@pytest.mark.parametrize("model", [DIFFUSION, GAN], ids=["diffusion", "gan"])
def test_what_a_family_does_not_have_costs_the_pass_of_one_image(monkeypatch, model):
    trainer, sizes = Trainer(IMAGES, REFERENCES, **model, regularizers=[], seed=7), []
    forward = trainer.model.forward

    def counted(images, noise):
        sizes.append(len(images))
        return forward(images, noise)

    monkeypatch.setattr(trainer.model, "forward", counted)
    assert trainer.latents_of(IMAGES, np.zeros((20, trainer.noise.dimension), np.float32)) == {}
    assert math.isnan(trainer.bce_at_mean(IMAGES))
    assert sizes == [1, 1]


def test_a_training_may_end_early():
    short = run(steps=2)
    pd.testing.assert_frame_equal(short.history, history(OUTPUT, steps=2), check_exact=True)
    assert len(run(steps=99).history) == 3


def script_bce(monkeypatch, stopping, *values):
    """From now on BCE of the images that may end a training is one value after the other."""
    measure, left = Trainer.bce_at_mean, iter(values)

    def scripted(trainer, images):
        return next(left) if images is stopping.images else measure(trainer, images)

    monkeypatch.setattr(Trainer, "bce_at_mean", scripted)


def test_a_training_ends_by_its_own_history_and_resumes_to_the_same_end(tmp_path, monkeypatch):
    stopping = Stopping(synthetic_images(5), patience=2)
    arguments = VAE0 | {"seed": 7, "epochs": 9, "snapshot_steps": [1], "monitored_steps": [4]}
    arguments |= {"monitored": synthetic_images(4), "stopping": stopping, "keep_epochs": True}
    with monkeypatch.context() as patch:
        script_bce(patch, stopping, 9, 8, 8.5, 8, 7)
        whole = train(IMAGES, LABELS, REFERENCES, **arguments)
    assert len(whole.history) == 4 * 3  # two epochs without a new lowest value
    assert whole.history["stopping_bce"].dropna().to_dict() == {2: 9, 5: 8, 8: 8.5, 11: 8}
    assert whole.monitored_bce["step"].tolist() == [2, 4, 5, 8, 11]
    assert {int(name.split("/")[0]) for name in whole.weights} == {1, 3, 6, 9}

    def cut_off(trainers):
        if trainers[0].steps_done == 7:
            raise KeyboardInterrupt
        return step_together(trainers)

    partial = {"partial": tmp_path / "partial.pt", "identity": "this run"}
    with monkeypatch.context() as patch:
        script_bce(patch, stopping, 9, 8)
        patch.setattr("topogen.training.run.step_together", cut_off)
        with pytest.raises(KeyboardInterrupt):
            train(IMAGES, LABELS, REFERENCES, **arguments, **partial)
    script_bce(monkeypatch, stopping, 8.5, 8)
    assert_equal_runs(train(IMAGES, LABELS, REFERENCES, **arguments, **partial), whole)


def test_a_training_does_not_end_before_the_last_step_that_is_asked_for(monkeypatch):
    stopping = Stopping(synthetic_images(5), patience=1)
    script_bce(monkeypatch, stopping, *[9] * 9)
    settings = VAE0 | {"epochs": 9, "snapshot_steps": [], "monitored_steps": [13], "stopping": stopping}
    assert len(train(IMAGES, LABELS, REFERENCES, seed=7, **settings).history) == 15


def test_images_of_the_evaluation_do_not_end_a_training():
    test_images = synthetic_images(20)
    stopping = Stopping.on_last(test_images, images=5, patience=1, evaluated=15)
    np.testing.assert_array_equal(stopping.images, test_images[15:])
    with pytest.raises(ValueError, match="more than the 20 test images"):
        Stopping.on_last(test_images, images=6, patience=1, evaluated=15)


def test_two_models_take_turns_in_one_stream():
    """Offsets 0 and 1, stride 2: together the draws that one model alone would have had."""

    def draws(**noise):
        trainer = Trainer(IMAGES, REFERENCES, **VAE0, seed=7, noise=noise)
        return [trainer.noise.draw(8, step) for step in range(4)]

    alone, first, second = draws(), draws(offset=0, stride=2), draws(offset=1, stride=2)
    for place in range(2):
        assert torch.equal(first[place], alone[2 * place])
        assert torch.equal(second[place], alone[2 * place + 1])
    others = [draws(stream=number)[0] for number in (0, 1, 2)]
    assert torch.equal(others[0], alone[0])
    assert all(not torch.equal(a, b) for a, b in [(others[0], others[1]), (others[1], others[2])])


def test_the_draws_are_those_of_the_authors_loop():
    """A plain loop with a DataLoader: VAE0 and its clone take turns in the global stream, pictures too."""
    images, pictures = synthetic_images(40), [0, 2]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        first = Model((1, 28, 28), latent_dim=3)
        models = [first, copy.deepcopy(first)]
        optimizers = [torch.optim.Adam(model.parameters(), lr=0.001) for model in models]
        draws, losses = ([], []), ([], [])
        for step, batch in enumerate(DataLoader(scaled(images), batch_size=8)):
            for turn, (model, optimizer) in enumerate(zip(models, optimizers, strict=True)):
                noise = torch.randn(len(batch), 3)
                logits, mean, log_variance, *_ = model(batch, noise)
                bce = binary_cross_entropy(logits, batch)
                optimizer.zero_grad()
                (bce + kl_divergence(mean, log_variance)).backward()
                optimizer.step()
                draws[turn].append(noise)
                losses[turn].append(bce.item())
            if step in pictures:
                for model in models:
                    model(batch, torch.randn(len(batch), 3))
    for turn in (0, 1):
        control = {"noise": {"offset": turn, "stride": 2, "loader": True, "pictures": pictures}}
        trainer = Trainer(images, [], **VAE0, seed=7, **control)
        taken = [trainer.noise.draw(8, step) for step in range(5)]
        assert torch.equal(torch.stack(taken), torch.stack(draws[turn]))
        trainer = Trainer(images, [[]] * 5, **VAE0, seed=7, **control)
        assert [trainer.step()[0]["bce"] for _ in range(5)] == losses[turn]


@pytest.mark.parametrize("regularizers", [OUTPUT, LATENT])
def test_a_placebo_has_the_size_of_the_gradient_and_another_direction(regularizers):
    trainers = [
        Trainer(IMAGES, REFERENCES, **SETTINGS, regularizers=regularizers, seed=7, direction=direction)
        for direction in ("gradient", "random")
    ]
    outcome = outcome_of(trainers[0].model, torch.randn(8, 3))
    (real,), (placebo,), (again,) = (added(trainer, outcome) for trainer in (*trainers, trainers[1]))
    assert placebo.norm() == pytest.approx(real.norm().item(), rel=1e-5)
    assert again.norm() == pytest.approx(real.norm().item(), rel=1e-5)
    cosines = [
        torch.cosine_similarity(a.flatten(), b.flatten(), dim=0)
        for a, b in [(real, placebo), (placebo, again)]
    ]
    assert all(abs(cosine) < 0.7 for cosine in cosines)
    rows = history(regularizers, direction="random"), history(regularizers)
    assert rows[0]["bce"][0] == rows[1]["bce"][0]  # the same weights, batches and noise
    assert (rows[0]["bce"][1:] != rows[1]["bce"][1:]).all()


@pytest.mark.parametrize("regularizers", [OUTPUT, LATENT])
def test_the_other_directions_are_the_gradient_turned_round_or_with_its_rows_permuted(regularizers):
    def gradients(direction):
        trainer = Trainer(
            IMAGES, REFERENCES, **SETTINGS, regularizers=regularizers, seed=7, direction=direction
        )
        outcome = outcome_of(trainer.model, torch.ones(8, 3))
        return [added(trainer, outcome)[0].flatten(1) for _ in range(2)]

    real, _ = gradients("gradient")
    assert torch.equal(gradients("opposite")[0], -real)
    first, second = gradients("permuted")
    for permuted in (first, second):
        assert sorted(permuted.tolist()) == sorted(real.tolist())
    assert not torch.equal(first, second)


@pytest.mark.parametrize("regularizers", [OUTPUT, LATENT])
def test_a_wrong_diagram_pulls_as_strongly_as_the_right_one(regularizers):
    wrong = [REFERENCES[2], REFERENCES[0], REFERENCES[1]]

    def gradients(references, **control):
        """Of each regularizer by itself."""
        models = [SETTINGS | {"regularizers": [entry]} | control for entry in regularizers]
        trainers = [Trainer(IMAGES, references, **model, seed=7) for model in models]
        outcome = outcome_of(trainers[0].model, torch.ones(8, 3))
        return [added(trainer, outcome)[0] for trainer in trainers]

    mixed = gradients(REFERENCES, wrong_references=wrong)
    for right, other, found in zip(gradients(REFERENCES), gradients(wrong), mixed, strict=True):
        # Zero has no direction: a bar of the wrong diagram may be matched to the diagonal.
        torch.testing.assert_close(found, other * (right.norm() / (other.norm() or 1)))
    pd.testing.assert_frame_equal(
        history(regularizers, wrong_references=REFERENCES), history(regularizers), rtol=1e-5
    )


def test_a_permutation_of_the_images_is_an_order():
    permutation = np.random.default_rng(5).permutation(20)
    references = reference_diagrams(IMAGES, 8, (0, 1), threads=1, order=5)
    ordered = Trainer(IMAGES, references, **VAE0 | {"regularizers": OUTPUT}, seed=7, order=5)
    images = IMAGES[permutation]
    direct = Trainer(
        images,
        reference_diagrams(images, 8, (0, 1), threads=1),
        **VAE0 | {"regularizers": OUTPUT},
        seed=7,
    )
    assert [ordered.step()[0] for _ in range(4)] == [direct.step()[0] for _ in range(4)]


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("snapshot_steps", {"snapshot_steps": [0, 3]}),
        ("monitored_steps", {"snapshot_steps": [0], "monitored": IMAGES, "monitored_steps": [3]}),
    ],
)
def test_a_step_after_the_last_one_is_refused_before_the_first(kind, steps):
    with pytest.raises(ValueError, match=rf"{kind} \[3\]: the steps of the training are 0 to 2"):
        train(IMAGES, LABELS, REFERENCES, seed=7, epochs=1, **steps, **VAE0)


def test_a_gradient_that_overflows_is_refused_before_the_update():
    push = {"name": "push", "degree": 0, "weight": 1e39}  # infinite in float32
    trainer = Trainer(IMAGES, REFERENCES, seed=7, **VAE0 | {"regularizers": [push]})
    before = trainer.weights()
    with pytest.raises(TrainingError, match="step 0: not finite: gradient_push_0"):
        trainer.step()
    for name, weight in trainer.weights().items():
        np.testing.assert_array_equal(weight, before[name])


def test_a_reference_that_is_not_finite_names_the_step():
    broken = [[degree * np.float32("nan") for degree in batch] for batch in REFERENCES]
    with pytest.raises(TrainingError, match="step 0, output cloud: a diagram holds NaN"):
        Trainer(IMAGES, broken, seed=7, **VAE0 | {"regularizers": OUTPUT}).step()


def test_convolutions_are_exact_in_a_step_and_nowhere_else(monkeypatch):
    trainer, seen = Trainer(IMAGES, REFERENCES, **VAE0, seed=7), []

    def outcome(passed, images):
        seen.append((torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic))
        return type(trainer.model).outcome(trainer.model, passed, images)

    monkeypatch.setattr(trainer.model, "outcome", outcome)
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    trainer.step()
    assert seen == [(False, True)]
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic) == before == (True, False)


@pytest.mark.gpu
@pytest.mark.parametrize("regularizers", [[], OUTPUT, LATENT], ids=["VAE0", "output", "latent"])
def test_a_gpu_trains_as_the_cpu_does_and_repeats_its_own_bits(regularizers):
    trainers = [
        Trainer(IMAGES, REFERENCES, **SETTINGS, regularizers=regularizers, seed=7, device=device)
        for device in ("cpu", "cuda", "cuda")
    ]
    cpu, gpu, again = ([trainer.step()[0]["bce"] for _ in range(25)] for trainer in trainers)
    np.testing.assert_allclose(gpu[:5], cpu[:5], rtol=1e-5)  # rounding grows from step to step
    np.testing.assert_allclose(gpu, cpu, rtol=1e-2)
    assert again == gpu
    for name, weight in trainers[1].weights().items():
        np.testing.assert_array_equal(trainers[2].weights()[name], weight)


def test_a_missing_gpu_is_named():
    with pytest.raises(ValueError, match="device cuda: torch finds no GPU"):
        Trainer(IMAGES, REFERENCES, **VAE0, seed=7, device="cuda")


def test_a_cloud_without_numbers_names_the_step_and_the_cloud():
    trainer = Trainer(IMAGES, REFERENCES, **SETTINGS, regularizers=LATENT, seed=7)
    trainer.step()
    outcome = outcome_of(trainer.model, torch.full((8, 3), math.nan))
    with pytest.raises(TrainingError, match=r"step 1, latent cloud: .* NaN"):
        added(trainer, outcome)


@pytest.mark.parametrize("name", ["bottleneck", "entropy"])
@pytest.mark.parametrize("cloud", ["output", "latent"])
def test_a_last_batch_of_one_image_is_a_cloud_as_well(name, cloud):
    parameters = {"entropy": {"delta": 0.1}}.get(name, {})
    terms = [
        {"name": name, "degree": p, "weight": 5, "cloud": cloud, "parameters": parameters} for p in (0, 1)
    ]
    images = IMAGES[:9]
    trainer = Trainer(
        images, reference_diagrams(images, 8, (0, 1), threads=1), **SETTINGS, regularizers=terms, seed=7
    )
    rows = [trainer.step()[0] for _ in range(2)]
    assert rows[1][f"{name}_0"] == 0


def test_timing_has_a_row_for_every_model_and_round():
    models = {
        name: {**SETTINGS, "regularizers": r, "seed": 7} for name, r in [("VAE0", []), ("Topo", OUTPUT)]
    }
    table = measure_step_times(IMAGES, REFERENCES, models, steps=2, rounds=3)
    assert next(table.itertuples(index=False))[:2] == ("VAE0", 1)
    assert table.groupby("model")["round"].apply(list).to_dict() == {"VAE0": [1, 2, 3], "Topo": [1, 2, 3]}
    assert (table["seconds"] > 0).all()
