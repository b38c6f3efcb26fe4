"""Recordings and videos for a player in the page, which asks for the part around the second it jumps to."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from assistant.api.materials import Reader, file_of, media_type, presentation, send
from assistant.api.problems import Problem
from assistant.api.services import ServicesDep
from storage.errors import NotFound

router = APIRouter(
    prefix="/api/materials",
    tags=["materials"],
    responses={401: {"model": Problem}, 403: {"model": Problem}, 404: {"model": Problem}},
)

PLAYED_AS = {
    "video/quicktime": "video/mp4",
    "video/3gpp": "video/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/mp3": "audio/mpeg",
}
"""Names that browsers refuse to play, though they can play what is in such files."""


@router.head("/{material_id}/media", include_in_schema=False)
@router.get("/{material_id}/media", response_class=Response)
async def material_media(
    material_id: str, request: Request, principal: Reader, services: ServicesDep
) -> Response:
    """A recording or video, for a player. Answers ranges. Kinds that no browser plays come all the same."""
    file = await file_of(services, principal, material_id)
    kind = media_type(file)
    if not kind.startswith(("audio/", "video/")):
        raise NotFound("This material is no recording, so there is nothing to play.", code="no_media")
    return await send(
        file, request, services, {**presentation(file), "Content-Type": PLAYED_AS.get(kind, kind)}
    )
