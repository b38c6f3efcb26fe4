"""The `lyceum` command. Each module holds a group of commands and is imported when one of them is asked for; heavy imports
inside of it wait until a command needs them."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

MODULES = {
    "serve": "serving",
    "worker": "serving",
    "api": "serving",
    "mcp": "mcp",
    "ingest": "materials",
    "search": "materials",
    "user": "accounts",
    "key": "accounts",
    "migrate": "operations",
    "doctor": "operations",
    "chat": "demo",
    "demo": "demo",
}
"""The module of each command, in the order of the help. Importing all of them takes a second that `lyceum mcp`, which every
AI client starts for itself, does not have."""


class Commands(TyperGroup):
    """Loads a command with its module."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # For a name that there is not, all of them, to say which ones come near it.
        for name in [cmd_name] if cmd_name in MODULES else MODULES:
            if name not in self.commands:
                part = typer.Typer(callback=nothing)
                import_module(f"assistant.cli.{MODULES[name]}").register(part)
                self.commands = {**self.commands, **get_group(part).commands}
        return self.commands.get(cmd_name)


def nothing() -> None:
    """What Typer calls before a command; with it, a single command stays a member of its group."""


app = typer.Typer(
    cls=Commands,
    callback=nothing,
    name="lyceum",
    help="A study assistant over your own course material. Start it with `lyceum serve`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
