"""A file of cards as it arrives: kept in the store for its job, and recognised."""

from typing import Literal

from storage.errors import InvalidInput
from storage.files import file_key
from storage.models import File
from storage.resources import Storage
from tools.context import ToolContext
from tools.exchange.separators import has_tabs
from tools.ingest.charset import decode
from tools.intake import once, plain_name
from tools.quota import check_room

Format = Literal["apkg", "csv", "quizlet"]
ZIP = b"PK"
HEAD = 65_536
OTHER_FILES = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"SQLite format 3\x00",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
)
LARGEST_TABLE = 50 << 20


async def keep_file(ctx: ToolContext, filename: str, data: bytes) -> File:
    """Small cards into the store; the row is for the transaction that makes the job. Raises TooLarge over the quota."""
    async with ctx.storage.as_user(ctx.principal.user_id, read_only=True) as db:
        check_room(await db.uploads.usage(), len(data), ctx.storage.settings.quota_mb)
    file_id = ctx.new_id()
    key = file_key(ctx.principal.user_id, file_id)
    stored = await ctx.storage.files.put(key, once(data), limit=len(data))
    return File(
        id=file_id,
        user_id=ctx.principal.user_id,
        filename=plain_name(filename),
        object_key=key,
        size_bytes=stored.size,
        sha256=stored.sha256,
    )


async def known_format(storage: Storage, file: File, said: str) -> Format:
    """By the first bytes; what was said decides between tables and Quizlet's text only. Raises InvalidInput `not_a_deck`."""
    head = b"".join(
        [part async for part in storage.files.read(file.object_key, 0, min(HEAD, file.size_bytes))]
    )
    if head.startswith(ZIP):
        return "apkg"
    if (
        said == "apkg"
        or head.startswith(OTHER_FILES)
        or (b"\0" in head[:1000].replace(b"\0\0", b"") and head[:2] not in (b"\xff\xfe", b"\xfe\xff"))
    ):
        raise InvalidInput(
            "This is neither an Anki package nor a text with cards. Give an .apkg file, a CSV table or lines of term, tab, definition.",
            code="not_a_deck",
        )
    if file.size_bytes > LARGEST_TABLE:
        raise InvalidInput("This table of cards is larger than 50 MB. Split it.", code="too_large")
    if said in ("csv", "quizlet"):
        return "csv" if said == "csv" else "quizlet"
    return _format_of(decode(head), file.filename.lower())


def _format_of(text: str, filename: str) -> Format:
    if filename.endswith((".csv", ".tsv", ".tab")) or text.lstrip("\ufeff").startswith("#separator:"):
        return "csv"
    first = text.lstrip("\ufeff").split("\n", 1)[0].lower()
    if has_tabs(text):
        return "csv" if '\t"' in text or text.startswith('"') else "quizlet"
    quoted = (
        '","' in text
        or '";"' in text
        or first.replace(";", ",").startswith(("front,", "term,", "question,", "type,"))
    )
    return "csv" if quoted or _is_regular(text) else "quizlet"


def _is_regular(text: str) -> bool:
    """Whether each line has the same number of commas or semicolons, at least one."""
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    return (
        any(len({line.count(mark) for line in lines}) == 1 and mark in lines[0] for mark in ",;")
        if lines
        else False
    )
