"""What every command begins with: options, settings, and ending in one sentence. Light: `lyceum mcp` starts with it."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from storage.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder that holds all data.", envvar="LYCEUM_DATA_DIR", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def fail(sentence: str) -> NoReturn:
    """End the command with one sentence on standard error."""
    typer.secho(sentence, fg=typer.colors.RED, err=True)
    raise typer.Exit(1)


def read_settings(**overrides: Any) -> Settings:
    """Settings with the options that a command was given on top. Ends the command on a wrong value."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems = [f"LYCEUM_{str(p['loc'][0]).upper()}: {p['msg']}" for p in error.errors()]
        fail("These settings cannot be used. " + "; ".join(problems))


def is_laptop(settings: Settings) -> bool:
    """Whether Lyceum runs its own servers: it does unless a database is named."""
    return settings.database_url is None
