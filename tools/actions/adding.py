"""Adding material: a file, a text, a web page or the captions of a video."""

import base64
import binascii
import mimetypes
import re
from collections.abc import Awaitable
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, model_validator

from storage.errors import InvalidInput, NotFound, TooLarge
from tools.context import ToolContext
from tools.fields import ClassRef
from tools.ingest.charset import decode
from tools.intake import About, Taken, discard, make_material, once, plain_name, receive
from tools.spec import Effect, Input, tool
from tools.web.fetch import MAX_URL, Fetching
from tools.web.readable import MAX_PAGE, readable_part
from tools.web.youtube import captions_of, is_youtube, video_id_of

Kind = Annotated[
    Literal["textbook", "slides", "lecture", "recording", "photo", "web_page", "text", "past_paper"],
    Field(description="What it is; guessed from the file when left out."),
]
SMALL_FILE = 8 << 20
"""Bytes that a tool call may carry in base64; larger files go to /api/uploads."""
BASE64_LENGTH = SMALL_FILE * 4 // 3 + 4

PAGES = frozenset({"text/html", "application/xhtml+xml"})
FILES = (
    "application/pdf",
    "application/epub+zip",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/x-subrip",
    "image/",
    "audio/",
    "video/",
    "text/",
)
"""Media types that are taken from the web as they are."""
DECLARED = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,20})""", re.I)


class UploadMaterial(Input):
    class_id: ClassRef
    upload_id: str | None = Field(
        default=None, description="The id of a file that was sent to /api/uploads/tus.", max_length=36
    )
    filename: str | None = Field(
        default=None, max_length=255, description="With content_base64: the file's name, such as notes.pdf."
    )
    content_base64: str | None = Field(
        default=None, description="A small file (at most 8 MB), base64 without line breaks."
    )
    title: str | None = Field(
        default=None, max_length=300, description="Made from the file name when left out."
    )
    kind: Kind | None = None

    @model_validator(mode="after")
    def one_source(self) -> "UploadMaterial":
        if (self.upload_id is None) == (self.content_base64 is None):
            raise ValueError("give either upload_id or content_base64 with filename")
        if self.content_base64 is not None and not self.filename:
            raise ValueError("content_base64 needs a filename")
        return self


@tool(effect=Effect.WRITE, toolset="materials", own_transaction=True)
async def upload_material(ctx: ToolContext, args: UploadMaterial) -> Taken:
    """Add a file to a class: PDF, PowerPoint, Word, Excel, EPUB, HTML, Markdown, CSV, text, a picture, a recording or its
    captions. Answers at once with a job that reads it; follow it with get_job.

    Send a file of up to 8 MB here as base64. Larger files are sent to the HTTP address /api/uploads (a form) or
    /api/uploads/tus (resumable). Use add_text for text you have at hand and add_web_page for an address on the web.
    """
    if args.upload_id is not None:
        async with ctx.storage.as_user(ctx.principal.user_id) as db:
            about = About(title=args.title, kind=args.kind)
            return await make_material(ctx, db, args.class_id, as_id(args.upload_id), about=about)
    data = decoded(args.content_base64 or "")
    await check_class(ctx, args.class_id)
    received = receive(ctx.storage, ctx.principal, args.filename or "", once(data), size=len(data))
    return await added(ctx, args.class_id, received, About(title=args.title, kind=args.kind))


def as_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(
            "No such upload. Send the file to /api/uploads first.", code="upload_not_found"
        ) from error


def decoded(content: str) -> bytes:
    if len(content) > BASE64_LENGTH:
        raise InvalidInput(
            "This file is too large for a tool call: send it to /api/uploads.", code="file_too_large"
        )
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("content_base64 is not valid base64.", code="invalid_base64") from error


async def check_class(ctx: ToolContext, class_id: str) -> None:
    """Before anything is stored or fetched. Raises NotFound."""
    async with ctx.storage.as_user(ctx.principal.user_id, read_only=True) as db:
        await db.classes.resolve(class_id)


async def added(ctx: ToolContext, class_id: str, received: Awaitable[UUID], about: About) -> Taken:
    """The material of a file that is being received; without one the file goes again."""
    upload_id = await received
    try:
        async with ctx.storage.as_user(ctx.principal.user_id) as db:
            return await make_material(ctx, db, class_id, upload_id, about=about)
    except BaseException:
        await discard(ctx.storage, ctx.principal, upload_id)
        raise


class AddText(Input):
    class_id: ClassRef
    title: str = Field(min_length=1, max_length=300)
    text: str = Field(min_length=1, max_length=2_000_000, description="Plain text or Markdown.")
    kind: Kind = "text"


@tool(effect=Effect.WRITE, toolset="materials", own_transaction=True)
async def add_text(ctx: ToolContext, args: AddText) -> Taken:
    """Add text (plain or Markdown) to a class as a material, so that it can be searched and cited."""
    await check_class(ctx, args.class_id)
    data = args.text.encode()
    received = receive(ctx.storage, ctx.principal, f"{args.title[:200]}.md", once(data), size=len(data))
    return await added(ctx, args.class_id, received, About(title=args.title, kind=args.kind))


class AddWebPage(Input):
    class_id: ClassRef
    url: str = Field(
        min_length=8,
        max_length=MAX_URL,
        description="Address of a page, of a file such as a PDF, or of a YouTube video; begins with https:// or http://.",
    )
    title: str | None = Field(default=None, max_length=300, description="The page's own when left out.")
    kind: Kind | None = None


class TakenFromWeb(Taken):
    """`duplicate`: the same text is in this class already, so nothing was added."""

    source_url: str = Field(description="Where it was found in the end.")
    title: str


@tool(effect=Effect.WRITE, toolset="materials", own_transaction=True)
async def add_web_page(ctx: ToolContext, args: AddWebPage) -> TakenFromWeb:
    """Add a page of the public web to a class: its readable text, without menus and advertisements. The address of a file
    (PDF, slides, picture, recording) adds the file; that of a YouTube video adds its captions, with the times.

    It takes up to 20 seconds. Pages that need a login, or have no text without their scripts, are refused.
    """
    await check_class(ctx, args.class_id)
    await ctx.progress(0, 2, "Fetching")
    if is_youtube(args.url):
        return await _add_video(ctx, args)
    async with ctx.fetcher.open(
        args.url, limit=ctx.storage.settings.max_upload_mb << 20, accept=(*PAGES, *FILES)
    ) as answer:
        if answer.media_type not in PAGES:
            return await _add_file(ctx, args, answer)
        page = await _whole_page(answer)
    return await _add_page(ctx, args, answer, page)


async def _add_file(ctx: ToolContext, args: AddWebPage, answer: Fetching) -> TakenFromWeb:
    name = plain_name(answer.filename or urlsplit(answer.url).hostname or "")
    if "." not in name:
        name += mimetypes.guess_extension(answer.media_type) or ""
    about = About(args.title or name.rpartition(".")[0] or name, args.kind, source_url=answer.url)
    received = receive(ctx.storage, ctx.principal, name, answer.parts)
    return await _taken(ctx, args, received, about)


async def _whole_page(answer: Fetching) -> str:
    body = bytearray()
    async for part in answer.parts:
        body += part
        if len(body) > MAX_PAGE:
            raise TooLarge(
                f"This page is larger than {MAX_PAGE >> 20} MB. Save it as a PDF in your browser and upload that.",
                code="page_too_large",
            )
    declared = DECLARED.search(body, 0, 4096)
    return decode(bytes(body), answer.charset or (declared.group(1).decode() if declared else None))


async def _add_page(ctx: ToolContext, args: AddWebPage, answer: Fetching, page: str) -> TakenFromWeb:
    await ctx.progress(1, 2, "Reading")
    found = await readable_part(page, answer.url)
    about = About(
        title=args.title or found.title or answer.url[:300],
        kind=args.kind or "web_page",
        author=found.author,
        source_url=answer.url,
    )
    return await _add_document(ctx, args, about, found.html.encode(), "html")


async def _add_video(ctx: ToolContext, args: AddWebPage) -> TakenFromWeb:
    found = await captions_of(video_id_of(args.url), ctx.fetcher)
    about = About(
        title=args.title or found.title,
        kind=args.kind or "recording",
        author=found.author,
        source_url=found.url,
    )
    return await _add_document(ctx, args, about, found.vtt, "vtt")


async def _add_document(
    ctx: ToolContext, args: AddWebPage, about: About, data: bytes, extension: str
) -> TakenFromWeb:
    name = f"{(about.title or '').replace('/', ' ')[:200]}.{extension}"
    received = receive(ctx.storage, ctx.principal, name, once(data), size=len(data))
    return await _taken(ctx, args, received, about)


async def _taken(ctx: ToolContext, args: AddWebPage, received: Awaitable[UUID], about: About) -> TakenFromWeb:
    taken = await added(ctx, args.class_id, received, about)
    await ctx.progress(2, 2, "Added")
    return TakenFromWeb(
        **taken.model_dump(), source_url=about.source_url or "", title=(about.title or "")[:300]
    )
