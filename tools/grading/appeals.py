"""The second look at an answer: wider spelling, other names that the source itself gives, what the source says, and the language
model where there is one. It can only raise a grade."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from tools.grading.asked import Asked, Response
from tools.grading.grades import Grade
from tools.grading.grading import Judge, grade
from tools.grading.meaning import FEWEST_WORDS, content, contradiction, likeness
from tools.grading.opposites import apart
from tools.grading.rubric import by_rubric
from tools.grading.wording import forms, vocabulary
from tools.study.keys import ClozeKey, Expected, Key, ShortKey

WIDER = 0.2
"""Share of a term's letters that may be off at a second look, when no word of the source is nearer."""
SHORTEST_TERM = 5
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_ALSO = (
    r"\s*(?:\(\s*(?:also\s+|or\s+|i\.e\.,?\s+|auch\s+)?(?:known as\s+|called\s+)?|,?\s+(?:also|sometimes|often)\s+(?:known as|called|named)\s+"
    r"|,?\s+(?:known as|called|that is,?|i\.e\.,?|in other words,?|or,?|a\.k\.a\.|short for|abbreviated(?: as| to)?|bzw\.|oder|auch|"
    r"das heißt|d\. ?h\.|ou|aussi appelée?|c'est-à-dire)\s+|\s*=\s*|\s*[-–—]\s+)[\"'“„«]?(?:the |an? |der |die |das |le |la |l')?"
)


@dataclass(frozen=True, slots=True)
class SecondLook:
    grade: Grade
    accepted: tuple[tuple[int, str], ...] = ()
    """Wordings that the key should accept from now on: number of the gap (0 for a short answer), and what was written."""


async def look_again(
    asked: Asked, key: Key, response: Response | None, plea: str, source: str, judge: Judge
) -> SecondLook:
    """The better of the first rules applied again and the wider ones. `source` is what the question was made from."""
    first = await grade(asked, key, response, judge)
    if response is None or first.is_correct or not isinstance(key, ShortKey | ClozeKey):
        return SecondLook(first)
    texts = [str(one) for one in response] if isinstance(response, list) else [str(response)]
    if isinstance(key, ClozeKey):
        return _gaps(asked, key, texts, source, first)
    found = _same_name(asked, key.expected, texts[0], source) or _in_source(
        asked, key.expected, texts[0], source
    )
    if found is not None:
        return SecondLook(Grade(1.0, "appeal", found, {"first": first.detail}), ((0, texts[0]),))
    judged = await by_rubric(judge.model, asked.text, key, texts[0], plea)
    if judged is not None and judged.share > first.share:
        why = Grade(judged.share, "appeal", judged.why, judged.detail)
        return SecondLook(why, ((0, texts[0]),) if judged.is_correct and not key.rubric else ())
    return SecondLook(first)


def _gaps(asked: Asked, key: ClozeKey, texts: Sequence[str], source: str, first: Grade) -> SecondLook:
    gaps = first.detail.get("gaps") or [{"right": first.is_correct, "why": first.why}]
    accepted, reasons, right = [], [], 0
    for n, (gap, text, seen) in enumerate(zip(key.gaps, texts, gaps, strict=False)):
        found = None if seen["right"] or not text else _same_name(asked, gap, text, source)
        if found:
            accepted.append((n, text))
            reasons.append(found)
        right += bool(seen["right"] or found)
    if not accepted:
        return SecondLook(first)
    return SecondLook(
        Grade(right / len(key.gaps), "appeal", " ".join(reasons), {"first": first.detail}), tuple(accepted)
    )


def _same_name(asked: Asked, expected: Expected, given: str, source: str) -> str | None:
    """Why the answer is another spelling or, by the source, another name of the key; None when it is not."""
    if expected.number is not None or contradiction(expected.text, given):
        return None
    if _spelled_alike(expected.text, given, vocabulary([source, asked.text, asked.quote])):
        return f"It is {expected.text!r} in another spelling."
    for text in (expected.text, *expected.accepted):
        one, other = re.escape(text.strip()), re.escape(given.strip())
        for a, b in ((one, other), (other, one)):
            link = re.search(rf"(?<!\w){a}{_ALSO}{b}(?!\w)", source, re.IGNORECASE)
            if link:
                return f"The source gives it as another name: “{' '.join(link.group().split())}”."
    return None


def _spelled_alike(text: str, given: str, known: frozenset[str]) -> bool:
    for a in forms(text):
        for b in forms(given):
            words = b.split()
            if (
                len(a) < SHORTEST_TERM
                or any(c.isdigit() for c in a + b)
                or any(word in known for word in words)
            ):
                continue
            if apart(a, b) or any(apart(x, y) for x, y in zip(a.split(), words, strict=False)):
                continue
            if OSA.distance(a, b) <= WIDER * len(a):
                return True
    return False


def _in_source(asked: Asked, expected: Expected, given: str, source: str) -> str | None:
    """Why the source supports a whole sentence: one sentence of it says all of it, and most of the key."""
    if len(content(given)) < FEWEST_WORDS or len(content(expected.text)) < FEWEST_WORDS:
        return None
    if likeness(expected.text, given, asked.text).contradicts:
        return None
    for sentence in _SENTENCE.split(source):
        backed, meant = likeness(sentence, given), likeness(expected.text, given, asked.text)
        aimed = likeness(expected.text, sentence, asked.text)
        if (
            backed.new == 0
            and not backed.swapped
            and not backed.contradicts
            and meant.missing <= 1
            and aimed.missing == 0
        ):
            return f"The source says it: “{sentence.strip()}”"
    return None
