"""Reading PDF files: pages as segments, tables, figures, and text recognition where a page needs it."""

from tools.ingest.pdf.document import ERRORS, open_pdf
from tools.ingest.pdf.extractor import PdfExtractor

__all__ = ["ERRORS", "PdfExtractor", "open_pdf"]
