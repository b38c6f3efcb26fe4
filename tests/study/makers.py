"""A maker and a gate that are simple enough to say what must come out of a job."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tools.notes.reading import Sentence
from tools.study.gate import Known
from tools.study.items import Batch, Card, Item, Question, fingerprint
from tools.study.keys import Choice, ChoiceKey, ClozeKey, Expected, Key, ShortKey, TruthKey
from tools.study.port import Embed, Ground, Reason, Topic, Verdict, Wanted
from tools.study.rows import words_of

_LONG_WORD = re.compile(r"[A-Za-z]{5,}")


@dataclass
class PlainMaker:
    """An item of each wanted type of each sentence. `before` is called with the number of the call."""

    before: Callable[[int], Awaitable[None]] | None = None
    asked: list[tuple[str, Wanted]] = field(default_factory=list)
    closed: int = 0
    name: str = "builtin"

    async def make(self, topic: Topic, wanted: Wanted, ground: Ground) -> Batch:
        self.asked.append((topic.title, wanted))
        if self.before is not None:
            await self.before(len(self.asked))
        made: list[Item] = []
        for sentence in topic.sentences:
            for type in wanted.types:
                item = card(type, sentence, topic) if wanted.cards else question(type, sentence, topic)
                made.append(item)
        return Batch(tuple(made))

    async def close(self) -> None:
        self.closed += 1


@dataclass
class PlainGate:
    """Turns away repeats, also of earlier items, and whatever tells of a year."""

    earlier: Sequence[Known]
    seen: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.seen |= {fingerprint(one.text) for one in self.earlier}

    async def judge(self, items: Sequence[Item], ground: Ground) -> list[Verdict]:
        return [Verdict(item, self._reasons(item), 0.8) for item in items]

    def _reasons(self, item: Item) -> tuple[Reason, ...]:
        if re.search(r"\b1[0-9]{3}\b", item.evidence[0].text):
            return (Reason.TRIVIAL,)
        key = fingerprint(words_of(item))
        known = key in self.seen
        self.seen.add(key)
        return (Reason.REPEATED,) if known else ()


def plain_gate(embed: Embed, earlier: Sequence[Known]) -> PlainGate:
    return PlainGate(earlier)


def question(type: str, sentence: Sentence, topic: Topic) -> Question:
    word = max(_LONG_WORD.findall(sentence.text), key=len, default="word")
    options: tuple[Choice, ...] = ()
    key: Key = ShortKey(expected=Expected(text=word))
    text = f"Which word fits: {sentence.text.replace(word, '____', 1)}"
    if type == "multiple_choice":
        options = tuple(
            Choice(id=id, text=text) for id, text in (("a", word), ("b", "granite"), ("c", "Paris"))
        )
        key, text = ChoiceKey(choice="a"), f"Choose: {sentence.text.replace(word, '____', 1)}"
    elif type == "true_false":
        key, text = TruthKey(value=True), sentence.text
    elif type == "cloze":
        key, text = ClozeKey(gaps=[Expected(text=word)]), sentence.text.replace(word, "{{1}}", 1)
    return Question(
        evidence=(sentence,),
        topic=topic.title,
        rule="plain",
        difficulty=8 if len(sentence.text) > 80 else 3,
        bloom="remember",
        type=type if type in ("multiple_choice", "true_false", "cloze") else "short_answer",  # type: ignore[arg-type]
        text=text,
        key=key,
        options=options,
        explanation=sentence.text,
    )


def card(type: str, sentence: Sentence, topic: Topic) -> Card:
    first, second = sorted(set(_LONG_WORD.findall(sentence.text)), key=lambda word: (-len(word), word))[:2]
    front, back = f"What does the text say of {first} and {second}?", sentence.text
    if type == "cloze":
        front = sentence.text.replace(first, f"{{{{c1::{first}}}}}", 1).replace(
            second, f"{{{{c2::{second}}}}}", 1
        )
        back = ""
    elif type == "reversed":
        front, back = f"{first} …", f"… {second}"
    return Card(
        evidence=(sentence,),
        topic=topic.title,
        rule="plain",
        difficulty=3,
        bloom="remember",
        type=type,  # type: ignore[arg-type]
        front=front,
        back=back,
    )
