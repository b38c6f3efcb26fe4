"""The JSON schema of one planning step, and what is wrong with the arguments a small model wrote."""

import json
from typing import Any

from assistant.models.offered import OfferedTool

REPLY = "reply"
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_KEPT = ("type", "enum", "minimum", "maximum", "items")


def strict_schema(tools: dict[str, OfferedTool]) -> dict[str, Any]:
    """One of: a tool's name with that tool's arguments, or "reply". Servers that compile schemas to grammars take it."""
    return {
        "anyOf": [
            *(_step(t.name, _small(t)) for t in tools.values()),
            _step(REPLY, {"type": "object", "properties": {}}),
        ]
    }


def loose_schema(tools: dict[str, OfferedTool]) -> dict[str, Any]:
    """The same without schemas per tool, for servers that refuse `anyOf`."""
    return {
        "type": "object",
        "properties": {"action": {"enum": [*tools, REPLY]}, "arguments": {"type": "object"}},
        "required": ["action", "arguments"],
    }


def _step(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"action": {"const": name}, "arguments": arguments},
        "required": ["action", "arguments"],
        "additionalProperties": False,
    }


def _small(tool: OfferedTool) -> dict[str, Any]:
    """The argument schema without descriptions, defaults and references: small grammars compile and run faster."""
    return {
        "type": "object",
        "properties": {name: _plain(schema) for name, schema in tool.properties.items()},
        "required": tool.required,
        "additionalProperties": False,
    }


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [s for s in schema.get("anyOf", []) if s.get("type") != "null"]
    schema = choices[0] if choices else schema
    kept = {k: schema[k] for k in _KEPT if k in schema}
    if "items" in kept:
        kept["items"] = _plain(kept["items"])
    return kept if "type" in kept or "enum" in kept else {"type": "string"}


def parse_step(text: str, tools: dict[str, OfferedTool]) -> tuple[str, dict[str, Any]] | None:
    """The action and its arguments, or None when the text is no JSON of a known action. Text around the JSON is skipped."""
    start, end = text.find("{"), text.rfind("}")
    try:
        step = json.loads(text[start : end + 1])
    except ValueError:
        return None
    if not isinstance(step, dict) or step.get("action") not in (*tools, REPLY):
        return None
    arguments = step.get("arguments")
    return str(step["action"]), arguments if isinstance(arguments, dict) else {}


def tidy(tool: OfferedTool, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments without unknown names, without nulls and empty texts, and numbers written as text made numbers."""
    tidied = {}
    for name, value in arguments.items():
        if (
            name not in tool.properties
            or value is None
            or (isinstance(value, str) and value.strip().lower() in _EMPTY)
        ):
            continue
        kind = _plain(tool.properties[name]).get("type")
        numeric = kind in ("integer", "number") and isinstance(value, str) and value.strip().isdigit()
        tidied[name] = int(value) if numeric else value
    return tidied


_EMPTY = frozenset({"", "null", "none", "undefined", "n/a", "string", "optional"})


def problems(tool: OfferedTool, arguments: dict[str, Any]) -> list[str]:
    """Sentences on missing arguments and wrong types, enough for a model to mend them. Empty when usable."""
    found = [f'"{name}" is missing.' for name in tool.required if name not in arguments]
    for name, value in arguments.items():
        schema = _plain(tool.properties[name])
        kinds = _TYPES.get(str(schema.get("type")), (object,))
        if not isinstance(value, kinds) or (
            isinstance(value, bool) and bool not in kinds and object not in kinds
        ):
            found.append(f'"{name}" must be of type {schema.get("type")}.')
        elif "enum" in schema and value not in schema["enum"]:
            found.append(f'"{name}" must be one of {", ".join(map(str, schema["enum"]))}.')
    return found
