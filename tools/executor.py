"""The one door. Checks scope, validates, opens the transaction as the caller, runs, audits; expected errors pass through."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel, ValidationError

from storage.errors import Forbidden, InvalidInput, LyceumError, NotFound
from storage.models import AuditLog
from storage.resources import Storage
from tools.context import Principal, Progress, TextModel, ToolContext, no_progress
from tools.spec import Effect, Input, ToolSpec

log = structlog.get_logger()

AUDITED_TEXT = 200
"""Characters of a text argument that the audit keeps: what was done, not a copy of the material."""
NEVER_AUDITED = frozenset({"content_base64", "password"})


class Executor:
    """Runs tools by name. One per process; safe to call concurrently, because every call has its own transaction."""

    def __init__(
        self, catalog: Mapping[str, ToolSpec], storage: Storage, model: TextModel | None = None
    ) -> None:
        self.catalog = catalog
        self.storage = storage
        self._model = model

    async def call(
        self, name: str, raw: Mapping[str, Any], principal: Principal, progress: Progress = no_progress
    ) -> BaseModel:
        """Run one tool as the principal. Raises LyceumError for everything that a caller can cause or should know."""
        spec = self.spec(name, principal)
        args = validated(spec.input, raw)
        try:
            output = await self._run(spec, args, principal, progress)
        except LyceumError as error:
            await self._audit_failure(spec, args, principal, error)
            raise
        log.info("tool_called", tool=name, surface=principal.surface, user_id=str(principal.user_id))
        return output

    def spec(self, name: str, principal: Principal) -> ToolSpec:
        """The tool, when it exists and the principal may call it."""
        spec = self.catalog.get(name)
        if spec is None:
            raise NotFound(f"There is no tool called {name!r}.", code="tool_not_found")
        if not principal.allows(spec.scope):
            raise Forbidden(
                f"This needs the permission {spec.scope!r}, which this key does not have.",
                code="missing_scope",
            )
        return spec

    async def _run(self, spec: ToolSpec, args: Input, principal: Principal, progress: Progress) -> BaseModel:
        if spec.own_transaction:
            ctx = ToolContext(principal, self.storage, None, progress, self._model)
            output = await spec.handler(ctx, args)
            if spec.effect is not Effect.READ:
                async with self.storage.as_user(principal.user_id) as db:
                    await db.audit.add(self._audit_row(spec, args, principal, entity_of(output), None))
        else:
            read_only = spec.effect is Effect.READ
            async with self.storage.as_user(principal.user_id, read_only=read_only) as db:
                ctx = ToolContext(principal, self.storage, db, progress, self._model)
                output = await spec.handler(ctx, args)
                if not read_only:
                    await db.audit.add(self._audit_row(spec, args, principal, entity_of(output), None))
        for action in ctx.after_commit:
            await action()
        return output

    async def _audit_failure(
        self, spec: ToolSpec, args: Input, principal: Principal, error: LyceumError
    ) -> None:
        if spec.effect is Effect.READ:
            return
        async with self.storage.as_user(principal.user_id) as db:
            await db.audit.add(self._audit_row(spec, args, principal, None, str(error)))

    def _audit_row(
        self, spec: ToolSpec, args: Input, principal: Principal, entity: UUID | None, error: str | None
    ) -> AuditLog:
        return AuditLog(
            id=self.storage.clock.new_id(),
            created_at=self.storage.clock.now(),
            user_id=principal.user_id,
            action=spec.name,
            surface=principal.surface,
            arguments=auditable(args),
            entity_id=entity,
            is_success=error is None,
            error_message=error,
            ip_address=principal.ip_address,
            user_agent=principal.user_agent,
            session_id=principal.session_id,
        )


def validated(model: type[Input], raw: Mapping[str, Any]) -> Input:
    """The arguments as the tool's input. Raises InvalidInput that names each wrong argument in one line."""
    if has_nul(raw):
        raise InvalidInput(
            "A text argument holds a NUL character, which cannot be stored.", code="invalid_arguments"
        )
    try:
        return model.model_validate(dict(raw))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc'])) or 'arguments'}: {p['msg']}" for p in error.errors()[:5]]
        raise InvalidInput("; ".join(problems), code="invalid_arguments") from error


def has_nul(value: object) -> bool:
    """Whether a text anywhere in the arguments holds a NUL, which PostgreSQL refuses."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(has_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(has_nul, value))


def auditable(args: Input) -> dict[str, Any]:
    """Arguments without secrets and file bodies, texts cut short."""
    kept = {
        k: v for k, v in args.model_dump(mode="json", exclude_none=True).items() if k not in NEVER_AUDITED
    }
    return {k: v[:AUDITED_TEXT] if isinstance(v, str) else v for k, v in kept.items()}


def entity_of(output: BaseModel) -> UUID | None:
    """The item that a call made or changed: its `id`, or the one `…_id` of the output."""
    for name in ("id", "material_id", "job_id"):
        value = getattr(output, name, None)
        if isinstance(value, UUID):
            return value
    return None
