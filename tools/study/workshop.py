"""Where items of a batch come from: makers propose, the gate judges, and of what passes the best that fit are taken."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog

from storage.errors import InvalidInput, Unavailable
from tools.notes.reading import Sentence
from tools.study.items import Card, Item, MakerFailed, fingerprint
from tools.study.keys import BloomLevel, Difficulty
from tools.study.outcome import OTHER_LEVEL
from tools.study.planning import Due
from tools.study.port import Gate, Ground, Maker, Reason, Topic, Wanted
from tools.study.rows import Taken, faces, words_of

log = structlog.get_logger()

BANDS = {"easy": (1, 4), "medium": (4, 7), "hard": (6, 10), "mixed": (1, 10)}
"""Difficulties, 1 to 10, that are meant by each word."""
KINDS_A_SENTENCE = 3
"""Items of different types that one sentence may support."""
MOST_AVOIDED = 12
MOST_FAILURES = 2
"""Of a language model, one after the other; then it is not asked any more."""

Spot = tuple[UUID, int, int]
"""Material, segment and first character of a sentence."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every item has to be like."""

    cards: bool
    difficulty: Difficulty
    bloom: tuple[BloomLevel, ...]
    seed: int


@dataclass
class Made:
    """What came of one batch."""

    taken: list[Taken] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)
    """Types of which the topic gives no more."""
    rejected: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)

    @property
    def is_worth_noting(self) -> bool:
        """Whether there are items, or tokens were paid for."""
        return bool(self.taken) or any(self.spent.values())

    def add(self, before: "Made") -> None:
        """Count what an earlier batch turned away."""
        self.rejected += before.rejected
        self.spent += before.spent


@dataclass
class Workshop:
    """`makers`: the first is asked first, the others for what it could not give."""

    makers: Sequence[Maker]
    gate: Gate
    ground: Ground
    terms: Terms
    material_of: Mapping[UUID, UUID]
    """Chunk → its material."""
    asked_before: Mapping[Spot, set[str]] = field(default_factory=dict)
    """Types of earlier items by the sentence that they quote."""
    avoided: dict[str, list[str]] = field(default_factory=dict)
    """Questions that exist, by topic, the newest last."""
    parameters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """By name of a maker: what is noted of how it makes items."""
    _used: dict[Spot, set[str]] = field(default_factory=dict)
    _spare: dict[tuple[int, str], list[Taken]] = field(default_factory=dict)
    _aside: dict[tuple[int, str], list[Taken]] = field(default_factory=dict)
    """Good ones of another difficulty, for the case that the material gives no more of the one that was asked for."""
    _seen: set[bytes] = field(default_factory=set)
    _failures: int = 0

    def relax(self) -> None:
        """From now on any difficulty will do, the nearest first."""
        low, high = BANDS[self.terms.difficulty]
        for key, items in self._aside.items():
            items.sort(key=lambda one: max(low - one.item.difficulty, one.item.difficulty - high))
            self._spare.setdefault(key, []).extend(items)
        self._aside = {}
        self.terms = replace(self.terms, difficulty="mixed")

    def used(self, spot: Spot, type: str) -> None:
        """Note an item that stands already."""
        self._used.setdefault(spot, set()).add(type)

    async def batch(self, due: Due, topic: Topic, step: int, focus: str | None = None) -> Made:
        """What is due of a topic, as far as it can be made. Raises Unavailable when no maker is left that answers."""
        made = Made()
        need = Counter(due.types)
        self._take(due.topic, need, made)
        for nth, maker in enumerate(self.makers):
            missing = Counter(
                {type: n for type, n in need.items() if n > 0 and (nth == 0 or n == due.types[type])}
            )
            if missing and await self._propose(maker, nth, due.topic, topic, missing, step, focus, made):
                self._take(due.topic, need, made)
        made.shut = [type for type, number in due.types.items() if need[type] == number]
        return made

    async def _propose(
        self, maker: Maker, nth: int, number: int, topic: Topic, missing: Mapping[str, int], step: int,
        focus: str | None, made: Made,
    ) -> bool:  # fmt: skip
        """Ask a maker and judge what it gives. False when it failed and another one may do better."""
        is_last = nth == len(self.makers) - 1
        if not is_last and self._failures >= MOST_FAILURES:
            made.spent["fallbacks"] += 1
            return False
        wanted = Wanted(
            cards=self.terms.cards,
            types=dict(missing),
            difficulty=self.terms.difficulty,
            bloom=self.terms.bloom,
            seed=self.terms.seed + step,
            focus=focus,
            avoid=tuple(self.avoided.get(topic.title, ())[-MOST_AVOIDED:]),
        )
        try:
            batch = await maker.make(topic, wanted, self.ground)
        except (MakerFailed, Unavailable) as error:
            if isinstance(error, Unavailable) and is_last:
                raise
            log.warning("maker_failed", maker=maker.name, reason=str(error))
            self._failures += not is_last
            made.spent["fallbacks"] += not is_last
            return False
        self._failures = 0 if not is_last else self._failures
        made.spent += Counter(input_tokens=batch.spent.input_tokens, output_tokens=batch.spent.output_tokens)
        self._reject(made, Reason.BADLY_FORMED.value, batch.badly_formed)
        await self._judge(maker, number, batch.items, made)
        return True

    async def _judge(self, maker: Maker, number: int, items: Sequence[Item], made: Made) -> None:
        """What passes waits to be taken."""
        fresh = [item for item in items if self._is_new(item)]
        noted = {"seed": self.terms.seed, **self.parameters.get(maker.name, {})}
        for verdict in await self.gate.judge(fresh, self.ground) if fresh else []:
            item = verdict.item
            if verdict.reasons:
                self._reject(made, verdict.reasons[0].value)
            elif other := self._unlike(item):
                self._reject(made, other)
            else:
                low, high = BANDS[self.terms.difficulty]
                shelf = self._spare if low <= item.difficulty <= high else self._aside
                waiting = shelf.setdefault((number, item.type), [])
                waiting.append(Taken(item, verdict.score, maker.name, noted))

    def _is_new(self, item: Item) -> bool:
        """Whether it was not proposed before: the same candidate is judged and counted once."""
        key = fingerprint(f"{item.type} {words_of(item)}")
        known = key in self._seen
        self._seen.add(key)
        return not known

    def _unlike(self, item: Item) -> str | None:
        """Why an item is not what was asked for, however good it is."""
        if self.terms.bloom and item.bloom not in self.terms.bloom:
            return OTHER_LEVEL
        if isinstance(item, Card):
            try:
                faces(item)
            except InvalidInput:
                return Reason.BADLY_FORMED.value
        return None

    def _take(self, number: int, need: Counter[str], made: Made) -> None:
        """Of what waits the best: of sentences that were not asked about yet first, then by score."""
        for type in list(need):
            waiting = self._spare.get((number, type), [])
            waiting.sort(key=lambda one: (bool(self._used.get(self.spot(one.item))), -round(one.score, 1)))
            left = []
            for one in waiting:
                if need[type] <= 0:
                    left.append(one)
                elif self._may_use(one.item):
                    self.used(self.spot(one.item), type)
                    need[type] -= size_of(one.item)
                    made.taken.append(one)
                    self.avoided.setdefault(one.item.topic, []).append(words_of(one.item))
                else:
                    self._reject(made, Reason.REPEATED.value)
            self._spare[number, type] = left

    def _may_use(self, item: Item) -> bool:
        """No two items on the same sentence unless different in kind."""
        spot = self.spot(item)
        types = self._used.get(spot, set())
        before = self.asked_before.get(spot, set())
        return item.type not in types | before and len(types) < KINDS_A_SENTENCE

    def spot(self, item: Item) -> Spot:
        return spot_of(item.evidence[0], self.material_of)

    def _reject(self, made: Made, reason: str, times: int = 1) -> None:
        if times:
            made.rejected[reason] += times

    async def close(self) -> None:
        for maker in self.makers:
            await maker.close()


def spot_of(sentence: Sentence, material_of: Mapping[UUID, UUID]) -> Spot:
    return material_of[sentence.chunk_id], sentence.segment, sentence.start


def size_of(item: Item) -> int:
    """Rows that it becomes: a question is one, a card one for each direction or gap."""
    return len(faces(item)) if isinstance(item, Card) else 1


def spots(asked: Iterable[tuple[UUID | None, Mapping[str, object] | None, str]]) -> dict[Spot, set[str]]:
    """Types by the sentence that is quoted, of stored items: material, locator, type."""
    found: dict[Spot, set[str]] = {}
    for material_id, locator, type in asked:
        if material_id is not None and locator is not None:
            key = (material_id, int(str(locator["segment"])), int(str(locator["char_start"])))
            found.setdefault(key, set()).add(type)
    return found
