"""`migrate` and `doctor`: keeping an installation in order."""

import asyncio
from typing import Annotated

import typer

from assistant.cli.options import AsJson, DataDir, fail, read_settings
from assistant.cli.session import log_to_stderr, run, services, show
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
    """Check every store and say what is wrong and how to mend it. Changes nothing.

    Ends with 0 when all is well, 1 when there are warnings, 2 when something is broken or could not be looked at.
    """
    log_to_stderr("CRITICAL")

    async def work() -> None:
        from assistant.cli import checks  # noqa: PLC0415 - the stores are heavy
        from assistant.cli.doctor.report import worst  # noqa: PLC0415

        results = await checks.diagnose(data_dir)
        if as_json:
            show(checks.as_json(results))
        else:
            typer.echo(checks.page(results))
        raise typer.Exit(int(worst(results)))

    try:
        asyncio.run(work())
    except LyceumError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from None
