"""Every address there is, and the reading tool that answers it. Names stand wherever an id does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mcp.shared.uri_template import UriTemplate
from pydantic import BaseModel

from mcp_server.rendering import Variables, as_conversation, as_document, as_json, as_note, as_page, as_text

JSON, TEXT, MARKDOWN, PNG = "application/json", "text/plain", "text/markdown", "image/png"
LISTED = 100


def same(found: Variables) -> dict[str, Any]:
    """The variables of the address are the arguments of the tool."""
    return dict(found)


@dataclass(frozen=True)
class View:
    template: str
    name: str
    title: str
    description: str
    tool: str
    item: tuple[str, str] | None
    """(kind, variable) of the item whose changes are this resource's changes; None: nothing is told of it."""
    arguments: Callable[[Variables], dict[str, Any]] = same
    mime_type: str = JSON
    render: Callable[[BaseModel, Variables], str] = as_json
    is_picture: bool = False
    """The bytes of a page's picture; the tool says which material is meant, and whether the caller may read it."""
    parsed: UriTemplate = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parsed", UriTemplate.parse(self.template))

    @property
    def is_template(self) -> bool:
        return "{" in self.template


VIEWS = (
    View(
        "lyceum://assignments", "assignments", "What is due",
        "Assignments that are not done yet, soonest first.",
        "list_assignments", None, lambda found: {"status": "open", "limit": LISTED},
    ),
    View(
        "lyceum://classes/{class_id}", "class", "Class",
        "The materials of a class, by its id or name.",
        "list_materials", ("class", "class_id"), lambda found: {**found, "limit": LISTED},
    ),
    View(
        "lyceum://materials/{material_id}", "material", "Material",
        "A book, slides, a recording or a page, by id or title: what it is, and how far reading it in has come.",
        "get_material", ("material", "material_id"),
    ),
    View(
        "lyceum://materials/{material_id}/text{?first}", "material text", "Text of a material",
        "Its text from page `first` on, as much as fits; ends with the address of what follows.",
        "read_material", ("material", "material_id"), mime_type=TEXT, render=as_text,
    ),
    View(
        "lyceum://materials/{material_id}/pages/{number}", "page", "Page",
        "The text of one page, slide, section or minute of a material, counted from 1.",
        "read_material", ("material", "material_id"),
        lambda found: {"material_id": found["material_id"], "first": found["number"], "last": found["number"]},
        mime_type=TEXT, render=as_page,
    ),
    View(
        "lyceum://materials/{material_id}/pages/{number}/image{?width}", "page image", "Picture of a page",
        "A page of a PDF or a photo as a picture, counted from 1; 1200 pixels wide, or 64 to 2000 by `width`.",
        "get_material", ("material", "material_id"),
        lambda found: {"material_id": found["material_id"]},
        mime_type=PNG, is_picture=True,
    ),
    View(
        "lyceum://notes/{note_id}{?offset}", "note", "Note",
        "A note with its sources, by id or title.",
        "get_note", ("note", "note_id"), mime_type=MARKDOWN, render=as_note,
    ),
    View(
        "lyceum://decks/{deck_id}{?cursor}", "deck", "Deck of cards",
        "Flashcards with their evidence, and what comes in the next days, by id or title.",
        "get_deck", ("deck", "deck_id"),
    ),
    View(
        "lyceum://tests/{test_id}{?cursor}", "test", "Test",
        "A test's questions and past results, by id or title. Answers are not shown.",
        "get_test", ("test", "test_id"),
    ),
    View(
        "lyceum://documents/{document_id}{?offset}", "document", "Document",
        "A summary, study guide or sheet with its sources, by id or title.",
        "get_document", ("document", "document_id"), mime_type=MARKDOWN, render=as_document,
    ),
    View(
        "lyceum://conversations/{conversation_id}{?cursor}", "conversation", "Conversation",
        "What the student and the assistant said, by id or title.",
        "get_conversation", ("conversation", "conversation_id"), mime_type=MARKDOWN, render=as_conversation,
    ),
    View(
        "lyceum://jobs/{job_id}", "job", "Job",
        "How far background work is. Subscribe to hear of its end.",
        "get_job", ("job", "job_id"),
    ),
    View(
        "lyceum://collections/{collection_name}", "collection", "Vector collection",
        "Count, dimension, embedding model and metadata fields of a collection.",
        "chroma_get_collection_info", None,
    ),
    View(
        "lyceum://collections/{collection_name}/documents{?cursor}", "collection documents", "Entries of a collection",
        "The texts and metadata that were embedded, page by page.",
        "chroma_get_documents", None,
    ),
)  # fmt: skip
"""In the order in which a client shows them."""


def view_of(uri: str) -> tuple[View, Variables] | None:
    """The view that answers an address, and the variables found in it."""
    for view in VIEWS:
        found = view.parsed.match(uri)
        if found is not None:
            return view, found
    return None
