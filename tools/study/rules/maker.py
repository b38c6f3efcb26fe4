"""The built-in maker: facts of a topic's sentences by rule, and items of every type out of them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tools.study.items import Batch
from tools.study.port import Embed, Ground, Topic, Wanted
from tools.study.rules import cards, choosing, completing, foreign, pairing, truth
from tools.study.rules.bench import Bench, Candidate
from tools.study.rules.equipment import Equipment
from tools.study.rules.material import Material, is_english, place_of, read
from tools.study.rules.numbers import abbreviation_is_asked
from tools.study.rules.selecting import select
from tools.study.rules.tongues import definitions_in, tongue_of
from tools.study.rules.worth import worth

Builder = Callable[[Bench], Iterator[Candidate]]
QUESTIONS: Mapping[str, Builder] = {
    "multiple_choice": choosing.multiple_choice,
    "multiple_answer": choosing.multiple_answer,
    "true_false": truth.true_false,
    "cloze": completing.cloze,
    "short_answer": completing.short_answer,
    "matching": pairing.matching,
    "ordering": pairing.ordering,
}
CARDS: Mapping[str, Builder] = {
    "basic": cards.basic,
    "reversed": cards.reversed_card,
    "cloze": cards.cloze_card,
    "multiple_choice": cards.choice_card,
}


@dataclass
class RuleMaker:
    """Fills the port `Maker`. What it has read of a material stays until another one comes."""

    embed: Embed
    equipment: Equipment = field(default_factory=Equipment, repr=False)
    name: str = "builtin"
    _ground: Ground | None = field(default=None, repr=False)
    _material: Material | None = field(default=None, repr=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self.equipment.take()

    async def make(self, topic: Topic, wanted: Wanted, ground: Ground) -> Batch:
        """Candidates of the wanted types, best first, about twice as many; fewer or none where nothing good can be made."""
        material = await self._read(ground)
        bench = bench_for(topic, material, wanted.seed)
        made = _in_english(bench, wanted) if is_english(topic) else _in_another(bench, wanted, ground)
        return Batch(tuple(await select(made, wanted, self.embed)))

    async def _read(self, ground: Ground) -> Material:
        async with self._reading:
            if self._material is None or self._ground is not ground:
                self._material = await read(ground, self.equipment, self.embed)
                self._ground = ground
            return self._material

    async def close(self) -> None:
        """Give back what it works with."""
        self._ground = self._material = None
        if not self._is_closed:
            self._is_closed = True
            await self.equipment.give_back()


def _in_english(bench: Bench, wanted: Wanted) -> dict[str, list[Candidate]]:
    builders = CARDS if wanted.cards else QUESTIONS
    return {type: list(builders[type](bench)) for type in wanted.types if type in builders}


def _in_another(bench: Bench, wanted: Wanted, ground: Ground) -> dict[str, list[Candidate]]:
    """Types that cannot be made well in a language give none."""
    builders = foreign.CARDS if wanted.cards else foreign.QUESTIONS
    tongue = tongue_of(bench.topic.language)
    alike = [one for topic in ground.topics if tongue_of(topic.language) is tongue for one in topic.sentences]
    known = list(definitions_in(alike, tongue)) if tongue is not None else []
    found = foreign.read_foreign(bench, known, ground.lexicon)
    return {type: list(builders[type](found)) for type in wanted.types if type in builders}


def bench_for(topic: Topic, material: Material, seed: int) -> Bench:
    places = [place_of(one) for one in topic.sentences]
    facts = material.of(topic)
    spares = [material.spares[place] for place in places if place in material.spares]
    beside = material.beside(topic)
    return Bench(
        topic,
        facts,
        material.facts,
        material.inventory,
        seed,
        tuple(
            one
            for place in places
            if (one := material.numbers.get(place)) is not None
            and one.statement is not None
            and not one.statement.loose
            and worth(one.statement, material.inventory) > 0
        ),
        tuple(
            one
            for place in places
            for one in material.abbreviations.get(place, ())
            if abbreviation_is_asked(one)
        ),
        tuple(spares),
        tuple(material.spares[place] for place in beside if place in material.spares),
        material.gaps,
    )
