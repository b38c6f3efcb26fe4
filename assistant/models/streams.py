"""Making LangChain messages and stream chunks from a finished decision: a text, or tool calls."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

_PIECE = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True)
class Call:
    """A tool to run and its arguments."""

    name: str
    args: dict[str, Any]
    id: str = field(default_factory=lambda: f"call_{uuid4().hex}")


@dataclass(frozen=True)
class Decision:
    """What a model does next: call tools, or say something."""

    text: str = ""
    calls: tuple[Call, ...] = ()


def count_usage(asked: str, answered: str) -> UsageMetadata:
    """Usage with words counted as tokens: models that are no language model have no tokens, and a bill needs none."""
    incoming, outgoing = len(asked.split()), len(answered.split())
    return UsageMetadata(input_tokens=incoming, output_tokens=outgoing, total_tokens=incoming + outgoing)


def as_message(decision: Decision, usage: UsageMetadata, model: str) -> AIMessage:
    """The decision as one message."""
    return AIMessage(
        content=decision.text,
        tool_calls=[tool_call(name=c.name, args=c.args, id=c.id) for c in decision.calls],
        usage_metadata=usage,
        response_metadata={"model_name": model},
    )


def as_chunks(decision: Decision, usage: UsageMetadata, model: str) -> Iterator[ChatGenerationChunk]:
    """The decision as a stream: a word at a time, then the calls, then an empty last chunk with the usage."""
    for piece in _PIECE.findall(decision.text):
        yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
    for index, call in enumerate(decision.calls):
        arguments = json.dumps(call.args, ensure_ascii=False)
        chunk = tool_call_chunk(name=call.name, args=arguments, id=call.id, index=index)
        yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[chunk]))
    last = AIMessageChunk(
        content="", usage_metadata=usage, response_metadata={"model_name": model}, chunk_position="last"
    )
    yield ChatGenerationChunk(message=last)
