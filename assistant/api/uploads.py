"""Taking a file in: a multipart form, streamed part by part from the socket into the file store."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from assistant.api.multipart import SLACK, FormEvent, PartBegin, PartData, PartEnd, boundary_of, form_events
from assistant.api.problems import Problem
from assistant.api.services import Caller, ServicesDep
from storage.errors import InvalidInput, TooLarge
from storage.files import too_large
from tools.intake import Taken, discard, receive

router = APIRouter(prefix="/api/uploads", tags=["materials"])

FIELDS = frozenset({"class_id", "title", "kind"})
MAX_FIELD = 4096
FORM = {
    "type": "object",
    "required": ["file", "class_id"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "class_id": {"type": "string", "description": "A class: its id or its name."},
        "title": {"type": "string"},
        "kind": {"type": "string", "description": "What it is; guessed from the file when left out."},
    },
}


@router.post(
    "",
    status_code=201,
    response_model=Taken,
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 413)},
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}},
)
async def upload(request: Request, principal: Caller, services: ServicesDep) -> Response:
    """Add a file to a class: it is stored, and a job reads it. Large files go better to /api/uploads/tus."""
    services.executor.spec("upload_material", principal)
    limit = services.settings.max_upload_mb << 20
    announced = int(request.headers.get("content-length", 0))
    if announced > limit + SLACK:
        raise too_large(limit)
    boundary = boundary_of(request.headers.get("content-type", ""))
    form = _Form(form_events(request.stream(), boundary, limit=limit + SLACK))
    filename = await form.to_file()
    size = max(0, announced - SLACK)
    upload_id = await receive(services.storage, principal, filename, form.file(), size=size)
    try:
        arguments: dict[str, Any] = {**form.fields, "upload_id": str(upload_id)}
        taken = await services.executor.call("upload_material", arguments, principal)
    except BaseException:
        await discard(services.storage, principal, upload_id)
        raise
    return JSONResponse(taken.model_dump(mode="json"), 201)


class _Form:
    """The fields and the one file of a form, in whatever order they come."""

    def __init__(self, events: AsyncGenerator[FormEvent]) -> None:
        self._events = events
        self.fields: dict[str, str] = {}

    async def to_file(self) -> str:
        """Read up to the content of the file; gives its name. Raises InvalidInput when the form has none."""
        async for event in self._events:
            if isinstance(event, PartBegin):
                if event.filename is not None:
                    return event.filename
                await self._field(event.name)
        raise InvalidInput("The form has no file. Send it in the field `file`.", code="no_file")

    async def file(self) -> AsyncIterator[bytes]:
        """The file's bytes. Ends only after the rest of the form was read and found complete, so that a form which
        breaks off later leaves no file behind either."""
        async for event in self._events:
            if isinstance(event, PartEnd):
                break
            if isinstance(event, PartData):
                yield event.data
        async for event in self._events:
            if isinstance(event, PartBegin):
                if event.filename is not None:
                    raise InvalidInput("Send one file at a time.", code="several_files")
                await self._field(event.name)
        if not self.fields.get("class_id"):
            raise InvalidInput(
                "The form has no class. Send its id or name in the field `class_id`.", code="no_class"
            )

    async def _field(self, name: str) -> None:
        value = bytearray()
        async for event in self._events:
            if isinstance(event, PartEnd):
                break
            if isinstance(event, PartData):
                value += event.data
            if len(value) > MAX_FIELD:
                raise TooLarge(f"The field {name[:50]!r} is too long.", code="field_too_long")
        if name in FIELDS and value:
            self.fields[name] = value.decode("utf-8", "replace")
