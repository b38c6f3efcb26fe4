"""What a person is shown, and types, before a tool destroys something. Every tool with effect DESTROY has its preview here."""

import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from storage.repositories import Repositories
from storage.repositories.base import as_uuid, one_of_names
from storage.repositories.contents import Hanging
from tools.actions.account import account_to_close
from tools.actions.assignments import only_own
from tools.context import Principal
from tools.executor import Executor, validated
from tools.limits import admit_call

LONGEST_TYPED = 60
RESTORABLE = "It can be brought back within 30 days."


@dataclass(frozen=True, slots=True)
class Preview:
    """The thing that a call would destroy, as it is now."""

    item_id: UUID
    sentence: str
    """What will be gone, for a person."""
    typed: str
    """What the person types to show that they mean this thing: its name, on one line and not endless."""
    arguments: dict[str, Any]
    """The call's arguments with the id in place of a name, so that the thing shown is the thing destroyed."""
    command: str | None = None
    """How to do it on the command line, where there is a way."""


Previewer = Callable[[Repositories, Any, Principal], Awaitable[Preview]]


async def preview(executor: Executor, name: str, raw: Mapping[str, Any], principal: Principal) -> Preview:
    """Look at what the call would destroy, through the same checks as the call. Raises LyceumError like the call."""
    args = validated(executor.spec(name, principal).input, raw)
    await admit_call(executor.storage, principal, name)
    async with executor.storage.as_user(principal.user_id, read_only=True) as db:
        return await PREVIEWS[name](db, args, principal)


def one_line(text: str) -> str:
    """Printable characters on one line, the way that a person would type them, and not more than a person would."""
    words = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text)).split()
    line = " ".join(words)
    return (
        line
        if len(line) <= LONGEST_TYPED
        else line[:LONGEST_TYPED].rpartition(" ")[0] or line[:LONGEST_TYPED]
    )


def is_named(typed: str, answer: str) -> bool:
    """Whether a person's answer is the name that they were asked to type; case and spaces do not matter."""
    return one_line(answer).casefold() == typed.casefold()


def shown(
    kind: str,
    row_id: UUID,
    name: str,
    argument: str,
    hanging: Sequence[Hanging] = (),
    *,
    note: str = "",
) -> Preview:
    """The preview of an item that goes into the bin."""
    typed = one_line(name) or "delete"
    goes = listed([one for one in hanging if not one.stays])
    stays = listed([one for one in hanging if one.stays])
    sentences = [
        f"This deletes the {kind} “{typed}”{f' with {goes}' if goes else ''}.",
        f"What was made from it or kept in it stays: {stays}." if stays else "",
        note,
        RESTORABLE,
    ]
    return Preview(
        item_id=row_id,
        sentence=" ".join(filter(None, sentences)),
        typed=typed,
        arguments={argument: str(row_id)},
    )


def listed(hanging: Sequence[Hanging]) -> str:
    """`14 materials, 3 decks and 1 note`."""
    words = [one.words for one in hanging]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


async def a_class(db: Repositories, args: Any, principal: Principal) -> Preview:
    row = await db.classes.resolve(args.class_id)
    return shown("class", row.id, row.name, "class_id", await db.contents.hanging_on("classes", row.id))


async def a_material(db: Repositories, args: Any, principal: Principal) -> Preview:
    row = await db.materials.resolve(args.material_id)
    hanging = await db.contents.hanging_on("materials", row.id)
    return shown("material", row.id, row.title, "material_id", hanging)


async def a_note(db: Repositories, args: Any, principal: Principal) -> Preview:
    row = await db.notes.resolve(args.note_id)
    return shown("note", row.id, row.title, "note_id", await db.contents.hanging_on("notes", row.id))


async def a_test(db: Repositories, args: Any, principal: Principal) -> Preview:
    row = await db.tests.resolve(args.test_id)
    hanging = await db.contents.hanging_on("tests", row.id)
    return shown("test", row.id, row.title, "test_id", hanging, note="Results of its attempts are kept.")


async def a_card(db: Repositories, args: Any, principal: Principal) -> Preview:
    row = await db.cards.resolve(args.card_id)
    hanging = await db.contents.hanging_on("flashcards", row.id)
    return shown("card", row.id, row.front, "card_id", hanging)


async def a_deck(db: Repositories, args: Any, principal: Principal) -> Preview:
    row = await db.cards.resolve_deck(args.deck_id)
    return shown("deck", row.id, row.title, "deck_id", await db.contents.hanging_on("decks", row.id))


async def a_document(db: Repositories, args: Any, principal: Principal) -> Preview:
    row = await db.documents.resolve(args.document_id)
    versions = len(await db.documents.versions(row.lineage_id))
    note = f"All its {versions} versions go." if versions > 1 else ""
    hanging = await db.contents.hanging_on("documents", row.id)
    return shown("document", row.id, row.title, "document_id", hanging, note=note)


async def an_assignment(db: Repositories, args: Any, principal: Principal) -> Preview:
    due = await db.assignments.resolve(args.assignment_id)
    only_own(due, principal.user_id)
    note = f"It is one of the class {one_line(due.class_name)}."
    return shown("assignment", due.row.id, due.row.title, "assignment_id", note=note)


async def a_key(db: Repositories, args: Any, principal: Principal) -> Preview:
    key_id = as_uuid(args.key_id)
    found = [key for key in await db.accounts.keys() if key.id == key_id or key.name == args.key_id]
    row = one_of_names("api_key", args.key_id, found, "name")
    own = " It is the key that this very program uses." if row.id == principal.key_id else ""
    name = one_line(row.name)
    return Preview(
        item_id=row.id,
        sentence=f"This ends the API key “{name}” ({row.prefix}…) at once and for good: programs that use it stop working.{own}",
        typed=name,
        arguments={"key_id": str(row.id)},
        command=f"lyceum key revoke {row.id}",
    )


async def a_program(db: Repositories, args: Any, principal: Principal) -> Preview:
    found = await db.oauth.connected(args.client_id)
    own = " It is this very program." if found.id == principal.client_id else ""
    name = one_line(found.name) or "disconnect"
    return Preview(
        item_id=found.id,
        sentence=f"This ends everything that the program “{name}” may do, at once and on every computer: it must ask to be "
        f"let in again.{own}",
        typed=name,
        arguments={"client_id": str(found.id)},
    )


async def the_account(db: Repositories, args: Any, principal: Principal) -> Preview:
    user = await account_to_close(db, args.email)
    content = listed(await db.contents.of_account())
    return Preview(
        item_id=user.id,
        sentence=f"This deletes the account {user.email} for good"
        f"{f', with {content} and everything else in it' if content else ''}. It cannot be brought back.",
        typed=user.email,
        arguments={"email": user.email},
    )


PREVIEWS: Mapping[str, Previewer] = {
    "delete_class": a_class,
    "delete_assignment": an_assignment,
    "delete_material": a_material,
    "delete_note": a_note,
    "delete_test": a_test,
    "delete_flashcard": a_card,
    "delete_deck": a_deck,
    "delete_document": a_document,
    "revoke_api_key": a_key,
    "disconnect_client": a_program,
    "delete_my_account": the_account,
}
