"""Every tool as it goes over the wire, one JSON file a tool in `snapshots/`. A changed schema is a reviewed change:

    python -m tests.mcp_server.wire_schemas

writes the files anew; read the difference before committing it. What MCP Apps adds in `_meta` is left out: it depends on
whether the pages are built, and no model reads it.
"""

import json
from pathlib import Path
from typing import Any

from mcp_types import Tool

from mcp_server.finding import pair_of
from mcp_server.offer import DEFAULT_TOOLS
from mcp_server.wire import as_tool
from tools.catalog import CATALOG

FOLDER = Path(__file__).parent / "snapshots"


def on_the_wire(tool: Tool) -> dict[str, Any]:
    dumped = tool.model_dump(by_alias=True, exclude_none=True, mode="json")
    dumped.pop("_meta", None)
    return dumped


def every_tool() -> dict[str, dict[str, Any]]:
    """The catalogue, then the pair as a caller with every permission gets it."""
    tools = [*map(as_tool, CATALOG.values()), *pair_of(list(CATALOG.values()))]
    return {tool.name: on_the_wire(tool) for tool in tools}


def default_tools() -> list[dict[str, Any]]:
    """What tools/list answers to a caller with every permission who chose nothing."""
    shown = {*DEFAULT_TOOLS, *(tool.name for tool in pair_of([]))}
    return [tool for name, tool in every_tool().items() if name in shown]


def as_file(tool: dict[str, Any]) -> str:
    return json.dumps(tool, indent=2, ensure_ascii=False) + "\n"


def renew() -> None:
    FOLDER.mkdir(exist_ok=True)
    tools = every_tool()
    for path in FOLDER.glob("*.json"):
        if path.stem not in tools:
            path.unlink()
    for name, tool in tools.items():
        (FOLDER / f"{name}.json").write_text(as_file(tool), encoding="utf-8")


if __name__ == "__main__":
    renew()
