"""The tools bound to a model, read from the OpenAI tool format that LangChain passes along."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OfferedTool:
    """Name, description and argument schema (JSON Schema) of one tool that may be called."""

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=dict)

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """Argument name → its schema."""
        found = self.schema.get("properties", {})
        return found if isinstance(found, dict) else {}

    @property
    def required(self) -> list[str]:
        """Names of the arguments that must be given."""
        return list(self.schema.get("required", []))


def read_tools(tools: Sequence[dict[str, Any]] | None) -> dict[str, OfferedTool]:
    """Tools by name from `[{"type": "function", "function": {...}}]`; other kinds of entry are ignored."""
    offered = {}
    for tool in tools or ():
        function = tool.get("function")
        if isinstance(function, dict) and "name" in function:
            name = str(function["name"])
            offered[name] = OfferedTool(
                name, str(function.get("description", "")), dict(function.get("parameters") or {})
            )
    return offered
