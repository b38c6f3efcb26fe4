"""The adapter: the tool catalogue as an MCP server. It only translates; the executor decides, runs and audits."""

import hmac
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import TypeVar

import structlog
from mcp.server import Server, ServerRequestContext
from mcp.server.caching import CacheHint
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)

from mcp_server.instructions import instructions
from mcp_server.offer import as_tool, offered
from mcp_server.principal import PrincipalOf
from mcp_server.resources import Resources
from mcp_server.results import failure, success
from storage.errors import LyceumError
from tools.executor import Executor

log = structlog.get_logger()

NAME = "lyceum"
PAGE_SIZE = 100
LIST_TTL_MS = 60_000

Params = TypeVar("Params")
Result = TypeVar("Result")


def build_server(executor: Executor, principal_of: PrincipalOf, secret_key: str | None = None) -> Server:
    """An SDK server over the executor's catalogue. With a secret key, any process that has it can go on with a
    multi-step call that another one began."""
    catalog = executor.catalog
    tools = {name: as_tool(spec) for name, spec in catalog.items()}
    resources = Resources(executor, principal_of)
    schemas = {name: tool.input_schema for name, tool in tools.items()}

    async def list_tools(ctx: ServerRequestContext, params: PaginatedRequestParams | None) -> ListToolsResult:
        names = [spec.name for spec in offered(catalog, principal_of(ctx))]
        start = after(names, params.cursor if params else None)
        page = names[start : start + PAGE_SIZE]
        more = start + PAGE_SIZE < len(names)
        return ListToolsResult(tools=[tools[name] for name in page], next_cursor=page[-1] if more else None)

    async def call_tool(ctx: ServerRequestContext, params: CallToolRequestParams) -> CallToolResult:
        spec = catalog.get(params.name)
        if spec is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name[:100]}")
        try:
            output = await executor.call(
                spec.name, params.arguments or {}, principal_of(ctx), ctx.session.report_progress
            )
        except LyceumError as error:
            return failure(error)
        return success(spec, output)

    server: Server = Server(
        NAME,
        title="Lyceum",
        version=version("lyceum"),
        instructions=instructions(catalog.values()),
        cache_hints={"tools/list": CacheHint(ttl_ms=LIST_TTL_MS, scope="private")},
        get_tool_input_schema=schemas.get,
        on_list_tools=answering(list_tools),
        on_call_tool=answering(call_tool),
        on_list_resources=answering(resources.list),
        on_list_resource_templates=answering(resources.templates),
        on_read_resource=answering(resources.read),
    )
    server.middleware.append(RequestStateBoundary(request_state(secret_key), default_audience=NAME))
    return server


def after(names: list[str], cursor: str | None) -> int:
    """Where the page after `cursor`, the last name of the page before, begins."""
    if cursor is None:
        return 0
    if cursor not in names:
        raise MCPError(INVALID_PARAMS, "Unknown cursor. Start again without one.")
    return names.index(cursor) + 1


def answering(
    handler: Callable[[ServerRequestContext, Params], Awaitable[Result]],
) -> Callable[[ServerRequestContext, Params], Awaitable[Result]]:
    """The top-level handler of bugs: they are logged, and the client reads nothing of them. The SDK itself would send
    the text of an exception to a client of the older era."""

    async def answer(ctx: ServerRequestContext, params: Params) -> Result:
        try:
            return await handler(ctx, params)
        except MCPError:
            raise
        except Exception as bug:
            log.exception("mcp_request_failed", method=ctx.method, tool=getattr(params, "name", None))
            raise MCPError(INTERNAL_ERROR, "Internal error. It has been logged.") from bug

    return answer


def request_state(secret_key: str | None) -> RequestStateSecurity:
    """How what a client carries between two steps is sealed: under a key derived for this one use."""
    if secret_key is None:
        return RequestStateSecurity.ephemeral()
    return RequestStateSecurity(keys=[hmac.digest(secret_key.encode(), b"mcp request state", "sha256")])
