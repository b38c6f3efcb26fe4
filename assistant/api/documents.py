"""Documents as files, rendered when they are asked for."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from assistant.api.materials import SANDBOX
from assistant.api.problems import Problem
from assistant.api.services import ServicesDep, allowed
from storage.errors import Conflict, NotFound
from storage.repositories.base import as_uuid
from tools.context import Principal
from tools.documents.content import DocumentFormat
from tools.documents.rendering.files import MEDIA_TYPES, rendered
from tools.documents.rendering.stored import filename_of, stored_of

router = APIRouter(
    prefix="/api/documents",
    tags=["documents"],
    responses={status: {"model": Problem} for status in (401, 403, 404, 409, 503)},
)

RENDERING = asyncio.Semaphore(2)
"""Files that one process renders at a time."""


@router.get("/{document_id}/download", response_class=Response)
async def download(
    document_id: str,
    principal: Annotated[Principal, Depends(allowed("documents:read"))],
    services: ServicesDep,
    format: Annotated[DocumentFormat, Query()] = "pdf",
) -> Response:
    """A document, own or shared with one's class, as pdf, docx, md, html or json. Old versions have ids of their own."""
    if as_uuid(document_id) is None:
        raise NotFound(f"No document {document_id!r}.", code="document_not_found")
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        row = await db.documents.readable(document_id)
    stored = stored_of(row)
    if not stored.content.sections:
        raise Conflict(f"Nothing of {row.title!r} is there yet. Ask again soon.", code="document_empty")
    async with RENDERING:
        content = await rendered(stored, format, services.settings.base_url)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename_of(row.title, format), safe='')}",
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)
