"""`migrate` and `doctor`: keeping an installation in order."""

import asyncio
from typing import Annotated

import typer

from assistant.cli.session import (
    AsJson,
    DataDir,
    as_owner,
    fail,
    log_to_stderr,
    read_settings,
    run,
    services,
    show,
)
from storage.errors import LyceumError


def register(app: typer.Typer) -> None:
    app.command()(migrate)
    app.command()(doctor)


def migrate(
    revision: Annotated[str, typer.Argument(help="Schema revision to go to.")] = "head",
    data_dir: DataDir = None,
) -> None:
    """Bring the database to the newest schema. On a server this needs LYCEUM_OWNER_DATABASE_URL."""
    settings = read_settings(data_dir=data_dir)
    log_to_stderr()

    async def work() -> None:
        from migrations.runner import upgrade  # noqa: PLC0415 - Alembic is heavy

        async with services(settings, "lyceum migrate") as (found, _):
            if found.owner_database_url is None:
                fail("Set LYCEUM_OWNER_DATABASE_URL to the role that owns the tables.")
            await asyncio.to_thread(upgrade, found.owner_database_url, revision)
        typer.echo(f"The schema is at {revision}.")

    run(work())


def doctor(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Check every store and say what is wrong and how to mend it. Ends with 1 when something is."""
    log_to_stderr("ERROR")

    async def work() -> None:
        from assistant.cli.checks import all_checks  # noqa: PLC0415 - the stores are heavy

        async with as_owner(data_dir, "lyceum doctor") as session:
            found = await all_checks(session)
        if as_json:
            show(found)
        for check in found if not as_json else []:
            mark = typer.style("ok  ", fg="green") if check["ok"] else typer.style("FAIL", fg="red")
            typer.echo(f"{mark}  {check['name']}: {check['detail']}")
            if not check["ok"]:
                typer.echo(f"      {check['mend']}")
        if not all(check["ok"] for check in found):
            raise typer.Exit(1)

    try:
        run(work())
    except LyceumError as error:
        fail(str(error))
