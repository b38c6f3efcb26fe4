"""Grades of closed questions, with partial credit. Guessing is worth nothing on average where several things are asked. Pure."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from tools.grading.grades import Grade


def choice(key: str, given: str) -> Grade:
    right = key == given
    return Grade(
        float(right), "rule", "This is the right choice." if right else "This is not the right choice."
    )


def truth(key: bool, given: bool) -> Grade:
    said = f"The statement is {'true' if key else 'false'}."
    return Grade(float(key is given), "rule", said)


def several(key: Sequence[str], given: Sequence[str]) -> Grade:
    """(right - wrong) / right ones there are, not below 0. A list without any right choice must stay empty."""
    wanted, chosen = set(key), set(given)
    right, wrong = len(wanted & chosen), len(chosen - wanted)
    share = max(0.0, (right - wrong) / len(wanted)) if wanted else float(not chosen)
    why = f"{right} of {counted(len(wanted), 'right choice')}"
    why += f", and {counted(wrong, 'wrong one')} taken off." if wrong else "."
    return Grade(share, "rule", why, {"right": right, "wrong": wrong, "of": len(wanted)})


def pairs(key: Mapping[str, str], given: Mapping[str, str]) -> Grade:
    right = sum(given.get(left) == wanted for left, wanted in key.items())
    wrong = sorted(left for left, wanted in key.items() if given.get(left) != wanted)
    why = f"{right} of {counted(len(key), 'pair')} right."
    return Grade(
        right / len(key) if key else 1.0, "rule", why, {"right": right, "of": len(key), "wrong": wrong}
    )


def order(key: Sequence[str], given: Sequence[str]) -> Grade:
    """Kendall's tau, not below 0: pairs in the right order less pairs in the wrong one, of all pairs.

    M. G. Kendall, A New Measure of Rank Correlation, Biometrika 30 (1938). A random order earns 0 on average before it is cut
    off at 0; the longest common subsequence would give it 2 / sqrt(n).
    """
    place = {one: n for n, one in enumerate(given)}
    all_pairs = list(combinations(key, 2))
    both = [(a, b) for a, b in all_pairs if a in place and b in place]
    right = sum(place[a] < place[b] for a, b in both)
    wrong = len(both) - right
    share = max(0.0, (right - wrong) / len(all_pairs)) if all_pairs else float(list(key) == list(given))
    why = (
        "All are in order."
        if share == 1
        else f"{right} of {counted(len(all_pairs), 'pair')} of steps stand in the right order."
    )
    return Grade(share, "rule", why, {"right": right, "wrong": wrong, "of": len(all_pairs)})


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
