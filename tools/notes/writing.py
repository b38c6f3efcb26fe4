"""Notes written by a language model, section by section; what its passages do not support is left out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from storage.errors import Unavailable
from tools.context import TextModel
from tools.markdown import escaped
from tools.notes.draft import Draft, Lexicon, Point, heading_for
from tools.notes.outline import Embed, Section
from tools.notes.quoting import Quoting, cue_of, how_many, kind_of, questions
from tools.notes.reading import Sentence
from tools.notes.support import ALIKE, DOUBTFUL, SUPPORTED, best_evidence, has_its_numbers, share_of_words
from tools.notes.terms import key_terms, tokens

log = structlog.get_logger()

PROMPTS = Path(__file__).parent / "prompts"
PROMPT_VERSION = "notes-1"
PART_CHARACTERS = 4800
"""Of passages in one prompt: some 1,200 tokens of English, which leaves room in a context of 4,096."""
PASSAGE_CHARACTERS = 900
ANSWER_CHARACTERS = 1500
"""Of a useless answer that is shown again."""
ANSWER_TOKENS = 600
MOST_FAILURES = 2
"""One after the other, then it is not asked any more."""
TERMS = 6
PURPOSES = {
    "lecture": "lecture notes: what was explained, defined and shown",
    "summary": "a summary: only what the whole part comes down to",
    "outline": "an outline: one short line for each step of the argument",
    "cornell": "the notes column of a Cornell page: facts and ideas to be asked about",
}

Passages = Sequence[Sequence[Sentence]]
"""Numbered from 1 in the prompt."""

_LINE = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+(?P<text>\S.*)$")
_HEADING = re.compile(r"^\W*heading\W*:\s*(?P<text>.+)$", re.IGNORECASE)
_MARKS = re.compile(r"\s*\[\s*(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\s*\]")
_MATH = re.compile(r"(\$[^$\n]{1,200}\$)")
_FENCE = re.compile(r"<(?=/?\s*material\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote about one part, sorted out."""

    text: str
    heading: str | None
    points: tuple[Point, ...]
    uncited: int
    unsupported: int
    input_tokens: int
    output_tokens: int

    @property
    def written(self) -> int:
        return len(self.points) + self.uncited + self.unsupported


@dataclass(slots=True)
class Writing:
    """The maker that asks a language model. When nothing of its answers stands for a section, or it no longer answers at
    all, `quoting` makes the section."""

    model: TextModel
    name: str
    embed: Embed
    quoting: Quoting
    _failures: int = field(default=0)
    """Since it last answered."""

    async def make(self, section: Section, type: str, lexicon: Lexicon) -> Draft:
        answers: list[Answer] = []
        for passages in divided(section.sentences):
            if self._failures >= MOST_FAILURES:
                break
            try:
                answers += await self._answers(passages, type, lexicon)
                self._failures = 0
            except Unavailable as error:
                log.warning("notes_model_away", code=error.code, reason=str(error))
                self._failures += 1
        kept = [answer for answer in answers if answer.points]
        made = (
            _joined(kept, section, type, lexicon) if kept else await self.quoting.make(section, type, lexicon)
        )
        return replace(
            made,
            fell_back=not kept,
            written=sum(answer.written for answer in answers),
            dropped=sum(answer.uncited + answer.unsupported for answer in answers),
            input_tokens=sum(answer.input_tokens for answer in answers),
            output_tokens=sum(answer.output_tokens for answer in answers),
        )

    async def _answers(self, passages: Passages, type: str, lexicon: Lexicon) -> list[Answer]:
        """The answer about one part. A useless one is asked for again once; then the better one keeps its points."""
        count = how_many(Section(tuple(one for passage in passages for one in passage)), type)
        request = _prompt("section").format(
            passages="\n".join(
                f"[{n}] {fenced(' '.join(one.text for one in passage))}"
                for n, passage in enumerate(passages, 1)
            ),
            count=f"{count} to {count + 2}",
            purpose=PURPOSES[type],
        )
        first = await self._ask(request, passages, lexicon)
        if 2 * len(first.points) >= count:
            return [first]
        again = _prompt("repair").format(
            request=request, answer=first.text[:ANSWER_CHARACTERS], problems=_problems(first)
        )
        second = await self._ask(again, passages, lexicon)
        better, worse = (second, first) if len(second.points) > len(first.points) else (first, second)
        return [better, replace(worse, points=())]

    async def _ask(self, request: str, passages: Passages, lexicon: Lexicon) -> Answer:
        said = await self.model.complete(_prompt("notes"), request, max_tokens=ANSWER_TOKENS)
        lines = [m["text"] for line in said.text.splitlines() if (m := _LINE.match(line))]
        cited = [(line, numbers) for line in lines if (numbers := _numbers(line, len(passages)))]
        points = []
        for line, numbers in cited:
            text = " ".join(_MARKS.sub("", line).replace("**", "").split())
            evidence = [one for n in numbers for one in passages[n - 1]]
            if await stands(text, evidence, lexicon, self.embed):
                points.append(_point(text, evidence, lexicon))
        heading = next((m["text"] for line in said.text.splitlines() if (m := _HEADING.match(line))), None)
        return Answer(
            text=said.text,
            heading=_usable_heading(heading, [one for passage in passages for one in passage], lexicon),
            points=tuple(points),
            uncited=len(lines) - len(cited),
            unsupported=len(cited) - len(points),
            input_tokens=said.input_tokens,
            output_tokens=said.output_tokens,
        )


async def stands(text: str, evidence: Sequence[Sentence], lexicon: Lexicon, embed: Embed) -> bool:
    """Whether the passages that a point cites support it: by their words, or for a paraphrase by meaning; and each number
    must stand there."""
    share = share_of_words(text, evidence, lexicon.stems)
    if not has_its_numbers(text, evidence) or share < DOUBTFUL:
        return False
    if share >= SUPPORTED:
        return True
    vectors = await embed([text, *(one.text for one in evidence)])
    return float((vectors[1:] @ vectors[0]).max()) >= ALIKE


def divided(sentences: Sequence[Sentence]) -> list[list[list[Sentence]]]:
    """Parts that fit a prompt, each of passages: sentences that follow each other in one chunk."""
    parts: list[list[list[Sentence]]] = [[]]
    room, open_passage = PART_CHARACTERS, 0
    for sentence in sentences:
        size = len(sentence.text) + 1
        passage = parts[-1][-1] if parts[-1] else []
        if (
            passage
            and size <= room
            and passage[-1].chunk_id == sentence.chunk_id
            and open_passage + size <= PASSAGE_CHARACTERS
        ):
            passage.append(sentence)
            open_passage += size
        else:
            if parts[-1] and size > room:
                parts.append([])
                room = PART_CHARACTERS
            parts[-1].append([sentence])
            open_passage = size
        room -= size
    return [part for part in parts if part]


def fenced(text: str) -> str:
    """A passage for a prompt: its own marks of citation and of the fence are made harmless."""
    return _FENCE.sub("‹", _MARKS.sub(lambda mark: f" ({mark[1]})", text))


def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def _numbers(line: str, most: int) -> list[int]:
    """The passages that a line cites; none when it cites one that was not given."""
    cited = [int(n) for mark in _MARKS.finditer(line) for n in re.split(r"\s*[,;]\s*", mark[1])]
    return list(dict.fromkeys(cited)) if all(1 <= n <= most for n in cited) else []


def _problems(answer: Answer) -> str:
    said = []
    if not answer.written:
        said.append("There was no line that begins with “- ”.")
    if answer.uncited:
        said.append("Points without the number of a passage that was given do not count.")
    if answer.unsupported:
        said.append("Some points say what their passage does not say.")
    return " ".join(said)


def _point(text: str, evidence: Sequence[Sentence], lexicon: Lexicon) -> Point:
    best = best_evidence(text, evidence, lexicon.stems)
    kind = kind_of(replace(best[0], text=text))
    # Formulas stay; everything else that would be markup is made plain, for a passage may have asked for it.
    marked_up = "".join(part if _MATH.fullmatch(part) else escaped(part) for part in _MATH.split(text))
    return Point(marked_up, best, kind, marked_up=True)


def _usable_heading(heading: str | None, sentences: Sequence[Sentence], lexicon: Lexicon) -> str | None:
    """A heading of the model's that is short and made of the passages' words."""
    if heading is None:
        return None
    plain = " ".join(re.sub(r"[*_#`\"“”]", "", _MARKS.sub("", heading)).split()).strip(" .:")
    if not 1 <= len(plain.split()) <= 9 or share_of_words(plain, sentences, lexicon.stems) < SUPPORTED:
        return None
    return plain


def _joined(answers: Sequence[Answer], section: Section, type: str, lexicon: Lexicon) -> Draft:
    """The answers about a section's parts as one draft."""
    terms = key_terms(
        [tokens(one.text, lexicon.stems) for one in section.sentences], lexicon.spread, lexicon.parts, TERMS
    )
    points = _distinct([point for answer in answers for point in answer.points])
    cued = [replace(point, cue=cue_of(point.text, terms)) for point in points]
    written = next((answer.heading for answer in answers if answer.heading), None)
    return Draft(
        heading=(written if section.is_topic or not section.titles else None) or heading_for(section, terms),
        points=tuple(cued),
        terms=tuple(terms),
        gist=max(cued, key=lambda point: share_of_words(" ".join(terms), point.evidence, lexicon.stems)),
        questions=tuple(questions(cued)) if type == "cornell" else (),
    )


def _distinct(points: Sequence[Point]) -> list[Point]:
    """Models repeat themselves."""
    seen: dict[str, Point] = {}
    for point in points:
        seen.setdefault(re.sub(r"\W+", " ", point.text.casefold()).strip(), point)
    return list(seen.values())
