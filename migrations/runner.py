"""Brings a database to the newest schema; what `lyceum migrate` and the start of the laptop mode call."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parent


def configuration(owner_url: str) -> Config:
    """Alembic's configuration for a database, connecting as the role that owns the tables."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    return config


def head() -> str:
    """The newest revision that this version of Lyceum knows."""
    return ScriptDirectory(str(FOLDER)).get_current_head() or ""


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Blocking: Alembic's environment runs its own event loop."""
    command.upgrade(configuration(owner_url), revision)
