"""A stored document as a file of any format."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tools.documents.content import Citation, Content, DocumentFormat, Options
from tools.documents.rendering.html import html
from tools.documents.rendering.markdown import markdown
from tools.documents.rendering.paging import page_of
from tools.documents.rendering.typesetter import Typesetter

MEDIA_TYPES: dict[DocumentFormat, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What the row of a document holds that files are made from."""

    content: Content
    citations: Sequence[Citation]
    options: Options
    size: float | None
    """Of the text in points, where a cheat sheet has chosen one."""
    language: str | None
    about: dict[str, Any]
    """Id, version and dates, for the JSON file."""


async def rendered(stored: Stored, format: DocumentFormat, base_url: str) -> bytes:
    """`base_url` is put before addresses of ours. Raises Unavailable when a PDF takes too long."""
    citations = [absolute(one, base_url) for one in stored.citations]
    if format == "json":
        return _json(stored, citations)
    page = page_of(stored.content, citations, stored.options, stored.size)
    if format == "pdf":
        async with Typesetter() as typesetter:
            return await typesetter.pdf(page, stored.language)
    if format == "docx":
        # python-docx takes 0.2 s to load; only this format needs it.
        from tools.documents.rendering.docx import docx  # noqa: PLC0415

        return await asyncio.to_thread(docx, page)
    if format == "html":
        return (await asyncio.to_thread(html, page, stored.language)).encode()
    return (await asyncio.to_thread(markdown, page)).encode()


def absolute(one: Citation, base_url: str) -> Citation:
    if one.url is None or not one.url.startswith("/"):
        return one
    return one.model_copy(update={"url": f"{base_url}{one.url}"})


def _json(stored: Stored, citations: Sequence[Citation]) -> bytes:
    whole = {
        **stored.about,
        "content": stored.content.model_dump(mode="json"),
        "citations": [one.model_dump(mode="json") for one in citations],
        "options": stored.options.model_dump(mode="json"),
    }
    return json.dumps(whole, ensure_ascii=False, indent=2).encode()
