"""What vector collections are called: one per class and content type, readable in a debugger."""

CONTENT_TYPES = {
    "textbook": "textbooks",
    "slides": "slides",
    "lecture": "transcripts",
    "recording": "transcripts",
    "photo": "photos",
    "web_page": "web_pages",
    "text": "texts",
    "past_paper": "past_papers",
}
"""Kind of material → content type of its collection."""


def collection_name(prefix: str, kind: str) -> str:
    """The collection that vectors of a class's materials of one kind lie in."""
    return f"{prefix}_{CONTENT_TYPES[kind]}"


def collection_names(prefix: str) -> list[str]:
    """Every collection that a class may have."""
    return [f"{prefix}_{content_type}" for content_type in dict.fromkeys(CONTENT_TYPES.values())]


def prefix_of(name: str) -> str | None:
    """The class's prefix of a collection's name; None when no class can have such a collection."""
    return next((name[: -len(t) - 1] for t in CONTENT_TYPES.values() if name.endswith(f"_{t}")), None)
