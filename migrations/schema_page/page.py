"""The page as a whole: which parts are generated, and the markers they stand between."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from migrations.schema_page.designs import DESIGNS, design_sections
from migrations.schema_page.diagrams import diagram, overview
from migrations.schema_page.domains import domains
from migrations.schema_page.tables import describe

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "schema.md"


def by_domain() -> str:
    parts = []
    for domain in domains():
        parts += [f"### {domain.title}", domain.purpose, diagram(domain), *map(describe, domain.tables)]
    return "\n\n".join(parts)


PARTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {"overview": overview, "domains": by_domain, "designs": lambda: design_sections(DOCS / DESIGNS)}
)


def refreshed(page: str) -> str:
    """The page with each generated part made anew. Raises ValueError when a part has no markers."""
    for name, make in PARTS.items():
        page, found = re.subn(
            rf"(<!-- {name}:begin[^>]*-->\n).*?(<!-- {name}:end -->)",
            lambda marks, make=make: f"{marks[1]}\n{make()}\n{marks[2]}",  # type: ignore[misc]
            page,
            flags=re.DOTALL,
        )
        if found != 1:
            raise ValueError(f"docs/schema.md needs one pair of markers {name}:begin and {name}:end.")
    return page
