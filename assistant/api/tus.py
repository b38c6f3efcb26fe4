"""Resumable uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload) over `tools.resumable`.

Extensions: creation, creation-with-upload, creation-defer-length, termination, expiration, checksum.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from assistant.api.problems import Problem, problem, problem_of
from assistant.api.services import Caller, Services, ServicesDep
from storage.errors import InvalidInput, LyceumError
from storage.models import Upload
from storage.repositories.base import as_uuid
from storage.repositories.uploads import no_such_upload
from tools.context import Principal
from tools.executor import validated
from tools.intake import Taken
from tools.resumable import ALGORITHMS, BrokenOff, Checksum, ResumableUploads

VERSION = "1.0.0"
PREFIX = "/api/uploads/tus"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum"
OFFSET_TYPE = "application/offset+octet-stream"
MAX_METADATA = 8192
SILENCE_SECONDS = 60
STATUSES = {
    "upload_expired": 410,
    "wrong_version": 412,
    "not_offset_stream": 415,
    "upload_busy": 423,
    "checksum_mismatch": 460,
}
"""Where tus wants another status than the kind of the error has."""
ABOUT = ("class_id", "title", "kind")
"""Metadata that says what the file is to become."""


class TusRoute(APIRoute):
    """Answers as tus wants: the version on every answer, its own statuses for errors; and the method that a client names
    in a header because something between us lets only POST through."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                if request.method != "OPTIONS" and not request.url.path.endswith("/result"):
                    check_version(request)
                answer = await handle(request)
            except LyceumError as error:
                answer = _answer_of(error)
            except BrokenOff as error:
                if not isinstance(error.__cause__, TimeoutError):
                    raise ClientDisconnect from error
                answer = problem(
                    408, "client_silent", "Nothing came for a minute. Go on where the upload stopped."
                )
            answer.headers["Tus-Resumable"] = VERSION
            return answer

        return handled


router = APIRouter(
    prefix=PREFIX,
    tags=["materials"],
    route_class=TusRoute,
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 409, 410, 412, 413, 415, 423)},
)


class UploadState(BaseModel):
    """How far an upload is, for clients that cannot read headers."""

    upload_id: UUID = Field(description="For upload_material, once all has arrived.")
    offset: int = Field(description="Bytes that have arrived.")
    length: int | None = Field(description="Bytes of the whole, once known.")
    complete: bool
    expires_at: datetime = Field(description="When it is forgotten; the material stays.")
    material: Taken | None = Field(description="What it became, when the metadata named a class.")


@router.options("", status_code=204, response_class=Response, include_in_schema=False)
@router.options("/{upload_id}", status_code=204, response_class=Response, include_in_schema=False)
async def capabilities(services: ServicesDep) -> Response:
    """Which parts of the protocol this server speaks."""
    return Response(
        status_code=204,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(services.settings.max_upload_mb << 20),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )


@router.post("", status_code=201, response_class=Response)
async def create(request: Request, principal: Caller, services: ServicesDep) -> Response:
    """Begin an upload. `Upload-Metadata` takes filename, and class_id, title and kind as upload_material does: with a class
    the file becomes a material as soon as all of it has arrived."""
    # Also for who may not: the permission is asked before anything is stored.
    services.executor.spec("upload_material", principal)
    length = _length(request)
    if length is None and request.headers.get("upload-defer-length") != "1":
        raise InvalidInput("Say the length in Upload-Length, or Upload-Defer-Length: 1.", code="no_length")
    raw = request.headers.get("upload-metadata", "")
    metadata = parsed_metadata(raw)
    details = await _details(services, principal, metadata)
    uploads = ResumableUploads(services.storage, principal)
    name = metadata.get("filename") or metadata.get("name") or ""
    row = await uploads.create(name, length, {**details, "metadata": raw})
    if request.headers.get("content-type") == OFFSET_TYPE:
        row = await uploads.take(row.id, 0, _sent(request), checksum=_checksum(request))
    taken = await _settle(services, principal, row)
    headers = {**_state(row), **_became(taken), "Location": f"{PREFIX}/{row.id}"}
    return Response(status_code=201, headers=headers)


@router.head("/{upload_id}", response_class=Response)
async def offset(upload_id: str, principal: Caller, services: ServicesDep) -> Response:
    """How far it is."""
    row = await _uploads(services, principal).get(_id(upload_id))
    taken = await _settle(services, principal, row)
    headers = {**_state(row), **_became(taken), "Cache-Control": "no-store"}
    if row.details.get("metadata"):
        headers["Upload-Metadata"] = row.details["metadata"]
    return Response(headers=headers)


@router.patch(
    "/{upload_id}",
    status_code=204,
    response_class=Response,
    openapi_extra={
        "requestBody": {"content": {OFFSET_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def append(upload_id: str, request: Request, principal: Caller, services: ServicesDep) -> Response:
    """Send bytes from `Upload-Offset` on. The last ones are answered with Lyceum-Material and Lyceum-Job."""
    if request.headers.get("content-type") != OFFSET_TYPE:
        raise InvalidInput(f"Send the bytes with Content-Type: {OFFSET_TYPE}.", code="not_offset_stream")
    start = _number(request, "upload-offset")
    if start is None:
        raise InvalidInput("Say in Upload-Offset where these bytes begin.", code="no_offset")
    row = await _uploads(services, principal).take(
        _id(upload_id), start, _sent(request), size=_length(request), checksum=_checksum(request)
    )
    taken = await _settle(services, principal, row)
    return Response(status_code=204, headers={**_state(row), **_became(taken)})


@router.delete("/{upload_id}", status_code=204, response_class=Response)
async def terminate(upload_id: str, principal: Caller, services: ServicesDep) -> Response:
    """Throw an upload away."""
    await _uploads(services, principal).remove(_id(upload_id))
    return Response(status_code=204)


@router.post("/{upload_id}", include_in_schema=False)
async def overridden(upload_id: str, request: Request, principal: Caller, services: ServicesDep) -> Response:
    """Another method, by X-HTTP-Method-Override."""
    method = request.headers.get("x-http-method-override", "").upper()
    if method == "PATCH":
        return await append(upload_id, request, principal, services)
    if method == "DELETE":
        return await terminate(upload_id, principal, services)
    if method == "HEAD":
        return await offset(upload_id, principal, services)
    return problem(405, "method_not_allowed", "This address does not take this kind of request.")


@router.get("/{upload_id}/result", response_model=UploadState)
async def result(upload_id: str, principal: Caller, services: ServicesDep) -> UploadState:
    """How far an upload is and what it became, as JSON."""
    row = await _uploads(services, principal).get(_id(upload_id))
    return UploadState(
        upload_id=row.id,
        offset=row.received_bytes,
        length=row.size_bytes,
        complete=row.outcome is not None,
        expires_at=row.expires_at,
        material=await _settle(services, principal, row),
    )


# --- what headers say


def check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise InvalidInput(
            f"This address speaks tus {VERSION}: send Tus-Resumable: {VERSION}.", code="wrong_version"
        )


def parsed_metadata(raw: str) -> dict[str, str]:
    """`key base64, key base64`; a key alone has an empty value. Raises InvalidInput `invalid_metadata`."""
    if len(raw) > MAX_METADATA:
        raise InvalidInput("Upload-Metadata is too long.", code="invalid_metadata")
    found = {}
    for pair in filter(None, (part.strip() for part in raw.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise InvalidInput(
                f"The value of {key[:40]!r} in Upload-Metadata is not text in base64.",
                code="invalid_metadata",
            ) from error
    return found


def _number(request: Request, name: str) -> int | None:
    value = request.headers.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise InvalidInput(f"The header {name} is not a number of bytes.", code="invalid_header")
    return int(value)


def _length(request: Request) -> int | None:
    return _number(request, "upload-length")


def _checksum(request: Request) -> Checksum | None:
    value = request.headers.get("upload-checksum")
    if value is None:
        return None
    algorithm, _, digest = value.partition(" ")
    try:
        decoded = base64.b64decode(digest.strip(), validate=True)
    except (binascii.Error, ValueError):
        algorithm, decoded = "", b""
    if algorithm not in ALGORITHMS:
        raise InvalidInput(
            f"Upload-Checksum is not one of {', '.join(ALGORITHMS)} with a value in base64.",
            code="invalid_checksum",
        )
    return Checksum(algorithm, decoded)


def _state(row: Upload) -> dict[str, str]:
    headers = {
        "Upload-Offset": str(row.received_bytes),
        "Upload-Expires": format_datetime(row.expires_at, usegmt=True),
    }
    if row.size_bytes is None:
        return {**headers, "Upload-Defer-Length": "1"}
    return {**headers, "Upload-Length": str(row.size_bytes)}


def _became(taken: Taken | None) -> dict[str, str]:
    if taken is None:
        return {}
    headers = {"Lyceum-Material": str(taken.material_id), "Lyceum-Duplicate": str(taken.duplicate).lower()}
    return {**headers, "Lyceum-Job": str(taken.job_id)} if taken.job_id else headers


def _answer_of(error: LyceumError) -> Response:
    status = STATUSES.get(error.code)
    if status is None:
        return problem_of(error)
    headers = {"Tus-Version": VERSION} if status == 412 else {}
    return problem(status, error.code, str(error), headers=headers, **error.details)


# --- what is behind


def _uploads(services: Services, principal: Principal) -> ResumableUploads:
    services.executor.spec("upload_material", principal)
    return ResumableUploads(services.storage, principal)


def _id(text: str) -> UUID:
    found = as_uuid(text)
    if found is None:
        raise no_such_upload()
    return found


async def _details(services: Services, principal: Principal, metadata: dict[str, str]) -> dict[str, str]:
    """What the file is to become, checked before its first byte is sent. Raises NotFound, InvalidInput."""
    details = {name: metadata[name] for name in ABOUT if metadata.get(name)}
    if "class_id" not in details:
        return details
    spec = services.executor.spec("upload_material", principal)
    validated(spec.input, {**details, "upload_id": str(UUID(int=0))})
    async with services.storage.as_user(principal.user_id, read_only=True) as db:
        target = await db.classes.resolve(details["class_id"])
    # The class stays the one it is when it is renamed meanwhile.
    return {**details, "class_id": str(target.id)}


async def _settle(services: Services, principal: Principal, row: Upload) -> Taken | None:
    """The material of an upload that is all there and named a class; made now if nobody has yet."""
    if row.outcome is None or "class_id" not in row.details:
        return None
    if "material_id" in row.outcome:
        return Taken.model_validate(row.outcome)
    about = {name: row.details[name] for name in ABOUT if name in row.details}
    taken = await services.executor.call("upload_material", {**about, "upload_id": str(row.id)}, principal)
    outcome = taken.model_dump(mode="json")
    await ResumableUploads(services.storage, principal).note_outcome(row.id, outcome)
    return Taken.model_validate(outcome)


async def _sent(request: Request) -> AsyncGenerator[bytes]:
    """The body. Raises BrokenOff when the client leaves or falls silent before its end."""
    body = request.stream()
    try:
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await anext(body, None)
            if chunk is None:
                return
            yield chunk
    except (ClientDisconnect, TimeoutError) as error:
        raise BrokenOff from error
