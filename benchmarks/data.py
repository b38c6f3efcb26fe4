"""Where the files to measure with lie: the folder that the tests use too."""

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("LYCEUM_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
BOOK = "docs/decay_textbook_241p.pdf"
SQUAD = "labelled/squad"
AUDIO = "audio"
XQUAD_GERMAN = "labelled/xquad_de"


def shared(name: str) -> Path:
    """A file or folder of the test data. Ends the program with one sentence when it is not there."""
    path = SHARED_DATA / name
    if not path.exists():
        sys.exit(f"{name} is missing: set LYCEUM_TEST_DATA to the folder with the test data.")
    return path
