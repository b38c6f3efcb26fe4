"""Reading a file as a worker does, for tests."""

from pathlib import Path

import pytest

from tools.ingest.opening import open_document
from tools.ingest.segments import ContentType, DocumentInfo, FoundFigure, Refusal, Segment


def read(path: Path, filename: str = "") -> tuple[DocumentInfo, list[Segment]]:
    """All segments; reading from the second on, or with one skipped, gives the same of the rest."""
    extractor = open_document(path, filename or path.name)
    try:
        found = list(extractor.segments())
        assert found[1:] == list(extractor.segments(1))
        skipped = next(iter(extractor.segments(0, {0})), None)
        assert skipped is None or (skipped.text == "" and skipped.notice)
        for ordinal, segment in enumerate(found):
            assert (segment.ordinal, segment.number) == (ordinal, ordinal + 1)
            assert all(segment.text[b.start : b.end].strip() for b in segment.blocks)
        return extractor.info, found
    finally:
        extractor.close()


def figures(path: Path) -> list[FoundFigure]:
    extractor = open_document(path, path.name)
    try:
        return list(extractor.figures())
    finally:
        extractor.close()


def typed(segment: Segment) -> list[tuple[ContentType, str]]:
    return [(block.type, segment.text[block.start : block.end]) for block in segment.blocks]


def tables(segments: list[Segment]) -> list[list[list[str]]]:
    """The cells of all tables, header first."""
    found = []
    for segment in segments:
        for kind, text in typed(segment):
            if kind is ContentType.TABLE:
                header, _, *rows = text.split("\n")
                found.append(
                    [[cell.strip() for cell in line.strip("|").split(" | ")] for line in (header, *rows)]
                )
    return found


def refusal(path: Path, filename: str = "") -> Refusal:
    """The refusal of a file, which must be a whole sentence."""
    with pytest.raises(Refusal) as caught:
        _read_through(path, filename or path.name)
    assert str(caught.value).endswith(".")
    assert str(caught.value)[0].isupper()
    return caught.value


def _read_through(path: Path, filename: str) -> None:
    extractor = open_document(path, filename)
    try:
        list(extractor.segments())
        list(extractor.figures())
    finally:
        extractor.close()


def outcome(path: Path) -> str:
    """The code of the refusal, or "read"."""
    try:
        _read_through(path, path.name)
    except Refusal as error:
        return error.code
    return "read"


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
