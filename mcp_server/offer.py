"""Which tools a caller is offered, and how a ToolSpec looks on the wire."""

from collections.abc import Mapping
from typing import Any

from mcp_types import Tool, ToolAnnotations

from tools.context import Principal
from tools.spec import Effect, ToolSpec

# A second call with the same arguments changes nothing more: these verbs set a state, the other ones add something.
IDEMPOTENT_VERBS = frozenset({"update", "restore", "cancel", "revoke", "reprocess"})
# Keywords of JSON Schema 2020-12 under which schemas stand: by name, in a list, or alone.
NAMED_SCHEMAS = frozenset({"properties", "$defs", "patternProperties"})
ALTERNATIVES = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
SCHEMAS = frozenset({"items", "additionalProperties", "not", "contains"})


def offered(catalog: Mapping[str, ToolSpec], principal: Principal) -> list[ToolSpec]:
    """The tools that the principal's scopes allow, in the order of the catalogue."""
    return [spec for spec in catalog.values() if principal.allows(spec.scope)]


def as_tool(spec: ToolSpec) -> Tool:
    return Tool(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        input_schema=object_schema(spec.input_schema),
        output_schema=object_schema(spec.output_schema),
        annotations=hints(spec),
        _meta={"lyceum/toolset": spec.toolset},
    )


def hints(spec: ToolSpec) -> ToolAnnotations:
    """All four, because the protocol's defaults take a tool that says nothing for a destructive, open one."""
    settles = spec.name.partition("_")[0] in IDEMPOTENT_VERBS
    return ToolAnnotations(
        read_only_hint=spec.effect is Effect.READ,
        destructive_hint=spec.effect is Effect.DESTROY,
        idempotent_hint=spec.effect is not Effect.WRITE or settles,
        open_world_hint=False,
    )


def object_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without Pydantic's generated titles, a tenth of the tokens of tools/list; its root is an object."""
    return {"type": "object", "properties": {}, **untitled(schema)}


def untitled(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _untitled_value(key, value) for key, value in schema.items() if key != "title"}


def _untitled_value(key: str, value: Any) -> Any:
    if key in NAMED_SCHEMAS:
        return {name: untitled(inner) for name, inner in value.items()}
    if key in ALTERNATIVES:
        return [untitled(inner) for inner in value]
    return untitled(value) if key in SCHEMAS and isinstance(value, dict) else value
