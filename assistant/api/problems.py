"""Errors as RFC 9457 problem documents: a stable code, one sentence for a person, never a stack."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from storage.errors import Kind, LyceumError

STATUS_OF: Mapping[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHORIZED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}
INTERNAL = "Something went wrong on the server. The error is in its log; try again, or tell whoever runs it."
PHRASES = {460: "Checksum Mismatch"}
"""Of statuses that only tus knows."""
SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take this kind of request.",
    413: "This request is too large.",
}


class Problem(BaseModel):
    """An error as RFC 9457 describes it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(default="about:blank")
    title: str
    status: int
    code: str = Field(description="Stable; programs may rely on it.")
    detail: str = Field(description="One sentence for a person.")


def problem(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
) -> Response:
    """A problem document. `members` are extension members (RFC 9457, 3.2)."""
    return JSONResponse(
        {**members, **body(status, code, detail)},
        status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )


def body(status: int, code: str, detail: str) -> dict[str, Any]:
    title = PHRASES.get(status) or HTTPStatus(status).phrase
    return Problem(title=title, status=status, code=code, detail=detail).model_dump()


def problem_of(error: LyceumError) -> Response:
    headers: dict[str, str] = {}
    if error.kind is Kind.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="Lyceum"'
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    return problem(STATUS_OF[error.kind], error.code, str(error), headers=headers, **error.details)


def sentence_of(errors: list[Any]) -> str:
    """One line that names each wrong field: `password: String should have …`."""
    return "; ".join(f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in errors[:5])


async def _expected(request: Request, error: Exception) -> Response:
    return problem_of(cast(LyceumError, error))


async def _unreadable(request: Request, error: Exception) -> Response:
    errors = list(cast(RequestValidationError, error).errors())
    if any(e["type"] == "json_invalid" for e in errors):
        return problem(400, "invalid_json", "The body of this request is not valid JSON.")
    return problem(400, "invalid_arguments", sentence_of(errors))


async def _by_status(request: Request, error: Exception) -> Response:
    raised = cast(HTTPException, error)
    code = HTTPStatus(raised.status_code).name.lower()
    detail = SENTENCES.get(raised.status_code, str(raised.detail))
    return problem(raised.status_code, code, detail, headers=raised.headers)


def handle_errors(app: FastAPI) -> None:
    """Bugs are not handled here: the access log, outside of everything, answers and logs them."""
    app.add_exception_handler(LyceumError, _expected)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _by_status)
