"""Trainings that take their steps together are, within rounding, those of each seed by itself."""

import numpy as np
import pytest
import torch
from strategies import synthetic_images

from topogen.data.references import reference_diagrams
from topogen.training.regularization import TrainingError
from topogen.training.run import Stopping, train
from topogen.training.trainer import Trainer, step_together

IMAGES = synthetic_images(20)  # batches of 8, 8 and 4
LABELS = np.arange(20) % 10
REFERENCES = reference_diagrams(IMAGES, 8, (0, 1), threads=1)
SEEDS = [7, 8, 9]
SETTINGS = {"batch_size": 8, "learning_rate": 0.001}
TERMS = [
    {"name": "bottleneck", "degree": 0, "share": 0.1},
    {"name": "entropy", "degree": 0, "weight": 5000.0, "parameters": {"delta": 0.01}},
]
LATENT = [{"name": "bottleneck", "degree": 0, "share": 0.1, "cloud": "latent", "reference_scale": 0.35}]
SCALED = [{"name": "signature", "weight": 9, "cloud": "scaled", "parameters": {"relative": True}}]
MODELS = {
    "VAE0": {"latent_dim": 3, "regularizers": []},
    "output": {"latent_dim": 3, "regularizers": TERMS},
    "latent": {"latent_dim": 3, "regularizers": LATENT, "shuffle": 2},
    "placebo": {"latent_dim": 3, "regularizers": TERMS, "direction": "random"},
    "autoencoder": {"architecture": "autoencoder", "latent_dim": 2, "hidden": [9], "regularizers": SCALED},
    "GAN": {"architecture": "gan", "latent_dim": 3, "widths": [2, 4], "regularizers": TERMS},
}


def trainer(model, seed, **arguments):
    return Trainer(IMAGES, REFERENCES, **SETTINGS | model | arguments, seed=seed, labels=LABELS)


def trained(model, seeds=SEEDS, **arguments):
    arguments = SETTINGS | {"epochs": 2, "snapshot_steps": [1, 5]} | model | arguments
    return train(IMAGES, LABELS, REFERENCES, seeds=seeds, **arguments)


def flat(tensors):
    return torch.cat([tensor.detach().cpu().double().flatten() for tensor in tensors])


def assert_equal_steps(model, device="cpu"):
    """Each step starts from equal weights, because rounding grows from step to step."""
    alone = [trainer(model, seed, device=device) for seed in SEEDS]
    together = [trainer(model, seed, device=device) for seed in SEEDS]
    for _ in range(4):  # the last batch of an epoch is smaller
        taken = [one.step()[0] for one in alone]
        rows = [row for row, _ in step_together(together)]
        for one, other, row, its_row in zip(alone, together, taken, rows, strict=True):
            assert its_row == pytest.approx(row, rel=1e-4, abs=1e-6)
            reached = [weight for weight in one.optimizer.weights if weight.grad is not None]
            gradient = flat(weight.grad for weight in reached)
            also = flat(weight.grad for weight in other.optimizer.weights if weight.grad is not None)
            assert (gradient - also).norm() <= 1e-4 * gradient.norm()
            layers, same = (flat([torch.zeros(1), *t.model.buffers()]) for t in (one, other))
            assert (layers - same).norm() <= 1e-5 * layers.norm()
            other.restore(one.state())
    first, second = ([*row.values()][1] for row in rows[:2])
    assert first != pytest.approx(second, rel=1e-3)  # seeds differ by more than rounding


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_step_of_a_stack_is_that_of_each_seed_by_itself(model):
    assert_equal_steps(model)


@pytest.mark.gpu
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_step_of_a_stack_on_a_gpu_is_that_of_each_seed_by_itself(model):
    assert_equal_steps(model, device="cuda")


def test_a_stack_leaves_behind_what_each_seed_does_by_itself():
    kept = {"snapshot_steps": [0, 1], "monitored": IMAGES[:4], "monitored_steps": [1]}
    together = trained(MODELS["VAE0"], **kept)
    for seed, found in zip(SEEDS, together, strict=True):
        (alone,) = trained(MODELS["VAE0"], [seed], **kept)
        assert found.timing.shape == alone.timing.shape
        np.testing.assert_allclose(found.history, alone.history, rtol=1e-2)
        np.testing.assert_allclose(found.monitored_bce, alone.monitored_bce, rtol=1e-2)
        for name in ("weights", "snapshots", "latents"):
            ours, others = getattr(found, name), getattr(alone, name)
            assert ours.keys() == others.keys()
            for key, value in ours.items():
                exact = key.startswith("0/") or key.endswith(("_before", "label"))
                np.testing.assert_allclose(value, others[key], atol=0 if exact else 2e-2, err_msg=key)
        ours, others = (torch.load(run.checkpoint, weights_only=True) for run in (found, alone))
        assert ours["steps_done"] == others["steps_done"]
        for name, value in ours["model"].items():
            torch.testing.assert_close(value, others["model"][name], rtol=0, atol=1e-2)
            assert value.untyped_storage().nbytes() == value.nbytes  # not that of the stack


@pytest.mark.gpu
def test_a_stack_on_a_gpu_repeats_its_bits():
    first, second = (trained(MODELS["output"], device="cuda") for _ in range(2))
    for ours, others in zip(first, second, strict=True):
        assert ours.history.equals(others.history)


def test_stacks_that_begin_with_one_seed_share_out_the_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    asked = []

    def refuse(*arguments, device, **rest):
        asked.append(device.index)
        raise InterruptedError

    monkeypatch.setattr("topogen.training.run.Trainer", refuse)
    for identity in map(str, range(8)):
        with pytest.raises(InterruptedError):
            trained(MODELS["VAE0"], identity=identity)
    assert set(asked) == {0, 1}


def test_a_stack_that_was_cut_off_resumes_to_the_same_result(tmp_path, monkeypatch):
    partial = {"partial": tmp_path / "partial.pt", "identity": "these seeds"}
    whole = trained(MODELS["placebo"], epochs=3)

    def cut_off(trainers):
        if trainers[0].steps_done == 7:
            raise KeyboardInterrupt
        return step_together(trainers)

    with monkeypatch.context() as patch:
        patch.setattr("topogen.training.run.step_together", cut_off)
        with pytest.raises(KeyboardInterrupt):
            trained(MODELS["placebo"], epochs=3, **partial)
    resumed = trained(MODELS["placebo"], epochs=3, **partial)
    for first, second in zip(resumed, whole, strict=True):
        assert first.checkpoint.getvalue() == second.checkpoint.getvalue()
        assert first.history.equals(second.history)


def test_a_seed_that_diverges_is_named_and_its_history_kept(monkeypatch):
    """One of three has a weight that is not a number in its third step."""

    def spoilt(trainers):
        if trainers[0].steps_done == 2:
            with torch.no_grad():
                next(trainers[1].model.parameters()).fill_(torch.nan)
        return step_together(trainers)

    monkeypatch.setattr("topogen.training.run.step_together", spoilt)
    with pytest.raises(TrainingError, match="step 2: not finite: bce, kld") as error:
        trained(MODELS["VAE0"])
    assert error.value.seed == SEEDS[1]
    assert len(error.value.history) == 2


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MODELS["VAE0"] | {"stopping": Stopping(IMAGES[:4], patience=1)}, "stop_early: .* same steps"),
        ({"architecture": "diffusion", "widths": [2, 4], "regularizers": []}, "diffusion: .* cannot"),
    ],
    ids=["stop_early", "diffusion"],
)
def test_seeds_that_cannot_be_one_stack_are_refused(model, message):
    with pytest.raises(ValueError, match=f"{message}.*; train each seed by itself"):
        trained(model)
