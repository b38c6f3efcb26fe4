"""Pictures and sounds that the cards of a deck show."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from assistant.api.materials import SANDBOX, media_type, send
from assistant.api.problems import Problem
from assistant.api.services import ServicesDep, allowed
from storage.errors import NotFound
from storage.repositories.base import as_uuid
from tools.context import Principal

router = APIRouter(
    prefix="/api/decks",
    tags=["flashcards"],
    responses={401: {"model": Problem}, 403: {"model": Problem}, 404: {"model": Problem}},
)


@router.head("/{deck_id}/media/{name}", include_in_schema=False)
@router.get("/{deck_id}/media/{name}", response_class=Response)
async def deck_media(
    deck_id: str,
    name: str,
    request: Request,
    principal: Annotated[Principal, Depends(allowed("flashcards:read"))],
    services: ServicesDep,
) -> Response:
    """A picture or sound by the name that a card's text gives it. Answers ranges; scripts in drawings do not run."""
    wanted = as_uuid(deck_id)
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        file = await db.exchange.media_file(wanted, name) if wanted else None
    if file is None:
        raise NotFound("This deck has no picture or sound of that name.", code="no_such_media")
    presented = {
        "Content-Type": media_type(file),
        "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }
    return await send(file, request, services, presented)
