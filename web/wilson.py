"""Wilson's confidence interval of a share (Wilson, 1927). Pure."""

import math
from typing import Final

_Z: Final = 1.959963984540054
"""The normal distribution's quantile of 97.5%: the interval has 95%."""


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95% confidence interval of a share, 0 to 1, of `trials` (at least 1)."""
    share = successes / trials
    weight = _Z**2 / trials
    center = share + weight / 2
    half = _Z * math.sqrt((share * (1 - share) + weight / 4) / trials)
    low, high = (center - half) / (1 + weight), (center + half) / (1 + weight)
    return max(low, 0.0), min(high, 1.0)
