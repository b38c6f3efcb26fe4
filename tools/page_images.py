"""Pictures of pages, of PDFs and of photos: drawn one at a time in a thread, the latest kept in memory."""

import asyncio
import mimetypes
import re
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from storage.errors import NotFound
from storage.files import Stored
from storage.models import File
from storage.resources import Storage
from tools.ingest.segments import Refusal
from tools.ingest.signatures import picture

KEPT_BYTES = 32 << 20
HEAD_BYTES = 4096
PAGED = re.compile(r"application/pdf|image/.+")
"""Media types whose pages can be drawn."""

_DRAWING = ThreadPoolExecutor(1, thread_name_prefix="page-image")
"""One thread a process, whoever asks: MuPDF must not run in two at once."""


class PageImages:
    """A page needs some 50 ms, a large photo 500 and much memory."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._one_at_a_time = asyncio.Lock()
        self._kept: OrderedDict[tuple[UUID, int, int], bytes] = OrderedDict()
        self._size = 0

    async def get(self, file: File, page: int, width: int) -> bytes:
        """PNG of a page (from 1), `width` pixels wide. Raises NotFound when it cannot be had."""
        media_type = file.media_type or mimetypes.guess_type(file.filename)[0] or ""
        if not PAGED.fullmatch(media_type):
            raise NotFound(
                "Only PDF pages and photos have pictures; read this material's text.", code="no_page_image"
            )
        wanted = (file.id, page, width)
        async with self._one_at_a_time:
            if wanted not in self._kept:
                self._keep(wanted, await self._draw(file, page, width))
            self._kept.move_to_end(wanted)
            return self._kept[wanted]

    async def _draw(self, file: File, page: int, width: int) -> bytes:
        stored = Stored(file.size_bytes, file.sha256)
        async with self._storage.files.as_path(file.object_key, stored) as path:
            try:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(_DRAWING, _drawn, path, page, width)
            except IndexError as error:
                raise NotFound(f"There is no page {page} in this file.", code="no_such_page") from error
            except Refusal as error:
                raise NotFound(str(error), code="no_page_image") from error

    def _keep(self, wanted: tuple[UUID, int, int], png: bytes) -> None:
        self._kept[wanted] = png
        self._size += len(png)
        while self._size > KEPT_BYTES and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped)


def _drawn(path: Path, page: int, width: int) -> bytes:
    """MuPDF and Pillow cost 60 MB of memory and a third of a second to load; a server that shows no page goes without."""
    with path.open("rb") as file:
        is_photo = picture(file.read(HEAD_BYTES)) is not None
    if is_photo:
        from tools.ingest.image_files import render_image  # noqa: PLC0415

        return render_image(path, page, width)
    from tools.ingest.render import render_page  # noqa: PLC0415

    return render_page(path, page, width)
