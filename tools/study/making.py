"""The job that makes tests and decks. Each batch of items is stored together with how far the job is, so that what is there can
be used, and an attempt that was broken off goes on behind it."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from uuid import UUID

import numpy as np

from storage.errors import NotFound
from storage.models import Deck, Material, Test
from storage.repositories import Repositories
from storage.repositories.making import Asked
from storage.resources import Storage
from tools.context import TextModel
from tools.study.gate import ItemGate, Known
from tools.study.outcome import notice, others, progress
from tools.study.planning import Due, Portion, Slot, State, due, pool, slots_of
from tools.study.port import Embed, Gate, Ground, Maker, Matrix
from tools.study.reading import Script, read_script
from tools.study.rows import Sources, Taken, answer_text, places_of
from tools.study.rules.maker import RuleMaker
from tools.study.sources import opened, parts_wanted
from tools.study.target import Target, target_of
from tools.study.workshop import Made, Terms, Workshop, size_of, spots
from tools.study.writing import PROMPT_VERSION, ModelMaker
from tools.worker import GiveWay, JobFailed, RunningJob, Stopped

TEXTS_A_STEP = 24
"""Embedded at a time, some 0.2 s, so that a cancelled job ends soon."""

MakeRules = Callable[[Embed], Maker]
MakeGate = Callable[[Embed, Sequence[Known]], Gate]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made from what."""

    materials: Mapping[UUID, Material]
    script: Script
    whole: Sequence[Portion]
    """All there is."""
    slots: Sequence[Slot]
    types: Mapping[str, float]
    asked: int
    start: float

    def portions(self, state: State) -> list[Portion]:
        """What is looked at so far."""
        return pool(self.whole, self.asked, self.start, state.width)

    def next(self, state: State) -> Due | None:
        dearest = sorted(self.types, key=lambda type: -self.types[type])
        return due(self.slots, self.portions(state), dearest, state)

    def is_spent(self, state: State) -> bool:
        """Whether all of the material was looked at, or all is made."""
        return len(state.filled) >= self.asked or self.portions(state) == list(self.whole)

    def ground(self, state: State) -> Ground:
        """What makers know: the topics that are looked at, in order of the material."""
        numbers = sorted({topic for portion in self.portions(state) for topic in portion.topics})
        topics = [self.script.topics[number] for number in numbers]
        return Ground((*topics, *self.script.context), self.script.lexicon)

    def focus(self, job: Due) -> str | None:
        return self.whole[self.slots[job.slots[0]].part].focus


class Making:
    """Handler of the jobs. `rules` and `gate` make what proposes items without a language model, and what judges them."""

    def __init__(
        self,
        storage: Storage,
        model: TextModel | None,
        rules: MakeRules = RuleMaker,
        gate: MakeGate = ItemGate,
    ) -> None:
        self._storage = storage
        self._model = model
        self._rules = rules
        self._gate = gate

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed when there is nothing to make items from, TryAgain while the material is still being read, Stopped
        when cancelled, GiveWay between two batches when somebody else waits."""
        began = time.monotonic()
        arguments = running.job.arguments
        target = target_of(running.job.kind, arguments)
        state = State.of(arguments.get("state"))
        await running.progress(len(state.filled), arguments["count"], "Reading the material", force=True)
        earlier = await self._earlier(running, target)
        plan = await running.unless_halted(self._plan(running, state))
        shop = await self._workshop(running, target, plan, earlier, plan.ground(state))
        if state.fitting is not None:
            shop.relax()
        running.slow_start = time.monotonic() - began
        try:
            await self._fill(running, target, plan, state, shop)
        finally:
            await shop.close()
        said = await self._finish(running, target, plan, state)
        await running.progress(len(state.filled), plan.asked, said, force=True)

    async def _earlier(self, running: RunningJob, target: Target) -> list[Asked]:
        """Items that stand already, also those that an earlier attempt has made."""
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            row = await self._row(db, target)
            return await target.earlier(db, row.class_id)

    async def _row(self, db: Repositories, target: Target, *, for_writing: bool = False) -> Test | Deck:
        try:
            return await target.row(db, for_writing=for_writing)
        except NotFound as error:
            kind = "deck" if target.is_deck else "test"
            sentence = f"The {kind} was deleted, so there is nothing left to do."
            raise JobFailed(f"{kind}_deleted", sentence) from error

    # --- reading

    async def _plan(self, running: RunningJob, state: State) -> Plan:
        """Topics and slots; the same for every attempt as long as the material is."""
        materials = await opened(self._storage, running)
        parts = await parts_wanted(self._storage, running, list(materials.values()))
        script = await read_script(self._storage, running.user_id, list(materials.values()), parts)
        await self._remember_version(running, script, state)
        whole = script.portions(parts)
        if not whole:
            raise JobFailed(
                "nothing_to_ask", "There are no whole sentences in this part to make anything from."
            )
        arguments = running.job.arguments
        start = arguments["seed"] % 997 / 997
        first = pool(whole, arguments["count"], start)
        slots = slots_of(first, arguments["types"], arguments["count"], start)
        return Plan(materials, script, whole, slots, arguments["types"], len(slots), start)

    async def _remember_version(self, running: RunningJob, script: Script, state: State) -> None:
        """Places of one reading of the material would not fit another."""
        version = hashlib.sha256(b"".join(key.bytes for key in script.material_of)).hexdigest()[:16]
        known = running.job.arguments.get("version")
        if known not in (None, version) and state.filled:
            raise JobFailed(
                "material_changed",
                "The material was read again since this was begun. What is there stays; ask for more to go on.",
            )
        if known != version:
            await running.remember(version=version)

    async def _workshop(
        self, running: RunningJob, target: Target, plan: Plan, earlier: Sequence[Asked], ground: Ground
    ) -> Workshop:
        arguments = running.job.arguments
        known = [Known(one.text, answer_text(one.type, one.options, one.answer)) for one in earlier]
        known += [Known(text) for text in arguments.get("avoid", ())]
        avoided: dict[str, list[str]] = {}
        for one in reversed(earlier):
            avoided.setdefault(one.topic or "", []).append(one.text)
        name = await self._model.which() if self._model is not None else None
        writer = [ModelMaker(self._model, name)] if self._model is not None and name is not None else []
        return Workshop(
            makers=[*writer, self._rules(self._embed)],
            gate=self._gate(self._embed, known),
            ground=ground,
            terms=Terms(
                cards=target.is_deck,
                difficulty=arguments["difficulty"],
                bloom=tuple(arguments["bloom"]),
                seed=arguments["seed"],
            ),
            material_of=plan.script.material_of,
            asked_before=spots((one.material_id, one.locator, one.type) for one in earlier),
            avoided=avoided,
            parameters={maker.name: {"prompt": PROMPT_VERSION} for maker in writer},
        )

    async def _embed(self, texts: Sequence[str]) -> Matrix:
        """A unit vector for each text."""
        steps = [texts[first : first + TEXTS_A_STEP] for first in range(0, len(texts), TEXTS_A_STEP)]
        embed = self._storage.embedder.embed_documents
        return np.vstack([await asyncio.to_thread(embed, step) for step in steps])

    # --- making

    async def _fill(
        self, running: RunningJob, target: Target, plan: Plan, state: State, shop: Workshop
    ) -> None:
        held = Made()
        while (job := self._next(plan, state, shop)) is not None:
            said = progress(len(state.filled), plan.asked, target.noun)
            await running.progress(len(state.filled), plan.asked, said, force=state.step == 0)
            topic = plan.script.topics[job.topic]
            made = await running.unless_halted(shop.batch(job, topic, state.step, plan.focus(job)))
            for type in made.shut:
                state.shut_off(job.topic, type)
            made.add(held)
            # Where nothing came of it and it cost nothing, it is noted with the next batch.
            held = Made() if made.is_worth_noting else made
            if made.is_worth_noting:
                await self._save(running, target, plan, state, job, made)
            if len(state.filled) < plan.asked and await running.is_held_up():
                raise GiveWay(running.job.priority)
        if held.rejected:
            await self._save(running, target, plan, state, Due(0, {}, ()), held)

    def _next(self, plan: Plan, state: State, shop: Workshop) -> Due | None:
        """What is due; when nothing more comes of what was looked at, more of the material is taken in, then any difficulty."""
        job = plan.next(state)
        while job is None and not plan.is_spent(state):
            state.width += 1
            shop.ground = plan.ground(state)
            job = plan.next(state)
        if job is None and len(state.filled) < plan.asked and shop.terms.difficulty != "mixed":
            state.fitting, state.shut = len(state.filled), {}
            shop.relax()
            job = plan.next(state)
        return job

    async def _save(
        self, running: RunningJob, target: Target, plan: Plan, state: State, job: Due, made: Made
    ) -> None:
        """The items of a batch and how far the job is, in one transaction."""
        async with self._storage.as_user(running.user_id) as db:
            row = await self._mine(db, running, target, state)
            sizes = [size_of(one.item) for one in made.taken]
            homes = slots_for(state, plan.slots, job, [one.item.type for one in made.taken], sizes)
            taken = [
                replace(one, points=points_at(plan.slots, numbers))
                for one, numbers in zip(made.taken, homes, strict=True)
            ]
            await target.add(db, row, taken, await self._sources(db, plan, taken), self._storage.clock)
            state.filled += [number for numbers in homes for number in numbers]
            state.step += 1
            state.rejected += made.rejected
            state.spent += made.spent
            note(row, made, sizes)
            await db.jobs.remember(running.job.id, state=state.as_json())
            said = progress(len(state.filled), plan.asked, target.noun)
            await db.jobs.progress(running.job.id, len(state.filled), plan.asked, said)
        running.job.arguments = running.job.arguments | {"state": state.as_json()}

    async def _mine(self, db: Repositories, running: RunningJob, target: Target, state: State) -> Test | Deck:
        """What is filled, locked. Raises Stopped when another worker has gone on with the job."""
        job = await db.making.job_for_writing(running.job.id)
        if State.of(job.arguments.get("state")).step != state.step or job.worker != running.job.worker:
            raise Stopped
        return await self._row(db, target, for_writing=True)

    async def _sources(self, db: Repositories, plan: Plan, taken: Sequence[Taken]) -> Sources:
        material_of = plan.script.material_of
        segments = await db.materials.segments_at(places_of(taken, material_of))
        return Sources(plan.materials, material_of, segments)

    async def _finish(self, running: RunningJob, target: Target, plan: Plan, state: State) -> str:
        """Mark it as complete. Gives the last message of the job; raises JobFailed when nothing could be made."""
        made, noun = len(state.filled), target.noun
        fewer = notice(made, plan.asked, noun, state.rejected)
        mixed = others(made, state.fitting, noun, running.job.arguments["difficulty"])
        said = " ".join(filter(None, [fewer, mixed])) or None
        async with self._storage.as_user(running.user_id) as db:
            row = await self._mine(db, running, target, state)
            if made:
                await target.finish(db, row, state.filled, running.job.arguments, self._storage.clock)
                row.parameters = row.parameters | {"complete": True, "notice": said, "total": plan.asked}
            job = await db.making.job_for_writing(running.job.id)
            job.result = {
                "deck_id" if target.is_deck else "test_id": str(target.id),
                "made": made,
                "asked": plan.asked,
                "rejected": dict(state.rejected),
            }
        if not made:
            raise JobFailed("nothing_to_ask", said or "Nothing could be made.")
        return said or f"The {noun}s are ready"


def slots_for(
    state: State, slots: Sequence[Slot], job: Due, types: Sequence[str], sizes: Sequence[int]
) -> list[list[int]]:
    """Which slots the rows of each item fill: those that they were made for, then any, then new ones behind the last."""
    filled = set(state.filled)
    free = [number for number in job.slots if number not in filled]
    free += [number for number in range(len(slots)) if number not in filled and number not in job.slots]
    beyond = count(len(slots) + len(state.filled))
    homes = []
    for type, size in zip(types, sizes, strict=True):
        own = [number for number in free if number in job.slots and slots[number].type == type]
        numbers = [*own, *(number for number in free if number not in own)][:size]
        homes.append(numbers + [next(beyond) for _ in range(size - len(numbers))])
        free = [number for number in free if number not in numbers]
    return homes


def points_at(slots: Sequence[Slot], numbers: Sequence[int]) -> float | None:
    """Points that the blueprint gives the first of these slots."""
    return slots[numbers[0]].points if numbers[0] < len(slots) else None


def note(row: Test | Deck, made: Made, sizes: Sequence[int]) -> None:
    """Counts and costs of a batch, on what it fills."""
    row.rejected = dict(Counter(row.rejected) + made.rejected)
    known: dict[str, Any] = dict(row.parameters)
    before, added = known.get("made", 0), sum(sizes)
    for name, number in made.spent.items():
        known[name] = known.get(name, 0) + number
    known["made"] = before + added
    row.parameters = known
    if not made.taken or (isinstance(row, Deck) and row.source != "generated"):
        return
    row.model = row.model or made.taken[0].model
    score = sum(one.score * size for one, size in zip(made.taken, sizes, strict=True))
    row.quality_score = round(((row.quality_score or 0.0) * before + score) / (before + added), 3)
