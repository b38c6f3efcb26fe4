"""`chat` and `demo`: asking in the terminal."""

import typer


def register(app: typer.Typer) -> None:
    """Filled in below."""
