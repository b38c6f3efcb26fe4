"""Languages of chunks and materials, on paragraphs of two parallel books (XQuAD) and on what has no language."""

import json

import pytest

from tests.data import shared
from tools.ingest.language import CONFIGURATIONS, text_config, with_languages
from tools.ingest.segments import Chunk, ContentType


def paragraphs(language: str, count: int) -> list[str]:
    with shared(f"labelled/xquad_{language}/corpus.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(next(lines))["text"] for _ in range(count)]


def chunks_of(*texts: str, type: ContentType = ContentType.TEXT) -> list[Chunk]:
    return [Chunk(n, 0, type, text, 0, len(text), (), 1, 1) for n, text in enumerate(texts)]


def languages(chunks: list[Chunk], declared: str | None = None) -> tuple[list[str | None], str | None]:
    told, main = with_languages(chunks, declared)
    assert [piece.text for piece in told] == [piece.text for piece in chunks]
    return [piece.language for piece in told], main


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_paragraph_of_a_book_is_in_its_language(language: str) -> None:
    told, main = languages(chunks_of(*paragraphs(language, 60)))
    assert (set(told), main) == ({language}, language)


def test_a_quotation_in_another_language_keeps_its_own() -> None:
    german, english = paragraphs("de", 5), paragraphs("en", 1)
    told, main = languages(chunks_of(*german, *english))
    assert (told, main) == (["de"] * 5 + ["en"], "de")


def test_what_is_short_or_no_prose_is_in_the_language_of_its_material() -> None:
    german = paragraphs("de", 3)
    odd = [
        "u^{n+1} = (1 - a dt) u^n",
        "for (int i = 0; i < n; i++) { x[i] = 0; }",
        "The end.",
        "3.14159 2.71828",
    ]
    told, main = languages(chunks_of(*german, *odd))
    assert (told, main) == (["de"] * 7, "de")
    table, _ = languages([*chunks_of(*german), *chunks_of(*paragraphs("en", 1), type=ContentType.TABLE)])
    assert table == ["de"] * 4


def test_a_file_is_believed_unless_nearly_all_its_text_is_in_another_language() -> None:
    german, english = paragraphs("de", 4), paragraphs("en", 4)
    assert languages(chunks_of(*german), "en-US")[1] == "de"
    assert languages(chunks_of(*german), "de-AT")[1] == "de-AT"
    assert languages(chunks_of(*german, *english), "en-GB")[1] == "en-GB"
    assert languages(chunks_of("1, 2, 3"), "fr")[1] == "fr"


def test_a_short_note_is_told_by_what_there_is_and_formulas_alone_are_not() -> None:
    assert languages(chunks_of("A photon carries light."))[1] == "en"
    assert languages(chunks_of("光子は光を運ぶ粒子である。"))[1] == "ja"
    assert languages(chunks_of("x = 3", "E = mc^2"))[1] is None


def test_a_language_has_the_stemmer_of_the_database() -> None:
    assert [text_config(tag) for tag in ("de", "de-AT", "EN", "pt-BR", "zh", "pl", None)] == [
        "german", "german", "english", "portuguese", "simple", "simple", "english",
    ]  # fmt: skip
    assert len(set(CONFIGURATIONS.values())) > 25
