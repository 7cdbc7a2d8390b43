import pandas as pd

from topogen.training.divergence import forget_divergence, note_divergence, noted_divergence


def test_a_divergence_is_known_of_the_very_same_training_only(tmp_path):
    losses = tmp_path / "VAE0-1.diverged.csv"
    assert noted_divergence(losses, "this training") is None
    note_divergence(losses, pd.DataFrame({"step": [0], "bce": [1.5]}), "step 1: not finite", "this training")
    assert losses.read_text() == "step,bce\n0,1.5\n"
    assert noted_divergence(losses, "this training") == "step 1: not finite"
    assert noted_divergence(losses, "after a change of the learning rate") is None
    forget_divergence(losses)
    assert list(tmp_path.iterdir()) == []
