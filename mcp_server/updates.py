"""Who hears when a resource changes: resources/subscribe of the older era, subscriptions/listen of the newer one.

Changes come from every process by one channel (storage/redis/changes.py). An address is resolved when it is subscribed
to, as this caller: a name means the caller's own item, and what cannot be read cannot be watched.
"""

import asyncio
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from uuid import UUID

from mcp.server import ServerRequestContext
from mcp.server.connection import Connection
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionFilter,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_server.failing import protocol_error
from mcp_server.interest import Interest, LegacySession, StreamBus
from mcp_server.items import Item, item_of
from mcp_server.offer import offered
from mcp_server.principal import PrincipalOf
from mcp_server.selection import SelectionOf
from mcp_server.views import view_of
from storage.errors import InvalidInput, LyceumError, NotFound, TooLarge
from tools.executor import Executor

MOST_STREAMS = 50
"""Open streams of one user in one process."""
MOST_ADDRESSES = 200
"""Addresses of one stream or session."""
SESSION = "lyceum.updates"


class Updates:
    """Handlers of resources/subscribe, resources/unsubscribe and subscriptions/listen."""

    def __init__(self, executor: Executor, principal_of: PrincipalOf, selection_of: SelectionOf) -> None:
        self._executor = executor
        self._principal_of = principal_of
        self._selection_of = selection_of
        self._streams: Counter[UUID] = Counter()

    async def subscribe(self, ctx: ServerRequestContext, params: SubscribeRequestParams) -> EmptyResult:
        uri = str(params.uri)
        session = await self._session(ctx)
        try:
            if len(session.interest.uris) >= MOST_ADDRESSES:
                raise TooLarge(
                    f"A session can watch {MOST_ADDRESSES} addresses. Unsubscribe from some first.",
                    code="too_many_subscriptions",
                )
            session.interest.uris |= await self._resolved(ctx, [uri])
        except LyceumError as error:
            raise protocol_error(error, uri) from error
        return EmptyResult()

    async def unsubscribe(self, ctx: ServerRequestContext, params: UnsubscribeRequestParams) -> EmptyResult:
        session = await self._session(ctx)
        session.interest.uris.pop(str(params.uri), None)
        return EmptyResult()

    async def lists(self, ctx: ServerRequestContext) -> None:
        """A client of the older era that has listed resources is told when the list changes; it cannot ask for that."""
        if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            (await self._session(ctx)).interest.lists = True

    async def listen(
        self, ctx: ServerRequestContext, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """One stream. Its acknowledgement names the addresses that will be told of; the others are left out of it."""
        user_id, wanted = self._principal_of(ctx).user_id, params.notifications
        uris = list(dict.fromkeys(wanted.resource_subscriptions or ()))
        if len(uris) > MOST_ADDRESSES:
            raise MCPError(INVALID_PARAMS, f"A stream can watch {MOST_ADDRESSES} addresses, not {len(uris)}.")
        interest = Interest(user_id, bool(wanted.resources_list_changed))
        interest.uris = await self._resolved(ctx, uris, is_strict=False)
        honored = SubscriptionFilter(
            tools_list_changed=wanted.tools_list_changed,
            prompts_list_changed=wanted.prompts_list_changed,
            resources_list_changed=wanted.resources_list_changed,
            resource_subscriptions=list(interest.uris) or None,
        )
        bus = StreamBus(interest)
        with self._counted(user_id):
            async with self._executor.storage.changes.watched(bus.tell):
                return await ListenHandler(bus)(ctx, params.model_copy(update={"notifications": honored}))

    @contextmanager
    def _counted(self, user_id: UUID) -> Generator[None]:
        if self._streams[user_id] >= MOST_STREAMS:
            raise MCPError(
                INVALID_REQUEST, f"There are {MOST_STREAMS} open streams already. Close one first."
            )
        self._streams[user_id] += 1
        try:
            yield
        finally:
            self._streams[user_id] -= 1
            if not self._streams[user_id]:
                del self._streams[user_id]

    async def _resolved(
        self, ctx: ServerRequestContext, uris: Sequence[str], *, is_strict: bool = True
    ) -> dict[str, Item]:
        """The item behind each address. One that leads nowhere, or where the caller may not go, is an error or left out."""
        principal = self._principal_of(ctx)
        specs = offered(self._executor.catalog, principal, self._selection_of(ctx))
        names = {spec.name for spec in specs}
        found: dict[str, Item] = {}
        if not uris:
            return found
        async with self._executor.storage.as_user(principal.user_id, read_only=True) as db:
            for uri in uris:
                try:
                    kind, wanted = _watchable(uri, names)
                    found[uri] = await item_of(db, kind, wanted)
                except LyceumError:
                    if is_strict:
                        raise
        return found

    async def _session(self, ctx: ServerRequestContext) -> LegacySession:
        """What the connection of the request hears; made at first use, ended with the connection."""
        # The request's context has no public way to the connection, whose `state` and `exit_stack` are for this.
        connection: Connection = ctx.session._connection
        session: LegacySession | None = connection.state.get(SESSION)
        if session is None:
            session = LegacySession(ctx.session, Interest(self._principal_of(ctx).user_id))
            connection.state[SESSION] = session
            connection.exit_stack.callback(session.close)
            try:
                await session.follow(self._executor.storage.changes)
            except asyncio.CancelledError:
                connection.state.pop(SESSION)
                raise
        return session


def _watchable(uri: str, offered_tools: set[str]) -> tuple[str, str]:
    """(kind, name or id) of the item whose changes are the changes at an address. Raises NotFound or InvalidInput."""
    match = view_of(uri)
    if match is None or match[0].tool not in offered_tools:
        raise NotFound(
            "There is no resource at this address, or this connection may not read it.",
            code="resource_not_found",
        )
    view, variables = match
    if view.item is None:
        raise InvalidInput("Nothing is told of changes at this address.", code="not_watchable")
    kind, name = view.item
    return kind, str(variables[name])
