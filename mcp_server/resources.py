"""Resources: the same items by address, for clients that attach them to a conversation. Each read is a reading tool."""

import json
from base64 import b64encode
from typing import Any
from uuid import UUID

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    BlobResourceContents,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)
from pydantic import BaseModel

from mcp_server import apps
from mcp_server.failing import protocol_error
from mcp_server.menu import page_of
from mcp_server.offer import offered, refusal
from mcp_server.parts import ANSWERS, address_of_answer, arguments_of_answer, part_of
from mcp_server.principal import PrincipalOf
from mcp_server.rendering import Variables
from mcp_server.selection import SelectionOf
from mcp_server.updates import Updates
from mcp_server.views import TEXT, VIEWS, View, view_of
from storage.errors import Forbidden, InvalidInput, LyceumError, NotFound
from tools.context import Principal
from tools.executor import Executor
from tools.spec import Effect

WIDTH, NARROWEST, WIDEST = 1200, 64, 2000
"""Pixels of a page's picture."""
NO_RESOURCE = "There is no resource at this address. resources/templates/list shows the addresses there are."


class Resources:
    """Handlers of resources/list, resources/templates/list and resources/read."""

    def __init__(
        self, executor: Executor, principal_of: PrincipalOf, selection_of: SelectionOf, updates: Updates
    ) -> None:
        self._executor = executor
        self._principal_of = principal_of
        self._selection_of = selection_of
        self._updates = updates

    async def list(
        self, ctx: ServerRequestContext, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """What the caller may attach: what is due, classes, the newest of everything; the rest is reached by templates."""
        cursor = params.cursor if params else None
        principal, names = self._principal_of(ctx), self._offered(ctx)
        class_id = self._selection_of(ctx).class_id
        await self._updates.lists(ctx)
        try:
            found, following = await page_of(self._executor, principal, names, class_id, cursor)
        except LyceumError as error:
            raise protocol_error(error) from error
        first = (
            [] if cursor else [_fixed(view) for view in VIEWS if not view.is_template and view.tool in names]
        )
        pages = [] if cursor else apps.resources()
        return ListResourcesResult(resources=[*first, *found, *pages], next_cursor=following)

    async def templates(
        self, ctx: ServerRequestContext, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        names = self._offered(ctx)
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    uri_template=view.template,
                    name=view.name,
                    title=view.title,
                    description=view.description,
                    mime_type=view.mime_type,
                )
                for view in VIEWS
                if view.is_template and view.tool in names
            ]
        )

    async def read(self, ctx: ServerRequestContext, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        if uri.startswith(apps.SCHEME):
            page = apps.read(uri)
            if page is None:
                raise MCPError(INVALID_PARAMS, NO_RESOURCE, {"uri": uri})
            return ReadResourceResult(contents=[page])
        try:
            contents = await self._read(ctx, uri)
        except LyceumError as error:
            raise protocol_error(error, uri) from error
        return ReadResourceResult(contents=[contents])

    def _offered(self, ctx: ServerRequestContext) -> frozenset[str]:
        specs = offered(self._executor.catalog, self._principal_of(ctx), self._selection_of(ctx))
        return frozenset(spec.name for spec in specs)

    async def _read(self, ctx: ServerRequestContext, uri: str) -> TextResourceContents | BlobResourceContents:
        if uri.startswith(f"{ANSWERS}/"):
            return await self._part(ctx, uri)
        match = view_of(uri)
        if match is None:
            raise NotFound(NO_RESOURCE, code="resource_not_found")
        view, found = match
        output = await self._call(ctx, view.tool, view.arguments(found))
        if view.is_picture:
            png = await self._picture(self._principal_of(ctx), output, found)
            return BlobResourceContents(uri=uri, mime_type=view.mime_type, blob=b64encode(png).decode())
        return TextResourceContents(uri=uri, mime_type=view.mime_type, text=view.render(output, found))

    async def _call(self, ctx: ServerRequestContext, tool: str, arguments: dict[str, Any]) -> BaseModel:
        refused = refusal(self._executor.catalog[tool], self._selection_of(ctx))
        if refused is not None:
            raise refused
        return await self._executor.call(tool, arguments, self._principal_of(ctx))

    async def _picture(self, principal: Principal, material: BaseModel, found: Variables) -> bytes:
        """The picture of a page of a material that the caller may read, as the tool has just said."""
        number, width = _number(found["number"]), _number(found.get("width", WIDTH))
        material_id: UUID = material.model_dump()["id"]
        async with self._executor.storage.as_user(principal.user_id, read_only=True) as db:
            row = await db.materials.resolve(str(material_id))
            file = await db.materials.file(row.file_id) if row.file_id else None
        if file is None:
            raise NotFound("This material has no file; read its text.", code="file_missing")
        return await self._executor.pages.get(file, number, min(max(width, NARROWEST), WIDEST))

    async def _part(self, ctx: ServerRequestContext, uri: str) -> TextResourceContents:
        """A part of an answer that was too large for its result."""
        tool, _, rest = uri.removeprefix(f"{ANSWERS}/").partition("/")
        packed, _, number = rest.partition("/")
        spec = self._executor.catalog.get(tool)
        if spec is None or spec.effect is not Effect.READ:
            raise Forbidden("Only answers of reading tools can be read by address.", code="not_readable")
        arguments, part = arguments_of_answer(packed), _number(number)
        output = await self._call(ctx, tool, arguments)
        data = output.model_dump(mode="json", by_alias=True, exclude_none=True)
        text, more = part_of(json.dumps(data, ensure_ascii=False, indent=0), part)
        if more:
            text = f"{text.rstrip()}\n[Goes on: {address_of_answer(tool, arguments, part + 1)}]"
        return TextResourceContents(uri=uri, mime_type=TEXT, text=text)


def _fixed(view: View) -> Resource:
    return Resource(
        uri=view.template,
        name=view.name,
        title=view.title,
        description=view.description,
        mime_type=view.mime_type,
    )


def _number(text: Any) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise InvalidInput("This part of the address must be a number.", code="invalid_address") from error
    if not 1 <= number <= 10**6:
        raise InvalidInput("Pages and parts count from 1.", code="invalid_address")
    return number
