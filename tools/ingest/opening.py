"""The door of ingestion: a file in, the extractor for what it really is out."""

from collections.abc import Callable
from pathlib import Path

from tools.ingest.docx import DocxExtractor
from tools.ingest.html import HtmlExtractor
from tools.ingest.markdown import MarkdownExtractor
from tools.ingest.pdf import PdfExtractor
from tools.ingest.pptx import PptxExtractor
from tools.ingest.segments import Extractor
from tools.ingest.sniff import sniff
from tools.ingest.text import TextExtractor

EXTRACTORS: dict[str, Callable[[Path], Extractor]] = {
    "pdf": PdfExtractor,
    "pptx": PptxExtractor,
    "docx": DocxExtractor,
    "html": HtmlExtractor,
    "md": MarkdownExtractor,
    "txt": TextExtractor,
}
"""By the extension that sniffing gives. A new format is one line here, one in sniff.py and one module."""


def open_document(path: Path, filename: str) -> Extractor:
    """The extractor of a file; the caller closes it. `filename` is the name the student gave.

    Raises Refusal here or while segments are read.
    """
    return EXTRACTORS[sniff(path, filename).extension](path)
