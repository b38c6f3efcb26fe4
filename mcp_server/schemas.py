"""Compact JSON Schemas (2020-12): what a model needs to read of them, once, and nothing generated.

They stay inside what the Inspector's `tools/list --strict` calls portable: no bare true or false, no list of types, no
schema that allows anything.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

NULL = {"type": "null"}
ANY_OBJECT = {"type": "object", "additionalProperties": True}
NAMED_SCHEMAS = frozenset({"properties", "patternProperties"})
ALTERNATIVES = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
SCHEMAS = frozenset({"items", "additionalProperties", "not", "contains"})
"""Keywords under which schemas stand: by name, in a list, or alone."""
SAID_BY_ERRORS = frozenset(
    {"title", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems", "minProperties",
     "maxProperties", "propertyNames", "exclusiveMinimum", "exclusiveMaximum"}
)  # fmt: skip
"""Generated, or checked by the executor, which says what is wrong in a sentence."""
LEFT_OUT = frozenset({"title", "description", "additionalProperties"})
"""Of the arguments as a whole: the tool has its own description, and the executor names an argument that it does not know."""
SAID_ONCE = frozenset({"cursor", "limit"})
"""Arguments of all lists; the opening instructions say what they are."""
MOST_NAMES = 6
"""Fields of an item that an outline names."""
SMALLEST = (0, 1)
LARGEST = 1_000
"""Minima that go without saying, and the maximum above which a limit only guards the server."""


def input_schema(schema: Schema) -> dict[str, Any]:
    """What a caller may send. An argument that may be left out loses its null, unless its description gives null a meaning;
    the executor takes both."""
    root = {key: value for key, value in inlined(schema).items() if key not in LEFT_OUT}
    properties = {name: _sent(inner) for name, inner in root.get("properties", {}).items()}
    for name in SAID_ONCE & properties.keys():
        properties[name].pop("description", None)
    return {"type": "object", **root, "properties": properties}


def outline(schema: Schema) -> dict[str, Any]:
    """What an answer looks like from outside: its fields with their types, and by name those that may be missing and those
    inside its items. Whatever fits the whole schema fits this, with nulls or without; the answer itself says the rest."""
    return _outlined(inlined(schema), depth=0)


def inlined(schema: Schema) -> dict[str, Any]:
    """The schema with each `$ref` in its place; a model that holds itself becomes any object. Keywords beside the `$ref`
    win, as its description does."""
    definitions = schema.get("$defs", {})

    def put(node: Schema, inside: tuple[str, ...]) -> dict[str, Any]:
        reference = node.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2]
            beside = {key: value for key, value in node.items() if key != "$ref"}
            if name in inside:
                return {**ANY_OBJECT, **beside}
            return {**put(definitions[name], (*inside, name)), **beside}
        return _walk(node, lambda child: put(child, inside))

    return put({key: value for key, value in schema.items() if key != "$defs"}, ())


def _walk(schema: Schema, change: Callable[[Schema], dict[str, Any]]) -> dict[str, Any]:
    """The schema with `change` done to each schema directly under it."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in NAMED_SCHEMAS:
            found[key] = {name: change(inner) for name, inner in value.items()}
        elif key in ALTERNATIVES:
            found[key] = [change(inner) for inner in value]
        elif key in SCHEMAS and isinstance(value, dict):
            found[key] = change(value)
        else:
            found[key] = value
    return found


def _sent(schema: Schema) -> dict[str, Any]:
    """One argument, and what is inside it."""
    kept = {key: value for key, value in schema.items() if key not in SAID_BY_ERRORS}
    if kept.get("minimum") in SMALLEST:
        del kept["minimum"]
    if kept.get("maximum", 0) >= LARGEST:
        del kept["maximum"]
    if kept.get("default") is False:
        del kept["default"]
    if _repeats(kept.get("description", ""), kept.get("enum", [])):
        del kept["description"]
    if "default" in kept and kept["default"] is None and "null" not in kept.get("description", ""):
        del kept["default"]
        kept = _without_null(kept)
    if "description" in kept and isinstance(kept.get("items"), dict):
        kept["items"] = {key: value for key, value in kept["items"].items() if key != "description"}
    return _walk(kept, _sent)


def _repeats(description: str, values: list[Any]) -> bool:
    """Whether a description says no more than which values there are."""
    words = set(re.findall(r"\w+", description))
    return bool(words) and words <= {*map(str, values), "or"}


def _without_null(schema: Schema) -> dict[str, Any]:
    """`anyOf: [X, null]` as X; what stands beside it wins over what X says."""
    alternatives = _joined([inner for inner in schema.get("anyOf", []) if inner != NULL])
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(alternatives) == 1:
        return _sent({**alternatives[0], **beside})
    return {**beside, "anyOf": alternatives} if alternatives else beside


def _joined(alternatives: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same alternatives in fewer: an integer is a number, and words of two lists are words of one."""
    if {"type": "number"} in alternatives:
        return [inner for inner in alternatives if inner != {"type": "integer"}]
    words = [inner.get("enum") or [inner.get("const")] for inner in alternatives if _is_of_words(inner)]
    if len(words) < len(alternatives) or len(words) < 2:
        return alternatives
    return [{"type": "string", "enum": list(dict.fromkeys(word for some in words for word in some))}]


def _is_of_words(schema: Schema) -> bool:
    return schema.keys() <= {"type", "enum", "const"} and ("enum" in schema or "const" in schema)


def _outlined(schema: Schema, depth: int = 1) -> dict[str, Any]:
    """Fields with types at the top; below it, the type and the names of what is inside."""
    if schema.get("type") == "array" and schema.get("items"):
        return {"type": "array", "items": _outlined(schema["items"])}
    if schema.get("type") != "object":
        return {"type": schema["type"]} if isinstance(schema.get("type"), str) else {}
    fields = schema.get("properties", {})
    if depth:
        return {"type": "object", **({"description": some_of(fields)} if fields else {})}
    outlined = {name: _outlined(inner) for name, inner in fields.items()}
    typed = {name: inner for name, inner in outlined.items() if is_portable(inner)}
    others = [name for name in fields if name not in typed]
    return {
        "type": "object",
        "properties": typed,
        **({"description": f"May be absent: {', '.join(others)}"} if others else {}),
    }


def some_of(fields: Schema) -> str:
    names = list(fields)
    return ", ".join(names[:MOST_NAMES] + ["…"] * (len(names) > MOST_NAMES))


def is_portable(outlined: Schema) -> bool:
    """Whether one type is said, down to the items of a list. What may be null has two."""
    return outlined.get("type") not in (None, "null") and (
        "items" not in outlined or is_portable(outlined["items"])
    )
