"""`search_tools` and `call_tool`: the pair that reaches what tools/list does not show."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from mcp_types import CallToolResult, TextContent, Tool
from pydantic import BaseModel, Field

from mcp_server.schemas import input_schema, outline
from mcp_server.selection import CALL_TOOL, SEARCH_TOOLS
from mcp_server.wire import hints
from storage.embeddings import Embedder
from tools.executor import validated
from tools.ranking import shared_ranking
from tools.spec import Input, ToolSpec

MOST = 6
"""Tools that an answer describes whole; the names of the others that fit follow."""
MOST_NAMES = 60

In = TypeVar("In", bound=Input)


class SearchTools(Input):
    query: str = Field(default="", max_length=300, description="What to do, in a few words.")
    toolset: str | None = Field(default=None, max_length=60, description="Only this toolset.")


class FoundTool(BaseModel):
    name: str
    toolset: str
    effect: str
    description: str
    input_schema: dict[str, Any]


class FoundTools(BaseModel):
    items: list[FoundTool]
    more: list[str] = Field(description="Names of further ones; search with closer words to see them whole.")


class CallTool(Input):
    name: str = Field(max_length=100, description="As search_tools gave it.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="What its input_schema asks for.")


class Finder:
    """Ranks tools by the words of a request and, once the model is loaded, by their meaning."""

    def __init__(self, embedder: Embedder) -> None:
        self._ranking = shared_ranking(embedder)

    async def search(
        self, wanted: SearchTools, usable: Sequence[ToolSpec], tools: Mapping[str, Tool]
    ) -> FoundTools:
        specs = [spec for spec in usable if wanted.toolset in (None, spec.toolset)]
        found = await asyncio.to_thread(self._ranking.order, specs, wanted.query)
        return FoundTools(
            items=[described(spec, tools[spec.name]) for spec in found[:MOST]],
            more=[spec.name for spec in found[MOST : MOST + MOST_NAMES]],
        )


def described(spec: ToolSpec, tool: Tool) -> FoundTool:
    return FoundTool(
        name=spec.name,
        toolset=spec.toolset,
        effect=spec.effect.value,
        description=spec.description,
        input_schema=tool.input_schema,
    )


def asked(model: type[In], arguments: Mapping[str, Any]) -> In:
    """The arguments of one of the pair. Raises InvalidInput."""
    found = validated(model, arguments)
    if not isinstance(found, model):
        raise TypeError("validated() answers with the model that it was given.")
    return found


def in_own_words(output: BaseModel) -> CallToolResult:
    """An answer without any text of documents: nothing to fence."""
    return CallToolResult(
        content=[TextContent(text=output.model_dump_json(exclude_none=True))],
        structured_content=output.model_dump(mode="json"),
    )


def pair_of(usable: Sequence[ToolSpec]) -> list[Tool]:
    """The pair as tools/list shows it: what `call_tool` may do is what the tools behind it may do."""
    toolsets = ", ".join(dict.fromkeys(spec.toolset for spec in usable))
    return [
        Tool(
            name=SEARCH_TOOLS,
            title="Search tools",
            description=f"Find tools that are not in this list, with their input schemas. Toolsets: {toolsets}. "
            "Not for study material: that is search_materials.",
            input_schema=input_schema(SearchTools.model_json_schema()),
            output_schema=outline(FoundTools.model_json_schema(mode="serialization")),
            annotations=hints([]),
        ),
        Tool(
            name=CALL_TOOL,
            title="Call tool",
            description="Call a tool that search_tools found. A tool of this list is called by its own name instead.",
            input_schema=input_schema(CallTool.model_json_schema()),
            output_schema={"type": "object"},
            annotations=hints(usable),
        ),
    ]
