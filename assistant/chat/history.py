"""Stored messages as a model reads them, and the one message that a request adds. The server owns the history."""

import json
from collections.abc import Sequence
from typing import Any

from ag_ui.core import RunAgentInput, UserMessage
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call

from assistant.agent.citations import without_marks
from storage.errors import InvalidInput, TooLarge
from storage.models import Message

MOST_TURNS = 10
MOST_CHARACTERS = 12_000
MOST_QUESTION = 20_000
MESSAGES_READ = 2 * MOST_TURNS


def question_of(request: RunAgentInput) -> str:
    """The newest user message. Raises InvalidInput when there is none, TooLarge over `MOST_QUESTION` characters."""
    newest = next((m for m in reversed(request.messages) if isinstance(m, UserMessage)), None)
    text = "" if newest is None else text_of(newest.content).strip()
    if not text:
        raise InvalidInput("There is no question: the last user message has no text.", code="empty_message")
    if len(text) > MOST_QUESTION:
        raise TooLarge(
            f"This message has {len(text)} characters; {MOST_QUESTION} are possible. Put long texts into a class with add_text.",
            code="message_too_long",
        )
    return text.replace("\x00", "")


def text_of(content: Any) -> str:
    """The text of a message's content: plain, or the text parts of a list."""
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if getattr(part, "type", None) == "text")


def to_langchain(stored: Sequence[Message]) -> list[BaseMessage]:
    """Messages in reading order as LangChain messages: the newest turns within both budgets, whole turns only."""
    turns: list[list[Message]] = []
    for message in stored:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    kept: list[list[Message]] = []
    left = MOST_CHARACTERS
    for turn in reversed(turns[-MOST_TURNS:]):
        left -= sum(len(message.text) for message in turn)
        if left < 0 and kept:
            break
        kept.append(turn)
    return [one for turn in reversed(kept) for message in turn for one in _messages(message)]


def _messages(message: Message) -> list[BaseMessage]:
    if message.role == "user":
        return [HumanMessage(message.text)]
    calls = [part for part in message.parts if part.get("type") == "tool_call" and part.get("result")]
    made: list[BaseMessage] = []
    if calls:
        made.append(AIMessage("", tool_calls=[_call(part) for part in calls]))
        made.extend(
            ToolMessage(without_marks(part["result"]), tool_call_id=part["id"], name=part["name"])
            for part in calls
        )
    text = without_marks(message.text)
    if message.status != "complete":
        text = f"{text}\n\n(This answer was not finished.)".strip()
    if text:
        made.append(AIMessage(text))
    return made


def _call(part: dict[str, Any]) -> Any:
    arguments = (
        part["arguments"]
        if isinstance(part["arguments"], dict)
        else {"arguments": json.dumps(part["arguments"])}
    )
    return tool_call(name=part["name"], args=arguments, id=part["id"])
