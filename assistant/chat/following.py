"""Reading a run's events: from its log while there is one, else rebuilt from what was stored."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

from ag_ui.core import BaseEvent, TextMessageContentEvent, TextMessageEndEvent, TextMessageStartEvent

from assistant.chat.answer import FINAL, Answer
from assistant.chat.events import citations_event, closing, encode, ending, run_started
from assistant.chat.records import stored_answer
from storage.errors import Conflict
from storage.models import Message, Run
from storage.resources import Storage

WAIT_MS = 1000
"""How long one read waits. After a read without events the run's row is looked at."""

Numbered = tuple[int, str]


async def follow(storage: Storage, run: Run, after: int) -> AsyncIterator[Numbered]:
    """(n, event as JSON) from number `after` + 1 to the final event.

    Ends without a final event when events between were lost (Redis was emptied): the reader comes back and gets Conflict.
    One who has seen nothing yet gets the answer rebuilt once the run has ended.
    """
    answer = Answer()
    if after and await _seen(storage, run, answer, after) in FINAL:
        return
    while True:
        # Looked at before the read: the last events of a run that ended meanwhile may still be on their way.
        has_ended = run.status != "running"
        has_log = not has_ended or await storage.runs.exists(run.id)
        entries = await storage.runs.read(run.id, after, wait_ms=WAIT_MS) if has_log else []
        if entries and entries[0][0] != after + 1:
            if after:
                return
            entries = []
            await asyncio.sleep(WAIT_MS / 1000)
        for number, event in entries:
            after = number
            kind = fold(answer, event)
            yield number, event
            if kind in FINAL:
                return
        if entries:
            continue
        if has_ended:
            async for numbered in _rest(storage, run, answer, after):
                yield numbered
            return
        run = await find_run(storage, run.user_id, run.client_run_id)


async def find_run(storage: Storage, user_id: UUID, client_run_id: str) -> Run:
    """Raises NotFound for a run that this user does not have."""
    async with storage.as_user(user_id, read_only=True) as db:
        return await db.conversations.run(client_run_id)


async def check_resumable(storage: Storage, run: Run, after: int) -> None:
    """Raises Conflict `replay_lost` when events after this number are gone."""
    rest = await storage.runs.read(run.id, after)
    if not await storage.runs.exists(run.id) or (rest and rest[0][0] != after + 1):
        raise Conflict(
            "The events of this answer are not kept any more. Read the conversation instead.",
            code="replay_lost",
        )


async def _seen(storage: Storage, run: Run, answer: Answer, after: int) -> str:
    """Fold what the reader has already; gives the type of its last event."""
    kind = ""
    for number, event in await storage.runs.read(run.id, 0):
        if number <= after:
            kind = fold(answer, event)
    return kind


async def _rest(storage: Storage, run: Run, said: Answer, after: int) -> AsyncIterator[Numbered]:
    """The events that a finished run still owes: all of them without a log, the closing ones when its process died late."""
    thread_id, message = await stored_answer(storage, run)
    events = closing(said) if after else _retold(run, thread_id, message)
    if message is not None and message.citations and not said.citations:
        events.append(citations_event(message.id, message.citations))
    events.append(ending(thread_id, run.client_run_id, run.status, run.error_code, run.error))
    for number, event in enumerate(events, after + 1):
        yield number, encode(event, storage.clock.now())


def _retold(run: Run, thread_id: str, message: Message | None) -> list[BaseEvent]:
    events: list[BaseEvent] = [run_started(thread_id, run.client_run_id)]
    if message is not None and message.text:
        name = str(message.id)
        events += [
            TextMessageStartEvent(message_id=name, role="assistant"),
            TextMessageContentEvent(message_id=name, delta=message.text),
            TextMessageEndEvent(message_id=name),
        ]
    return events


def fold(answer: Answer, encoded: str) -> str:
    """Take an event into account; gives its type."""
    event = json.loads(encoded)
    answer.fold(event)
    return str(event["type"])
