"""How items look when they are read by address: Markdown where a person wrote or reads them, JSON where programs do."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from mcp_server.cutting import compact
from storage.locators import clock
from tools.actions.conversations import ConversationDetail
from tools.actions.documents import DocumentDetails
from tools.actions.notes import NoteDetails
from tools.actions.reading import ReadResult, ReadSegment

Variables = Mapping[str, Any]


class Mismatch(TypeError):
    """A view is wired to a tool that answers with something else: a bug of ours."""


def as_json(output: BaseModel, found: Variables) -> str:
    return compact(output.model_dump(mode="json", by_alias=True, exclude_none=True))


def as_page(output: BaseModel, found: Variables) -> str:
    if not isinstance(output, ReadResult):
        raise Mismatch
    return "\n\n".join(map(page_text, output.segments))


def page_text(segment: ReadSegment) -> str:
    """The text of a page; of a recording, a line a sentence, with its time."""
    spoken = [f"{clock(sentence.t_start)} {sentence.text}" for sentence in segment.sentences]
    return "\n".join(spoken) or segment.text


def as_text(output: BaseModel, found: Variables) -> str:
    """The text of a material from a page on, each page with its number."""
    if not isinstance(output, ReadResult):
        raise Mismatch
    unit = output.unit or "page"
    pages = [f"[{unit} {segment.number}]\n{page_text(segment)}" for segment in output.segments]
    return "\n\n".join(
        [*pages, *goes_on(f"lyceum://materials/{output.material_id}/text", "first", output.next_first)]
    )


def as_note(output: BaseModel, found: Variables) -> str:
    if not isinstance(output, NoteDetails):
        raise Mismatch
    sources = [f"[{one.number}] {one.label}: {one.quote}" for one in output.sources]
    more = goes_on(f"lyceum://notes/{output.id}", "offset", output.next_offset)
    return titled(output.title, output.text, sources, more)


def as_document(output: BaseModel, found: Variables) -> str:
    if not isinstance(output, DocumentDetails):
        raise Mismatch
    sources = [f"[{one.number}] {one.title}, {one.label}: {one.quote}" for one in output.citations]
    more = goes_on(f"lyceum://documents/{output.id}", "offset", output.next_offset)
    return titled(output.title, output.text, sources, more)


def titled(title: str, text: str, sources: Iterable[str], more: Iterable[str]) -> str:
    body = text.strip() if text.lstrip().startswith("# ") else f"# {title}\n\n{text.strip()}"
    listed = "\n".join(sources)
    return "\n\n".join([body, *([f"## Sources\n\n{listed}"] if listed else []), *more])


def as_conversation(output: BaseModel, found: Variables) -> str:
    if not isinstance(output, ConversationDetail):
        raise Mismatch
    said = [f"**{one.role}**: {one.text}" for one in output.messages]
    older = goes_on(f"lyceum://conversations/{output.id}", "cursor", output.next_cursor, "Earlier messages")
    return "\n\n".join([f"# {output.title}", *older, *said])


def goes_on(address: str, variable: str, value: object, words: str = "Goes on") -> list[str]:
    """A line with the address of what follows, where something does."""
    return [f"[{words}: {address}?{variable}={quote(str(value), safe='')}]"] if value is not None else []
