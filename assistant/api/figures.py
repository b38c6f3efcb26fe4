"""Figures cut out of a material, as pictures."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from assistant.api.materials import SANDBOX, Reader, media_type, send
from assistant.api.problems import Problem
from assistant.api.services import ServicesDep
from storage.errors import NotFound
from storage.repositories.base import as_uuid

router = APIRouter(
    prefix="/api/materials",
    tags=["materials"],
    responses={401: {"model": Problem}, 403: {"model": Problem}, 404: {"model": Problem}},
)


@router.get("/{material_id}/figures/{ordinal}", response_class=Response)
async def figure_image(
    material_id: str, ordinal: int, request: Request, principal: Reader, services: ServicesDep
) -> Response:
    """A figure of a material as PNG or JPEG. Figures count from 0."""
    if as_uuid(material_id) is None:
        raise NotFound(f"No material {material_id!r}.", code="material_not_found")
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        material = await db.materials.resolve(material_id)
        file = await db.places.picture(material.id, ordinal) if 0 <= ordinal < 1 << 31 else None
    if file is None:
        raise NotFound(f"There is no figure {ordinal} in this material.", code="no_such_figure")
    presented = {
        "Content-Type": media_type(file),
        "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": SANDBOX,
    }
    return await send(file, request, services, presented)
