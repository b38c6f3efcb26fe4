"""One answer being made: a task of the server, not of the request. Every event is in the run log before anyone sees it."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from ag_ui.core import BaseEvent, TextMessageContentEvent, TokenUsage
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.language_models import BaseChatModel

from assistant.agent.agent import build_agent, system_prompt
from assistant.agent.choosing import request_of
from assistant.agent.citations import Citations
from assistant.agent.tool_adapter import offered_tools
from assistant.chat.answer import Answer
from assistant.chat.events import Translator, citations_event, encode, ending, run_started
from assistant.chat.records import CANCELLED, INTERRUPTED, SUCCEEDED, NewRun, Outcome, store_answer
from storage.errors import LyceumError, Unavailable
from storage.resources import Storage
from tools.context import Principal
from tools.executor import Executor

log = structlog.get_logger()

ModelFactory = Callable[[], BaseChatModel]
"""Gives the chat model of a turn; called in a thread, for it may have to look for a server. Raises LyceumError."""

WINDOW_SECONDS = 0.03
"""Words that come within this time travel as one event: a write to Redis for each would cost more than the words."""
STORE_TRIES = 5
_END: dict[str, Any] = {"type": "end"}

CRASHED = Outcome("failed", "internal", "Something went wrong while answering. Please try again.")
TOO_MANY_STEPS = Outcome(
    "failed",
    "too_many_steps",
    "The question took too many steps without an answer. Please ask it in smaller parts.",
)
EMPTY = Outcome(
    "failed", "empty_answer", "The model gave an empty answer. Please ask again, or in other words."
)


class LiveRun:
    """Runs the agent and writes its events. `stop` ends it early, and in order: what was said is stored and closed."""

    def __init__(
        self,
        new: NewRun,
        principal: Principal,
        storage: Storage,
        executor: Executor,
        model_factory: ModelFactory,
    ) -> None:
        self.new = new
        self.principal = principal
        self._storage = storage
        self._executor = executor
        self._model_factory = model_factory
        self._model_name: str | None = None
        self._answer = Answer()
        self._citations = Citations()
        self._translator = Translator(storage.clock.new_id)
        self._number = 0
        self._parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._stopped: Outcome | None = None
        self._waiting: TextMessageContentEvent | None = None
        self._flushed_at = 0.0

    def cancel(self) -> None:
        """The person pressed stop."""
        self._stop(CANCELLED)

    def interrupt(self) -> None:
        """The server is going down."""
        self._stop(INTERRUPTED)

    def _stop(self, outcome: Outcome) -> None:
        if self._stopped is None:
            self._stopped = outcome
            self._parts.put_nowait(_END)

    async def run(self) -> None:
        """The whole life of the run. Never raises, but for cancellation of its task."""
        new = self.new
        with structlog.contextvars.bound_contextvars(
            run_id=str(new.run_id), user_id=str(self.principal.user_id)
        ):
            try:
                await self._append(run_started(new.thread_id, new.client_run_id))
                outcome = await self._answer_it()
            except LyceumError as error:
                log.warning("run_failed", code=error.code, error=str(error))
                outcome = Outcome("failed", error.code, str(error))
            except ModelCallLimitExceededError:
                outcome = TOO_MANY_STEPS
            except Exception:
                log.exception("run_crashed")
                outcome = CRASHED
            try:
                await self._finish(outcome)
            except Unavailable as error:
                # If it was not stored, the heartbeat ends now, and recovery stores it from the log.
                log.warning("run_not_closed", error=str(error))
            except Exception:
                log.exception("run_not_closed")

    async def _answer_it(self) -> Outcome:
        """Relay the agent's stream until it ends or is stopped. The producer never waits for the log."""
        producer = asyncio.create_task(self._produce())
        try:
            while self._stopped is None:
                part = await self._next_part()
                if part is _END:
                    break
                for event in self._translator.feed(part) if part else ():
                    await self._emit(event)
        finally:
            # Only the producer is cancelled, never this task: a cancel between two events would lose the closing ones.
            producer.cancel()
            with suppress(asyncio.CancelledError):
                await producer
        if self._stopped is not None:
            return self._stopped
        return SUCCEEDED if self._answer.text or self._waiting else EMPTY

    async def _next_part(self) -> dict[str, Any] | None:
        """The next part, or None once waiting words have waited long enough."""
        if self._waiting is None:
            return await self._parts.get()
        due = self._flushed_at + WINDOW_SECONDS - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(due, 0)):
                return await self._parts.get()
        except TimeoutError:
            await self._flush()
            return None

    async def _produce(self) -> None:
        try:
            model = await asyncio.to_thread(self._model_factory)
            self._model_name = model.name or model._llm_type
            principal = self.principal
            agent = build_agent(
                model,
                offered_tools(self._executor, principal, self._citations, request_of(self.new.messages)),
                system_prompt(self._storage.clock.now().date(), self.new.current_class),
            )
            stream = agent.astream(
                {"messages": self.new.messages}, stream_mode=["messages", "custom"], version="v2"
            )
            async for part in stream:
                self._parts.put_nowait(dict(part))
        finally:
            self._parts.put_nowait(_END)

    async def _emit(self, event: BaseEvent) -> None:
        """Append an event. Words of one message are joined while they come faster than the window."""
        if not isinstance(event, TextMessageContentEvent):
            await self._flush()
            await self._append(event)
            return
        if self._waiting is None:
            self._waiting = event
        else:
            self._waiting.delta += event.delta
        if asyncio.get_running_loop().time() >= self._flushed_at + WINDOW_SECONDS:
            await self._flush()

    async def _flush(self) -> None:
        if self._waiting is not None:
            event, self._waiting = self._waiting, None
            self._flushed_at = asyncio.get_running_loop().time()
            await self._append(event)

    async def _append(self, event: BaseEvent) -> None:
        encoded = encode(event, self._storage.clock.now())
        self._answer.fold(json.loads(encoded))
        self._number += 1
        await self._storage.runs.append(self.new.run_id, self._number, encoded)

    async def _finish(self, outcome: Outcome) -> None:
        """Close what is open, store the answer, and only then say that the run has ended."""
        new, answer = self.new, self._answer
        # A log that does not answer must not cost the answer itself.
        with suppress(Unavailable):
            await self._flush()
            for event in self._translator.close():
                await self._append(event)
        answer.citations = self._citations.used_in(answer.text)
        answer.input_tokens = self._translator.input_tokens
        answer.output_tokens = self._translator.output_tokens
        message_id = await self._store(outcome)
        if message_id is None:
            log.warning("run_ended_elsewhere")
            return
        if answer.citations:
            await self._append(citations_event(message_id, answer.citations))
        usage = TokenUsage(
            model=self._model_name, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens
        )
        await self._append(
            ending(new.thread_id, new.client_run_id, outcome.status, outcome.code, outcome.error, usage)
        )
        log.info("run_finished", status=outcome.status, events=self._number)

    async def _store(self, outcome: Outcome) -> Any:
        for attempt in range(STORE_TRIES):
            try:
                return await store_answer(
                    self._storage,
                    self.principal.user_id,
                    self.new.run_id,
                    self._answer,
                    outcome,
                    self._model_name,
                )
            except Unavailable:
                if attempt == STORE_TRIES - 1:
                    raise
                await asyncio.sleep(0.2 * 2**attempt)
        return None
