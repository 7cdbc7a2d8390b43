"""Which reference diagrams D0 are computed once, for all trainings; others are computed in each step."""

STORED_DEGREES = (0, 1)


def is_stored(degree: int | None, *, metric: str, subset: int | None) -> bool:
    """Whether D0 is stored: Euclidean diagrams of whole batches in some degrees.

    Args:
        degree: of homology; None: points instead of a diagram.
        metric: of the diagram.
        subset: number of points that are drawn; None: all of them.

    >>> is_stored(1, metric="euclidean", subset=None), is_stored(2, metric="euclidean", subset=None)
    (True, False)
    """
    return metric == "euclidean" and subset is None and degree in STORED_DEGREES
