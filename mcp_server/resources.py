"""Resources: the same items by address, for clients that attach them to a conversation. Each read is a reading tool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.uri_template import UriTemplate
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
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

from mcp_server.principal import PrincipalOf
from storage.errors import Forbidden, Kind, LyceumError
from storage.locators import clock
from tools.actions.classes import ClassList
from tools.actions.reading import ReadResult, ReadSegment
from tools.executor import Executor

JSON, TEXT = "application/json", "text/plain"
LISTED = 100

Variables = Mapping[str, Any]


def as_json(output: BaseModel) -> str:
    return output.model_dump_json(by_alias=True)


def as_page(output: BaseModel) -> str:
    if not isinstance(output, ReadResult):
        raise TypeError("read_material answers with a ReadResult.")
    return "\n\n".join(map(page_text, output.segments))


def page_text(segment: ReadSegment) -> str:
    """The text of a page; of a recording, a line a sentence, with its time."""
    spoken = [f"{clock(sentence.t_start)} {sentence.text}" for sentence in segment.sentences]
    return "\n".join(spoken) or segment.text


@dataclass(frozen=True)
class View:
    """An address, and the reading tool that answers it."""

    template: str
    name: str
    description: str
    tool: str
    arguments: Callable[[Variables], dict[str, Any]]
    mime_type: str = JSON
    render: Callable[[BaseModel], str] = as_json


VIEWS = (
    View(
        template="lyceum://classes/{class_id}",
        name="class",
        description="The materials of a class.",
        tool="list_materials",
        arguments=lambda found: {"class_id": found["class_id"], "limit": LISTED},
    ),
    View(
        template="lyceum://materials/{material_id}",
        name="material",
        description="A material: what it is, and how far reading it in has come.",
        tool="get_material",
        arguments=lambda found: {"material_id": found["material_id"]},
    ),
    View(
        template="lyceum://materials/{material_id}/pages/{number}",
        name="page",
        description="The text of one page, slide, section or minute of a material, counted from 1.",
        tool="read_material",
        arguments=lambda found: {
            "material_id": found["material_id"],
            "first": found["number"],
            "last": found["number"],
        },
        mime_type=TEXT,
        render=as_page,
    ),
)


class Resources:
    """Handlers of resources/list, resources/templates/list and resources/read."""

    def __init__(self, executor: Executor, principal_of: PrincipalOf) -> None:
        self._executor = executor
        self._principal_of = principal_of
        self._views = [(UriTemplate.parse(view.template), view) for view in VIEWS]

    async def list(
        self, ctx: ServerRequestContext, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """The caller's classes, page by page; what is in them is reached by the templates."""
        arguments = {"limit": LISTED, "cursor": params.cursor if params else None}
        try:
            page = await self._executor.call("list_classes", arguments, self._principal_of(ctx))
        except Forbidden:
            return ListResourcesResult(resources=[])
        except LyceumError as error:
            raise protocol_error(error) from error
        if not isinstance(page, ClassList):
            raise TypeError("list_classes answers with a ClassList.")
        resources = [
            Resource(uri=f"lyceum://classes/{item.id}", name=item.name, mime_type=JSON) for item in page.items
        ]
        return ListResourcesResult(resources=resources, next_cursor=page.next_cursor)

    async def templates(
        self, ctx: ServerRequestContext, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        principal, catalog = self._principal_of(ctx), self._executor.catalog
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    uri_template=view.template,
                    name=view.name,
                    description=view.description,
                    mime_type=view.mime_type,
                )
                for view in VIEWS
                if principal.allows(catalog[view.tool].scope)
            ]
        )

    async def read(self, ctx: ServerRequestContext, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        view, found = self._match(uri)
        try:
            output = await self._executor.call(view.tool, view.arguments(found), self._principal_of(ctx))
        except LyceumError as error:
            raise protocol_error(error, uri) from error
        text = TextResourceContents(uri=uri, mime_type=view.mime_type, text=view.render(output))
        return ReadResourceResult(contents=[text])

    def _match(self, uri: str) -> tuple[View, Variables]:
        for template, view in self._views:
            found = template.match(uri)
            if found is not None:
                return view, found
        raise MCPError(INVALID_PARAMS, "There is no resource at this address.", {"uri": uri})


def protocol_error(error: LyceumError, uri: str | None = None) -> MCPError:
    """A resource has no error result that a model reads: what a caller can cause becomes invalid parameters (SEP-2164)."""
    code = INTERNAL_ERROR if error.kind is Kind.UNAVAILABLE else INVALID_PARAMS
    return MCPError(code, str(error), {"code": error.code, **({"uri": uri} if uri else {})})
