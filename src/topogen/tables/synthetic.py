"""Tables of the experiments on made-up data and damaged batches."""

from collections.abc import Sequence

import pandas as pd

from topogen.tables.forms import mean_with_interval


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


MEASURES = {"modes": "modes covered", "near": "near a mode (%)", "mmd": "squared MMD (1/1000)"}
FACTORS = {"modes": 1, "near": 100, "mmd": 1000}


def collapse_table(effects: pd.DataFrame, baselines: Sequence[str] = ("plain",)) -> pd.DataFrame:
    """How far GANs collapse, compared with others of the same seeds, cells formatted as text.

    Args:
        effects: of :func:`topogen.synthetic.collapse.paired_differences`.
        baselines: GANs with which others are compared.
    """
    effects = effects[effects["baseline"].isin(baselines)]
    factors = effects["measure"].map(FACTORS)
    columns = ["mean", "baseline_mean", "difference", "low", "high"]
    scaled = effects[columns].mul(factors, axis=0)
    digits = effects["measure"].map({"modes": 2, "near": 1, "mmd": 2})

    def formatted(column: str) -> list[str]:
        return [f"{value:.{n}f}" for value, n in zip(scaled[column], digits, strict=True)]

    intervals = zip(scaled["difference"], scaled["low"], scaled["high"], digits, strict=True)
    counts = effects[["less", "equal", "more"]].astype(str)
    return pd.DataFrame(
        {
            "GAN": effects["variant"],
            "compared with": effects["baseline"],
            "measure": effects["measure"].map(MEASURES),
            "when": effects["time"],
            "seeds": effects["n"].astype(str),
            "GAN, mean": formatted("mean"),
            "other, mean": formatted("baseline_mean"),
            "difference": [mean_with_interval(*interval) for interval in intervals],
            "seeds with less, equal, more": counts.agg(", ".join, axis=1),
        }
    )


def strength_table(tuning: pd.DataFrame, seeds: pd.DataFrame) -> pd.DataFrame:
    """Measures of each variant at each of its strengths, and which was taken, cells formatted as text.

    Args:
        tuning: of :func:`topogen.synthetic.collapse.by_seed`, from the seeds that strengths are chosen on.
        seeds: likewise, from the other seeds, at the strengths that were taken.
    """
    over_steps = tuning[tuning["time"] == "over all steps"]
    means = over_steps.groupby(["variant", "strength"], sort=False)
    taken = set(seeds[["variant", "strength"]].itertuples(index=False, name=None))
    return pd.DataFrame(
        {
            "GAN": [variant for (variant, _), _ in means],
            "strength": [f"{strength:g}" for (_, strength), _ in means],
            "seeds": [str(len(part)) for _, part in means],
            "modes covered": [f"{part['modes'].mean():.2f}" for _, part in means],
            "near a mode (%)": [f"{100 * part['near'].mean():.1f}" for _, part in means],
            "squared MMD (1/1000)": [f"{1000 * part['mmd'].mean():.2f}" for _, part in means],
            "taken": ["yes" if key in taken else "" for key, _ in means],
        }
    )
