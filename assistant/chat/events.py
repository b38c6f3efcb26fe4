"""What a LangGraph run streams, as AG-UI 1.0 events. No input or output here: parts in, events out."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ag_ui.core import (
    PROTOCOL_VERSION,
    BaseEvent,
    CustomEvent,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    RunFinishedSuccessOutcome,
    RunStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    TokenUsage,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from assistant.chat.answer import Answer, parsed

MOST_RESULT = 100_000
"""Characters of a tool's result that travel as JSON; a longer one travels as its text, cut."""


def encode(event: BaseEvent, now: datetime) -> str:
    """The event as JSON with the wire's names, stamped in milliseconds since 1970."""
    event.timestamp = int(now.timestamp() * 1000)
    return event.model_dump_json(by_alias=True)


@dataclass
class _Call:
    """A tool call while its message streams. `id` is ours where a model uses one id twice in a run."""

    id: str
    arguments: str = ""
    ended: bool = False


@dataclass
class Translator:
    """One run's stream parts (LangGraph "v2") into events.

    Each message of the model is a text message of its own. Arguments are sent once they are whole, so that a run stopped
    in the middle never leaves half a JSON document behind.
    """

    new_id: Callable[[], UUID]
    input_tokens: int = 0
    output_tokens: int = 0
    _text: tuple[str, str] | None = None
    """Message of the model and message id of the open text."""
    _calls: dict[tuple[str, int], _Call] = field(default_factory=dict)
    _by_model_id: dict[str, _Call] = field(default_factory=dict)

    def feed(self, part: dict[str, Any]) -> list[BaseEvent]:
        """Events for one part of `astream(stream_mode=["messages", "custom"], version="v2")`."""
        if part["type"] == "custom":
            data = part["data"]
            progress = data.get("progress") if isinstance(data, dict) else None
            return [CustomEvent(name="progress", value=progress)] if progress else []
        if part["type"] != "messages":
            return []
        message, metadata = part["data"]
        if isinstance(message, ToolMessage):
            return self._result(message)
        # A tool may ask a model too; only the agent's own words belong to the answer.
        if isinstance(message, AIMessage) and metadata.get("langgraph_node") == "model":
            return self._said(message)
        return []

    def close(self) -> list[BaseEvent]:
        """Ends for whatever is still open."""
        return [*self._end_text(), *self._end_calls()]

    def _said(self, message: AIMessage) -> list[BaseEvent]:
        self._count(message)
        events = self._speak(message)
        if isinstance(message, AIMessageChunk):
            for chunk in message.tool_call_chunks:
                events += self._call(message, chunk["index"], chunk["id"], chunk["name"], chunk["args"] or "")
            if message.chunk_position == "last":
                events += self.close()
            return events
        for index, call in enumerate(message.tool_calls):
            events += self._call(message, index, call["id"], call["name"], json.dumps(call["args"]))
        return events + self.close()

    def _count(self, message: AIMessage) -> None:
        if message.usage_metadata:
            self.input_tokens += message.usage_metadata["input_tokens"]
            self.output_tokens += message.usage_metadata["output_tokens"]

    def _speak(self, message: BaseMessage) -> list[BaseEvent]:
        said = str(message.text)
        if not said:
            return []
        events: list[BaseEvent] = []
        if self._text is None or self._text[0] != message.id:
            events += self._end_text()
            self._text = (message.id or "", str(self.new_id()))
            events.append(TextMessageStartEvent(message_id=self._text[1], role="assistant"))
        return [*events, TextMessageContentEvent(message_id=self._text[1], delta=said)]

    def _call(
        self,
        message: BaseMessage,
        index: int | str | None,
        call_id: str | None,
        name: str | None,
        arguments: str,
    ) -> list[BaseEvent]:
        key = (message.id or "", int(index or 0))
        if call_id and name:
            own = call_id if call_id not in self._by_model_id else str(self.new_id())
            self._calls[key] = self._by_model_id[call_id] = _Call(own, arguments)
            parent = self._text[1] if self._text and self._text[0] == message.id else None
            start = ToolCallStartEvent(tool_call_id=own, tool_call_name=name, parent_message_id=parent)
            return [*self._end_text(), start]
        if key in self._calls:
            self._calls[key].arguments += arguments
        return []

    def _result(self, message: ToolMessage) -> list[BaseEvent]:
        call = self._by_model_id.get(message.tool_call_id)
        if call is None:
            return []
        events = [] if call.ended else self._end_call(call)
        content = str(message.text)
        if isinstance(message.artifact, dict):
            whole = json.dumps(message.artifact, ensure_ascii=False, default=str)
            content = whole if len(whole) <= MOST_RESULT else content
        result = ToolCallResultEvent(
            message_id=str(self.new_id()), tool_call_id=call.id, content=content[:MOST_RESULT], role="tool"
        )
        return [*events, result]

    def _end_text(self) -> list[BaseEvent]:
        if self._text is None:
            return []
        ended, self._text = self._text[1], None
        return [TextMessageEndEvent(message_id=ended)]

    def _end_calls(self) -> list[BaseEvent]:
        return [event for call in self._calls.values() if not call.ended for event in self._end_call(call)]

    def _end_call(self, call: _Call) -> list[BaseEvent]:
        call.ended = True
        whole = call.arguments if isinstance(parsed(call.arguments), dict) and call.arguments else "{}"
        return [ToolCallArgsEvent(tool_call_id=call.id, delta=whole), ToolCallEndEvent(tool_call_id=call.id)]


def run_started(thread_id: str, client_run_id: str) -> BaseEvent:
    return RunStartedEvent(thread_id=thread_id, run_id=client_run_id, protocol_version=PROTOCOL_VERSION)


def citations_event(message_id: UUID, citations: list[dict[str, Any]]) -> BaseEvent:
    return CustomEvent(name="citations", value={"messageId": str(message_id), "citations": citations})


def ending(
    thread_id: str,
    client_run_id: str,
    status: str,
    code: str | None,
    error: str | None,
    usage: TokenUsage | None = None,
) -> BaseEvent:
    """The terminal event of a run with this stored status."""
    if status == "succeeded":
        outcome: Any = RunFinishedSuccessOutcome()
    elif status == "cancelled":
        outcome = RunFinishedCancelledOutcome()
    else:
        return RunErrorEvent(message=error or "The answer could not be finished.", code=code or status)
    return RunFinishedEvent(
        thread_id=thread_id, run_id=client_run_id, outcome=outcome, usage=[usage] if usage else None
    )


def closing(answer: Answer) -> list[BaseEvent]:
    """Ends for what a log left open, when its process is gone."""
    events: list[BaseEvent] = [TextMessageEndEvent(message_id=answer.open_text)] if answer.open_text else []
    for call in answer.calls.values():
        if not call.ended:
            if not call.arguments:
                events.append(ToolCallArgsEvent(tool_call_id=call.id, delta="{}"))
            events.append(ToolCallEndEvent(tool_call_id=call.id))
    return events
