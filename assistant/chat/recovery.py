"""Ending runs whose process died: what their log holds is stored as an interrupted answer."""

import json
from uuid import UUID

import structlog

from assistant.agent.citations import Citations
from assistant.chat.answer import Answer, parsed
from assistant.chat.events import citations_event, closing, encode, ending
from assistant.chat.records import INTERRUPTED, store_answer
from storage.repositories.conversations import stale_runs
from storage.resources import Storage

log = structlog.get_logger()


async def recover(storage: Storage, alive: set[UUID]) -> int:
    """End every run that has given no sign of life, except those of this process. Gives how many were ended."""
    async with storage.database.transaction(None, read_only=True) as session:
        stale = await stale_runs(session)
    ended = 0
    for run_id, user_id in stale:
        if run_id not in alive and await interrupt(storage, run_id, user_id):
            ended += 1
            log.info("run_interrupted", run_id=str(run_id))
    return ended


async def interrupt(storage: Storage, run_id: UUID, user_id: UUID) -> bool:
    """Mark one run as interrupted and close its log. False when another process did it."""
    answer, last, citations = Answer(), 0, Citations()
    for number, encoded in await storage.runs.read(run_id, 0):
        event = json.loads(encoded)
        answer.fold(event)
        last = number
        output = parsed(event["content"]) if event["type"] == "TOOL_CALL_RESULT" else None
        if isinstance(output, dict):
            citations.restore(output)
    answer.citations = citations.used_in(answer.text)
    message_id = await store_answer(storage, user_id, run_id, answer, INTERRUPTED)
    if message_id is None:
        return False
    ends = closing(answer)
    if answer.citations:
        ends.append(citations_event(message_id, answer.citations))
    ends.append(ending("", "", INTERRUPTED.status, INTERRUPTED.code, INTERRUPTED.error))
    for event in ends:
        last += 1
        await storage.runs.append(run_id, last, encode(event, storage.clock.now()))
    return True
