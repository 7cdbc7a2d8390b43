"""Tables of the experiments on made-up data and damaged batches."""

import pandas as pd


def half_loss_table(halves: pd.DataFrame) -> pd.DataFrame:
    """How many steps point clouds need for half of the way down, cells formatted as text.

    Args:
        halves: columns experiment, gradient, first, last, half, steps.
    """
    steps = halves["steps"].map("{:.0f}".format).where(halves["steps"].notna(), "never")
    return pd.DataFrame(
        {
            "experiment": halves["experiment"],
            "gradient": halves["gradient"],
            "first loss": halves["first"].map("{:.3f}".format),
            "last loss": halves["last"].map("{:.3f}".format),
            "half": halves["half"].map("{:.3f}".format),
            "steps to half": steps,
        }
    )


def moved_table(moved: pd.DataFrame) -> pd.DataFrame:
    """How many images of a batch each gradient moves, over batches, cells formatted as text.

    Args:
        moved: columns regularizer, batch, moved, images.
    """
    grouped = moved.groupby("regularizer", sort=False)
    counts = grouped["moved"].agg(["median", "min", "max"]).astype(int).astype(str)
    counts["images"] = grouped["images"].first().astype(str)
    names = {"median": "moved, median", "min": "least", "max": "most", "images": "of images"}
    return counts.rename(columns=names).reset_index()


def collapse_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Modes that regularized GANs cover beside plain ones of the same seeds, cells formatted as text.

    Args:
        differences: of :func:`topogen.synthetic.gan.paired_differences`.
    """
    interval = zip(differences["difference"], differences["low"], differences["high"], strict=True)
    return pd.DataFrame(
        {
            "GAN": differences["variant"],
            "modes covered": differences["measure"],
            "seeds": differences["n"].astype(str),
            "plain": differences["plain_modes"].map("{:.2f}".format),
            "regularized": differences["modes"].map("{:.2f}".format),
            "difference": [f"{mean:.2f} [{low:.2f}, {high:.2f}]" for mean, low, high in interval],
            "near a mode, plain (%)": (100 * differences["plain_near"]).map("{:.0f}".format),
            "near a mode, regularized (%)": (100 * differences["near"]).map("{:.0f}".format),
            "seeds with fewer, equal, more": [
                f"{fewer}, {equal}, {more}"
                for fewer, equal, more in zip(
                    differences["fewer"], differences["equal"], differences["more"], strict=True
                )
            ],
        }
    )
