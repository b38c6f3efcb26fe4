"""How sure one can be of a share that was counted in few cases. Pure."""

from math import sqrt

Z95 = 1.959964
"""Two-sided 95 % of the normal distribution."""


def wilson_lower_bound(hits: float, trials: float, z: float = Z95) -> float:
    """Lower end of the score interval of a share (E. B. Wilson, Probable inference, the law of succession, and statistical
    inference, J. Am. Stat. Assoc. 22, 1927): 1 wrong of 1 says less (0.21) than 8 of 10 (0.49). 0 without trials.

    `hits` may be a fraction: partly right answers count as parts.
    """
    if trials <= 0:
        return 0.0
    share = min(max(hits / trials, 0.0), 1.0)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, (share + z * z / (2 * trials) - spread) / (1 + z * z / trials))
