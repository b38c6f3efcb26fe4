"""A small local model that plans: one JSON-constrained step chooses a tool, a second free call writes the reply.

Models of 1 to 4 billion parameters write native tool calls as plain text or not at all; held to a schema, they choose well.
They do not know the tool role either, so results are given to them as readable text.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from assistant.models.arguments import add_current_class, fill
from assistant.models.commands import read_command
from assistant.models.compose import quotes_for
from assistant.models.intent import SAFE as READS
from assistant.models.narrowing import fitting
from assistant.models.offered import OfferedTool, read_tools
from assistant.models.plan_schema import REPLY, loose_schema, parse_step, problems, strict_schema, tidy
from assistant.models.provider_errors import provider_errors
from assistant.models.questions import search_slots
from assistant.models.render import clip, render_result
from assistant.models.small_talk import is_small_talk
from assistant.models.sources import UNSUPPORTED, missing_source, nothing_found, readable
from assistant.models.streams import Call, Decision, as_chunks, as_message, count_usage
from assistant.models.turns import Turn, read_turn
from assistant.models.words import fold, terms, with_greek

PROMPTS = Path(__file__).parent / "prompts"
MOST_STEPS = 4
RESULT_CHARACTERS = 4200
"""Characters of results given to the reply: 1,200 tokens of prose, 2,000 of formulas, which leaves room in a context of
4,096 and is read in 10 to 20 s by 1.5 B parameters on two cores."""
QUESTION_CHARACTERS = 3000
PLAN_TOKENS = 400
REPLY_TOKENS = 700
HISTORY = 4
TO_BE_READ = frozenset({"search_materials", "read_material", "open_passage", "get_conversation"})
"""Tools whose results are text to answer from. Lists, states and finished commands are reported word for word by
`render` instead: a 1.5 B model said that an upload was running when the list of jobs was empty."""

Tools = dict[str, OfferedTool]


@lru_cache(maxsize=8)
def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8")


class PlannedModel(BaseChatModel):
    """Wraps a chat model that understands `response_format` of type json_schema (any OpenAI-compatible server)."""

    inner: BaseChatModel = Field(exclude=True, repr=False)
    name: str | None = None
    on_failure: Callable[[], None] | None = Field(default=None, exclude=True, repr=False)
    embedder: Any = Field(default=None, exclude=True, repr=False)
    _loose: bool = PrivateAttr(default=False)

    @property
    def _llm_type(self) -> str:
        return "lyceum-planned"

    @property
    def _label(self) -> str:
        return self.name or "local model"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools. `tool_choice` is taken and ignored: the planning step decides."""
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        turn = read_turn(messages)
        tools = read_tools(kwargs.get("tools"))
        with provider_errors(self._label, self.on_failure):
            decision = await self._decide(turn, messages, tools)
            if decision is not None:
                for chunk in as_chunks(decision, count_usage(turn.question, decision.text), self._label):
                    yield chunk
                return
            said = ""
            request = _reply_messages(turn, messages)
            async for chunk in self.inner._astream(
                request, stop=stop, max_tokens=REPLY_TOKENS, temperature=0
            ):
                said += chunk.message.text
                yield chunk
            source = self._source(said, turn)
            if source:
                yield ChatGenerationChunk(message=AIMessageChunk(content=source))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        turn = read_turn(messages)
        with provider_errors(self._label, self.on_failure):
            decision = await self._decide(turn, messages, read_tools(kwargs.get("tools")))
            if decision is None:
                request = _reply_messages(turn, messages)
                result = await self.inner._agenerate(
                    request, stop=stop, max_tokens=REPLY_TOKENS, temperature=0
                )
                return self._with_source(result, turn)
        message = as_message(decision, count_usage(turn.question, decision.text), self._label)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("PlannedModel is asynchronous: use ainvoke or astream.")

    def _source(self, said: str, turn: Turn) -> str:
        """What an answer lacks: its source, or a warning and the sentences that a passage really holds."""
        source = missing_source(said, turn)
        if source != UNSUPPORTED or self.embedder is None:
            return source
        return "\n\n".join(filter(None, [source, quotes_for(turn, self.embedder)]))

    def _with_source(self, result: ChatResult, turn: Turn) -> ChatResult:
        message = result.generations[0].message
        source = self._source(message.text, turn)
        if source:
            message.content = f"{message.text}{source}"
        return ChatResult(generations=[ChatGeneration(message=message)], llm_output=result.llm_output)

    async def _decide(self, turn: Turn, messages: Sequence[BaseMessage], tools: Tools) -> Decision | None:
        """A tool call, or the exact report of a finished command; None when the model shall write the reply."""
        if _is_done(turn) and not _to_be_read(turn, tools):
            return Decision(
                text="\n\n".join(render_result(r, turn.question) for r in turn.results if not r.failed)
            )
        nothing = nothing_found(turn)
        if nothing:
            return Decision(text=nothing)
        call = await self._plan(turn, messages, tools)
        return Decision(calls=(call,)) if call else None

    async def _plan(self, turn: Turn, messages: Sequence[BaseMessage], tools: Tools) -> Call | None:
        """The tool to call next, or None to reply."""
        if not tools or not turn.question or turn.steps >= MOST_STEPS or _is_done(turn):
            return None
        if not turn.answering:
            if is_small_talk(turn.question):
                return None
            known = _known_request(turn, tools)
            if known is not None:
                return known
        tools = fitting(turn, tools)
        asked = _plan_messages(turn, messages, tools)
        written = await self._constrained(asked, tools)
        step = parse_step(written, tools)
        if step is None:
            return None if turn.answering else _search(turn, tools)
        action, arguments = step
        if action == REPLY:
            return None if turn.answering else _search(turn, tools)
        call = await self._checked(tools[action], arguments, [*asked, AIMessage(written)], turn, tools)
        tried = call is not None and any((r.name, r.args) == (call.name, call.args) for r in turn.results)
        return None if tried else call

    async def _checked(
        self, tool: OfferedTool, arguments: dict[str, Any], asked: list[BaseMessage], turn: Turn, tools: Tools
    ) -> Call | None:
        """The call with usable arguments; wrong ones are sent back once, then the turn falls back to a search."""
        args = _said(tool, tidy(tool, arguments), turn)
        wrong = problems(tool, args)
        if wrong:
            only = {tool.name: tool}
            request = _prompt("repair").format(
                problems=" ".join(wrong),
                action=tool.name,
                arguments=json.dumps(tool.schema.get("properties", {})),
            )
            step = parse_step(await self._constrained([*asked, HumanMessage(request)], only), only)
            args = _said(tool, tidy(tool, step[1]), turn) if step and step[0] == tool.name else {}
            if problems(tool, args):
                return None if turn.answering else _search(turn, tools)
        return Call(tool.name, add_current_class(tool, args, turn))

    async def _constrained(self, messages: list[BaseMessage], tools: Tools) -> str:
        """JSON text of one step. Servers that refuse the strict schema get the loose one from then on."""
        if not self._loose:
            try:
                return await self._ask(messages, strict_schema(tools))
            except ModelInvalidRequestError as error:
                if "context" in str(error).lower():
                    raise
                self._loose = True
        return await self._ask(messages, loose_schema(tools))

    async def _ask(self, messages: list[BaseMessage], schema: dict[str, Any]) -> str:
        form = {"type": "json_schema", "json_schema": {"name": "step", "schema": schema}}
        result = await self.inner._agenerate(
            messages, response_format=form, temperature=0, max_tokens=PLAN_TOKENS
        )
        return result.generations[0].message.text


def _is_done(turn: Turn) -> bool:
    """After a tool has worked only the reply is left: asked again, a small model creates a class four times, each with
    another description (seen with 1.5 B parameters). After a failure it may choose again."""
    return any(not r.failed for r in turn.results)


def _to_be_read(turn: Turn, tools: Tools) -> bool:
    """Whether the results are text to answer from, and not a page that the person only wanted to see."""
    if not any(r.name in TO_BE_READ for r in turn.results):
        return False
    command = read_command(turn.question, tools)
    shown = command is not None and command.tool == turn.results[-1].name
    return not shown or "summar" in turn.question.lower()


def _known_request(turn: Turn, tools: Tools) -> Call | None:
    """A reading command that the rules of `commands` are sure about ("how is my upload doing?")."""
    command = read_command(turn.question, tools)
    if command is None or not READS.match(command.tool):
        return None
    args = fill(tools[command.tool], command, turn)
    return None if set(tools[command.tool].required) - set(args) else Call(command.tool, args)


def _said(tool: OfferedTool, args: dict[str, Any], turn: Turn) -> dict[str, Any]:
    """Names as the person wrote them, and no optional text that nobody said: models like to make up descriptions."""
    asked = " ".join([*turn.previous_questions[-2:], turn.question])
    held = set(terms(asked))

    def made_up(name: str, value: Any) -> bool:
        wanted = terms(value) if isinstance(value, str) and name not in tool.required else []
        return bool(wanted) and name != "query" and 2 * len(held & set(wanted)) < len(wanted)

    def written(name: str, value: Any) -> Any:
        if name == "query" and isinstance(value, str):
            return with_greek(value)
        spaced = value.replace("_", " ") if name.endswith("_id") and isinstance(value, str) else value
        return spaced if spaced != value and fold(spaced) in fold(asked) else value

    return {
        name: written(name, value) for name, value in args.items() if not made_up(name, written(name, value))
    }


def _search(turn: Turn, tools: Tools) -> Call | None:
    tool = tools.get("search_materials")
    return Call(tool.name, fill(tool, search_slots(turn.question, turn), turn)) if tool else None


def _plan_messages(turn: Turn, messages: Sequence[BaseMessage], tools: Tools) -> list[BaseMessage]:
    described = "\n".join(_described(t) for t in tools.values())
    system = _prompt("plan").replace("{tools}", described)
    if turn.class_name:
        system += (
            f"\nThe student is looking at the class {turn.class_name}. It is used when no class is named.\n"
        )
    return [SystemMessage(system), *_history(messages), HumanMessage(_with_results(turn))]


def _described(tool: OfferedTool) -> str:
    summary = " ".join(tool.description.split()).split(". ")[0][:160]
    arguments = ", ".join(name if name in tool.required else f"{name}?" for name in tool.properties)
    return f"- {tool.name}({arguments}): {summary}"


def _reply_messages(turn: Turn, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    if not turn.answering:
        return [
            SystemMessage(_prompt("talk")),
            *_history(messages),
            HumanMessage(clip(turn.question, QUESTION_CHARACTERS)),
        ]
    searched = any(r.name == "search_materials" for r in turn.results)
    # A small model follows what stands last, so the rule on citations comes after the passages.
    asked = f"{_with_results(turn)}\n\n{_prompt('cite')}" if searched else _with_results(turn)
    system = _prompt("reply" if searched else "report")
    return [SystemMessage(system), *_history(messages), HumanMessage(asked)]


def _history(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The last few texts before the present request, as plain user and assistant messages."""
    humans = [i for i, m in enumerate(messages) if isinstance(m, HumanMessage)]
    before = messages[: humans[-1]] if humans else []
    said: list[BaseMessage] = []
    for message in before:
        if message.text and isinstance(message, HumanMessage):
            said.append(HumanMessage(clip(message.text, 600)))
        elif message.text and isinstance(message, AIMessage):
            said.append(AIMessage(clip(message.text, 600)))
    return said[-HISTORY:]


def _with_results(turn: Turn) -> str:
    """The request, with what the tools of this turn returned fenced below it."""
    asked = clip(turn.question, QUESTION_CHARACTERS)
    if not turn.results:
        return asked
    share = RESULT_CHARACTERS // len(turn.results)
    blocks = []
    for result in turn.results:
        head = f"Result of {result.name}" + (" (it failed)" if result.failed else "")
        blocks.append(f"{head}:\n<<<\n{readable(result, turn.question)[:share]}\n>>>")
    return "\n\n".join([*blocks, f"The student asks: {asked}"])
