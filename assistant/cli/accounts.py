"""`user` and `key`: accounts and API keys."""

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from assistant.cli.options import AsJson, DataDir, fail
from assistant.cli.session import OwnerSession, as_owner, log_to_stderr, run, show

users = typer.Typer(help="Accounts.", no_args_is_help=True)
keys = typer.Typer(help="API keys for programs and AI clients.", no_args_is_help=True)

UserOption = Annotated[
    str | None, typer.Option("--user", help="E-mail of the account; the owner of this machine if left out.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(users, name="user")
    app.add_typer(keys, name="key")


@users.command("create")
def create_user(
    email: str,
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="LYCEUM_NEW_PASSWORD"),
    ] = "",
    data_dir: DataDir = None,
) -> None:
    """Make an account."""

    async def work() -> None:
        async with as_owner(data_dir, "lyceum user create") as session:
            user = await session.accounts.create_user(email, name or email.split("@")[0], password)
            typer.echo(f"Made the account {user.email}.")

    start(work())


@users.command("password")
def set_password(
    email: str,
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="LYCEUM_NEW_PASSWORD"),
    ] = "",
    data_dir: DataDir = None,
) -> None:
    """Set a new password."""

    async def work() -> None:
        async with as_owner(data_dir, "lyceum user password") as session:
            await session.accounts.set_password(await user_id(session, email), password)
            typer.echo("The password is set.")

    start(work())


@users.command("link")
def login_link(user: UserOption = None, data_dir: DataDir = None) -> None:
    """Print a link that signs in once."""

    async def work() -> None:
        async with as_owner(data_dir, "lyceum user link") as session:
            typer.echo(await session.accounts.create_login_link(await user_id(session, user)))

    start(work())


@keys.command("create")
def create_key(
    name: str,
    user: UserOption = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="A key that can only read.")] = False,
    scope: Annotated[
        list[str] | None, typer.Option(help="A permission such as materials:read; may be repeated.")
    ] = None,
    days: Annotated[int | None, typer.Option(help="Days until it expires; never if left out.", min=1)] = None,
    data_dir: DataDir = None,
) -> None:
    """Make an API key and print it, alone, on standard output. It is shown only this once."""

    async def work() -> None:
        scopes = tuple(scope or (["*:read"] if read_only else ["*"]))
        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        async with as_owner(data_dir, "lyceum key create") as session:
            owner = await user_id(session, user)
            _, secret = await session.accounts.create_key(owner, name, scopes=scopes, expires_at=expires)
            typer.echo(secret)

    start(work())


@keys.command("list")
def list_keys(user: UserOption = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List API keys."""

    async def work() -> None:
        async with as_owner(data_dir, "lyceum key list") as session:
            owner = await user_id(session, user)
            async with session.storage.as_user(owner, read_only=True) as db:
                rows = await db.accounts.keys()
        if as_json:
            fields = ("id", "name", "prefix", "scopes", "created_at", "last_used_at", "expires_at")
            show([{f: getattr(r, f) if f == "scopes" else str(getattr(r, f)) for f in fields} for r in rows])
            return
        for row in rows:
            typer.echo(
                f"{row.prefix}…  {row.name}  ({', '.join(row.scopes)})  last used: {row.last_used_at or 'never'}"
            )

    start(work())


@keys.command("revoke")
def revoke_key(name: str, user: UserOption = None, data_dir: DataDir = None) -> None:
    """Revoke an API key, by name or id."""

    async def work() -> None:
        async with as_owner(data_dir, "lyceum key revoke") as session:
            owner = await user_id(session, user)
            async with session.storage.as_user(owner) as db:
                row = await db.accounts.revoke_key(name)
            typer.echo(f"Revoked {row.name}.")

    start(work())


async def user_id(session: OwnerSession, email: str | None) -> UUID:
    """The account an option names."""
    if email is None:
        owner: UUID = session.principal.user_id
        return owner
    found: UUID | None = await session.accounts.find(email)
    if found is None:
        fail(f"There is no account with the e-mail address {email}.")
    return found


def start(work: Coroutine[Any, Any, None]) -> None:
    log_to_stderr()
    run(work)
