"""`python -m assistant.cli` is `lyceum`."""

from assistant.cli import app

app()
