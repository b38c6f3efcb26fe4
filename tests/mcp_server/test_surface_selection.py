"""What settings, address and headers select, without a server: the operator's bound, unknown names, what is left."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from starlette.requests import Request

from mcp_server.instructions import TOOLSETS, instructions
from mcp_server.offer import DEFAULT_TOOLS, listed, offered, opens, refusal
from mcp_server.selection import NOTHING_SAID, Selection, operators, requested
from storage.errors import InvalidInput
from storage.settings import Settings
from tools.catalog import CATALOG
from tools.context import Principal
from tools.spec import Effect

SOMEONE = Principal(UUID(int=1))


def settings(**values: object) -> Settings:
    named = {f"mcp_{name}": value for name, value in values.items()}
    return Settings(_env_file=None).model_copy(update=named)


def asked(
    operator: Selection = NOTHING_SAID, query: str = "", headers: Mapping[str, str] | None = None
) -> Selection:
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    request = Request({"type": "http", "query_string": query.encode(), "headers": raw})
    return requested(request, operator, CATALOG)


def shown(selection: Selection, *scopes: str) -> set[str]:
    principal = Principal(SOMEONE.user_id, frozenset(scopes or ("*",)))
    return {spec.name for spec in listed(CATALOG, principal, selection)}


def usable(selection: Selection, *scopes: str) -> set[str]:
    principal = Principal(SOMEONE.user_id, frozenset(scopes or ("*",)))
    return {spec.name for spec in offered(CATALOG, principal, selection)}


def of(*toolsets: str) -> set[str]:
    return {name for name, spec in CATALOG.items() if spec.toolset in toolsets}


def test_nothing_said_shows_the_default_tools_and_reaches_all() -> None:
    assert shown(NOTHING_SAID) == set(DEFAULT_TOOLS)
    assert usable(NOTHING_SAID) == set(CATALOG)
    assert opens(NOTHING_SAID)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("toolsets=all", set(CATALOG)),
        ("toolsets=jobs,data", of("jobs", "data")),
        ("toolsets=jobs%20data", of("jobs", "data")),
        ("toolsets=jobs,&tools=get_note", of("jobs") | {"get_note"}),
        ("tools=get_note,get_deck", {"get_note", "get_deck"}),
        ("toolsets=jobs&exclude_tools=get_job", of("jobs") - {"get_job"}),
        ("toolsets=default,data", set(DEFAULT_TOOLS) | of("data")),
        ("toolsets=jobs&readonly=1", {"list_jobs", "get_job"}),
        ("toolsets=jobs&read_only=yes", {"list_jobs", "get_job"}),
        ("toolsets=", set(DEFAULT_TOOLS)),
    ],
)
def test_the_address_chooses(query: str, expected: set[str]) -> None:
    assert shown(asked(query=query)) == expected


def test_headers_say_the_same_and_the_address_wins() -> None:
    headers = {
        "X-MCP-Toolsets": "jobs",
        "X-MCP-Readonly": "true",
        "X-MCP-Exclude-Tools": "get_job",
        "X-MCP-Class": "Physics",
    }
    by_header = asked(headers=headers)
    assert shown(by_header) == {"list_jobs"}
    assert by_header.class_id == "Physics"
    both = asked(query="toolsets=data&class=Chemistry", headers=headers)
    assert shown(both) == of("data")
    assert both.class_id == "Chemistry"


def test_a_connection_that_names_its_toolsets_reaches_nothing_else() -> None:
    chosen = asked(query="toolsets=jobs")
    assert usable(chosen) == of("jobs")
    assert not opens(chosen)
    assert opens(asked(query="toolsets=default,data"))


@pytest.mark.parametrize("left_out", ["call_tool", "search_tools"])
def test_without_the_pair_the_default_list_is_all_there_is(left_out: str) -> None:
    assert usable(asked(query=f"exclude_tools={left_out}")) == set(DEFAULT_TOOLS)


@pytest.mark.parametrize(
    "query", ["toolsets=all", "toolsets=default,data", "tools=data_query,list_jobs", "readonly=0", ""]
)
def test_a_request_never_widens_what_the_operator_allows(query: str) -> None:
    operator = operators(settings(toolsets="jobs,notes", read_only=True, exclude_tools="get_note"), CATALOG)
    try:
        selection = asked(operator, query)
    except InvalidInput as error:
        assert error.code == "outside_bound"  # noqa: PT017 - a refusal is as good as nothing
        return
    assert usable(selection) <= {"list_jobs", "get_job", "list_notes"}


def test_a_request_chooses_within_what_the_operator_allows() -> None:
    operator = operators(settings(toolsets="jobs,notes", exclude_tools="get_note"), CATALOG)
    assert shown(asked(operator)) == of("jobs", "notes") - {"get_note"}
    assert shown(asked(operator, "toolsets=jobs")) == of("jobs")
    assert shown(asked(operator, "readonly=1")) == {"list_jobs", "get_job", "list_notes"}
    with pytest.raises(
        InvalidInput, match=r"does not offer the toolset 'data'; LYCEUM_MCP_TOOLSETS .* allows jobs, notes"
    ):
        asked(operator, "toolsets=data")


def test_a_bound_class_cannot_be_exchanged_for_another() -> None:
    operator = operators(settings(**{"class": "Physics"}), CATALOG)
    assert asked(operator, "toolsets=jobs").class_id == "Physics"
    with pytest.raises(InvalidInput, match="bound to the class 'Physics' by LYCEUM_MCP_CLASS"):
        asked(operator, "class=Chemistry")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("toolsets=serch", r"There is no toolset called 'serch'\. There are: default, all, classes, "),
        (
            "tools=search_material",
            r"There is no tool called 'search_material'\. Did you mean search_materials",
        ),
        ("exclude_tools=x", r"There is no tool called 'x'\. tools/list"),
        ("readonly=maybe", r"Read-only is true or false, not 'maybe'\."),
        ("tools=" + "x" * 5000, r"too long"),
    ],
)
def test_a_wrong_name_is_answered_with_a_sentence(query: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        asked(query=query)


def test_the_operator_hears_of_a_wrong_name_at_the_start() -> None:
    with pytest.raises(InvalidInput, match="There is no toolset called 'serch'"):
        operators(settings(toolsets="serch"), CATALOG)


@pytest.mark.parametrize(
    ("query", "tool", "code", "knob"),
    [
        ("readonly=1", "create_class", "read_only", "the client's X-MCP-Readonly"),
        ("exclude_tools=get_job", "get_job", "tool_excluded", "the client's X-MCP-Exclude-Tools"),
        ("toolsets=data", "get_job", "tool_not_selected", "the client's X-MCP-Toolsets"),
        (
            "toolsets=jobs",
            "retry_job",
            "read_only",
            "the server's setting LYCEUM_MCP_READ_ONLY (--read-only)",
        ),
    ],
)
def test_a_hidden_tool_says_which_knob_hides_it(query: str, tool: str, code: str, knob: str) -> None:
    operator = operators(settings(read_only=code == "read_only" and tool == "retry_job"), CATALOG)
    found = refusal(CATALOG[tool], asked(operator, query))
    assert found is not None
    assert found.code == code
    assert knob in str(found)


def test_scopes_remove_tools_whatever_is_selected() -> None:
    reading = {name for name, spec in CATALOG.items() if spec.effect is Effect.READ}
    assert usable(asked(query="toolsets=all"), "*:read") == reading
    assert usable(NOTHING_SAID, "jobs:read") == {"list_jobs", "get_job"}


def test_every_toolset_has_a_line_in_the_instructions() -> None:
    assert TOOLSETS.keys() == {spec.toolset for spec in CATALOG.values()}


def test_the_instructions_speak_of_what_is_there() -> None:
    default = instructions(CATALOG, SOMEONE, NOTHING_SAID)
    assert "\n- search: " in default
    assert "\n- data: " not in default
    assert "search_tools finds them (classes, " in default
    narrow = instructions(CATALOG, SOMEONE, asked(query="toolsets=jobs&readonly=1&class=Physics"))
    assert "\n- jobs: " in narrow
    assert "search" not in narrow
    assert "bound to the class 'Physics'" in narrow
    assert "Nothing can be changed" in narrow
