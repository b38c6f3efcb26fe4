"""A view of the messages as turns: what was asked now, what came before, what the tools of this turn returned."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

_CURRENT_CLASS = re.compile(
    r"^Current class:\s*(?P<name>.*?)\s*\(id:\s*(?P<id>[0-9A-Za-z-]+)\)", re.MULTILINE
)


@dataclass(frozen=True)
class ToolResult:
    """One finished call of the present turn."""

    name: str
    args: dict[str, Any]
    text: str
    artifact: dict[str, Any]
    failed: bool


@dataclass(frozen=True)
class Turn:
    """The conversation as the models here need it."""

    question: str
    system: str = ""
    class_name: str | None = None
    class_id: str | None = None
    previous_questions: list[str] = field(default_factory=list)
    previous_answer: str = ""
    last_query: str | None = None
    results: list[ToolResult] = field(default_factory=list)
    steps: int = 0

    @property
    def answering(self) -> bool:
        """True when the last message was a tool result, so the next step may compose an answer."""
        return bool(self.results)


def read_turn(messages: Sequence[BaseMessage]) -> Turn:
    """Read a message list as LangChain's agent loop hands it over. Only what the person wrote counts as a request."""
    system = "\n".join(m.text for m in messages if isinstance(m, SystemMessage))
    humans = [i for i, m in enumerate(messages) if isinstance(m, HumanMessage)]
    start = humans[-1] if humans else len(messages)
    before, now = messages[:start], messages[start + 1 :]
    current = _CURRENT_CLASS.search(system)
    return Turn(
        question=messages[start].text.strip() if humans else "",
        system=system,
        class_name=current["name"] if current else None,
        class_id=current["id"] if current else None,
        previous_questions=[m.text.strip() for m in before if isinstance(m, HumanMessage)],
        previous_answer=next((m.text for m in reversed(before) if isinstance(m, AIMessage) and m.text), ""),
        last_query=_last_query(before),
        results=_results(now),
        steps=sum(1 for m in now if isinstance(m, AIMessage) and m.tool_calls),
    )


def _last_query(messages: Sequence[BaseMessage]) -> str | None:
    """The query of the latest search in the newest earlier turn, if that turn searched."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return None
        if isinstance(message, AIMessage):
            for call in reversed(message.tool_calls):
                if call["name"] == "search_materials" and isinstance(call["args"].get("query"), str):
                    return str(call["args"]["query"])
    return None


def _results(messages: Sequence[BaseMessage]) -> list[ToolResult]:
    calls = {c["id"]: c for m in messages if isinstance(m, AIMessage) for c in m.tool_calls}
    results = []
    for message in messages:
        if isinstance(message, ToolMessage):
            call = calls.get(message.tool_call_id)
            results.append(
                ToolResult(
                    name=message.name or (call["name"] if call else ""),
                    args=dict(call["args"]) if call else {},
                    text=message.text,
                    artifact=message.artifact if isinstance(message.artifact, dict) else {},
                    failed=message.status == "error",
                )
            )
    return results
