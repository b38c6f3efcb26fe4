"""Answers to a past paper: each question is looked up in the material, and answered with quotes, or plainly not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
import structlog

from storage.errors import Unavailable
from storage.models import Material
from storage.repositories.lexical import Scope
from storage.repositories.notes import PassageText
from storage.resources import Storage
from tools.context import TextModel
from tools.documents.citing import Citing
from tools.documents.content import Answered, Quote, Section
from tools.documents.work import PartMade
from tools.notes import cues
from tools.notes.draft import Lexicon
from tools.notes.outline import Embed
from tools.notes.reading import Sentence
from tools.notes.support import share_of_words
from tools.notes.writing import fenced, stands
from tools.search.engine import search
from tools.search.query import ParsedQuery
from tools.study.papers import PaperPlace, PaperQuestion

log = structlog.get_logger()

PROMPTS = Path(__file__).parent / "prompts"
PROMPT_VERSION = "answers-1"
ANSWER_TOKENS = 500
MOST_FAILURES = 2
"""Of a language model, one after the other; then it is not asked any more."""
ASKED_CHARACTERS = 600
"""Of a question, to look for what answers it."""
HITS = 8
MOST_SENTENCES = 90
NEAR = 0.1
"""How much less a further sentence may score than the best one to be quoted too."""
SURE, POSSIBLE = 0.62, 0.4
"""Cosine of a question and a sentence: from the first on it answers alone, from the second on if it shares enough words."""
SHARED = 0.5
"""Share of the question's words that the sentences and their passage must hold."""
_OVERLAP, _DEFINES = 0.25, 0.1

_ASKS_WHAT = re.compile(
    r"\b(?:what (?:is|are|does)|define|definition|explain the term|meant by|was ist|definieren)\b", re.I
)
_ORDERS = re.compile(
    r"\b(?:state|give|name|list|explain|describe|define|discuss|outline|briefly|calculate|compute|find|show|prove|write|using|marks?|following|why|how|what|which|when|where|who|does|between|question|example|examples|each|your|answer|words?|terms?|one|two|three|four|five)\b",
    re.I,
)
_LINE = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+(?P<text>\S.*)$")
_MARKS = re.compile(r"\s*\[\s*(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\s*\]")


@dataclass(frozen=True, slots=True)
class Library:
    """The material that is answered from."""

    materials: dict[UUID, Material]
    sentences: dict[UUID, list[Sentence]]
    """By chunk, with stems."""
    material_of: dict[UUID, UUID]
    lexicon: Lexicon


@dataclass(frozen=True, slots=True)
class Found:
    sentence: Sentence
    material: Material


@dataclass(slots=True)
class AnswerWork:
    storage: Storage
    user_id: UUID
    paper: Material
    paper_passages: Sequence[PassageText]
    paper_text: dict[int, tuple[int, str]]
    """By segment of the paper: its number and text."""
    questions: Sequence[PaperQuestion]
    library: Library
    embed: Embed
    version: str
    model: TextModel | None = None
    model_name: str | None = None
    _failures: int = field(default=0)

    @property
    def maker(self) -> str:
        return self.model_name or "builtin"

    @property
    def total(self) -> int:
        return len(self.questions)

    async def part(self, index: int, citing: Citing) -> PartMade:
        question = self.questions[index]
        found = await self.evidence_for(question)
        answer = await self._written(question, found) if found else _Written()
        shown = self._shown(found, answer)
        item = Answered(
            number=question.number,
            question=" ".join(filter(None, (question.context, question.text))),
            options=[option.text for option in question.options],
            marks=question.points,
            answer=answer.text,
            quotes=[
                Quote(text=one.sentence.text, cites=[citing.number(one.material, one.sentence)])
                for one in shown
            ],
            is_found=bool(found),
            asked_at=citing.numbers(
                self.paper, [one for p in question.places[:1] if (one := self._asked(p))]
            ),
        )
        return PartMade(
            section=Section(heading=question.section or "", items=[item]),
            written=answer.lines,
            dropped=answer.dropped,
            fell_back=self.model_name is not None and answer.text is None,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )

    async def close(self) -> None:
        """Nothing is held."""

    def _shown(self, found: Sequence[Found], answer: "_Written") -> list[Found]:
        """What a written answer rests on, else the best sentences."""
        used = [one for one in found if one.sentence in answer.used]
        return used or list(found[:4])

    def _asked(self, place: PaperPlace) -> Sentence | None:
        """The question in the paper, as evidence of where it is asked."""
        number, text = self.paper_text.get(place.segment, (0, ""))
        at = (one for one in self.paper_passages if one.segment == place.segment)
        passages = sorted(at, key=lambda one: not one.char_start <= place.start < one.char_end)
        if not passages:
            return None
        said = " ".join(text[place.start : place.end].split())
        path = tuple(passages[0].heading_path)
        return Sentence(
            passages[0].id, place.segment, number, place.start, place.end, said, path, spoken=False
        )

    # --- looking it up

    async def evidence_for(self, question: PaperQuestion) -> list[Found]:
        """Sentences that answer a question, best first; none when nothing of the material does."""
        asked = " ".join(f"{question.context} {question.text}".split())[:ASKED_CHARACTERS]
        chunk_ids = await self._hits(asked)
        sentences = [one for key in chunk_ids for one in self.library.sentences.get(key, [])][:MOST_SENTENCES]
        able = [one for one in sentences if len(one.text.split()) >= 5 and not one.text.endswith("?")]
        words = _ORDERS.sub(" ", asked)
        if not able or not words.strip():
            return []
        vectors = await self.embed([asked, *(one.text for one in able)])
        cosines = vectors[1:] @ vectors[0]
        shares = np.array([share_of_words(words, [one], self.library.lexicon.stems) for one in able])
        bonus = np.array([_DEFINES if _defines(asked, one) else 0.0 for one in able])
        scores = cosines + _OVERLAP * shares + bonus
        best = int(scores.argmax())
        together = [one for one in able if one.chunk_id == able[best].chunk_id]
        shared = share_of_words(words, together, self.library.lexicon.stems)
        if float(cosines[best]) < POSSIBLE or (float(cosines[best]) < SURE and shared < SHARED):
            return []
        order = [int(i) for i in np.argsort(-scores, kind="stable") if scores[i] >= scores[best] - NEAR]
        most = 2 if (question.points or 0) <= 2 else 4
        return [self._found(able[i]) for i in order[:most]]

    def _found(self, sentence: Sentence) -> Found:
        return Found(sentence, self.library.materials[self.library.material_of[sentence.chunk_id]])

    async def _hits(self, asked: str) -> list[UUID]:
        """Chunks by hybrid search, best first, of this document's materials alone."""
        materials = list(self.library.materials.values())
        query = ParsedQuery(text=asked, words=asked, phrases=(), place=None)
        vector = await self.storage.query_vectors.of(asked)
        one = materials[0].id if len(materials) == 1 else None
        hits = []
        async with self.storage.as_user(self.user_id, read_only=True) as db:
            for class_id in dict.fromkeys(material.class_id for material in materials):
                scope = Scope(class_id, one)
                reach = await db.lexical.reach(scope)
                hits += await search(self.storage, db, query, vector, scope, reach)
        hits.sort(key=lambda hit: -hit.score)
        return [hit.key for hit in hits if hit.key in self.library.material_of][:HITS]

    # --- written by a language model

    async def _written(self, question: PaperQuestion, found: Sequence[Found]) -> "_Written":
        if self.model is None or self.model_name is None or self._failures >= MOST_FAILURES:
            return _Written()
        passages = [self.library.sentences[one.sentence.chunk_id] for one in found]
        passages = list({part[0].chunk_id: part for part in passages}.values())
        options = "".join(f"\n{option.letter}) {option.text}" for option in question.options)
        request = _prompt("answer").format(
            passages="\n".join(
                f"[{n}] {fenced(' '.join(one.text for one in part))}" for n, part in enumerate(passages, 1)
            ),
            question=fenced(f"{question.context} {question.text}".strip()) + fenced(options),
            count=3 if (question.points or 0) <= 2 else 6,
        )
        try:
            said = await self.model.complete(_prompt("system"), request, max_tokens=ANSWER_TOKENS)
        except Unavailable as error:
            log.warning("answers_model_away", code=error.code, reason=str(error))
            self._failures += 1
            return _Written()
        self._failures = 0
        made = _Written(input_tokens=said.input_tokens, output_tokens=said.output_tokens)
        for line in (m["text"] for text in said.text.splitlines() if (m := _LINE.match(text))):
            await self._judge(line, passages, made)
        return made

    async def _judge(self, line: str, passages: Sequence[Sequence[Sentence]], made: "_Written") -> None:
        """A line stands when the passages that it cites support it."""
        made.lines += 1
        cited = [int(n) for mark in _MARKS.finditer(line) for n in re.split(r"\s*[,;]\s*", mark[1])]
        text = " ".join(_MARKS.sub("", line).replace("**", "").split())
        evidence = [one for n in cited if 1 <= n <= len(passages) for one in passages[n - 1]]
        if evidence and await stands(text, evidence, self.library.lexicon, self.embed):
            ranked = sorted(
                evidence, key=lambda one: -share_of_words(text, [one], self.library.lexicon.stems)
            )
            made.kept.append(text)
            made.used.append(ranked[0])
        else:
            made.dropped += 1


@dataclass(slots=True)
class _Written:
    """What a language model wrote, as far as it stands."""

    kept: list[str] = field(default_factory=list)
    used: list[Sentence] = field(default_factory=list)
    lines: int = 0
    dropped: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def text(self) -> str | None:
        return " ".join(self.kept) or None


def _defines(asked: str, sentence: Sentence) -> bool:
    term = cues.defined_term(sentence.text)
    return bool(term and _ASKS_WHAT.search(asked) and term.casefold() in asked.casefold())


def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()
