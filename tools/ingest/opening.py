"""The door of ingestion: a file in, the extractor for what it really is out."""

from collections.abc import Callable
from pathlib import Path

from tools.ingest.captions import CaptionsExtractor
from tools.ingest.csv_table import CsvExtractor
from tools.ingest.docx import DocxExtractor
from tools.ingest.epub import EpubExtractor
from tools.ingest.html import HtmlExtractor
from tools.ingest.markdown import MarkdownExtractor
from tools.ingest.opendocument import OdsExtractor
from tools.ingest.pptx import PptxExtractor
from tools.ingest.segments import Extractor, Reading
from tools.ingest.sniff import sniff
from tools.ingest.spreadsheet import OldSheetExtractor, XlsxExtractor
from tools.ingest.text import TextExtractor

AS_INSTALLED = Reading()


def _pdf(path: Path, reading: Reading) -> Extractor:
    # PyMuPDF and NumPy cost 80 MB, which a child that listens or reads text goes without; so does Pillow below.
    from tools.ingest.pdf import PdfExtractor  # noqa: PLC0415

    return PdfExtractor(path, reading)


def _image(path: Path, reading: Reading) -> Extractor:
    from tools.ingest.images import ImageExtractor  # noqa: PLC0415 - see above

    return ImageExtractor(path, reading)


def _speech(path: Path, reading: Reading) -> Extractor:
    # FFmpeg, the voice detector and the speech model's engine cost 60 MB, which a child that reads pages goes without.
    from tools.ingest.speech import SpeechExtractor  # noqa: PLC0415

    return SpeechExtractor(path, reading)


EXTRACTORS: dict[str, Callable[[Path, Reading], Extractor]] = {
    "pdf": _pdf,
    "pptx": lambda path, reading: PptxExtractor(path, reading),
    "docx": lambda path, reading: DocxExtractor(path, reading),
    "html": lambda path, reading: HtmlExtractor(path),
    "md": lambda path, reading: MarkdownExtractor(path),
    "txt": lambda path, reading: TextExtractor(path),
    "epub": lambda path, reading: EpubExtractor(path, reading),
    "csv": lambda path, reading: CsvExtractor(path),
    "xlsx": lambda path, reading: XlsxExtractor(path),
    "xls": lambda path, reading: OldSheetExtractor(path),
    "ods": lambda path, reading: OdsExtractor(path),
    "audio": _speech,
    "captions": lambda path, reading: CaptionsExtractor(path),
    "image": _image,
}
"""By the extension that sniffing gives. A new format is one line here, one in sniff.py and one module."""


def open_document(path: Path, filename: str, reading: Reading = AS_INSTALLED) -> Extractor:
    """The extractor of a file; the caller closes it. `filename` is the name the student gave.

    Raises Refusal here or while segments are read.
    """
    return EXTRACTORS[sniff(path, filename).extension](path, reading)
