"""Prompts: what a person can start with one click in an AI client, with live data of their own in it."""

from collections.abc import Mapping

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from mcp_server.failing import protocol_error
from mcp_server.live import Live, joined
from mcp_server.offer import offered, opens
from mcp_server.principal import PrincipalOf
from mcp_server.prompting import PROMPTS, Argument, PromptSpec
from mcp_server.results import fenced
from mcp_server.selection import SelectionOf
from storage.errors import InvalidInput, LyceumError
from tools.executor import Executor

LONGEST_VALUE = 400
REACHED = "A tool named here that is not in your list is reached through call_tool."
ALL_CLASSES = "all my classes"


class Prompts:
    """Handlers of prompts/list and prompts/get."""

    def __init__(self, executor: Executor, principal_of: PrincipalOf, selection_of: SelectionOf) -> None:
        self._executor = executor
        self._principal_of = principal_of
        self._selection_of = selection_of

    async def list(
        self, ctx: ServerRequestContext, params: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        """Those whose tools are offered here, all in one page."""
        names = self._offered(ctx)
        return ListPromptsResult(
            prompts=[as_prompt(spec) for spec in PROMPTS.values() if spec.needs <= names]
        )

    async def get(self, ctx: ServerRequestContext, params: GetPromptRequestParams) -> GetPromptResult:
        spec, names = PROMPTS.get(params.name), self._offered(ctx)
        if spec is None:
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name[:100]}")
        if not spec.needs <= names:
            missing = ", ".join(sorted(spec.needs - names))
            raise MCPError(
                INVALID_PARAMS, f"{spec.name} needs tools that this connection does not offer: {missing}."
            )
        live = Live(self._executor, self._principal_of(ctx), names)
        try:
            given = values_of(spec, params.arguments or {}, self._selection_of(ctx).class_id)
            lines = await spec.facts(live, given)
        except LyceumError as error:
            raise protocol_error(error) from error
        text = spec.text(words_of(given)) + (f"\n\n{REACHED}" if opens(self._selection_of(ctx)) else "")
        data = f"\n\nWhat Lyceum knows at this moment. {fenced(joined(lines))}" if lines else ""
        message = PromptMessage(role="user", content=TextContent(text=text + data))
        return GetPromptResult(description=spec.description, messages=[message])

    def _offered(self, ctx: ServerRequestContext) -> frozenset[str]:
        specs = offered(self._executor.catalog, self._principal_of(ctx), self._selection_of(ctx))
        return frozenset(spec.name for spec in specs)


def as_prompt(spec: PromptSpec) -> Prompt:
    return Prompt(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        arguments=[
            PromptArgument(name=one.name, description=one.description, required=one.required)
            for one in spec.arguments
        ],
    )


def values_of(spec: PromptSpec, given: Mapping[str, str], class_id: str | None) -> dict[str, str]:
    """A value for every argument, empty where nothing was said. Raises InvalidInput."""
    unknown = sorted(given.keys() - {one.name for one in spec.arguments})
    if unknown:
        takes = ", ".join(one.name for one in spec.arguments)
        raise InvalidInput(
            f"{spec.name} has no argument {unknown[0][:80]!r}; it takes {takes}.", code="invalid_arguments"
        )
    values = {one.name: _value(spec, one, given.get(one.name, "")) for one in spec.arguments}
    values["class"] = values["class"] or class_id or ""
    return values


def _value(spec: PromptSpec, argument: Argument, text: str) -> str:
    """On one line, so that nothing in it looks like a part of the prompt."""
    value = " ".join(text.split())[:LONGEST_VALUE] or argument.default
    if argument.required and not value:
        raise InvalidInput(
            f"{spec.name} needs {argument.name}: {argument.description}", code="invalid_arguments"
        )
    if argument.most is not None and not (value.isdecimal() and 1 <= int(value) <= argument.most):
        raise InvalidInput(
            f"{argument.name} is a number from 1 to {argument.most}.", code="invalid_arguments"
        )
    return value


def words_of(given: Mapping[str, str]) -> dict[str, str]:
    """What stands in the text for each argument, and for several of them together."""
    expected = [f"{label} {given[name]!r}" for name, label in EXPECTED if given.get(name)]
    return {
        **given,
        "class": given["class"] or ALL_CLASSES,
        "scope": scope_of(given),
        "expected": ", ".join(expected) or "not said yet; ask me which material or words I expected",
    }


def scope_of(given: Mapping[str, str]) -> str:
    """What the prompt is about, in words: the parts that were given."""
    parts = [f"{label} {given[name]!r}" for name, label in SCOPE if given.get(name)]
    return ", ".join(parts) or ALL_CLASSES


SCOPE = (
    ("topic", "the topic"),
    ("chapter", "the chapter"),
    ("material", "the material"),
    ("class", "the class"),
)
EXPECTED = (("expected_phrase", "the words"), ("expected_material", "in the material"))
