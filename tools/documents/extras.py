"""Formulas and tables of a material, with what they are about and where they stand. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from storage.repositories.notes import PassageText
from tools.documents.maths.inline import as_linear
from tools.documents.maths.parsing import Unreadable, parsed
from tools.ingest.sentences import sentence_spans
from tools.notes.reading import Sentence

LONGEST_FORMULA = 160
SHORTEST_FORMULA = 5
LONGEST_ABOUT = 130
"""Characters of the words before a formula that are shown with it."""
LONGEST_CAPTION = 240
MOST_ROWS, MOST_COLUMNS, MOST_CELL = 14, 7, 70

_LABEL = re.compile(r"\s*\((?P<label>[A-Z]?\d{1,3}(?:\.\d{1,3}){0,2}[a-z]?)\)\s*$")
_DISPLAY = re.compile(r"^\$\$(?P<a>.+?)\$\$|^\\\[(?P<b>.+?)\\\]", re.S)
_RELATION = re.compile(r"[=≈≃≤≥<>≡∼∝→⇒≠∈]|\\(?:le|ge|leq|geq|approx|equiv|to|sim|propto|in|Rightarrow)\b")
_WORD = re.compile(r"[^\W\d_]{4,}")
_IN_FORMULAS = frozenset(
    "where with when otherwise else sinh cosh tanh arcsin arccos arctan sqrt const".split()
)
# Signs that PDF text has lost or torn apart: an empty bracket, an index on a line of its own, the limits of a lost sum,
# a half that became "12", an accent beside its letter.
_BROKEN = re.compile(
    r"_\s?[+−]|\(\d+\.\d+\)|[(\[{=+−]\s*[)\]}]|\d[a-z]\s?=\s?\d|\(1[2-9]∆|[˜¯ˆ´`¨]|_\{?_|\^\{?\^|/\s*[)=]|^\W*$|\?|�"
)
_TORN = re.compile(r"^\s*[_^]|^[\s+−\-·.,/]*\d*[\s+−\-·.,/]*$")
_GOES_ON = re.compile(r"^\s*[=≈≤≥+−\-·×]")
_OPEN_END = re.compile(r"[=+−\-·×(,]\s*$")
_CAPTION = re.compile(r"(?:table|tab\.|tabelle|tableau|tabla)\s*[\dA-Z]", re.I)
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_PIPE = re.compile(r"(?<!\\)\|")
_PAIRS = {"(": ")", "[": "]", "{": "}"}


class Page(Protocol):
    """A segment with its text and blocks."""

    ordinal: int
    number: int
    text: str
    blocks: list[Any]


@dataclass(frozen=True, slots=True)
class FoundFormula:
    evidence: Sentence
    tex: str | None
    text: str
    about: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class FoundTable:
    evidence: Sentence
    rows: tuple[tuple[str, ...], ...]
    caption: str | None


# --- formulas


def formulas_of(pages: Iterable[Page], passages: Sequence[PassageText]) -> list[FoundFormula]:
    """Formulas that stand on lines of their own and can be set, each once."""
    by_segment: dict[int, list[PassageText]] = {}
    for passage in passages:
        by_segment.setdefault(passage.segment, []).append(passage)
    found: list[FoundFormula] = []
    seen: set[str] = set()
    for page in pages:
        before: list[Any] | None = None
        for block in page.blocks:
            if block[0] == "formula":
                about = about_of(page.text[before[1] : before[2]]) if before and before[0] == "text" else None
                for one in _in_block(page, block, about, by_segment.get(page.ordinal, [])):
                    key = re.sub(r"\W+", "", one.text)
                    if key not in seen:
                        seen.add(key)
                        found.append(one)
            before = block
    return found


def _in_block(
    page: Page, block: list[Any], about: str | None, passages: Sequence[PassageText]
) -> list[FoundFormula]:
    start, text = int(block[1]), page.text[int(block[1]) : int(block[2])]
    made = []
    for n, (offset, tex, line, label) in enumerate(formulas_in(text)):
        at = start + offset
        passage = next((one for one in passages if one.char_start <= at < one.char_end), None)
        if passage is not None:
            evidence = Sentence(
                chunk_id=passage.id,
                segment=page.ordinal,
                number=page.number,
                start=at,
                end=min(at + len(line), int(block[2])),
                text=" ".join(line.split()),
                path=tuple(passage.heading_path),
                spoken=False,
            )
            made.append(FoundFormula(evidence, tex, evidence.text, about if n == 0 else None, label))
    return made


def formulas_in(text: str) -> list[tuple[int, str | None, str, str | None]]:
    """(offset, TeX where it is such, the line, its number) of what can be set."""
    display = _DISPLAY.match(text.strip())
    if display:
        tex = " ".join((display["a"] or display["b"]).split())
        label = _LABEL.search(text.strip()[display.end() :])
        return [(0, tex, tex, label and f"({label['label']})")] if _can_be_set(tex, linear=False) else []
    lines = _joined(text)
    if any(_TORN.match(line) for _, line, _ in lines):
        return []
    return [(offset, None, line, label) for offset, line, label in lines if _can_be_set(line, linear=True)]


def _joined(text: str) -> list[tuple[int, str, str | None]]:
    """Lines with their numbers; what goes on or is nothing but a number belongs to the line before."""
    made: list[tuple[int, str, str | None]] = []
    position = 0
    for raw in text.splitlines(keepends=True):
        label = _LABEL.search(raw.rstrip())
        line = (raw[: label.start()] if label else raw).strip()
        named = f"({label['label']})" if label else None
        if (
            made
            and made[-1][2] is None
            and (not line or _GOES_ON.match(line) or _OPEN_END.search(made[-1][1]))
        ):
            offset, before, _ = made.pop()
            made.append((offset, f"{before} {line}".strip(), named))
        elif line:
            made.append((position + len(raw) - len(raw.lstrip()), line, named))
        position += len(raw)
    return [(offset, re.sub(r"[\s.,;]+$", "", line), label) for offset, line, label in made]


def _can_be_set(line: str, *, linear: bool) -> bool:
    """Whether it is a whole formula that says something: a relation with both sides, and nothing lost."""
    if not SHORTEST_FORMULA <= len(line) <= LONGEST_FORMULA * (1 if linear else 2):
        return False
    relation = _RELATION.search(line)
    if relation is None or not line[: relation.start()].strip() or _OPEN_END.search(line):
        return False
    if not linear:
        try:
            parsed(line)
        except Unreadable:
            return False
        return True
    is_whole = (
        is_balanced(line)
        and not _BROKEN.search(line)
        and not any(word not in _IN_FORMULAS for word in _WORD.findall(line))
    )
    letters = sum(c.isalpha() for c in line)
    return is_whole and letters >= 2 and len(line) - line.count(" ") >= 6 and as_linear(line) is not None


def is_balanced(text: str) -> bool:
    """Every bracket is closed; half-open intervals count as closed."""
    open_ones: list[str] = []
    for character in text:
        if character in _PAIRS:
            open_ones.append(_PAIRS[character])
        elif character in ")]}":
            if not open_ones:
                return False
            expected = open_ones.pop()
            if "}" in (expected, character) and expected != character:
                return False
    return not open_ones


def about_of(text: str) -> str | None:
    """The sentence that leads to a formula."""
    line = " ".join(text.split())
    spans = list(sentence_spans(line))
    if not spans:
        return None
    said = line[spans[-1][0] : spans[-1][1]].strip()
    begins_well = said[:1].isupper() or said[:1].isdigit()
    return said if begins_well and 12 <= len(said) <= LONGEST_ABOUT and is_balanced(said) else None


# --- tables


def tables_of(pages: Iterable[Page], passages: Sequence[PassageText]) -> list[FoundTable]:
    """Small tables with a header, with the caption beside them."""
    found = []
    for page in pages:
        here = [passage for passage in passages if passage.segment == page.ordinal]
        for n, block in enumerate(page.blocks):
            beside = [page.blocks[m] for m in (n - 1, n + 1) if 0 <= m < len(page.blocks)]
            said = [" ".join(page.text[one[1] : one[2]].split()) for one in beside]
            caption = next((one for one in said if _CAPTION.match(one) and len(one) <= LONGEST_CAPTION), None)
            table = _table(page, block, caption, here) if block[0] == "table" else None
            if table is not None and _is_small(table):
                found.append(table)
    return found


def _table(
    page: Page, block: list[Any], caption: str | None, passages: Sequence[PassageText]
) -> FoundTable | None:
    start, end = int(block[1]), int(block[2])
    lines = page.text[start:end].splitlines()
    passage = next((one for one in passages if one.char_start <= start < one.char_end), None)
    if passage is None or len(lines) < 3 or not _RULE.match(lines[1]):
        return None
    rows = tuple(_cells(line) for n, line in enumerate(lines) if n != 1 and "|" in line)
    evidence = Sentence(
        chunk_id=passage.id,
        segment=page.ordinal,
        number=page.number,
        start=start,
        end=end,
        text=caption or " · ".join(cell for cell in rows[0] if cell) or "Table",
        path=tuple(passage.heading_path),
        spoken=False,
    )
    return FoundTable(evidence, rows, caption) if len(rows) > 1 else None


def _cells(line: str) -> tuple[str, ...]:
    parts = _PIPE.split(line.strip().removeprefix("|").removesuffix("|"))
    return tuple(" ".join(part.replace("\\|", "|").split()) for part in parts)


def _is_small(table: FoundTable) -> bool:
    width = max(map(len, table.rows))
    return (
        len(table.rows) <= MOST_ROWS
        and 2 <= width <= MOST_COLUMNS
        and all(len(cell) <= MOST_CELL for row in table.rows for cell in row)
        and sum(bool(cell) for row in table.rows for cell in row) > 0.6 * width * len(table.rows)
    )
