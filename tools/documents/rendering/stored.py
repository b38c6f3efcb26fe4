"""From the row of a document to what files are made from, and the names of those files."""

from storage.models import Document
from tools.documents.content import CITATIONS, Options, content_of
from tools.documents.rendering.files import Stored


def stored_of(row: Document) -> Stored:
    return Stored(
        content=content_of(row.content, row.kind, row.title),
        citations=CITATIONS.validate_python(row.citations),
        options=Options.model_validate(row.options),
        size=row.parameters.get("size"),
        language=row.parameters.get("language"),
        about={
            "id": str(row.id),
            "title": row.title,
            "kind": row.kind,
            "version": row.version,
            "status": row.status,
            "model": row.model,
            "quality_score": row.quality_score,
            "page_count": row.page_count,
            "created_at": row.created_at.isoformat(),
        },
    )


def filename_of(title: str, format: str) -> str:
    """A name that every file system takes."""
    plain = "".join(c if c.isalnum() or c in " -_.,()" else " " for c in title)
    return f"{' '.join(plain.split())[:120] or 'Document'}.{format}"
