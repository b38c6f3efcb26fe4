"""What a model can do after an error: one sentence behind the one that says what went wrong."""

from types import MappingProxyType

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from storage.errors import Kind, LyceumError
from tools.spec import ToolSpec

FINDERS = MappingProxyType(
    {
        "assignment_not_found": "list_assignments",
        "card_not_found": "get_deck",
        "class_not_found": "list_classes",
        "conversation_not_found": "list_conversations",
        "deck_not_found": "list_decks",
        "document_not_found": "list_documents",
        "job_not_found": "list_jobs",
        "material_not_found": "list_materials",
        "note_not_found": "list_notes",
        "passage_not_found": "search_materials",
        "test_not_found": "list_tests",
    }
)
"""The tool that shows what there is, by the code that says something is not there."""
SHOWN_ARGUMENTS = 20


def next_step(error: LyceumError, spec: ToolSpec | None) -> str:
    """What goes behind the error's own sentence; empty when that says it already."""
    said, stop = _next_step(error, spec), "" if str(error).endswith((".", "?", "!")) else "."
    return f"{stop} {said}" if said else ""


def _next_step(error: LyceumError, spec: ToolSpec | None) -> str | None:
    finder = FINDERS.get(error.code)
    if finder is not None and finder not in str(error):
        return f"{finder} shows what there is."
    if error.code == "missing_scope":
        return (
            "Trying again does not help: the user can connect again and allow it, or give a key that has it."
        )
    if error.kind is Kind.RATE_LIMITED and (seconds := error.details.get("retry_after")):
        return f"Wait {seconds} seconds."
    if error.kind is Kind.UNAVAILABLE:
        return "The call itself was right: repeat it in a minute, and tell the user when it fails again."
    if error.code == "invalid_arguments" and spec is not None:
        names = [field.alias or name for name, field in spec.input.model_fields.items()]
        takes = ", ".join(names[:SHOWN_ARGUMENTS]) or "no arguments"
        return f"{spec.name} takes {takes}."
    return None


def protocol_error(error: LyceumError, uri: str | None = None) -> MCPError:
    """Resources, prompts and completions have no error result that a model reads: what a caller can cause becomes invalid
    parameters (SEP-2164)."""
    code = INTERNAL_ERROR if error.kind is Kind.UNAVAILABLE else INVALID_PARAMS
    message = f"{error}{next_step(error, None)}"
    return MCPError(code, message, {"code": error.code, **({"uri": uri} if uri else {})})
