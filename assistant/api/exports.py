"""Files made for taking away."""

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from assistant.api.problems import Problem
from assistant.api.services import Caller, ServicesDep
from storage.errors import Conflict, Forbidden, NotFound
from storage.files import Stored
from storage.repositories.base import as_uuid

router = APIRouter(
    prefix="/api/exports",
    tags=["account"],
    responses={status: {"model": Problem} for status in (401, 403, 404, 409)},
)

SCOPES = {
    "account": "account:read",
    "deck": "flashcards:read",
    "document": "documents:read",
    "test": "tests:read",
    "course": "courses:read",
    "concepts": "courses:read",
}
"""Which permission an export of a kind needs."""


@router.get("/{export_id}/download", response_class=Response)
async def download(export_id: str, principal: Caller, services: ServicesDep) -> Response:
    """The file of an export, until it expires."""
    wanted = as_uuid(export_id)
    if wanted is None:
        raise NotFound("No such export.", code="export_not_found")
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        export = await db.exports.get(wanted)
        file = await db.materials.file(export.file_id) if export.file_id else None
    if not principal.allows(SCOPES[export.kind]):
        raise Forbidden(
            f"This needs the permission {SCOPES[export.kind]!r}, which this key does not have.",
            code="missing_scope",
        )
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
