"""Signing up, in and out, and the devices of an account."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from assistant.api.problems import Problem
from assistant.api.services import Caller, Services, ServicesDep, bearer, caller
from storage.errors import NotFound, Unauthorized
from storage.models import User
from storage.repositories.base import as_uuid
from tools.accounts import Device, SignedIn

router = APIRouter(
    prefix="/api/auth",
    tags=["account"],
    responses={400: {"model": Problem}, 401: {"model": Problem}},
    max_body_size=64 * 1024,
)
pages = APIRouter(include_in_schema=False)

Text = Annotated[str, Field(max_length=2000)]


class Login(BaseModel):
    email: Text
    password: Text


class Registration(Login):
    name: Text


class Refresh(BaseModel):
    refresh_token: Text


class UserItem(BaseModel):
    id: UUID
    email: str
    name: str

    @classmethod
    def of(cls, user: User) -> "UserItem":
        return cls(id=user.id, email=user.email, name=user.name)


class Tokens(BaseModel):
    """The same tokens are set as cookies; programs send `access_token` as a bearer token."""

    user: UserItem
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


class SessionState(BaseModel):
    user: UserItem
    registration: str = Field(description="open, invite or closed: who may make an account.")


class DeviceItem(BaseModel):
    id: UUID
    device: str | None
    created_at: datetime
    last_used_at: datetime | None
    current: bool


class DeviceList(BaseModel):
    items: list[DeviceItem]


@router.post("/register", status_code=201, responses={403: {"model": Problem}, 409: {"model": Problem}})
async def register(
    asked: Registration, request: Request, response: Response, services: ServicesDep
) -> Tokens:
    """Make an account and sign in."""
    signed_in = await services.accounts.register(asked.email, asked.name, asked.password, device_of(request))
    return _tokens(services, response, signed_in)


@router.post("/login", responses={429: {"model": Problem}})
async def log_in(asked: Login, request: Request, response: Response, services: ServicesDep) -> Tokens:
    """Sign in with e-mail address and password."""
    signed_in = await services.accounts.log_in(asked.email, asked.password, device_of(request))
    return _tokens(services, response, signed_in)


@router.post("/refresh")
async def refresh(
    request: Request, response: Response, services: ServicesDep, asked: Refresh | None = None
) -> Tokens:
    """New tokens in exchange for the refresh token, from the body or the cookie."""
    token = asked.refresh_token if asked else request.cookies.get(services.cookies.refresh)
    if not token:
        raise Unauthorized("Nobody is signed in here.", code="not_signed_in")
    return _tokens(services, response, await services.accounts.refresh(token))


@router.post("/logout", status_code=204)
async def log_out(request: Request, services: ServicesDep) -> Response:
    """End the session of this device at once. Without one, nothing happens."""
    try:
        principal = await caller(request, services)
    except Unauthorized:
        principal = None
    if principal is not None and principal.session_id is not None:
        async with services.storage.as_user(principal.user_id) as db:
            await db.accounts.revoke_session(principal.session_id)
    refresh_token = request.cookies.get(services.cookies.refresh)
    if refresh_token and bearer(request) is None:
        await services.accounts.end_session_of(refresh_token)
    response = Response(status_code=204)
    services.cookies.clear(response)
    return response


@router.get("/session")
async def session(request: Request, services: ServicesDep) -> SessionState:
    """Who is signed in. Answers 401 with `registration` when nobody is."""
    registration = services.settings.registration
    try:
        principal = await caller(request, services)
    except Unauthorized as error:
        raise Unauthorized(str(error), code=error.code, details={"registration": registration}) from error
    user = await services.accounts.user(principal.user_id)
    return SessionState(user=UserItem.of(user), registration=registration)


@router.get("/sessions")
async def list_sessions(principal: Caller, services: ServicesDep) -> DeviceList:
    """The devices that are signed in, newest first."""
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        rows = await db.accounts.sessions()
    items = [
        DeviceItem(
            id=row.id,
            device=row.device,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            current=row.id == principal.session_id,
        )
        for row in rows
    ]
    return DeviceList(items=items)


@router.delete("/sessions/{session_id}", status_code=204, responses={404: {"model": Problem}})
async def end_session(session_id: str, principal: Caller, services: ServicesDep) -> Response:
    """Sign a device out, at once."""
    wanted = as_uuid(session_id)
    if wanted is None:
        raise NotFound("No such device.", code="session_not_found")
    async with services.storage.as_user(principal.user_id) as db:
        await db.accounts.revoke_session(wanted)
    return Response(status_code=204)


@pages.get("/login")
async def redeem_link(request: Request, services: ServicesDep, token: str = "") -> Response:
    """A one-time link: signs in and goes on to the app."""
    try:
        signed_in = await services.accounts.redeem_link(token, device_of(request))
    except Unauthorized as error:
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Lyceum</title><p>{error}</p></html>'
        )
        return HTMLResponse(page, 401, headers={"Cache-Control": "no-store"})
    response = RedirectResponse("/", 303, headers={"Cache-Control": "no-store"})
    services.cookies.set(response, signed_in)
    return response


def _tokens(services: Services, response: Response, signed_in: SignedIn) -> Tokens:
    services.cookies.set(response, signed_in)
    response.headers["Cache-Control"] = "no-store"
    return Tokens(
        user=UserItem.of(signed_in.user),
        access_token=signed_in.access_token,
        access_expires_at=signed_in.access_expires_at,
        refresh_token=signed_in.refresh_token,
        refresh_expires_at=signed_in.refresh_expires_at,
    )


BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux"),
)  # fmt: skip


def device_name(user_agent: str) -> str | None:
    """`Firefox on Linux`, or what a program calls itself."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in SYSTEMS if mark in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    first = re.match(r"[\w .+-]{1,60}", user_agent)
    return browser or system or (first.group().strip() if first else None)


def device_of(request: Request) -> Device:
    address = request.client.host if request.client else None
    return Device(device_name(request.headers.get("user-agent", "")), address)
