"""What an AI client asks for, and the person's answer: for the page /connect, in a signed-in browser only."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.problems import Problem
from assistant.api.services import ServicesDep, caller
from storage.errors import Forbidden
from tools.context import Principal
from tools.oauth.service import PendingConsent

router = APIRouter(
    prefix="/api/oauth/requests",
    tags=["account"],
    responses={code: {"model": Problem} for code in (401, 403, 404)},
    max_body_size=16 * 1024,
)


class ScopeItem(BaseModel):
    scope: str
    title: str = Field(description="What it allows, in plain words.")
    is_write: bool


class ConsentRequest(BaseModel):
    """A client that waits for an answer. Its name is what it says of itself; where it lives is checked."""

    client_name: str
    client_id: str
    client_uri: str | None
    redirect_host: str
    registration: str = Field(description="dynamic, metadata_document or operator.")
    scopes: list[ScopeItem]
    resource: str
    expires_at: datetime


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    allowed: bool
    scopes: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] = []


class Onward(BaseModel):
    redirect_to: str = Field(
        description="Where the browser goes now: back to the client, with a code or a refusal."
    )


async def browser_session(request: Request, services: ServicesDep) -> Principal:
    """The person at this browser, by the session's cookie alone: what gives access away must not be reachable with a
    key or a token that was given away before. Raises Unauthorized, Forbidden."""
    if "authorization" in request.headers:
        raise Forbidden(
            "Only a person who is signed in on the page can answer this, no key and no token.",
            code="browser_only",
        )
    principal = await caller(request, services)
    if principal.session_id is None or principal.key_id is not None or principal.client_id is not None:
        raise Forbidden("Sign in on the page to answer this.", code="browser_only")
    return principal


def from_our_page(request: Request) -> None:
    """The guard lets requests pass that say nothing of where they come from; a browser always says it of a POST, and
    nothing else may answer here. Raises Forbidden."""
    if "sec-fetch-site" not in request.headers and "origin" not in request.headers:
        raise Forbidden("This can be answered only on Lyceum's own page.", code="browser_only")


Person = Annotated[Principal, Depends(browser_session)]


@router.get("/{request_id}")
async def get_request(
    request_id: str, response: Response, person: Person, services: ServicesDep
) -> ConsentRequest:
    """What an AI client asks for. Only the person who opened it first sees it, for ten minutes."""
    response.headers["Cache-Control"] = "no-store"
    return _shown(await services.oauth.pending(request_id, person.user_id))


@router.post("/{request_id}", dependencies=[Depends(from_our_page)], responses={400: {"model": Problem}})
async def answer_request(
    request_id: str, answer: Answer, response: Response, person: Person, services: ServicesDep
) -> Onward:
    """Allow or refuse. An answer stands: the request is gone with it."""
    response.headers["Cache-Control"] = "no-store"
    scopes = frozenset(answer.scopes) if answer.allowed else frozenset()
    return Onward(redirect_to=await services.oauth.decide(request_id, person.user_id, answer.allowed, scopes))


def _shown(pending: PendingConsent) -> ConsentRequest:
    return ConsentRequest(
        client_name=pending.client_name,
        client_id=pending.client_id,
        client_uri=pending.client_uri,
        redirect_host=pending.redirect_host,
        registration=pending.registration,
        scopes=[ScopeItem(scope=s.scope, title=s.title, is_write=s.is_write) for s in pending.scopes],
        resource=pending.resource,
        expires_at=pending.expires_at,
    )
