"""A connection bound to one class: tools lose their `class_id`, and every call gets it. A convenience, no boundary."""

from collections.abc import Mapping
from typing import Any

from mcp_server.selection import Selection
from storage.errors import InvalidInput
from tools.spec import ToolSpec

CLASS = "class_id"


def takes_class(spec: ToolSpec) -> bool:
    return CLASS in spec.input.model_fields


def unbound(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The input schema without the parameter that the connection fills in."""
    properties = {name: inner for name, inner in schema.get("properties", {}).items() if name != CLASS}
    required = [name for name in schema.get("required", []) if name != CLASS]
    rest = {key: value for key, value in schema.items() if key not in ("properties", "required")}
    return {**rest, "properties": properties, **({"required": required} if required else {})}


def with_class(spec: ToolSpec, arguments: Mapping[str, Any], selection: Selection) -> Mapping[str, Any]:
    """The arguments with the bound class. Raises InvalidInput when they name another one: silence would answer from the
    wrong class."""
    if selection.class_id is None or not takes_class(spec):
        return arguments
    given = arguments.get(CLASS)
    if given is not None and given != selection.class_id:
        raise InvalidInput(
            f"This connection is bound to the class {selection.class_id!r}: leave class_id out. To reach another class, "
            f"change {selection.knob('class')}.",
            code="class_is_bound",
        )
    return {**arguments, CLASS: selection.class_id}
