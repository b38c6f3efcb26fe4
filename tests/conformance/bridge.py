"""The suite's fixtures beside our own tools, resources and prompts: what our server does not know, theirs answers."""

import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mcp.server import MCPServer, Server, ServerRequestContext
from mcp_types import (
    CallToolRequestParams,
    CompleteRequestParams,
    GetPromptRequestParams,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    PromptReference,
    ReadResourceRequestParams,
    SetLevelRequestParams,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

Handler = Callable[[ServerRequestContext, Any], Awaitable[Any]]
LISTS: dict[str, tuple[type[Any], str]] = {
    "tools/list": (ListToolsResult, "tools"),
    "prompts/list": (ListPromptsResult, "prompts"),
    "resources/list": (ListResourcesResult, "resources"),
    "resources/templates/list": (ListResourceTemplatesResult, "resource_templates"),
}


def load(path: Path) -> MCPServer:
    """A server with the fixtures of the module at `path`, whose `install(mcp)` adds them."""
    spec = importlib.util.spec_from_file_location("mcp_conformance_fixtures", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    fixtures = MCPServer("fixtures", log_level="WARNING")
    module.install(fixtures)
    return fixtures


def bridge(server: Server, fixtures: MCPServer) -> Server:
    """`server`, which hands what it does not know to `fixtures`. Sessions, seals and transport stay its own."""
    theirs = fixtures._lowlevel_server

    def their(method: str) -> Handler:
        entry = theirs.get_request_handler(method)
        if entry is None:
            raise LookupError(f"The fixtures do not answer {method}.")
        return entry.handler

    def either(method: str, params_type: type[Any], is_theirs: Callable[[Any], bool]) -> None:
        ours, other = server.get_request_handler(method), their(method)

        async def answer(ctx: ServerRequestContext, params: Any) -> Any:
            return await (other if ours is None or is_theirs(params) else ours.handler)(ctx, params)

        server.add_request_handler(method, params_type, answer)

    for method, (result_type, field) in LISTS.items():
        server.add_request_handler(
            method, PaginatedRequestParams, _joined(server, their(method), method, result_type, field)
        )
    tools = {tool.name for tool in fixtures._tool_manager.list_tools()}
    prompts = {prompt.name for prompt in fixtures._prompt_manager.list_prompts()}
    either("tools/call", CallToolRequestParams, lambda p: p.name in tools)
    either("prompts/get", GetPromptRequestParams, lambda p: p.name in prompts)
    either("resources/read", ReadResourceRequestParams, _is_test_address)
    either("resources/subscribe", SubscribeRequestParams, _is_test_address)
    either("resources/unsubscribe", UnsubscribeRequestParams, _is_test_address)
    either(
        "completion/complete",
        CompleteRequestParams,
        lambda p: isinstance(p.ref, PromptReference) and p.ref.name in prompts,
    )
    either("subscriptions/listen", SubscriptionsListenRequestParams, _wants_lists)
    either("logging/setLevel", SetLevelRequestParams, lambda p: True)
    known = server.get_tool_input_schema
    server.get_tool_input_schema = lambda name: (
        fixtures._tool_input_schema(name) or (known(name) if known else None)
    )
    return server


def _joined(server: Server, other: Handler, method: str, result_type: type[Any], field: str) -> Handler:
    """Our list, with the fixtures at its end."""
    entry = server.get_request_handler(method)

    async def answer(ctx: ServerRequestContext, params: Any) -> Any:
        mine: Any = await entry.handler(ctx, params) if entry else result_type(**{field: []})
        if mine.next_cursor is not None:
            return mine
        added = getattr(await other(ctx, None), field)
        return mine.model_copy(update={field: [*getattr(mine, field), *added]})

    return answer


def _is_test_address(params: Any) -> bool:
    return str(params.uri).startswith("test://")


def _wants_lists(params: SubscriptionsListenRequestParams) -> bool:
    """Only the fixtures change their tools and prompts while they run."""
    wanted = params.notifications
    return bool(wanted.tools_list_changed or wanted.prompts_list_changed)
