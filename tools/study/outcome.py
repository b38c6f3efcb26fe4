"""What a person reads about a job that makes items: how far it is, and why there are fewer than were asked for. Pure."""

from collections.abc import Mapping

OTHER_LEVEL = "other_level"
"""A reason of the request itself, beside those of the gate."""

REASONS = {
    "unsupported": "not supported by the material",
    "ambiguous": "with more than one right answer",
    "trivial": "that give their answer away",
    "repeated": "that repeat others",
    "badly_formed": "badly formed",
    "pronoun_only": "that do not say what is meant",
    "refers_elsewhere": "that refer to something not shown",
    OTHER_LEVEL: "not of this level",
}


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def progress(made: int, asked: int, noun: str) -> str:
    return f"{made} of {counted(asked, noun)}"


def others(made: int, fitting: int | None, noun: str, difficulty: str) -> str | None:
    """A sentence when some are of another difficulty; `fitting` were made before that was allowed."""
    if fitting is None or fitting >= made:
        return None
    return f"The material gave only {counted(fitting, f'{difficulty} {noun}')}; the others are of another difficulty."


def notice(made: int, asked: int, noun: str, rejected: Mapping[str, int]) -> str | None:
    """A sentence when fewer could be made than were asked for."""
    if made >= asked:
        return None
    good = f"{counted(made, f'good {noun}')} could be made of the {asked} asked for"
    if not made:
        good = f"No good {noun} could be made"
    if not (whole := sum(rejected.values())):
        return f"{good}: the material gives no more."
    return f"{good}; {counted(whole, 'candidate')} {'was' if whole == 1 else 'were'} turned away: {listed(rejected)}."


def listed(rejected: Mapping[str, int]) -> str:
    """ "61 that repeat others, 30 badly formed", the commonest first."""
    ordered = sorted(rejected.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{number} {REASONS.get(reason, reason)}" for reason, number in ordered if number)
