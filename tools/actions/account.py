"""The user's own account: profile, API keys, a copy of their data, and the end of it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import BaseModel, Field

from storage.errors import Conflict, Forbidden, InvalidInput, Unavailable
from storage.files import MB
from storage.life.retention import EXPORT_LIFE
from storage.models import ApiKey, Export, Job, User
from storage.repositories import Repositories
from tools.accounts import new_key_row, normal_name
from tools.context import Principal, ToolContext
from tools.intake import announce_later
from tools.life.export import EXPORT
from tools.spec import Effect, Input, NoInput, tool


class Profile(BaseModel):
    id: UUID
    name: str
    email: str
    is_local_owner: bool = Field(description="The account that was made by the first start on this machine.")
    created_at: datetime
    last_login_at: datetime | None
    school_name: str | None
    grade_level: str | None
    region: str | None
    language: str
    timezone: str
    day_start_hour: int = Field(description="Hour of local time at which a study day begins.")
    scheduler: Literal["fsrs", "sm2"]
    desired_retention: float = Field(description="Share of cards to be remembered when due (FSRS).")
    learning_steps: list[int] = Field(description="Seconds between the first reviews of a new card.")
    relearning_steps: list[int]
    maximum_interval_days: int
    new_cards_per_day: int
    reviews_per_day: int
    leech_threshold: int
    is_fitted: bool = Field(description="Whether FSRS goes by parameters fitted to this person's reviews.")
    class_count: int
    material_count: int
    storage_used_bytes: int = Field(description="Room that files take; deleted ones do not count.")
    storage_limit_bytes: int | None = Field(description="How much they may take; null for no limit.")


async def profile(ctx: ToolContext, user: User) -> Profile:
    classes = await ctx.db.classes.recent(limit=1, cursor=None)
    materials = await ctx.db.materials.recent(class_id=None, status=None, limit=1, cursor=None)
    usage = await ctx.db.uploads.usage()
    fields = {n: getattr(user, n) for n in Profile.model_fields if hasattr(user, n)}
    return Profile(
        **fields,
        is_fitted=user.fsrs_parameters is not None,
        class_count=classes.total,
        material_count=materials.total,
        storage_used_bytes=usage.used,
        storage_limit_bytes=ctx.storage.settings.quota_mb * MB or None,
    )


@tool(effect=Effect.READ, toolset="account")
async def get_profile(ctx: ToolContext, args: NoInput) -> Profile:
    """Who is signed in, and how much the account holds."""
    return await profile(ctx, await ctx.db.accounts.me())


Words = Annotated[str | None, Field(max_length=200)]
Steps = Annotated[list[Annotated[int, Field(ge=1, le=86_400)]], Field(max_length=10)]
ALWAYS_SET = (
    "name", "language", "timezone", "day_start_hour", "scheduler", "desired_retention", "learning_steps",
    "relearning_steps", "maximum_interval_days", "new_cards_per_day", "reviews_per_day", "leech_threshold",
)  # fmt: skip


class UpdateProfile(Input):
    name: Words = None
    school_name: Words = None
    grade_level: Words = None
    region: Words = Field(default=None, description="State or country whose curriculum applies.")
    language: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$",
        description="To answer in, e.g. en or de-AT.",
    )
    timezone: str | None = Field(default=None, max_length=60, description="e.g. Europe/Vienna.")
    day_start_hour: int | None = Field(default=None, ge=0, le=23, description="When a study day begins.")
    scheduler: Literal["fsrs", "sm2"] | None = None
    desired_retention: float | None = Field(
        default=None, ge=0.7, le=0.99, description="Share of cards to be remembered when due (FSRS)."
    )
    learning_steps: Steps | None = Field(
        default=None, description="Seconds between the first reviews of a new card, e.g. [60, 600]."
    )
    relearning_steps: Steps | None = Field(
        default=None, description="Seconds between reviews of a card that was forgotten."
    )
    maximum_interval_days: int | None = Field(default=None, ge=1, le=36_500)
    new_cards_per_day: int | None = Field(default=None, ge=0, le=9999)
    reviews_per_day: int | None = Field(default=None, ge=0, le=9999)
    leech_threshold: int | None = Field(
        default=None, ge=0, le=99, description="Lapses after which a card counts as a leech; 0 for never."
    )


@tool(effect=Effect.WRITE, toolset="account")
async def update_profile(ctx: ToolContext, args: UpdateProfile) -> Profile:
    """Change the user's name, school, grade, region, language or time zone, and how their cards are scheduled. Only the arguments that are given change."""
    changes = args.model_dump(exclude_unset=True)
    if not changes:
        raise InvalidInput("Nothing to change: give at least one of name, school_name, …", code="no_changes")
    missing = [name for name in ALWAYS_SET if changes.get(name, "") is None]
    if missing:
        raise InvalidInput(f"An account needs a {missing[0]}.", code="invalid_arguments")
    if "name" in changes:
        changes["name"] = normal_name(changes["name"])
    if changes.get("timezone", "UTC") not in available_timezones():
        raise InvalidInput(
            "There is no such time zone. Use a name like Europe/Vienna.", code="unknown_timezone"
        )
    user = await ctx.db.accounts.me()
    for name, value in changes.items():
        setattr(user, name, value)
    return await profile(ctx, user)


# --- API keys


class KeyItem(BaseModel):
    id: UUID
    name: str
    prefix: str = Field(description="First characters of the key, to recognise it.")
    scopes: list[str]
    rate_limit: int | None = Field(description="Calls a minute; null for the general limit.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey) -> "KeyItem":
        return cls(**{name: getattr(row, name) for name in KeyItem.model_fields})


class KeyList(BaseModel):
    items: list[KeyItem]
    next_cursor: None = None
    total: int


@tool(effect=Effect.READ, toolset="account")
async def list_api_keys(ctx: ToolContext, args: NoInput) -> KeyList:
    """List the account's API keys that work, newest first. The keys themselves cannot be seen again."""
    rows: Sequence[ApiKey] = await ctx.db.accounts.keys()
    return KeyList(items=[KeyItem.of(row) for row in rows], total=len(rows))


class CreateApiKey(Input):
    name: str = Field(min_length=1, max_length=100, description="What the key is for.")
    scopes: list[str] = Field(
        default=["*"],
        min_length=1,
        max_length=50,
        description="toolset:read, toolset:write, *:read or * (everything).",
    )
    days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until it expires; never if left out."
    )
    rate_limit: int | None = Field(
        default=None, ge=1, le=100_000, description="Calls a minute; the server's general limit if left out."
    )


class CreatedKey(KeyItem):
    key: str = Field(description="The key. It is shown only this once.")


@tool(effect=Effect.WRITE, toolset="account")
async def create_api_key(ctx: ToolContext, args: CreateApiKey) -> CreatedKey:
    """Make an API key for a program or an AI client. It can do no more than whoever makes it. Not from the chat, nor by a connected app."""
    if ctx.principal.surface == "chat":
        raise Forbidden(
            "A key is a secret, and what is said in a chat is kept. Make keys on the settings page or with `lyceum key create`.",
            code="not_in_chat",
        )
    if ctx.principal.client_id is not None:
        raise Forbidden(
            "An app that was allowed in cannot make keys: they would outlive the moment it is disconnected. Make keys on Lyceum's page, under Connections.",
            code="not_by_clients",
        )
    own_limit = ctx.principal.rate_limit
    if own_limit is not None and (args.rate_limit is None or args.rate_limit > own_limit):
        raise Forbidden(
            f"This key may make {own_limit} calls a minute, and a key made with it no more: give rate_limit.",
            code="rate_limit_too_high",
        )
    if beyond := [scope for scope in args.scopes if not may_give(ctx.principal, scope)]:
        raise Forbidden(f"This key may not give away the permission {beyond[0]!r}.", code="missing_scope")
    expires_at = ctx.now() + timedelta(days=args.days) if args.days else None
    row, secret = new_key_row(
        ctx.storage, ctx.principal.user_id, args.name, scopes=tuple(args.scopes), expires_at=expires_at
    )
    row.created_at, row.rate_limit = ctx.now(), args.rate_limit
    await ctx.db.accounts.add_key(row)
    return CreatedKey(**KeyItem.of(row).model_dump(), key=secret)


def may_give(principal: Principal, scope: str) -> bool:
    """Whether a key with this permission could do nothing that its maker cannot."""
    wider = {"*", scope, f"*:{scope.partition(':')[2]}"}
    return bool(wider & principal.scopes)


class RevokeApiKey(Input):
    key_id: str = Field(min_length=1, max_length=200, description="A key: its id or its name.")


@tool(effect=Effect.DESTROY, toolset="account")
async def revoke_api_key(ctx: ToolContext, args: RevokeApiKey) -> KeyItem:
    """End an API key at once. Programs that use it must be given another one."""
    row = await ctx.db.accounts.revoke_key(args.key_id)
    return KeyItem.of(row)


# --- a copy of everything


class ExportStarted(BaseModel):
    export_id: UUID
    job_id: UUID | None = Field(description="The job that makes it; follow it with get_job.")
    download_url: str = Field(
        description="Where the ZIP can be fetched once the job has succeeded, for seven days."
    )


@tool(effect=Effect.WRITE, toolset="account")
async def export_my_data(ctx: ToolContext, args: NoInput) -> ExportStarted:
    """Make a copy of everything in the account as a ZIP: files, texts, notes, conversations and every table. A job does it."""
    export = await ctx.db.exports.pending("account")
    if export is None:
        job = await ctx.db.jobs.add(
            Job(id=ctx.new_id(), user_id=ctx.principal.user_id, kind=EXPORT, arguments={})
        )
        export = Export(
            id=ctx.new_id(),
            user_id=ctx.principal.user_id,
            kind="account",
            format="zip",
            job_id=job.id,
            expires_at=ctx.now() + EXPORT_LIFE,
        )
        await ctx.db.exports.add(export)
        job.arguments = {"export_id": str(export.id)}
        announce_later(ctx, job.id)
    return ExportStarted(
        export_id=export.id, job_id=export.job_id, download_url=f"/api/exports/{export.id}/download"
    )


# --- the end


class DeleteMyAccount(Input):
    email: str = Field(
        max_length=254,
        description="The e-mail address of the account, typed by the person as a confirmation.",
    )


class AccountDeleted(BaseModel):
    deleted: bool = True
    message: str


async def account_to_close(db: Repositories, email: str) -> User:
    """The caller's account, when its address was typed. Raises Conflict and InvalidInput."""
    user = await db.accounts.me()
    if user.deleted_at is not None:
        raise Conflict("This account is being deleted already.", code="account_closed")
    if email.casefold() != user.email.casefold():
        raise InvalidInput(
            "This is not the e-mail address of the account, so nothing was deleted. Type it exactly.",
            code="wrong_confirmation",
        )
    return user


@tool(effect=Effect.DESTROY, toolset="account")
async def delete_my_account(ctx: ToolContext, args: DeleteMyAccount) -> AccountDeleted:
    """Delete the account with everything in it, for good: it cannot be restored. export_my_data makes a copy first."""
    await account_to_close(ctx.db, args.email)
    ctx.db.accounts.ended_tokens += await ctx.db.closing.close(ctx.now())
    runs, _ = await ctx.db.closing.stop(ctx.now())

    async def stop_answers() -> None:
        with suppress(Unavailable):  # the erasure, which waits for their end, asks again
            for run_id in runs:
                await ctx.storage.runs.request_cancel(run_id)

    ctx.after_commit.append(stop_answers)
    return AccountDeleted(
        message="You are signed out everywhere, and everything is being removed. That takes from seconds to a few minutes."
    )
