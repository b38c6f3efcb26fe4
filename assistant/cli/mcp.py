"""`lyceum mcp`: the tools for an AI client that starts its servers; `lyceum mcp install`: the client's configuration."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from assistant.cli import bridge
from assistant.cli.mcp_clients import CLIENTS, Connection, entry_for, merged, snippet
from assistant.cli.options import DataDir, fail, is_laptop, read_settings
from storage.errors import LyceumError
from storage.settings import Settings, default_data_dir

Toolsets = Annotated[
    str | None,
    typer.Option(
        help="Toolsets to offer, with commas between; `default` and `all` are words too.",
        show_default="default",
    ),
]
Tools = Annotated[
    str | None, typer.Option(help="Single tools beside the toolsets; without toolsets, these alone.")
]
ExcludeTools = Annotated[str | None, typer.Option(help="Tools to leave out.")]
ReadOnly = Annotated[
    bool | None,
    typer.Option("--read-only/--read-write", help="Only tools that change nothing.", show_default=False),
]
ClassId = Annotated[
    str | None,
    typer.Option("--class", help="Work in this class only, by name or id: tools need no class_id."),
]

SELECTION = {"mcp_toolsets", "mcp_tools", "mcp_exclude_tools", "mcp_read_only", "mcp_class"}
"""The settings that say which tools this client is offered."""

group = typer.Typer(invoke_without_command=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="mcp")


@group.callback()
def mcp(
    context: typer.Context,
    data_dir: DataDir = None,
    toolsets: Toolsets = None,
    tools: Tools = None,
    exclude_tools: ExcludeTools = None,
    read_only: ReadOnly = None,
    class_id: ClassId = None,
) -> None:
    """Serve the tools over MCP on standard input and output, for AI clients that start their servers."""
    said = {
        "mcp_toolsets": toolsets,
        "mcp_tools": tools,
        "mcp_exclude_tools": exclude_tools,
        "mcp_read_only": read_only,
        "mcp_class": class_id,
    }
    if context.invoked_subcommand is None:
        serve(read_settings(data_dir=data_dir, **said))


def serve(settings: Settings) -> None:
    """By the API that runs on the data folder, else in this process. What the command says has won over the settings."""
    if is_laptop(settings):
        try:
            connection = bridge.attached(settings.data_dir, settings.model_dump(include=SELECTION))
        except LyceumError as error:
            fail(str(error))
        if connection is not None:
            raise typer.Exit(bridge.serve(connection))
    from assistant.cli.mcp_alone import serve_alone  # noqa: PLC0415 - loads the whole platform

    serve_alone(settings)


@group.command()
def install(
    client: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(CLIENTS)}.", show_default="list them")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Also write it into the client's file.")] = False,
    stdio: Annotated[
        bool,
        typer.Option(
            "--stdio", help="The client starts Lyceum itself, instead of connecting to its address."
        ),
    ] = False,
    data_dir: DataDir = None,
    toolsets: Toolsets = None,
    tools: Tools = None,
    exclude_tools: ExcludeTools = None,
    read_only: ReadOnly = None,
    class_id: ClassId = None,
) -> None:
    """Print how a well-known AI client connects to Lyceum, and write it into the client's file on request."""
    if client is None:
        for name, known in CLIENTS.items():
            typer.echo(f"{name:16} {known.title:16} {known.path(Path.home())}")
        return
    if client not in CLIENTS:
        fail(f"There is no client called {client!r} here. Known are: {', '.join(CLIENTS)}.")
    chosen = {
        "toolsets": toolsets,
        "tools": tools,
        "exclude_tools": exclude_tools,
        "class": class_id,
        "readonly": "1" if read_only else None,
    }
    named = {name: value for name, value in chosen.items() if value}
    connection = connection_of(read_settings(data_dir=data_dir), named)
    known = CLIENTS[client]
    by_url = known.by_url is not None and not stdio
    entry = entry_for(known, connection, by_url)
    path = known.path(Path.home())
    if not write:
        typer.echo(f"{path}:\n\n{snippet(known, entry)}\n")
        if known.command_line is not None:
            typer.echo(f"Or run: {known.command_line(connection, by_url)}\n")
        typer.echo(f"With --write it is added to this file. {known.then}")
        return
    try:
        text = merged(known, path.read_text(encoding="utf-8") if path.exists() else "", entry)
    except (LyceumError, OSError, UnicodeDecodeError) as error:
        fail(f"{path}: {error}\n\n{snippet(known, entry)}")
    if text is None:
        typer.echo(f"{path} has this entry already. {known.then}")
        return
    replace_file(path, text)
    typer.echo(f"Written to {path}. {known.then}")


def connection_of(settings: Settings, chosen: Mapping[str, str]) -> Connection:
    """The address with what was chosen in its query, and the command with the same as flags."""
    query = f"?{urlencode(chosen)}" if chosen else ""
    found = shutil.which("lyceum", path=str(Path(sys.executable).parent)) or shutil.which("lyceum")
    command = [found] if found else [sys.executable, "-m", "assistant.cli"]
    arguments = [*command[1:], "mcp"]
    if settings.data_dir != default_data_dir():
        arguments += ["--data-dir", str(settings.data_dir.absolute())]
    for name, value in chosen.items():
        arguments += ["--read-only"] if name == "readonly" else [f"--{name.replace('_', '-')}", value]
    return Connection(f"{settings.base_url}/mcp{query}", command[0], arguments)


def replace_file(path: Path, text: str) -> None:
    """Write it beside and put it in place at once, with the rights that the file had: a client may be reading it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if path.exists():
            shutil.copymode(path, beside)
        Path(beside).replace(path.resolve())
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
