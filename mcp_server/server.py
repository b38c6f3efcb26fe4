"""The adapter: the tool catalogue as an MCP server. It only translates; the executor decides, runs and audits."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, TypeVar

import anyio.lowlevel
import structlog
from mcp.server import NotificationOptions, Server, ServerRequestContext
from mcp.server.caching import CacheHint
from mcp.server.models import InitializationOptions
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR

from mcp_server.approval import Seal
from mcp_server.apps import EXTENSION
from mcp_server.completions import Completions
from mcp_server.instructions import Greeting
from mcp_server.principal import PrincipalOf
from mcp_server.prompts import Prompts
from mcp_server.resources import Resources
from mcp_server.selection import NOTHING_SAID, Selection, SelectionOf
from mcp_server.surface import Surface
from mcp_server.updates import Updates
from tools.executor import Executor

log = structlog.get_logger()

NAME = "lyceum"
LIST_TTL_MS = 60_000
PRIVATE = CacheHint(ttl_ms=LIST_TTL_MS, scope="private")
"""What a caller is offered depends on the key, so no cache between may share it."""

Params = TypeVar("Params")
Result = TypeVar("Result")


class LyceumServer(Server):
    """Says in the older era too that its lists change; the SDK's HTTP sessions ask for the options without saying so."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        changing = notification_options or NotificationOptions(resources_changed=True)
        return super().create_initialization_options(changing, experimental_capabilities, extensions)


def default_selection(_: ServerRequestContext) -> Selection:
    return NOTHING_SAID


def build_server(
    executor: Executor,
    principal_of: PrincipalOf,
    secret_key: str | None = None,
    selection_of: SelectionOf = default_selection,
) -> Server:
    """An SDK server over the executor's catalogue. With a secret key, any process that has it can go on with a
    multi-step call that another one began."""
    surface = Surface(executor, principal_of, selection_of)
    prompts = Prompts(executor, principal_of, selection_of)
    completions = Completions(executor, principal_of, selection_of)
    updates = Updates(executor, principal_of, selection_of)
    resources = Resources(executor, principal_of, selection_of, updates)
    server = LyceumServer(
        NAME,
        title="Lyceum",
        version=version("lyceum"),
        cache_hints={"tools/list": PRIVATE, "server/discover": PRIVATE},
        get_tool_input_schema=surface.input_schema,
        on_list_tools=answering(surface.list),
        on_call_tool=answering(surface.call),
        on_list_resources=answering(resources.list),
        on_list_resource_templates=answering(resources.templates),
        on_read_resource=answering(resources.read),
        on_subscribe_resource=answering(updates.subscribe),
        on_unsubscribe_resource=answering(updates.unsubscribe),
        on_subscriptions_listen=answering(updates.listen),
        on_list_prompts=answering(prompts.list),
        on_get_prompt=answering(prompts.get),
        on_completion=answering(completions.complete),
    )
    server.extensions.update(EXTENSION)
    server.middleware.append(Greeting(executor.catalog, principal_of, selection_of))
    server.middleware.append(Seal(secret_key, NAME))
    return server


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
        except asyncio.CancelledError:
            # asyncio.gather raises one of its own making, which the SDK's cancel scope does not know: it would end all of
            # the connection. This raises that of the scope.
            await anyio.lowlevel.checkpoint_if_cancelled()
            raise
        except Exception as bug:
            log.exception("mcp_request_failed", method=ctx.method, tool=getattr(params, "name", None))
            raise MCPError(INTERNAL_ERROR, "Internal error. It has been logged.") from bug

    return answer
