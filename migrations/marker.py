"""Remembers which schema a data folder has, so that a start need not ask the database. Light: no Alembic."""

from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"


def newest() -> str:
    """The newest revision; files are named NNNN_words.py."""
    return max(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def _marker(data_dir: Path) -> Path:
    return data_dir / "postgres" / "lyceum-schema"


def is_current(data_dir: Path) -> bool:
    marker = _marker(data_dir)
    return marker.exists() and marker.read_text() == newest()


def remember(data_dir: Path) -> None:
    """The marker lies beside the database files, so that a deleted database takes it along."""
    _marker(data_dir).write_text(newest())
