"""The maker that asks a language model for a few items of one type at a time."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import structlog
from pydantic import ValidationError

from storage.errors import Unavailable
from tools.context import Completion, TextModel
from tools.notes.reading import Sentence
from tools.notes.writing import divided, fenced
from tools.study.items import Batch, Card, Item, MakerFailed, Spent
from tools.study.port import Ground, Topic, Wanted
from tools.study.writing.building import Source, build
from tools.study.writing.forms import FORMS, example_of, schema_of
from tools.study.writing.parsing import parse_items

log = structlog.get_logger()

PROMPTS = Path(__file__).parent.parent / "prompts"
PROMPT_VERSION = "items-2"
ITEMS_A_CALL = 4
"""A model of 1.5 B parameters loses the thread in longer lists."""
FEW_A_CALL = {"matching": 2, "ordering": 2}
PASSAGES_A_CALL = 2
"""Some 450 tokens, which two cores read in half a minute when they have other work besides: with five it was two."""
ITEM_TOKENS = {"matching": 330, "multiple_answer": 200, "ordering": 200, "multiple_choice": 170}
USUAL_ITEM_TOKENS = 130
"""Room for one item of JSON, generously."""
ANSWER_CHARACTERS = 1500
"""Of a useless answer that is shown again."""
MOST_AVOIDED = 12
AVOIDED_CHARACTERS = 120
MOST_PROBLEMS = 4
SAID = {
    "level": "Only these levels: {levels}.",
    "easy": "They are to be easy: a student who read the passages once can answer.",
    "hard": "They are to be hard: they ask for causes, differences and consequences, and need more than one sentence of a passage to be understood.",
    "focus": "They are to be about: {focus}",
    "language": "Write in {language}.",
    "avoid": "These exist already; ask something else:\n{questions}",
}
LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
}

_TASK = re.compile(
    r"(?:The|Your|This) (?:program|function|code) (?:should|must)\b|(?:Write|Create|Complete|Modify|Implement|Update) (?:an?|the|your)\b"
)
"""What a student is told to do: small models ask about the names in it."""

Passages = Sequence[Sequence[Sentence]]


@dataclass(slots=True)
class _Made:
    """What came of the calls so far."""

    items: list[Item] = field(default_factory=list)
    badly_formed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def spend(self, said: Completion) -> None:
        self.input_tokens += said.input_tokens
        self.output_tokens += said.output_tokens


@dataclass(frozen=True, slots=True)
class _Read:
    """An answer, sorted out."""

    items: list[Item]
    problems: list[str]
    """One for each item that cannot be used."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One request: so many items of a kind out of a part of the topic."""

    kind: str
    count: int
    """Of several a few more than are needed, so that the gate can choose. Not of one: it would cost twice the time."""
    needed: int
    passages: Passages


class ModelMaker:
    """`name` is what `model.which()` answered, e.g. openai:local."""

    def __init__(self, model: TextModel, name: str) -> None:
        self._model = model
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def make(self, topic: Topic, wanted: Wanted, ground: Ground) -> Batch:
        """Raises Unavailable when the model does not answer, MakerFailed when nothing of its answers could be used."""
        made = _Made()
        for call in _calls(topic, wanted):
            try:
                await self._answer(call, topic, wanted, ground, made)
            except Unavailable as error:
                if error.code != "model_context_too_long" and not made.items:
                    raise
                log.warning("items_model_away", code=error.code, kind=call.kind)
                if error.code != "model_context_too_long":
                    break
        if not made.items:
            raise MakerFailed(f"The model ({self._name}) gave nothing usable for {topic.title!r}.")
        return Batch(tuple(made.items), Spent(made.input_tokens, made.output_tokens), made.badly_formed)

    async def close(self) -> None:
        """Holds nothing: the model belongs to the worker."""

    async def _answer(self, call: _Call, topic: Topic, wanted: Wanted, ground: Ground, made: _Made) -> None:
        """Ask, and once more for what cannot be used, telling what was wrong with it."""
        source = Source(
            passages=call.passages,
            stems=ground.lexicon.stems,
            topic=topic.title,
            difficulty=wanted.difficulty,
            levels=wanted.bloom,
            seed=wanted.seed,
        )
        request = _request(call, topic, wanted, made.items)
        said = await self._ask(request, call, wanted, made)
        first = read_answer(said, call.kind, source)
        made.items += first.items
        if not first.problems:
            return
        if len(first.items) >= call.needed:
            made.badly_formed += len(first.problems)
            return
        count = min(len(first.problems), call.count)
        again = _prompt("repair").format(
            request=request,
            answer=fenced(said[:ANSWER_CHARACTERS]),
            problems="\n".join(f"- {problem}" for problem in dict.fromkeys(first.problems[:MOST_PROBLEMS])),
            count=_counted(count),
        )
        try:
            second = read_answer(await self._ask(again, call, wanted, made, count), call.kind, source)
        except Unavailable:
            made.badly_formed += len(first.problems)
            raise
        known = {_words(item) for item in made.items}
        better = [item for item in second.items if _words(item) not in known]
        made.items += better
        made.badly_formed += max(len(second.problems), len(first.problems) - len(better))

    async def _ask(
        self, request: str, call: _Call, wanted: Wanted, made: _Made, count: int | None = None
    ) -> str:
        count = count or call.count
        tokens = 60 + count * ITEM_TOKENS.get(call.kind.removeprefix("card_"), USUAL_ITEM_TOKENS)
        schema = schema_of(call.kind, count, len(call.passages), wanted.bloom)
        said = await self._model.complete(_prompt("writer"), request, max_tokens=tokens, schema=schema)
        made.spend(said)
        return said.text


def read_answer(text: str, kind: str, source: Source) -> _Read:
    """The items of an answer, and what is wrong with those that cannot be used."""
    items: list[Item] = []
    problems: list[str] = []
    found = parse_items(text)
    if not found:
        return _Read([], ["There was no JSON object with items in the answer."])
    for value in found:
        try:
            items.append(build(kind, FORMS[kind].model_validate(value), source))
        except ValidationError as error:
            problems.append(_explained(error))
        except ValueError as error:
            problems.append(str(error))
    return _Read(items, problems)


def _explained(error: ValidationError) -> str:
    """The first thing that is wrong, by the name of its field."""
    wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(str(part) for part in wrong["loc"]) or "the item"
    return f'"{name}" cannot be used: {wrong["msg"]}.'


def _calls(topic: Topic, wanted: Wanted) -> list[_Call]:
    """The requests: small ones, spread over the parts of a long topic. Several types ask about the same parts, one after
    the other: a local server has then read the passages already."""
    parts = _parts(topic)
    calls: list[tuple[int, _Call]] = []
    for type, number in wanted.types.items():
        kind = f"card_{type}" if wanted.cards else type
        most = FEW_A_CALL.get(type, ITEMS_A_CALL)
        extra, turn = number // 3, wanted.seed
        left = number + extra
        while left > 0 and parts:
            part, count = turn % len(parts), min(left, most)
            calls.append((part, _Call(kind, count, max(1, count - extra), parts[part])))
            turn += 1
            left -= most
    return [call for _, call in sorted(calls, key=lambda one: one[0])]


def _parts(topic: Topic) -> list[Passages]:
    """Passages that are read together: a few, for reading them is most of what a request costs."""
    told = [one for one in topic.sentences if not _TASK.match(one.text)]
    passages = [passage for part in divided(told or topic.sentences) for passage in part]
    return [passages[first : first + PASSAGES_A_CALL] for first in range(0, len(passages), PASSAGES_A_CALL)]


def _request(call: _Call, topic: Topic, wanted: Wanted, made: Sequence[Item]) -> str:
    """What stays the same in the next request comes first: of one type the rules for it, of several types the passages."""
    passages = "\n".join(
        f"[{number}] {fenced(' '.join(one.text for one in passage))}"
        for number, passage in enumerate(call.passages, 1)
    )
    kind = call.kind.removeprefix("card_").replace("_", " ") + (" card" if "card_" in call.kind else "")
    rules = f'The kind "{kind}":\n{_prompt(call.kind)}'
    material = f"<material>\n{passages}\n</material>"
    first, second = (rules, material) if len(wanted.types) == 1 else (material, rules)
    return _prompt("request").format(
        first=first,
        second=second,
        count=_counted(call.count),
        kind=kind,
        also=_also(topic, wanted, made),
        form=example_of(call.kind, wanted.bloom),
    )


def _also(topic: Topic, wanted: Wanted, made: Sequence[Item]) -> str:
    """What this request asks for besides; each on a line."""
    lines = []
    if wanted.bloom:
        lines.append(SAID["level"].format(levels=", ".join(wanted.bloom)))
    if wanted.difficulty in SAID:
        lines.append(SAID[wanted.difficulty])
    if wanted.focus:
        lines.append(SAID["focus"].format(focus=fenced(" ".join(wanted.focus.split())[:200])))
    language = LANGUAGES.get((topic.language or "").split("-")[0])
    if language:
        lines.append(SAID["language"].format(language=language))
    known = [*wanted.avoid[-MOST_AVOIDED:], *(_asked(item) for item in made)][-MOST_AVOIDED:]
    if known:
        questions = "\n".join(f"- {fenced(' '.join(one.split())[:AVOIDED_CHARACTERS])}" for one in known)
        lines.append(SAID["avoid"].format(questions=questions))
    return "".join(f"{line}\n" for line in lines)


def _asked(item: Item) -> str:
    return item.front if isinstance(item, Card) else item.text


def _words(item: Item) -> str:
    return " ".join(_asked(item).casefold().split())


def _counted(count: int) -> str:
    return "one item" if count == 1 else f"{count} items"


@lru_cache(maxsize=32)
def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def prompts_hash() -> str:
    """Eight hex digits of all prompt files, stored beside the version with what was made from them."""
    digest = hashlib.sha256()
    for path in sorted(PROMPTS.glob("*.md")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
