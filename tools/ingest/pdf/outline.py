"""Which paragraphs of a PDF are headings, and of which level: its own outline first, else size and weight of the font."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.ingest.cleaning import one_line
from tools.ingest.pdf.layout import Row
from tools.ingest.pdf.paragraphs import BULLET, Group
from tools.ingest.segments import ContentType

_NUMBERING = re.compile(r"^(?:chapter|part|section|appendix|kapitel)?\s*(\d+(?:\.\d+)*)\.?\s+\S", re.I)
_NOT_A_KEY = re.compile(r"[\W_]+|[^\x00-\x7f]+")
_DIGITS = "0123456789"
MAX_LEVEL = 6


def key_of(title: str) -> str:
    """A title reduced to its ASCII letters and digits, for comparing outline and page."""
    return _NOT_A_KEY.sub("", unicodedata.normalize("NFKD", title).casefold())


@dataclass(frozen=True, slots=True)
class Entry:
    level: int
    title: str
    key: str

    @property
    def bare(self) -> str:
        """The key without a number before or after it; chapters are often printed "1 Title" or "Title 1"."""
        return self.key.strip(_DIGITS) or self.key


@dataclass(slots=True)
class Outline:
    """The outline of the file by page (from 0) and the sizes of headings where the file has none."""

    body_size: float
    entries: dict[int, list[Entry]] = field(default_factory=dict)
    sizes: tuple[float, ...] = ()
    """Sizes of heading fonts in points, largest first."""

    def missing(self, page: int, groups: Sequence[Group]) -> list[Entry]:
        """Entries that point to the page but are not printed on it; they hold from its top."""
        printed = {key_of(group.title).strip(_DIGITS) for group in groups if group.level}
        return [entry for entry in self.entries.get(page, ()) if entry.bare.strip(_DIGITS) not in printed]

    def mark(self, page: int, groups: Iterable[Group], depth: int) -> int:
        """Types the headings of a page. `depth` is the level of the outline where the page begins; returns it at the end."""
        open_entries = list(self.entries.get(page, ()))
        for group in groups:
            entry = self._matching(group, open_entries)
            if entry is not None:
                open_entries.remove(entry)
                depth = entry.level
                group.make_heading(entry.level)
            elif self._looks_like_heading(group):
                group.make_heading(min(MAX_LEVEL, depth + 1 if self.entries else self._level_by_font(group)))
        return depth

    @staticmethod
    def _matching(group: Group, entries: Sequence[Entry]) -> Entry | None:
        if len(group.rows) > 4 or not entries:
            return None
        key = key_of(group.title)
        bare = key.strip(_DIGITS) or key
        return next((entry for entry in entries if entry.key and bare == entry.bare), None)

    def _looks_like_heading(self, group: Group) -> bool:
        if group.code or group.type in (ContentType.TABLE, ContentType.CAPTION, ContentType.FORMULA):
            return False
        return is_heading_like(group.rows, self.body_size)

    def _level_by_font(self, group: Group) -> int:
        numbered = _NUMBERING.match(group.title)
        if numbered and len(numbered.group(1)) <= 8:
            return numbered.group(1).count(".") + 1
        size = max(row.size for row in group.rows)
        return 1 + sum(larger > size + 0.4 for larger in self.sizes)


def is_heading_like(rows: Sequence[Row], body_size: float) -> bool:
    """Short, and larger than the text or wholly bold; no sentence, no list item."""
    if len(rows) > 3:
        return False
    size = min(row.size for row in rows)
    large = size >= 1.15 * body_size
    if not large and (size < 0.97 * body_size or len(rows) > 2 or any(row.bold <= 0.9 for row in rows)):
        return False
    if any(row.math > 0.4 or row.mono > 0.5 for row in rows):
        return False
    text = " ".join(row.text for row in rows)
    letters = sum(character.isalpha() for character in text)
    if letters < 2 or len(text) > 160 or letters < 0.5 * len(text.replace(" ", "")):
        return False
    item = BULLET.match(text) and not _NUMBERING.match(text)
    return large or not (text.endswith((".", ",", ";", ":")) or item)


def entries_by_page(toc: Iterable[Sequence[object]]) -> dict[int, list[Entry]]:
    """MuPDF's outline [level, title, page from 1, …] by page from 0; entries without a page are left out."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for level, title, page, *_ in toc:
        name = one_line(str(title))
        if isinstance(page, int) and page > 0 and isinstance(level, int) and name:
            found[page - 1].append(Entry(min(level, MAX_LEVEL), name, key_of(name)))
    return dict(found)


def heading_sizes(pages: Iterable[Sequence[Row]], body_size: float) -> tuple[float, ...]:
    """Up to four sizes of heading-like rows, rounded to half points, largest first; single finds are ignored."""
    counts: dict[float, int] = defaultdict(int)
    for rows in pages:
        for row in rows:
            if is_heading_like([row], body_size):
                counts[round(row.size * 2) / 2] += 1
    return tuple(sorted(counts, reverse=True)[:4])
