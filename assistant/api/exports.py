"""Files made for taking away."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.responses import Response, StreamingResponse

from assistant.api.problems import Problem
from assistant.api.services import ServicesDep, allowed
from storage.errors import Conflict, NotFound
from storage.files import Stored
from storage.repositories.base import as_uuid
from tools.context import Principal

router = APIRouter(
    prefix="/api/exports",
    tags=["account"],
    responses={status: {"model": Problem} for status in (401, 403, 404, 409)},
)


@router.get("/{export_id}/download", response_class=Response)
async def download(
    export_id: str, principal: Annotated[Principal, Depends(allowed("account:read"))], services: ServicesDep
) -> Response:
    """The file of an export, until it expires."""
    wanted = as_uuid(export_id)
    if wanted is None:
        raise NotFound("No such export.", code="export_not_found")
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        export = await db.exports.get(wanted)
        file = await db.materials.file(export.file_id) if export.file_id else None
    if export.status == "expired" or export.expires_at <= services.storage.clock.now():
        raise NotFound("This export has expired. Make a new one.", code="export_expired")
    if export.status == "failed":
        raise NotFound(export.error or "This export could not be made. Make a new one.", code="export_failed")
    if file is None:
        raise Conflict("This export is still being made. Try again in a moment.", code="export_not_ready")
    stored = Stored(file.size_bytes, file.sha256)
    await services.storage.files.check_size(file.object_key, stored)
    headers = {
        "Content-Length": str(stored.size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
        "Cache-Control": "private, no-store",
    }
    parts = services.storage.files.read_whole(file.object_key, stored)
    return StreamingResponse(parts, headers=headers, media_type=file.media_type)
