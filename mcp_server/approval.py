"""Before something is destroyed: the person is asked, in either era, to type the name of the thing.

A client of 2025-11-25 is asked while its call waits (elicitation/create). A client of 2026-07-28 gets the question as the
answer to its call, asks, and calls again (InputRequiredResult, SEP-2322); what was asked travels with it under our seal.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
import structlog
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    FormElicitationCapability,
    InputRequiredResult,
    MissingRequiredClientCapabilityErrorData,
)
from mcp_types.version import is_version_at_least
from pydantic import BaseModel, ValidationError

from storage.errors import Conflict, Forbidden, InvalidInput
from tools.context import Principal
from tools.executor import Executor
from tools.previews import Preview, is_named, preview
from tools.spec import ToolSpec

log = structlog.get_logger()

MULTI_ROUND_TRIP = "2026-07-28"
"""The first revision whose calls carry questions in their results; earlier ones are asked by requests of the server."""
QUESTION = "confirmation"
FIELD = "name"
LIFE = timedelta(minutes=10)
"""How long a question may be answered: as GitHub's server does for delete_repository."""
SEAL = b"mcp request state"


@dataclass(frozen=True, slots=True)
class Approved:
    """Go on, with these arguments: names are replaced by the ids of the things that the person was shown."""

    arguments: dict[str, Any]


class Asked(BaseModel):
    """What was asked: travels sealed between the two steps of a modern client, so that it cannot be another thing."""

    tool: str
    item_id: UUID
    sentence: str
    typed: str
    arguments: dict[str, Any]
    user_id: UUID
    until: datetime


async def approval(
    ctx: ServerRequestContext,
    params: CallToolRequestParams,
    spec: ToolSpec,
    arguments: Mapping[str, Any],
    principal: Principal,
    executor: Executor,
) -> CallToolResult | InputRequiredResult | Approved:
    """Called for every tool that destroys, before the executor. Anything but Approved is the answer to the client.

    Raises LyceumError when the person did not agree or the thing cannot be destroyed; nothing is changed then.
    """
    clock = executor.storage.clock
    asked = _asked_before(params)
    answer = (params.input_responses or {}).get(QUESTION) if asked else None
    if asked is None or answer is None:
        seen = await preview(executor, spec.name, arguments, principal)
        asked = Asked(
            tool=spec.name,
            item_id=seen.item_id,
            sentence=seen.sentence,
            typed=seen.typed,
            arguments=seen.arguments,
            user_id=principal.user_id,
            until=clock.now() + LIFE,
        )
        _require_elicitation(ctx, spec, seen, executor.storage.settings.base_url)
        if is_version_at_least(ctx.protocol_version, MULTI_ROUND_TRIP):
            return InputRequiredResult(
                input_requests={QUESTION: ElicitRequest(params=_form(asked))},
                request_state=asked.model_dump_json(),
            )
        answer = await _ask_now(ctx, asked)
    if (asked.tool, asked.user_id) != (spec.name, principal.user_id) or not isinstance(answer, ElicitResult):
        raise InvalidInput(
            "This answer belongs to another question, so nothing was changed. Call the tool again.",
            code="approval_mismatch",
        )
    try:
        check_answer(asked, answer, clock.now())
        await _still_the_same(asked, executor, principal)
    except (Conflict, Forbidden, InvalidInput) as refusal:
        log.info("approval_refused", tool=spec.name, user_id=str(principal.user_id), code=refusal.code)
        raise
    log.info("approval_given", tool=spec.name, user_id=str(principal.user_id), item_id=str(asked.item_id))
    return Approved(asked.arguments)


def _asked_before(params: CallToolRequestParams) -> Asked | None:
    """What the first step sealed. The boundary has opened the seal, so a state that does not fit here is a bug."""
    return Asked.model_validate_json(params.request_state) if params.request_state is not None else None


def _form(asked: Asked) -> ElicitRequestFormParams:
    return ElicitRequestFormParams(
        message=f"{asked.sentence} To go on, type: {asked.typed}",
        requested_schema={
            "type": "object",
            "properties": {
                FIELD: {
                    "type": "string",
                    "title": "Type the name to delete it",
                    "description": f"Exactly: {asked.typed}",
                }
            },
            "required": [FIELD],
        },
    )


async def _ask_now(ctx: ServerRequestContext, asked: Asked) -> ElicitResult:
    """Ask while the call waits. A client that goes away ends the call, and with it this."""
    form = _form(asked)
    try:
        with anyio.fail_after(LIFE.total_seconds()):
            return await ctx.session.elicit_form(
                form.message, form.requested_schema, related_request_id=ctx.request_id
            )
    except TimeoutError:
        raise _too_late() from None
    except (MCPError, ValidationError) as error:
        raise Forbidden(
            "The client could not ask the person, so nothing was changed. Ask them to do it on the page.",
            code="approval_failed",
        ) from error


def check_answer(asked: Asked, answer: ElicitResult, now: datetime) -> None:
    """Raises unless the person typed the name in time."""
    if answer.action == "decline":
        raise Forbidden(
            "The person said no, so nothing was changed. Do not try again unless they ask for it.",
            code="approval_declined",
        )
    if answer.action == "cancel":
        raise Forbidden(
            "The person closed the question without an answer, so nothing was changed.",
            code="approval_cancelled",
        )
    if now >= asked.until:
        raise _too_late()
    typed = (answer.content or {}).get(FIELD)
    if not isinstance(typed, str) or not is_named(asked.typed, typed):
        raise InvalidInput(
            f"What was typed is not the name “{asked.typed}”, so nothing was changed. Call the tool again to ask once more.",
            code="approval_wrong_name",
        )


async def _still_the_same(asked: Asked, executor: Executor, principal: Principal) -> None:
    """Raises when the thing is gone, or is not any more what the person read about."""
    seen = await preview(executor, asked.tool, asked.arguments, principal)
    if (seen.item_id, seen.sentence, seen.typed) != (asked.item_id, asked.sentence, asked.typed):
        raise Conflict(
            f"It has changed since the person was asked, so nothing was deleted. It is now so: {seen.sentence} "
            "Call the tool again to ask once more.",
            code="approval_outdated",
        )


def _too_late() -> Forbidden:
    minutes = int(LIFE.total_seconds() // 60)
    return Forbidden(
        f"The answer came more than {minutes} minutes after the question, so nothing was changed. Call the tool again.",
        code="approval_expired",
    )


def _require_elicitation(ctx: ServerRequestContext, spec: ToolSpec, seen: Preview, base_url: str) -> None:
    """A client that cannot ask is told where it can be done instead: by error -32021 in the modern era (SEP-2575), by a
    result that its model reads in the older one. An empty `elicitation` means forms, as before there were modes."""
    capabilities = ctx.session.client_capabilities
    declared = capabilities.elicitation if capabilities is not None else None
    has_forms = declared is not None and (declared.form is not None or declared.url is None)
    is_modern = is_version_at_least(ctx.protocol_version, MULTI_ROUND_TRIP)
    if has_forms and (is_modern or ctx.session.can_send_request):
        return
    ways = [f"on the page {base_url}", f"over HTTP by POST {base_url}/api/tools/{spec.name}"]
    if seen.command:
        ways.append(f"on the command line by `{seen.command}`")
    message = (
        f"{seen.sentence} Only a person may confirm this, and this client cannot ask them (it has no elicitation), "
        f"so nothing was changed. Tell the person; they can do it {', or '.join(ways)}."
    )
    if not is_modern:
        raise Forbidden(message, code="approval_unavailable")
    required = ClientCapabilities(elicitation=ElicitationCapability(form=FormElicitationCapability()))
    data = MissingRequiredClientCapabilityErrorData(required_capabilities=required)
    raise MCPError(
        MISSING_REQUIRED_CLIENT_CAPABILITY,
        message,
        data.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


class Seal(RequestStateBoundary):
    """The SDK's boundary, which seals what a client carries between two steps, with a sentence for a seal that does not
    hold: expired, of another call, of another caller, or forged."""

    def __init__(self, secret_key: str | None, audience: str) -> None:
        super().__init__(request_state(secret_key), default_audience=audience)

    async def __call__(self, ctx: ServerRequestContext, call_next: CallNext) -> HandlerResult:
        try:
            return await super().__call__(ctx, call_next)
        except MCPError as error:
            data = error.error.data
            if not isinstance(data, dict) or data.get("reason") != "invalid_request_state":
                raise
            raise MCPError(
                error.error.code,
                "Invalid or expired requestState: the question is more than ten minutes old or belongs to another call, "
                "so nothing was changed. Call again from the start.",
                data,
            ) from error


def request_state(secret_key: str | None) -> RequestStateSecurity:
    """How what a client carries between two steps is sealed: under a key derived for this one use. Without a secret
    key only this process can open it, which is enough for standard input and output."""
    if secret_key is None:
        return RequestStateSecurity.ephemeral(ttl=LIFE.total_seconds())
    key = hmac.digest(secret_key.encode(), SEAL, "sha256")
    return RequestStateSecurity(keys=[key], ttl=LIFE.total_seconds())
