"""What one run has said so far: a fold over its AG-UI events, the same for a live run and for one read from its log."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from assistant.agent.citations import shortened

SHORT_RESULT = 300
FINAL = frozenset({"RUN_FINISHED", "RUN_ERROR"})


@dataclass
class ToolUse:
    """One tool call. `arguments` is JSON text; `result` one short line."""

    id: str
    name: str
    arguments: str = ""
    result: str | None = None
    ended: bool = False

    def part(self) -> dict[str, Any]:
        """As it is kept in a message's `parts`."""
        return {
            "type": "tool_call",
            "id": self.id,
            "name": self.name,
            "arguments": parsed(self.arguments),
            "result": self.result,
        }


@dataclass
class Answer:
    """`message_id` is the id of the last text: the stored message has it too."""

    message_id: UUID | None = None
    texts: dict[str, str] = field(default_factory=dict)
    calls: dict[str, ToolUse] = field(default_factory=dict)
    citations: list[dict[str, Any]] = field(default_factory=list)
    open_text: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def text(self) -> str:
        """All texts of the run; they read as one answer."""
        return "\n\n".join(text.strip() for text in self.texts.values() if text.strip())

    @property
    def parts(self) -> list[dict[str, Any]]:
        return [call.part() for call in self.calls.values()]

    def fold(self, event: dict[str, Any]) -> None:
        """Take one event, as JSON with the wire's names, into account. Unknown events change nothing."""
        match event:
            case {"type": "TEXT_MESSAGE_START", "messageId": str(name)}:
                self.message_id, self.open_text = UUID(name), name
                self.texts[name] = ""
            case {"type": "TEXT_MESSAGE_CONTENT", "messageId": str(name), "delta": str(delta)}:
                self.texts[name] = self.texts.get(name, "") + delta
            case {"type": "TEXT_MESSAGE_END"}:
                self.open_text = None
            case {"type": "CUSTOM", "name": "citations", "value": {"citations": list(citations)}}:
                self.citations = citations
            case {"type": str(kind), "toolCallId": str(call)} if kind.startswith("TOOL_CALL_"):
                self._fold_call(kind, call, event)

    def _fold_call(self, kind: str, call: str, event: dict[str, Any]) -> None:
        use = self.calls.setdefault(call, ToolUse(call, str(event.get("toolCallName", ""))))
        if kind == "TOOL_CALL_ARGS":
            use.arguments += str(event.get("delta", ""))
        elif kind == "TOOL_CALL_END":
            use.ended = True
        elif kind == "TOOL_CALL_RESULT":
            use.result = short_result(str(event.get("content", "")))


def parsed(text: str) -> Any:
    """The JSON value of a text, or the text when it is none."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def short_result(content: str) -> str:
    """A tool's result in one line, for the record and for later turns."""
    value = parsed(content)
    if not isinstance(value, dict):
        return shortened(content, SHORT_RESULT)
    if isinstance(value.get("hits"), list):
        places = [place_of(hit) for hit in value["hits"][:5] if isinstance(hit, dict)]
        return shortened(f"{len(value['hits'])} passages found: {'; '.join(places)}", SHORT_RESULT)
    if isinstance(value.get("items"), list):
        names = [
            str(i.get("name") or i.get("title") or i.get("id")) for i in value["items"] if isinstance(i, dict)
        ]
        return shortened(
            f"{value.get('total') or len(value['items'])} items: {', '.join(names)}", SHORT_RESULT
        )
    return shortened(content, SHORT_RESULT)


def place_of(hit: dict[str, Any]) -> str:
    locator = hit.get("locator") or {}
    return ", ".join(filter(None, [str(locator.get("material_title") or ""), str(hit.get("label") or "")]))
