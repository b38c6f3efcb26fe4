"""The file behind a material, whole or in ranges, and pictures of its pages."""

import mimetypes
import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from assistant.api.problems import Problem
from assistant.api.services import Services, ServicesDep, allowed
from storage.errors import NotFound
from storage.files import Stored
from storage.models import File
from storage.repositories.base import as_uuid
from tools.context import Principal

router = APIRouter(
    prefix="/api/materials",
    tags=["materials"],
    responses={401: {"model": Problem}, 403: {"model": Problem}, 404: {"model": Problem}},
)
Reader = Annotated[Principal, Depends(allowed("materials:read"))]

PDF = "application/pdf"
SHOWN = re.compile(
    r"application/pdf|text/(plain|markdown|csv|html)|image/(png|jpeg|gif|webp)|(audio|video)/.+"
)
"""Media types that a browser may show; everything else is a download."""
SANDBOX = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; media-src 'self'; frame-ancestors 'self'"
PDF_POLICY = "frame-ancestors 'self'"
"""Browsers refuse to show a PDF in a sandbox; their viewers are one already."""
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@router.head("/{material_id}/file", include_in_schema=False)
@router.get("/{material_id}/file", response_class=Response)
async def material_file(
    material_id: str, request: Request, principal: Reader, services: ServicesDep
) -> Response:
    """The file as it was uploaded. Answers ranges."""
    file = await file_of(services, principal, material_id)
    return await send(file, request, services, presentation(file))


@router.get("/{material_id}/pages/{number}.png", response_class=Response)
async def page_image(
    material_id: str,
    number: int,
    request: Request,
    principal: Reader,
    services: ServicesDep,
    width: Annotated[int, Query(ge=64, le=2000)] = 1200,
) -> Response:
    """A page of a PDF, or a photo turned upright, as a picture. Pages count from 1."""
    file = await file_of(services, principal, material_id)
    tag = f'"{file.sha256.hex()[:32]}-{number}-{width}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=3600"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    png = await services.executor.pages.get(file, number, width)
    return Response(png, headers=headers, media_type="image/png")


async def send(file: File, request: Request, services: Services, presented: Mapping[str, str]) -> Response:
    """The bytes of a file, or the range that was asked for; nothing when the client has them."""
    stored, size = Stored(file.size_bytes, file.sha256), file.size_bytes
    await services.storage.files.check_size(file.object_key, stored)
    tag = f'"{file.sha256.hex()}"'
    headers = {"Cache-Control": "private, no-cache", **presented, "ETag": tag, "Accept-Ranges": "bytes"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
    span = asked_range(wanted, size)
    start, end = span or (0, size)
    if span is not None and start >= end:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(status_code=416, headers=headers)
    headers["Content-Length"] = str(end - start)
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 200 if span is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    files = services.storage.files
    if span is None:
        return StreamingResponse(files.read_whole(file.object_key, stored), status, headers)
    return StreamingResponse(files.read(file.object_key, start, end), status, headers)


async def file_of(services: Services, principal: Principal, material_id: str) -> File:
    if as_uuid(material_id) is None:
        raise NotFound(f"No material {material_id!r}.", code="material_not_found")
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        material = await db.materials.resolve(material_id)
        file = await db.materials.file(material.file_id) if material.file_id else None
    if file is None:
        raise NotFound("This material has no file.", code="file_missing")
    return file


def media_type(file: File) -> str:
    """By content once it was read, until then by name."""
    return file.media_type or mimetypes.guess_type(file.filename)[0] or "application/octet-stream"


def presentation(file: File) -> dict[str, str]:
    """How a browser is to treat the file: what it is, its name, and that nothing in it may run."""
    kind = media_type(file)
    shown = SHOWN.fullmatch(kind)
    plain = "".join(c if (c.isascii() and c.isalnum()) or c in " ._-()" else "_" for c in file.filename)
    disposition = f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.filename, safe='')}"
    return {
        "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "Content-Disposition": disposition,
        "Content-Security-Policy": PDF_POLICY if kind == PDF else SANDBOX,
        "X-Frame-Options": "SAMEORIGIN",
    }


def matches(if_none_match: str | None, tag: str) -> bool:
    tags = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return tag in tags or "*" in tags


def asked_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Bytes [start, end) that a Range header asks for (RFC 9110, 14.2); empty when the file has none of them. None for
    the whole file: without a header, or when it is malformed or names several ranges."""
    match = RANGE.fullmatch(header or "")
    first, last = match.groups() if match else ("", "")
    if not first and not last:
        return None
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size
