"""How a ToolSpec looks in tools/list: hints that are said, not guessed, and schemas that cost few tokens."""

from collections.abc import Collection

from mcp_types import Tool, ToolAnnotations

from mcp_server.apps import tool_meta
from mcp_server.binding import takes_class, unbound
from mcp_server.schemas import input_schema, outline
from tools.spec import Effect, ToolSpec

OPEN_WORLD = frozenset({"add_web_page"})
"""Tools that reach beyond this server, into the web."""
SETTLES = frozenset(
    {"answer_question", "cancel_job", "rate_item", "restore_item", "restore_material", "submit_test", "update_assignment",
     "update_class", "update_deck", "update_profile"}
)  # fmt: skip
"""Writing tools that set a state: a second call with the same arguments changes nothing more."""
ADDS = frozenset(
    {"add_text", "add_web_page", "appeal_grade", "create_api_key", "create_assignment", "create_class", "create_flashcard",
     "create_note", "export_deck", "export_my_data", "generate_document", "generate_flashcards", "generate_test",
     "import_deck", "make_notes", "reprocess_material", "retry_job", "review_card", "start_test", "undo_review",
     "update_flashcard", "update_note", "upload_material"}
)  # fmt: skip
"""Writing tools whose second call does something again: makes another one, starts a job, appends, takes back one more.
A writing tool stands in one of the two; a test fails when one is forgotten."""


def as_tool(spec: ToolSpec, *, is_bound: bool = False) -> Tool:
    schema = input_schema(spec.input_schema)
    return Tool(
        name=spec.name,
        title=spec.title,
        description=" ".join(spec.description.split()),
        input_schema=unbound(schema) if is_bound and takes_class(spec) else schema,
        output_schema=outline(spec.output_schema),
        annotations=hints([spec]),
        _meta=tool_meta(spec.name) or None,
    )


def as_companion(tool: Tool) -> Tool:
    """The tool for pages alone: hosts let a page call only what tools/list holds, and keep this from the model."""
    return tool.model_copy(update={"meta": {**(tool.meta or {}), **tool_meta(tool.name, for_model=False)}})


def hints(specs: Collection[ToolSpec]) -> ToolAnnotations:
    """What any of these tools may do. All four, because the protocol takes a tool that says nothing for a destructive,
    open one."""
    effects = {spec.effect for spec in specs}
    return ToolAnnotations(
        read_only_hint=effects <= {Effect.READ},
        destructive_hint=Effect.DESTROY in effects,
        idempotent_hint=all(map(is_idempotent, specs)),
        open_world_hint=any(spec.name in OPEN_WORLD for spec in specs),
    )


def is_idempotent(spec: ToolSpec) -> bool:
    """Whether a second call with the same arguments changes nothing more."""
    return spec.effect is not Effect.WRITE or spec.name in SETTLES
