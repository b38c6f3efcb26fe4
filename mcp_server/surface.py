"""Handlers of tools/list and tools/call: one way to a tool, whether it is called by its own name or through `call_tool`."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.apps import client_supports_apps
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)

from mcp_server.approval import Approved, approval
from mcp_server.apps import companions, for_page
from mcp_server.binding import with_class
from mcp_server.finding import CallTool, Finder, SearchTools, asked, in_own_words, pair_of
from mcp_server.offer import listed, offered, opens, refusal
from mcp_server.principal import PrincipalOf
from mcp_server.results import failure, success
from mcp_server.selection import CALL_TOOL, NOTHING_SAID, SEARCH_TOOLS, Selection, SelectionOf
from mcp_server.wire import as_companion, as_tool
from storage.errors import Forbidden, LyceumError
from tools.context import Principal
from tools.executor import Executor
from tools.spec import Effect, ToolSpec

PAGE_SIZE = 100


class Surface:
    """The tools as one caller sees them."""

    def __init__(self, executor: Executor, principal_of: PrincipalOf, selection_of: SelectionOf) -> None:
        self._executor = executor
        self._principal_of = principal_of
        self._selection_of = selection_of
        self._finder = Finder(executor.storage.embedder)
        self._tools: dict[tuple[str, bool], Tool] = {}

    async def list(self, ctx: ServerRequestContext, params: PaginatedRequestParams | None) -> ListToolsResult:
        selection = self._selection_of(ctx)
        tools = self.shown(self._principal_of(ctx), selection, for_pages=client_supports_apps(ctx))
        names = [tool.name for tool in tools]
        start = after(names, params.cursor if params else None)
        more = start + PAGE_SIZE < len(tools)
        return ListToolsResult(
            tools=[*tools[start : start + PAGE_SIZE]],
            next_cursor=names[start + PAGE_SIZE - 1] if more else None,
        )

    async def call(
        self, ctx: ServerRequestContext, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        try:
            return await self._called(ctx, params)
        except LyceumError as error:
            return failure(error, self._executor.catalog.get(meant(params)))

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        spec = self._executor.catalog.get(name)
        return self._tool(spec, NOTHING_SAID).input_schema if spec else None

    def shown(self, principal: Principal, selection: Selection, *, for_pages: bool = False) -> Sequence[Tool]:
        """What tools/list shows: the chosen tools, then the pair, then what pages call and models do not see."""
        catalog = self._executor.catalog
        usable = offered(catalog, principal, selection)
        specs = listed(catalog, principal, selection)
        tools = [self._tool(spec, selection) for spec in specs]
        if opens(selection) and len(usable) > len(specs):
            tools += pair_of(usable)
        if for_pages:
            names = {spec.name for spec in specs}
            called = companions(names) - names
            tools += [as_companion(self._tool(spec, selection)) for spec in usable if spec.name in called]
        return tools

    async def _called(
        self, ctx: ServerRequestContext, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        selection, arguments = self._selection_of(ctx), params.arguments or {}
        if params.name not in (SEARCH_TOOLS, CALL_TOOL):
            return await self._run(ctx, params, selection, params.name, arguments)
        if not opens(selection):
            raise Forbidden(
                f"{params.name} is not offered: this connection chose its toolsets by {selection.knob('toolsets')}, "
                "and tools/list shows all of them.",
                code="tool_not_selected",
            )
        if params.name == SEARCH_TOOLS:
            wanted = asked(SearchTools, arguments)
            usable = offered(self._executor.catalog, self._principal_of(ctx), selection)
            tools = {spec.name: self._tool(spec, selection) for spec in usable}
            return in_own_words(await self._finder.search(wanted, usable, tools))
        inner = asked(CallTool, arguments)
        return await self._run(ctx, params, selection, inner.name, inner.arguments)

    async def _run(
        self,
        ctx: ServerRequestContext,
        params: CallToolRequestParams,
        selection: Selection,
        name: str,
        arguments: Mapping[str, Any],
    ) -> CallToolResult | InputRequiredResult:
        """The one way to a tool: what the selection allows, the bound class, the person's approval, the executor."""
        principal = self._principal_of(ctx)
        spec = self._spec(name, selection)
        filled = with_class(spec, arguments, selection)
        if spec.effect is Effect.DESTROY and principal.allows(spec.scope):
            decision = await approval(ctx, params, spec, filled, principal, self._executor)
            if not isinstance(decision, Approved):
                return decision
            filled = decision.arguments
        output = await self._executor.call(spec.name, filled, principal, ctx.session.report_progress)
        answer = success(spec, output, filled)
        return for_page(ctx, spec.name, answer, self._executor.storage.settings.base_url)

    def _spec(self, name: str, selection: Selection) -> ToolSpec:
        """Raises MCPError for a tool that there is not, Forbidden for one that the selection leaves out."""
        spec = self._executor.catalog.get(name)
        if spec is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {name[:100]}")
        refused = refusal(spec, selection)
        if refused is not None:
            raise refused
        return spec

    def _tool(self, spec: ToolSpec, selection: Selection) -> Tool:
        key = (spec.name, selection.class_id is not None)
        if key not in self._tools:
            self._tools[key] = as_tool(spec, is_bound=key[1])
        return self._tools[key]


def meant(params: CallToolRequestParams) -> str:
    """The name of the tool that a call is about."""
    return str((params.arguments or {}).get("name")) if params.name == CALL_TOOL else params.name


def after(names: list[str], cursor: str | None) -> int:
    """Where the page after `cursor`, the last name of the page before, begins."""
    if cursor is None:
        return 0
    if cursor not in names:
        raise MCPError(INVALID_PARAMS, "Unknown cursor. Start again without one.")
    return names.index(cursor) + 1
