"""Where the real files for tests lie."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("LYCEUM_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


def shared(name: str) -> Path:
    """A file of the shared test data; skips the test in one line when the folder is not there."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"{name} is missing: set LYCEUM_TEST_DATA to the folder with the test data")
    return path
