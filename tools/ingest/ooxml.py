"""Office files (OOXML, ECMA-376) as packages of XML parts that refer to each other, opened safely and read part by part."""

import io
import posixpath
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lxml import etree

from tools.ingest.cleaning import one_line
from tools.ingest.containers import DAMAGED, check_archive
from tools.ingest.segments import Refusal

# Damaged containers and missing parts (DAMAGED), broken XML (LxmlError) and broken values in it (ValueError).
ERRORS: tuple[type[Exception], ...] = (*DAMAGED, etree.LxmlError, AttributeError, TypeError, RecursionError)

MACROS = "The macros in this file were ignored."
MAX_MEDIA_PART = 60_000_000
_STRICT = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL = tuple(
    (_STRICT + strict, b"http://schemas.openxmlformats.org/" + transitional)
    for strict, transitional in (
        (b"wordprocessingml/main", b"wordprocessingml/2006/main"),
        (b"presentationml/main", b"presentationml/2006/main"),
        (b"spreadsheetml/main", b"spreadsheetml/2006/main"),
        (b"drawingml/", b"drawingml/2006/"),
        (b"officeDocument/math", b"officeDocument/2006/math"),
        (b"officeDocument/", b"officeDocument/2006/"),
    )
)
"""Namespaces of the strict variant (part 1) and of the one that programs write (part 4)."""
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_CORE = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "creator": "{http://purl.org/dc/elements/1.1/}creator",
    "language": "{http://purl.org/dc/elements/1.1/}language",
}
RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


@dataclass(frozen=True, slots=True)
class Relation:
    kind: str
    """Last word of its type: image, chart, footnotes, …"""
    target: str
    """Name of the part; of an external one its address."""
    external: bool


def safe_parser() -> Any:
    """No entities, no network, no documents deeper or texts longer than libxml2 takes for sane."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


class Package:
    """An Office file. Raises Refusal too_large or corrupt at once; what a damaged part raises is in ERRORS."""

    def __init__(self, path: Path) -> None:
        check_archive(path)
        self._zip = zipfile.ZipFile(path)
        self._names = set(self._zip.namelist())
        self._strict = _STRICT in self.blob("_rels/.rels")
        self._relations: dict[str, dict[str, Relation]] = {}
        mains = [one.target for one in self.relations("").values() if one.kind == "officeDocument"]
        if not mains:
            raise KeyError("officeDocument")
        self.main = mains[0]
        self.has_macros = any(name.lower().endswith("vbaproject.bin") for name in self._names)

    def close(self) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def blob(self, name: str) -> bytes:
        """Bytes of a part. Raises KeyError when it is missing, ValueError when it is too large to be held."""
        if self.size(name) > MAX_MEDIA_PART:
            raise ValueError(name)
        return self._zip.read(name)

    def open(self, name: str) -> IO[bytes]:
        """An XML part as a stream. Raises Refusal for declarations that Office never writes (entities)."""
        with self._zip.open(name) as peeked:
            head = peeked.read(4096)
        if b"<!DOCTYPE" in head.replace(b"\x00", b""):
            raise Refusal("corrupt", "This file contains XML declarations that Office files never have.")
        if not self._strict:
            return self._zip.open(name)
        data = self._zip.read(name)
        for strict, transitional in _TRANSITIONAL:
            data = data.replace(strict, transitional)
        return io.BytesIO(data)

    def tree(self, name: str) -> Any:
        """The root element of a part."""
        with self.open(name) as stream:
            return etree.parse(stream, safe_parser()).getroot()

    def relations(self, name: str) -> dict[str, Relation]:
        """Relations of a part by their ids; "" is the package itself."""
        if name not in self._relations:
            self._relations[name] = self._read_relations(name)
        return self._relations[name]

    def related(self, name: str, kind: str) -> str | None:
        """The first part of that kind that a part refers to."""
        return next(
            (
                one.target
                for one in self.relations(name).values()
                if one.kind == kind and not one.external and one.target in self._names
            ),
            None,
        )

    def target(self, name: str, relation_id: str | None) -> str | None:
        """The part behind a relation id, None where it is outside of the file."""
        found = self.relations(name).get(relation_id or "")
        return found.target if found and not found.external and found.target in self._names else None

    def _read_relations(self, name: str) -> dict[str, Relation]:
        folder, base = posixpath.split(name)
        part = posixpath.join(folder, "_rels", f"{base}.rels")
        if part not in self._names:
            return {}
        found = {}
        for node in self.tree(part).iter(_RELATION):
            target, external = node.get("Target", ""), node.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = node.get("Type", "").rsplit("/", 1)[-1]
            found[node.get("Id", "")] = Relation(kind, target, external)
        return found

    def properties(self) -> dict[str, str]:
        """Title, creator and language as the file states them; missing ones are missing."""
        part = self.related("", "core-properties")
        if part is None:
            return {}
        root = self.tree(part)
        found = {name: one_line(root.findtext(tag) or "") for name, tag in _CORE.items()}
        return {name: text for name, text in found.items() if text}


def chosen(node: Any) -> Any:
    """Of an mc:AlternateContent the alternative that programs of today show, else None."""
    for child in node:
        if child.tag == f"{COMPATIBILITY}Choice":
            return child
    return node.find(f"{COMPATIBILITY}Fallback")
