"""What the item builders share: the facts of the topic and of the whole material, the terms, chance, and how an item is put together."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tools.notes.reading import Sentence
from tools.study.items import Card, Item, Question
from tools.study.keys import CardType, Choice, ChoiceKey, Key, QuestionType
from tools.study.port import Topic
from tools.study.rules.facts import Facts, Statement
from tools.study.rules.inventory import Inventory
from tools.study.rules.numbers import Abbreviation, NumberFact
from tools.study.rules.spare import Gap, Spare
from tools.study.rules.worth import is_answer, level, worth

LETTERS = "abcdefghij"


@dataclass(frozen=True, slots=True)
class Candidate:
    score: float
    item: Item


@dataclass(frozen=True, slots=True)
class Bench:
    topic: Topic
    facts: Facts
    """Of the topic."""
    everything: Facts
    inventory: Inventory
    seed: int
    numbers: tuple[NumberFact, ...] = ()
    abbreviations: tuple[Abbreviation, ...] = ()
    spares: tuple[Spare, ...] = ()
    spares_beside: tuple[Spare, ...] = ()
    """Of neighbouring topics of the chapter, the nearest first."""
    gaps: Mapping[tuple[UUID, int], Gap] = field(default_factory=dict)
    """The best gap of each of these sentences, by its place."""

    def chance(self, *about: str) -> random.Random:
        """The same for the same seed and the same words."""
        return random.Random("\0".join([str(self.seed), *about]))

    def statements(self) -> list[tuple[float, Statement]]:
        """Those of the topic that are worth asking about."""
        valued = [(worth(one, self.inventory), one) for one in self.facts.statements]
        return [pair for pair in valued if pair[0] > 0]

    def answers(self) -> list[tuple[float, Statement]]:
        """Those whose subject may be asked for."""
        return [(score, one) for score, one in self.statements() if is_answer(one, self.inventory)]

    def question(
        self,
        score: float,
        type: QuestionType,
        text: str,
        key: Key,
        rule: str,
        evidence: Sequence[Sentence],
        *,
        about: str | None = None,
        options: Sequence[Choice] = (),
        right: Sequence[Choice] = (),
        explanation: str | None = None,
    ) -> Candidate:
        difficulty, bloom = level(rule, evidence[0].text)
        return Candidate(
            score,
            Question(
                evidence=tuple(evidence),
                topic=about or self.topic.title,
                rule=rule,
                difficulty=difficulty,
                bloom=bloom,
                type=type,
                text=text,
                key=key,
                options=tuple(options),
                right=tuple(right),
                explanation=explanation,
            ),
        )

    def card(
        self,
        score: float,
        type: CardType,
        front: str,
        back: str,
        rule: str,
        evidence: Sequence[Sentence],
        *,
        options: Sequence[Choice] = (),
        extra: str | None = None,
    ) -> Candidate:
        difficulty, bloom = level(rule, evidence[0].text)
        return Candidate(
            score,
            Card(
                evidence=tuple(evidence),
                topic=self.topic.title,
                rule=rule,
                difficulty=difficulty,
                bloom=bloom,
                type=type,
                front=front,
                back=back,
                extra=extra,
                options=tuple(options),
            ),
        )

    def offered(self, right: str, wrong: Sequence[str], about: str) -> tuple[tuple[Choice, ...], ChoiceKey]:
        """Choices in a shuffled order, and the key."""
        texts = [right, *wrong]
        self.chance("options", about).shuffle(texts)
        choices = tuple(Choice(id=letter, text=text) for letter, text in zip(LETTERS, texts, strict=False))
        return choices, ChoiceKey(choice=LETTERS[texts.index(right)])


def distinct_texts(texts: Iterable[str]) -> list[str]:
    """Each once, whatever its capitals."""
    return list({text.casefold(): text for text in texts}.values())
