"""Numbers for the passages of one turn, and which of them an answer really used."""

import re
from typing import Any

QUOTE_CHARACTERS = 300

_MARK = re.compile(r"(?<!\\)\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?!\()")
"""`[3]` or `[3, 5]`, but neither an escaped bracket nor the text of a Markdown link."""


class Citations:
    """The registry of one turn. A passage keeps its number however often it is found; numbers start at 1."""

    def __init__(self) -> None:
        self._passages: dict[str, dict[str, Any]] = {}

    def number(self, artifact: dict[str, Any]) -> None:
        """Write `number` into every passage of a tool's output: the `hits` of a search, or an opened passage itself.

        The sources of a note keep the numbers that its text has, when it is the first thing that is read.
        """
        if not self._passages:
            self._passages.update({f"{s['passage_id']} {s['number']}": s for s in sources_of(artifact)})
        for passage in passages_of(artifact):
            following = max((known["number"] for known in self._passages.values()), default=0) + 1
            known = self._passages.setdefault(str(passage["passage_id"]), {**passage, "number": following})
            passage["number"] = known["number"]

    def restore(self, artifact: dict[str, Any]) -> None:
        """Take over the passages of an output that was numbered before."""
        for passage in passages_of(artifact):
            if isinstance(passage.get("number"), int):
                self._passages.setdefault(str(passage["passage_id"]), passage)

    def used_in(self, text: str) -> list[dict[str, Any]]:
        """`{number, passage_id, label, quote, locator}` of each passage that the text cites, in order of number.

        Numbers that no passage of this turn has are not citations.
        """
        cited = cited_numbers(text)
        return [citation(passage) for passage in self._passages.values() if passage["number"] in cited]


def passages_of(artifact: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of an output that can be cited: each has a passage id, a text and a locator."""
    found = artifact.get("hits")
    candidates = found if isinstance(found, list) else [artifact]
    return [
        p
        for p in candidates
        if isinstance(p, dict) and p.get("passage_id") and {"text", "locator"} <= p.keys()
    ]


def sources_of(artifact: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbered sources of a note, as passages."""
    found = artifact.get("sources")
    return [
        {**s, "text": s["quote"]}
        for s in (found if isinstance(found, list) else [])
        if isinstance(s, dict) and s.get("passage_id") and {"number", "quote", "locator"} <= s.keys()
    ]


def cited_numbers(text: str) -> set[int]:
    """The numbers that occur as `[n]`."""
    return {int(number) for mark in _MARK.finditer(text) for number in mark[1].split(",")}


def without_marks(text: str) -> str:
    """The text without `[n]`: numbers of an earlier turn mean nothing in a later one."""
    return re.sub(rf" ?{_MARK.pattern}", "", text)


def citation(passage: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": passage["number"],
        "passage_id": str(passage["passage_id"]),
        "label": str(passage.get("label") or ""),
        "quote": shortened(str(passage["text"]), QUOTE_CHARACTERS),
        "locator": passage["locator"],
    }


def shortened(text: str, most: int) -> str:
    """One line of at most about `most` characters, cut between words."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    return (
        line[: most + 1].rpartition(" ")[0][:most].rstrip(",;:. ") + " …"
        if " " in line[:most]
        else line[:most] + "…"
    )
