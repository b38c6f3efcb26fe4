"""What is done with a sentence that a language model wrote: words left out of it, exchanged in it, and one chosen of several. Pure.

Raises ValueError with a sentence that the model can act on.
"""

import re
from collections.abc import Callable, Sequence

_SENTENCE_END = re.compile(r"(?<=[a-z)\]][.!?])\s+(?=[A-Z])")
_BLANK = re.compile(r"_{2,}|\{\{\d+\}\}|\[\s*(?:blank|gap|\.{3}|…)\s*\]|…{2,}|\.{4,}", re.IGNORECASE)
_BESIDE = re.compile(r"\s*(?:,|/|,?\s*\b(?:and|or|und|oder|et|y|o|ou)\b)\s*", re.IGNORECASE)


def gapped(sentence: str, gaps: Sequence[str], mark: Callable[[int, str], str]) -> tuple[str, list[str]]:
    """The sentence with each gap replaced by its mark, and the gaps as they stood in it, in its order.

    Raises ValueError for a gap that is not a word of the sentence.
    """
    blanks = _BLANK.findall(sentence)
    if blanks:
        if len(blanks) != len(gaps):
            raise ValueError('"sentence" must be written out in full, with the words of "gaps" in it.')
        filled = iter(gaps)
        sentence = _BLANK.sub(lambda _: next(filled), sentence)
    spans: list[tuple[int, int]] = []
    for gap in gaps:
        pattern = re.compile(rf"(?<!\w){re.escape(gap)}(?!\w)", re.IGNORECASE)
        span = next((m.span() for m in pattern.finditer(sentence) if not _overlaps(m.span(), spans)), None)
        if span is None:
            raise ValueError(f'The gap "{gap}" does not stand in its sentence word for word.')
        spans.append(span)
    spans.sort()
    if len(spans) == 2 and _BESIDE.fullmatch(sentence[spans[0][1] : spans[1][0]]):
        # Of things that are listed side by side each would fit into the other's gap.
        spans.pop()
    if sum(end - start for start, end in spans) > 0.6 * len(sentence):
        raise ValueError("The gaps leave nothing of the sentence.")
    text, position, hidden = "", 0, []
    for number, (start, end) in enumerate(spans, 1):
        hidden.append(sentence[start:end])
        text += sentence[position:start] + mark(number, sentence[start:end])
        position = end
    return text + sentence[position:], hidden


def _overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def exchanged(statement: str, old: str, new: str) -> str:
    """The statement with other words in the place of some; or the whole false statement, where a model wrote that instead.

    Raises ValueError where that gives no other statement.
    """
    told, made = folded(statement).split(), new
    if not _is_statement_like(new, told):
        places = list(re.finditer(rf"(?<!\w){re.escape(old)}(?!\w)", statement, re.IGNORECASE))
        if len(places) != 1:
            times = "more than once" if places else "not"
            raise ValueError(f'"words" must stand in "statement" word for word, once: "{old}" does {times}.')
        found = places[0]
        made = f"{statement[: found.start()]}{new}{statement[found.end() :]}"
    said = folded(made).split()
    if said == told or (set(said) < set(told) and not _DENIALS & (set(told) - set(said))):
        raise ValueError('"instead" must be other words than "words", so that the statement becomes wrong.')
    return made[:1].upper() + made[1:] if statement[:1].isupper() else made


_DENIALS = frozenset("not no never cannot nicht kein keine nie without".split())


def _is_statement_like(text: str, told: Sequence[str]) -> bool:
    """Most of the statement's words again."""
    said = set(folded(text).split())
    return len(said) >= 4 and len(said & set(told)) >= 0.6 * len(set(told))


def folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def one_sentence(written: str, gaps: Sequence[str]) -> tuple[str, list[str]]:
    """Of several sentences the one with most of the gaps, and of the gaps those that stand in it: small models copy whole
    paragraphs, and hide words that stand elsewhere."""
    sentences = _SENTENCE_END.split(written)
    standing = [[gap for gap in gaps if _stands(gap, one)] for one in sentences]
    best = max(range(len(sentences)), key=lambda n: len(standing[n]))
    if not standing[best] or _BLANK.search(written):
        return written, list(gaps)
    return sentences[best], standing[best]


def _stands(gap: str, sentence: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(gap)}(?!\w)", sentence, re.IGNORECASE) is not None
