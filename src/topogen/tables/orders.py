"""Table of r(s) by the order of the images, as text."""

import pandas as pd


def order_table(improvement: pd.DataFrame) -> pd.DataFrame:
    """Mean of r(s) in each order of the images, and how far the means lie apart, cells formatted as text.

    Args:
        improvement: columns order, model, seed, step, r, in percent; the same seeds in every order.

    Returns:
        Columns model, step, n (seeds of each order), for each order the mean with the standard deviation over
        seeds in brackets, and the range of the means, from the smallest to the largest.
    """
    grouped = improvement.groupby(["model", "step", "order"], sort=False)["r"]
    means, deviations = grouped.mean().unstack(sort=False), grouped.std().unstack(sort=False)
    cells = pd.DataFrame(
        {
            f"{order} (%)": [
                f"{mean:z.2f} ({sd:.2f})" for mean, sd in zip(means[order], deviations[order], strict=True)
            ]
            for order in means.columns
        },
        index=means.index,
    )
    seeds = improvement.groupby(["model", "step"], sort=False)["seed"].nunique()
    cells.insert(0, "n", seeds.astype(str))
    cells["range of means (%)"] = [
        f"{low:z.2f} to {high:z.2f}" for low, high in zip(means.min(axis=1), means.max(axis=1), strict=True)
    ]
    return cells.reset_index().astype({"step": str})
