"""`builtin`: answers without a language model. Rules choose the tool, quoted sentences make the answer.

It is a LangChain chat model like any other, so the agent loop does not know. It never writes a fact of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from assistant.models.compose import compose
from assistant.models.embeds import Embeds
from assistant.models.intent import decide
from assistant.models.offered import OfferedTool, read_tools
from assistant.models.streams import Call, Decision, as_chunks, as_message, count_usage
from assistant.models.turns import Turn, read_turn


class BuiltinModel(BaseChatModel):
    """No language model: intent by rules and embeddings, answers of quoted sentences with citations.

    Usage figures count words, since there are no tokens.
    """

    embedder: Any = Field(exclude=True, repr=False)
    name: str | None = "builtin"

    def __init__(self, embedder: Embeds, **kwargs: Any) -> None:
        super().__init__(embedder=embedder, **kwargs)

    @property
    def _llm_type(self) -> str:
        return "lyceum-builtin"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools. `tool_choice` is taken and ignored: rules decide."""
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)

    def _decide(
        self, messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]] | None
    ) -> tuple[Decision, Turn]:
        turn = read_turn(messages)
        return next_step(turn, read_tools(tools), self.embedder), turn

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        decision, turn = self._decide(messages, kwargs.get("tools"))
        usage = count_usage(turn.question, decision.text)
        return ChatResult(generations=[ChatGeneration(message=as_message(decision, usage, "builtin"))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await asyncio.to_thread(self._generate, messages, stop, None, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        decision, turn = self._decide(messages, kwargs.get("tools"))
        yield from as_chunks(decision, count_usage(turn.question, decision.text), "builtin")

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        # Embedding is CPU work: in a thread, so that other streams go on.
        decision, turn = await asyncio.to_thread(self._decide, messages, kwargs.get("tools"))
        for chunk in as_chunks(decision, count_usage(turn.question, decision.text), "builtin"):
            yield chunk


def next_step(turn: Turn, tools: dict[str, OfferedTool], embedder: Embeds) -> Decision:
    """Choose a tool for a new request; compose the answer once a tool has returned."""
    if not turn.answering:
        return decide(turn, tools, embedder)
    retry = _without_the_name(turn, tools)
    return Decision(calls=(retry,)) if retry else Decision(text=compose(turn, embedder))


def _without_the_name(turn: Turn, tools: dict[str, OfferedTool]) -> Call | None:
    """A search that failed on a class or material read out of the question is tried once over everything.

    "In the last chapter of the book" may be taken for a title that no material has.
    """
    last = turn.results[-1]
    named = {k for k in ("class_id", "material_id") if last.args.get(k) and last.args[k] != turn.class_id}
    if (
        turn.steps != 1
        or not last.failed
        or last.name != "search_materials"
        or not named
        or last.name not in tools
    ):
        return None
    return Call(last.name, {k: v for k, v in last.args.items() if k not in named} | {"query": turn.question})
