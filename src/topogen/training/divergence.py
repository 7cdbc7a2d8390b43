"""What is kept of a training that diverged, so that a cluster does not train it again in vain."""

import json
from pathlib import Path

import pandas as pd

from topogen.files import save_json, save_text


def note_divergence(losses: Path, history: pd.DataFrame, message: str, identity: str) -> None:
    """Keep the losses of the steps before, and beside them what happened to which training.

    Args:
        losses: CSV file; the note has the same name with the ending json.
        history: one row per step.
        message: where the training stopped, and why.
        identity: tells trainings apart: arguments, data and code.

    """
    save_text(losses, history.to_csv(index=False))
    save_json(losses.with_suffix(".json"), {"identity": identity, "message": message})


def noted_divergence(losses: Path, identity: str) -> str | None:
    """Message of a note about this very training; None if there is none."""
    note = losses.with_suffix(".json")
    if not note.exists():
        return None
    content = json.loads(note.read_text(encoding="utf-8"))
    return str(content["message"]) if content["identity"] == identity else None


def forget_divergence(losses: Path) -> None:
    """Remove what an earlier training left."""
    for file in (losses, losses.with_suffix(".json")):
        file.unlink(missing_ok=True)
