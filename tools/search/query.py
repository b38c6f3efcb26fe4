"""What a query asks for: quoted phrases, a place by number, and the words that remain. Pure."""

import re
from dataclasses import dataclass

from tools.ingest.passages import Reference, page_of_reference

PHRASE = re.compile(r'"([^"]{2,200})"|“([^”]{2,200})”|«([^»]{2,200})»')


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    text: str
    """The whole query without quotation marks: what is embedded."""
    words: str
    """The query without the place it names: what is scored by words."""
    phrases: tuple[str, ...]
    """Must stand word for word in a hit, where any hit has them."""
    place: Reference | None


def parse(query: str) -> ParsedQuery:
    phrases = tuple(next(filter(None, match.groups())).strip() for match in PHRASE.finditer(query))
    bare = re.sub(r'["“”«»]', " ", query)
    place = page_of_reference(bare)
    return ParsedQuery(
        text=" ".join(bare.split()),
        words=place.rest if place else " ".join(bare.split()),
        phrases=tuple(p for p in phrases if len(p.split()) > 1 or len(p) > 2),
        place=place,
    )
