"""Programs that the user let in to the MCP server, and the end of that."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, Field

from storage.repositories.oauth import Connected
from tools.context import ToolContext
from tools.oauth.redirects import redirect_host, web_address
from tools.spec import Effect, Input, NoInput, tool


class ConnectedClient(BaseModel):
    client_id: UUID = Field(description="What disconnect_client takes.")
    name: str = Field(description="What the program calls itself.")
    client_uri: str | None = Field(description="Its web site, as it says itself.")
    home: str | None = Field(
        description="The host that describes it; null unless it has a metadata document."
    )
    redirect_host: str = Field(description="Where it was let in from: a host, this computer, or an app.")
    registration: str = Field(
        description="metadata_document (its client id is a web address that describes it), dynamic or operator."
    )
    scopes: list[str] = Field(description="What it may do.")
    connections: int = Field(description="How often it was let in: a program on two computers has two.")
    created_at: datetime = Field(description="When it was let in first.")
    last_used_at: datetime | None

    @classmethod
    def of(cls, found: Connected) -> "ConnectedClient":
        client, grants = found.client, found.grants
        used = [grant.last_used_at for grant in grants if grant.last_used_at is not None]
        return cls(
            client_id=client.id,
            name=client.name,
            client_uri=web_address(client.document.get("client_uri")),
            home=urlsplit(client.client_id).netloc if client.registration == "metadata_document" else None,
            redirect_host=redirect_host(grants[0].redirect_uri),
            registration=client.registration,
            scopes=sorted({scope for grant in grants for scope in grant.scopes}),
            connections=len(grants),
            created_at=min(grant.created_at for grant in grants),
            last_used_at=max(used, default=None),
        )


class ClientList(BaseModel):
    items: list[ConnectedClient]
    next_cursor: None = None
    total: int


@tool(effect=Effect.READ, toolset="account")
async def list_connected_clients(ctx: ToolContext, args: NoInput) -> ClientList:
    """List the programs and AI clients that the user has let in by signing in on the web, and what each may do. API keys are
    in list_api_keys."""
    items = [ConnectedClient.of(found) for found in await ctx.db.oauth.all_connected()]
    return ClientList(items=items, total=len(items))


class DisconnectClient(Input):
    client_id: str = Field(
        min_length=1, max_length=200, description="A connected program: its id or its name."
    )


class DisconnectedClient(BaseModel):
    client_id: UUID
    name: str
    connections: int = Field(description="How many were ended.")


@tool(effect=Effect.DESTROY, toolset="account")
async def disconnect_client(ctx: ToolContext, args: DisconnectClient) -> DisconnectedClient:
    """End everything that a connected program may do, at once, on every computer. It must ask the user to be let in again."""
    found = await ctx.db.oauth.connected(args.client_id)
    await ctx.db.oauth.end_client(found.id)
    return DisconnectedClient(client_id=found.id, name=found.name, connections=len(found.grants))
