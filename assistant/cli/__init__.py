"""The `lyceum` command. Each module holds a group of commands; heavy imports wait until a command needs them."""

import typer

from assistant.cli import accounts, demo, materials, mcp, operations, serving

app = typer.Typer(
    name="lyceum",
    help="A study assistant over your own course material. Start it with `lyceum serve`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for group in (serving, mcp, materials, accounts, operations, demo):
    group.register(app)
