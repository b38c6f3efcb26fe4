"""What tools/list costs and says: tokens, snapshots, hints, and schemas that are valid, portable and true."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from mcp_server.offer import DEFAULT_TOOLS
from mcp_server.schemas import inlined, input_schema, outline
from mcp_server.wire import ADDS, OPEN_WORLD, SETTLES, as_tool
from storage.embeddings import shared_embedder
from tests.mcp_server.wire_schemas import FOLDER, as_file, default_tools, every_tool, on_the_wire
from tools.catalog import CATALOG
from tools.spec import Effect

BUDGET = 6_000
"""Tokens of tools/list by default. Counted as bytes / 4: for this list that is 5 % more than o200k_base counts, measured with
bpe-openai 0.1.4 (5,963 against 5,690), so the estimate is on the safe side."""
MOST_TOOLS = 20
FEWEST_BYTES_OF_A_TOKEN = 2.0
"""The embedder's WordPiece takes every brace and quote for a token, so it counts most of all."""

SUBSCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "dependentSchemas")
SUBSCHEMAS_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
SUBSCHEMAS = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else")
SAY_NOTHING = {"title", "description", "default", "examples", "deprecated"}


def test_the_default_list_stays_within_its_tokens() -> None:
    tools = default_tools()
    text = json.dumps(tools, separators=(",", ":"), ensure_ascii=False)
    estimate = len(text.encode()) / 4
    assert len(tools) <= MOST_TOOLS
    assert estimate <= BUDGET, sorted(((len(json.dumps(t)) // 4, t["name"]) for t in tools), reverse=True)
    assert shared_embedder().count_tokens(text) <= len(text.encode()) / FEWEST_BYTES_OF_A_TOKEN


def test_every_tool_looks_as_its_snapshot() -> None:
    tools = every_tool()
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    changed = [name for name, tool in tools.items() if kept.get(name) != as_file(tool)]
    changed += kept.keys() - tools.keys()
    assert not changed, f"{changed}. If that is meant: python -m tests.mcp_server.wire_schemas"


def test_the_default_tools_exist() -> None:
    assert CATALOG.keys() >= DEFAULT_TOOLS


def test_every_tool_says_all_four_hints() -> None:
    for name, tool in every_tool().items():
        assert set(tool["annotations"]) == {
            "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"
        }, name  # fmt: skip
        assert tool["title"]
        assert tool["description"]
        assert tool["outputSchema"]


def test_hints_follow_from_the_effect_and_two_tables_that_name_every_writing_tool() -> None:
    writing = {spec.name for spec in CATALOG.values() if spec.effect is Effect.WRITE}
    assert not SETTLES & ADDS
    assert writing == SETTLES | ADDS, (
        "Is a second call harmless? Put the tool into one table of mcp_server/wire.py."
    )
    assert CATALOG.keys() >= OPEN_WORLD
    for name, spec in CATALOG.items():
        hints = on_the_wire(as_tool(spec))["annotations"]
        assert hints["readOnlyHint"] is (spec.effect is Effect.READ)
        assert hints["destructiveHint"] is (spec.effect is Effect.DESTROY)
        assert hints["idempotentHint"] is (name not in ADDS)
        assert hints["openWorldHint"] is (name == "add_web_page")


def test_the_pair_says_what_the_tools_behind_it_may_do() -> None:
    tools = every_tool()
    assert tools["search_tools"]["annotations"]["readOnlyHint"] is True
    assert tools["call_tool"]["annotations"] == {
        "readOnlyHint": False,
        "destructiveHint": True,
        "idempotentHint": False,
        "openWorldHint": True,
    }


def unportable(schema: object, path: str, key: str = "") -> list[str]:
    """What the Inspector 2.12.0 finds with `tools/list --strict` (clients/cli, lintNode): errors and warnings alike."""
    if isinstance(schema, bool):
        return [] if key == "additionalProperties" else [f"{path}: a bare {schema}"]
    assert isinstance(schema, dict)
    found = []
    if isinstance(schema.get("type"), list):
        found.append(f"{path}: a list of types")
    if str(schema.get("$ref", "#"))[0] != "#":
        found.append(f"{path}: a reference to elsewhere")
    if not schema.keys() - SAY_NOTHING:
        found.append(f"{path}: says nothing")
    for place, name, inner in beneath(schema):
        found += unportable(inner, f"{path}.{name}", place)
    return found


def beneath(schema: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    """(keyword, name, schema) of each schema directly under this one."""
    for key in SUBSCHEMAS_BY_NAME:
        yield from ((key, name, inner) for name, inner in schema.get(key, {}).items())
    for key in SUBSCHEMAS_LISTED:
        yield from ((key, f"{key}[{at}]", inner) for at, inner in enumerate(schema.get(key, [])))
    yield from ((key, key, schema[key]) for key in SUBSCHEMAS if key in schema)


@pytest.mark.parametrize("part", ["inputSchema", "outputSchema"])
def test_schemas_are_valid_and_portable(part: str) -> None:
    for name, tool in every_tool().items():
        jsonschema.Draft202012Validator.check_schema(tool[part])
        assert tool[part]["type"] == "object"
        assert unportable(tool[part], name) == []


def example(schema: dict[str, Any], *, full: bool) -> Any:
    """A value that fits an inlined schema: with every field, or with those alone that must be there."""
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    if "anyOf" in schema:
        return example(schema["anyOf"][0 if full else -1], full=full)
    kind = schema.get("type")
    if kind == "object":
        fields = schema.get("properties", {})
        wanted = fields if full else schema.get("required", [])
        return {name: example(fields[name], full=full) for name in wanted}
    if kind == "array":
        return [example(schema["items"], full=full)] if full and schema.get("items") else []
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"string": "x" * schema.get("minLength", 1), "boolean": True, "null": None}.get(
        str(kind), "anything"
    )


@pytest.mark.parametrize("full", [True, False])
def test_whatever_fits_the_whole_output_schema_fits_its_outline(full: bool) -> None:
    for spec in CATALOG.values():
        value = example(inlined(spec.output_schema), full=full)
        jsonschema.validate(value, spec.output_schema)
        jsonschema.validate(value, outline(spec.output_schema))
        without_nulls = {key: inner for key, inner in value.items() if inner is not None}
        jsonschema.validate(without_nulls, outline(spec.output_schema))


def test_whatever_the_input_schema_of_the_wire_asks_for_is_an_argument_of_the_tool() -> None:
    for name, spec in CATALOG.items():
        sent, whole = input_schema(spec.input_schema), inlined(spec.input_schema)
        assert sent["properties"].keys() == whole.get("properties", {}).keys(), name
        assert sent.get("required") == whole.get("required"), name
        for field, inner in sent["properties"].items():
            assert inner.get("enum") is None or set(map(str, inner["enum"])) >= {
                str(inner.get("default", inner["enum"][0]))
            }, field


def test_a_null_that_means_something_stays_in_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "class_id": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "description": "null takes it out."},
            "title": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}], "default": None},
        },
    }  # fmt: skip
    sent = input_schema(schema)["properties"]
    assert {"type": "null"} in sent["class_id"]["anyOf"]
    assert sent["title"] == {"type": "string"}


def test_a_schema_that_holds_itself_ends() -> None:
    schema = {
        "$defs": {"Node": {"type": "object", "properties": {"below": {"$ref": "#/$defs/Node"}}}},
        "type": "object",
        "properties": {"top": {"$ref": "#/$defs/Node"}},
    }
    assert inlined(schema)["properties"]["top"]["properties"]["below"]["type"] == "object"
    assert outline(schema)["properties"]["top"] == {"type": "object", "description": "below"}
