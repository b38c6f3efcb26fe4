"""Which language a chunk is in, and by which rules PostgreSQL reduces its words to stems.

Naive Bayes over byte n-grams (Lui, Baldwin 2011; model of py3langid), restricted to the languages that courses are held in:
without the restriction a formula is Volapük. The model costs 50 MB and 0.7 s of CPU until it is forgotten.
"""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.ingest.segments import Chunk, ContentType

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

CONFIGURATIONS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "nb": "norwegian", "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Text search configurations that PostgreSQL ships from version 15 on, by BCP 47 primary language."""
OTHERS = (
    "bg",
    "cs",
    "et",
    "fa",
    "he",
    "hr",
    "ja",
    "ko",
    "la",
    "lv",
    "pl",
    "sk",
    "sl",
    "th",
    "uk",
    "vi",
    "zh",
)
"""Languages that are told apart but have no stemmer."""
UNKNOWN = "english"
"""Configuration of text whose language cannot be told: names and formulas pass it nearly unchanged."""

SAMPLE_CHARS = 500
SURE = 0.9
"""Confidence from which a chunk's own language counts against its material's."""
SURE_BYTES = 80
"""Letters, in UTF-8, that a chunk needs to be told a language of its own, and their share of its characters."""
SURE_SHARE = 0.6
FAIR = 0.3
"""Confidence from which a short text is believed when nothing else is known, if it has this many letters (UTF-8)."""
FAIR_BYTES = 15
OUTVOTED = 0.75
"""Share of the letters in another language from which the file is not believed: templates come with "en-US"."""
_PROSE = (ContentType.TEXT, ContentType.LIST, ContentType.TRANSCRIPT, ContentType.CAPTION)


def text_config(language: str | None) -> str:
    """The text search configuration for a BCP 47 tag; `simple` for languages without one."""
    if language is None:
        return UNKNOWN
    return CONFIGURATIONS.get(language.partition("-")[0].lower(), "simple")


def with_languages(chunks: Sequence[Chunk], declared: str | None = None) -> tuple[list[Chunk], str | None]:
    """The chunks with their languages, and the language of the whole material: the declared one (of the file, or heard in
    a recording) unless nearly all text is in another, else that of most text.

    Short chunks, tables, formulas and programs are taken to be in the material's language.
    """
    told = [sure_language(chunk) for chunk in chunks]
    votes: Counter[str] = Counter()
    for chunk, language in zip(chunks, told, strict=True):
        if language is not None:
            votes[language] += len(chunk.text)
    main = elected(votes, declared) or _best_guess(chunks)
    return [
        replace(chunk, language=language or main) for chunk, language in zip(chunks, told, strict=True)
    ], main


def elected(votes: Counter[str], declared: str | None) -> str | None:
    """The language of a material by the letters of its chunks in each, and what its file says."""
    if not votes:
        return declared
    winner, letters = votes.most_common(1)[0]
    if declared is None:
        return winner
    agrees = declared.partition("-")[0].lower() == winner
    return winner if not agrees and letters >= OUTVOTED * votes.total() else declared


def sure_language(chunk: Chunk) -> str | None:
    """The language of a chunk that is prose and long enough to tell."""
    if chunk.type not in _PROSE:
        return None
    sample = chunk.text[:SAMPLE_CHARS]
    if len(letters_of(sample)) < SURE_SHARE * len(sample):
        return None
    return language_of(sample, SURE, SURE_BYTES)


def _best_guess(chunks: Sequence[Chunk]) -> str | None:
    return language_of("\n".join(chunk.text for chunk in chunks[:8])[:SAMPLE_CHARS], FAIR, FAIR_BYTES)


def letters_of(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def language_of(text: str, confidence: float, least_bytes: int) -> str | None:
    """BCP 47 primary language of a text; None below the confidence (0 to 1), or with fewer bytes of letters (UTF-8)."""
    if len(letters_of(text).encode()) < least_bytes:
        return None
    language, found = _identifier().classify(text)
    return str(language) if found >= confidence else None


def forget() -> None:
    """Free the model's memory; the next text loads it again."""
    _identifier.cache_clear()


@functools.cache
def _identifier() -> "LanguageIdentifier":
    # The model costs memory and time; only a process that reads material pays for it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    known = set(whole.labels)
    whole.set_languages([each for each in (*CONFIGURATIONS, *OTHERS) if each in known])
    # Made anew of what is left, so that the tables of the other languages are freed.
    return LanguageIdentifier(
        whole.nb_ptc,
        whole.nb_pc,
        whole.nb_classes,
        whole.tk_nextmove,
        whole.tk_output,
        norm_probs=True,
        tk_row=whole.tk_row,
    )
