"""A chat model that says what a test wrote for it: words with pauses, tool calls, failures."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tools import BaseTool
from pydantic import Field


@dataclass(frozen=True)
class Step:
    """One call of the model: words, then tool calls, then perhaps an error. `pause` in seconds after each word."""

    text: str = ""
    calls: Sequence[tuple[str, dict[str, Any]]] = ()
    pause: float = 0.0
    error: Exception | None = None
    prefix: str = "call"


class ScriptedModel(BaseChatModel):
    """Takes the step whose number is the count of model calls in this turn; keeps what it was sent in `seen`."""

    steps: list[Step]
    seen: list[list[BaseMessage]] = Field(default_factory=list)
    offered: list[str] = Field(default_factory=list)
    name: str | None = "scripted"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[BaseTool], **kwargs: Any) -> Any:  # type: ignore[override]
        self.offered[:] = [tool.name for tool in tools]
        return self.bind()

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.seen.append(list(messages))
        step = self.steps[min(answered_steps(messages), len(self.steps) - 1)]
        for word in step.text.split(" ") if step.text else []:
            yield said(AIMessageChunk(content=f"{word} "))
            await asyncio.sleep(step.pause)
        if step.error is not None:
            raise step.error
        for index, (name, arguments) in enumerate(step.calls):
            whole = json.dumps(arguments)
            for call_id, called, part in (
                (f"{step.prefix}_{index}", name, whole[:5]),
                (None, None, whole[5:]),
            ):
                chunk: Any = {"id": call_id, "name": called, "args": part, "index": index}
                yield said(AIMessageChunk(content="", tool_call_chunks=[chunk]))
        usage: Any = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        yield said(AIMessageChunk(content="", usage_metadata=usage, chunk_position="last"))


def said(chunk: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=chunk)


def answered_steps(messages: Sequence[BaseMessage]) -> int:
    """How many calls of the model this turn has behind it."""
    steps = 0
    for message in reversed(messages):
        if message.type == "human":
            break
        steps += isinstance(message, AIMessage)
    return steps
