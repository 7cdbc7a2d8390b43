"""How many seeds a verdict with a direction takes at least: known before a run and used after it."""

import math


def seeds_for_a_direction(rows: int, level: float) -> int:
    """Fewest seeds with which the sign-flip test can find a direction: if all signs are alike.

    The smallest p of n seeds, 2/2^n, times the rows is below the level (Holm's first step). From 14 seeds on
    the test draws patterns of signs instead of counting all, which matters for some 200 rows and more.

    Args:
        rows: of the family.
        level: of the family.

    >>> seeds_for_a_direction(1, 0.05), seeds_for_a_direction(32, 0.05)
    (6, 11)
    """
    return math.floor(math.log2(2 * rows / level)) + 1
