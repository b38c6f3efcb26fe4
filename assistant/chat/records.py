"""The two transactions of a run: the one that starts it, and the one that stores its answer."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ag_ui.core import RunAgentInput
from langchain_core.messages import BaseMessage

from assistant.agent.citations import shortened
from assistant.chat.answer import Answer
from assistant.chat.history import MESSAGES_READ, question_of, to_langchain
from storage.errors import Conflict, InvalidInput, NotFound
from storage.models import Class, Conversation, Message, Run
from storage.repositories import Repositories
from storage.repositories.base import as_uuid
from storage.resources import Storage
from tools.context import Principal

TITLE_CHARACTERS = 60
MESSAGE_STATUS = {
    "succeeded": "complete",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
}
MOST_ID = 200


@dataclass(frozen=True)
class NewRun:
    """A run that was just recorded, with what its answer needs."""

    run_id: UUID
    client_run_id: str
    thread_id: str
    conversation_id: UUID
    current_class: Class | None
    messages: list[BaseMessage]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: a status of `runs`, and for failures a code and a sentence."""

    status: str
    code: str | None = None
    error: str | None = None


SUCCEEDED = Outcome("succeeded")
CANCELLED = Outcome("cancelled")
INTERRUPTED = Outcome(
    "interrupted",
    "interrupted",
    "The answer was interrupted before it was finished. What was said so far is kept; ask again to retry.",
)


async def record_run(storage: Storage, principal: Principal, request: RunAgentInput) -> NewRun | None:
    """Store the question and the run in one transaction. None when this run id exists: the caller attaches to it.

    Raises NotFound for an unknown class, Conflict `run_in_progress` while the conversation has another run going.
    """
    question = question_of(request)
    thread_id, client_run_id = request.thread_id.strip(), request.run_id.strip()
    for name, value in (("threadId", thread_id), ("runId", client_run_id)):
        if not 0 < len(value) <= MOST_ID or not value.isprintable():
            raise InvalidInput(
                f"{name} must be a text of 1 to {MOST_ID} characters.", code="invalid_arguments"
            )
    async with storage.as_user(principal.user_id) as db:
        # One start at a time for each user, in all processes: the checks below hold until the rows are there.
        await db.conversations.lock()
        if await db.conversations.find_run(client_run_id) is not None:
            return None
        current_class = await _class_of(db, request.forwarded_props)
        conversation = await _conversation(storage, db, principal, thread_id, question, current_class)
        if await db.conversations.active_run(conversation.id) is not None:
            raise Conflict(
                "An answer is still being written in this conversation. Wait for it, or stop it first.",
                code="run_in_progress",
            )
        earlier = await db.conversations.messages(conversation.id, limit=MESSAGES_READ, cursor=None)
        now = storage.clock.now()
        run = Run(
            id=storage.clock.new_id(),
            user_id=principal.user_id,
            conversation_id=conversation.id,
            client_run_id=client_run_id,
            status="running",
            heartbeat_at=now,
            created_at=now,
        )
        await db.conversations.add_run(run)
        asked = Message(
            id=storage.clock.new_id(),
            user_id=principal.user_id,
            conversation_id=conversation.id,
            run_id=run.id,
            role="user",
            status="complete",
            text=question,
            parts=[],
            citations=[],
            created_at=now,
        )
        await db.conversations.add_message(asked)
        messages = to_langchain([*earlier.items, asked])
    return NewRun(run.id, client_run_id, thread_id, conversation.id, current_class, messages)


async def store_answer(
    storage: Storage, user_id: UUID, run_id: UUID, answer: Answer, outcome: Outcome, model: str | None = None
) -> UUID | None:
    """Store what was said and end the run, in one transaction. Gives the message's id; None when the run had ended."""
    async with storage.as_user(user_id) as db:
        if not await db.conversations.finish_run(
            run_id, outcome.status, code=outcome.code, error=outcome.error
        ):
            return None
        run = await db.conversations.run_by_id(run_id)
        if run is None:
            return None
        run.model = model
        run.input_tokens, run.output_tokens = answer.input_tokens or None, answer.output_tokens or None
        message = Message(
            id=answer.message_id or storage.clock.new_id(),
            user_id=user_id,
            conversation_id=run.conversation_id,
            run_id=run_id,
            role="assistant",
            status=MESSAGE_STATUS[outcome.status],
            text=answer.text.replace("\x00", ""),
            parts=answer.parts,
            citations=answer.citations,
            created_at=storage.clock.now(),
        )
        await db.conversations.add_message(message)
        return message.id


async def stored_answer(storage: Storage, run: Run) -> tuple[str, Message | None]:
    """The thread of a finished run, and the answer that it left."""
    async with storage.as_user(run.user_id, read_only=True) as db:
        conversation = await db.conversations.resolve(str(run.conversation_id))
        cursor = None
        while True:
            page = await db.conversations.messages(conversation.id, limit=100, cursor=cursor)
            for message in reversed(page.items):
                if message.run_id == run.id and message.role == "assistant":
                    return conversation.thread_id, message
            if (cursor := page.next_cursor) is None:
                return conversation.thread_id, None


async def _class_of(db: Repositories, forwarded: Any) -> Class | None:
    wanted = forwarded.get("class_id") if isinstance(forwarded, dict) else None
    if not wanted:
        return None
    if not isinstance(wanted, str):
        raise InvalidInput("forwardedProps.class_id must be a text.", code="invalid_arguments")
    return await db.classes.resolve(wanted)


async def _conversation(
    storage: Storage,
    db: Repositories,
    principal: Principal,
    thread_id: str,
    question: str,
    current_class: Class | None,
) -> Conversation:
    """The caller's conversation of this thread, or a new one. Its id is always ours: a UUID that a client chose might be
    another user's, whose row nobody else can see."""
    found = await db.conversations.by_thread(thread_id)
    if found is None and as_uuid(thread_id) is not None:
        with suppress(NotFound):
            found = await db.conversations.resolve(thread_id)
    if found is not None:
        return found
    now = storage.clock.now()
    return await db.conversations.add(
        Conversation(
            id=storage.clock.new_id(),
            user_id=principal.user_id,
            class_id=current_class.id if current_class else None,
            thread_id=thread_id,
            title=shortened(question, TITLE_CHARACTERS),
            message_count=0,
            last_message_at=now,
            created_at=now,
            updated_at=now,
        )
    )
