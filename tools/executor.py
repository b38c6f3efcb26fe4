"""The one door. Checks scope, validates, opens the transaction as the caller, runs, audits; expected errors pass through."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from storage.errors import Forbidden, InvalidInput, LyceumError, NotFound
from storage.resources import Storage
from tools.announcing import announce_rows
from tools.audit import Trail
from tools.context import Principal, Progress, TextModel, ToolContext, no_progress
from tools.limits import admit_call
from tools.page_images import PageImages
from tools.spec import Effect, Input, ToolSpec
from tools.web.fetch import Fetcher

log = structlog.get_logger()

INTERNAL = "Something went wrong inside Lyceum while doing this."


class Executor:
    """Runs tools by name. One per process; safe to call concurrently, because every call has its own transaction."""

    def __init__(
        self,
        catalog: Mapping[str, ToolSpec],
        storage: Storage,
        model: TextModel | None = None,
        fetcher: Fetcher | None = None,
    ) -> None:
        self.catalog = catalog
        self.storage = storage
        self.pages = PageImages(storage)
        """One cache for every surface and connection that shows pages."""
        self._model = model
        self._fetcher = fetcher or Fetcher()

    async def call(
        self, name: str, raw: Mapping[str, Any], principal: Principal, progress: Progress = no_progress
    ) -> BaseModel:
        """Run one tool as the principal. Raises LyceumError for everything that a caller can cause or should know."""
        spec = self.catalog.get(name)
        if spec is None or spec.effect is Effect.READ:
            output = await self._read(name, raw, principal, progress)
        else:
            output = await self._write(spec, raw, principal, progress)
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

    async def _read(
        self, name: str, raw: Mapping[str, Any], principal: Principal, progress: Progress
    ) -> BaseModel:
        spec = self.spec(name, principal)
        await admit_call(self.storage, principal, name)
        args = validated(spec.input, raw)
        ctx = ToolContext(principal, self.storage, None, progress, self._model, self._fetcher)
        return await self._run(spec, args, ctx)

    async def _write(
        self, spec: ToolSpec, raw: Mapping[str, Any], principal: Principal, progress: Progress
    ) -> BaseModel:
        # Before the trail: whoever calls too often must not make it write.
        await admit_call(self.storage, principal, spec.name)
        trail = Trail(spec, raw, principal, self.storage)
        try:
            args = validated(self.spec(spec.name, principal).input, raw)
            trail.arguments = args.model_dump(mode="json", exclude_none=True)
            ctx = ToolContext(principal, trail.watched(), None, progress, self._model, self._fetcher)
            output = await self._run(spec, args, ctx, trail)
            await trail.succeeded()
            await announce_rows(self.storage, principal.user_id, trail.changed)
        except LyceumError as error:
            await trail.failed(error.code, str(error))
            raise
        except Exception:
            await trail.failed("internal_error", INTERNAL)
            raise
        return output

    async def _run(
        self, spec: ToolSpec, args: Input, ctx: ToolContext, trail: Trail | None = None
    ) -> BaseModel:
        if spec.own_transaction:
            output = await spec.handler(ctx, args)
        else:
            read_only = spec.effect is Effect.READ
            async with ctx.storage.as_user(ctx.principal.user_id, read_only=read_only) as db:
                output = await spec.handler(replace(ctx, repositories=db), args)
                if trail is not None:
                    trail.output = output
        for action in ctx.after_commit:
            await action()
        return output


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
