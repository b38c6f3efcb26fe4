"""completion/complete: the caller's own names for every variable of an address and every argument of a prompt."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CompleteRequestParams, CompleteResult, Completion, PromptReference

from mcp_server.failing import protocol_error
from mcp_server.offer import offered
from mcp_server.principal import PrincipalOf
from mcp_server.prompting import PROMPTS
from mcp_server.selection import SelectionOf
from mcp_server.views import VIEWS
from storage.errors import Conflict, LyceumError, NotFound
from tools.context import Principal
from tools.executor import Executor
from tools.limits import admit_call
from tools.search.headings import stretches, titles

MOST = 100
"""Values of one answer (MCP 2025-11-25, server/utilities/completion)."""
LONGEST = 200
ENDPOINT = "completion"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed for one argument, and what the others are."""

    typed: str
    given: Mapping[str, str]
    executor: Executor
    principal: Principal
    class_id: str | None
    """The class that was chosen, or that the connection is bound to."""

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        output = await self.executor.call(tool, arguments, self.principal)
        return output.model_dump(mode="json")


Values = tuple[list[str], int]
"""(values that fit, how many there are)."""


def named(kind: str) -> Callable[[Asked], Awaitable[Values]]:
    """Names of items of a kind; in the class already chosen, where there is one."""

    async def find(asked: Asked) -> Values:
        user_id = asked.principal.user_id
        async with asked.executor.storage.as_user(user_id, read_only=True) as db:
            home = await db.classes.reachable(asked.class_id) if asked.class_id and kind != "class" else None
            return await db.names.like(kind, asked.typed, class_id=home.id if home else None, limit=MOST)

    return find


def one_of(*values: str) -> Callable[[Asked], Awaitable[Values]]:
    async def find(asked: Asked) -> Values:
        return fitting(values, asked.typed)

    return find


async def pages(asked: Asked) -> Values:
    """Page numbers of the material already chosen."""
    wanted = asked.given.get("material_id")
    if not wanted:
        return [], 0
    count = (await asked.call("get_material", material_id=wanted)).get("page_count") or 0
    return fitting([str(number) for number in range(1, count + 1)], asked.typed, begins=True)


async def chapters(asked: Asked) -> Values:
    """Headings of the material already chosen."""
    wanted = asked.given.get("material")
    if not wanted:
        return [], 0
    async with asked.executor.storage.as_user(asked.principal.user_id, read_only=True) as db:
        row = await db.materials.resolve(wanted)
        outline = stretches(await db.places.heading_paths(row.id))
    return fitting(titles(outline), asked.typed)


async def topics(asked: Asked) -> Values:
    """Weak topics first: what one asks for is mostly what one cannot do yet."""
    bound = {"class_id": asked.class_id} if asked.class_id else {}
    found = await asked.call("get_weak_topics", limit=MOST, **bound)
    return fitting([item["topic"] for item in found["items"]], asked.typed)


async def collections(asked: Asked) -> Values:
    found = await asked.call("chroma_list_collections", counts=False)
    return fitting([item["name"] for item in found["items"]], asked.typed)


async def jobs(asked: Asked) -> Values:
    found = await asked.call("list_jobs", limit=MOST)
    return fitting([item["id"] for item in found["items"]], asked.typed, begins=True)


@dataclass(frozen=True, slots=True)
class Completer:
    """How an argument is completed, and the tool without which its values may not be seen."""

    find: Callable[[Asked], Awaitable[Values]]
    tool: str | None = None


COMPLETERS: Mapping[str, Completer] = MappingProxyType(
    {
        "class_id": Completer(named("class"), "list_classes"),
        "class": Completer(named("class"), "list_classes"),
        "material_id": Completer(named("material"), "list_materials"),
        "material": Completer(named("material"), "list_materials"),
        "expected_material": Completer(named("material"), "list_materials"),
        "note_id": Completer(named("note"), "list_notes"),
        "deck_id": Completer(named("deck"), "list_decks"),
        "test_id": Completer(named("test"), "list_tests"),
        "document_id": Completer(named("document"), "list_documents"),
        "conversation_id": Completer(named("conversation"), "list_conversations"),
        "job_id": Completer(jobs, "list_jobs"),
        "collection_name": Completer(collections, "chroma_list_collections"),
        "number": Completer(pages, "get_material"),
        "first": Completer(pages, "get_material"),
        "topic": Completer(topics, "get_weak_topics"),
        "chapter": Completer(chapters, "read_material"),
        "count": Completer(one_of("5", "10", "15", "20")),
        "days": Completer(one_of("3", "5", "7", "14")),
        "minutes_a_day": Completer(one_of("20", "30", "45", "60", "90")),
        "width": Completer(one_of("600", "1200", "2000")),
    }
)
"""By the name of the variable or argument; others (a query, an offset) have no values to choose from."""


def fitting(values: Any, typed: str, *, begins: bool = False) -> Values:
    """Values that hold every word typed, or begin with it; those that begin with it first."""
    typed = typed.strip().casefold()
    words = typed.split()
    kept = [
        value
        for value in dict.fromkeys(values)
        if (value.startswith(typed) if begins else all(word in value.casefold() for word in words))
    ]
    kept.sort(key=lambda value: not value.casefold().startswith(typed))
    return kept[:MOST], len(kept)


class Completions:
    """Handler of completion/complete."""

    def __init__(self, executor: Executor, principal_of: PrincipalOf, selection_of: SelectionOf) -> None:
        self._executor = executor
        self._principal_of = principal_of
        self._selection_of = selection_of

    async def complete(self, ctx: ServerRequestContext, params: CompleteRequestParams) -> CompleteResult:
        """Nothing, rather than an error, for what is not there yet or not the caller's to see: somebody is typing."""
        name = params.argument.name
        if name not in arguments_of(params):
            raise MCPError(INVALID_PARAMS, f"There is no argument {name[:100]!r} here.")
        principal, selection = self._principal_of(ctx), self._selection_of(ctx)
        specs = offered(self._executor.catalog, principal, selection)
        completer = COMPLETERS.get(name)
        if completer is None or not (
            completer.tool is None or completer.tool in {spec.name for spec in specs}
        ):
            return CompleteResult(completion=Completion(values=[], total=0, has_more=False))
        given = (params.context.arguments if params.context else None) or {}
        chosen = given.get("class_id") or given.get("class") or selection.class_id
        asked = Asked(params.argument.value[:LONGEST], given, self._executor, principal, chosen)
        try:
            await admit_call(self._executor.storage, principal, ENDPOINT)
            values, total = await completer.find(asked)
        except (NotFound, Conflict):
            values, total = [], 0
        except LyceumError as error:
            raise protocol_error(error) from error
        return CompleteResult(completion=Completion(values=values, total=total, has_more=total > len(values)))


def arguments_of(params: CompleteRequestParams) -> frozenset[str]:
    """The arguments of the prompt, or the variables of the template, that is referred to."""
    if isinstance(params.ref, PromptReference):
        prompt = PROMPTS.get(params.ref.name)
        if prompt is None:
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.ref.name[:100]}")
        return frozenset(argument.name for argument in prompt.arguments)
    for view in VIEWS:
        if view.template == params.ref.uri:
            return frozenset(view.parsed.variable_names)
    raise MCPError(INVALID_PARAMS, "There is no such template.", {"uri": params.ref.uri})
