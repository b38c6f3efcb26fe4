"""Chunks against the real tokenizer: exact slices, in order, nothing lost, never longer than the embedder reads."""

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.embeddings import shared_embedder
from tools.ingest.chunking import chunk
from tools.ingest.sections import Paragraph, TextBuilder
from tools.ingest.segments import Chunk, ContentType, Segment, SegmentKind

SENTENCE = "The Crank-Nicolson scheme is unconditionally stable for decay problems (see Eq. (1.2))."


def segment(*paragraphs: Paragraph, path: tuple[str, ...] = (), ordinal: int = 0) -> Segment:
    builder = TextBuilder()
    for paragraph in paragraphs:
        builder.add(paragraph)
    return Segment(
        ordinal,
        SegmentKind.PAGE,
        ordinal + 1,
        builder.text(),
        heading_path=path,
        blocks=tuple(builder.blocks),
    )


def text(words: str) -> Paragraph:
    return Paragraph(ContentType.TEXT, words)


def check(source: Segment, chunks: list[Chunk]) -> None:
    """The promises that every chunk keeps."""
    position = 0
    for ordinal, made in enumerate(chunks):
        assert made.ordinal == ordinal
        assert made.text == source.text[made.start : made.end]
        assert made.text.strip() == made.text != ""
        assert position <= made.start
        assert not source.text[position : made.start].strip()
        assert made.token_count == shared_embedder().count_tokens(made.embedding_text())
        assert made.token_count <= shared_embedder().max_tokens
        position = made.end
    assert not source.text[position:].strip()


paragraph_texts = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300),
    st.integers(1, 30).map(lambda count: " ".join([SENTENCE] * count)),
    st.integers(1, 900).map(lambda count: "x" * count),
    st.integers(1, 700).map(lambda count: "é漢" * count),
    st.lists(st.text("ab1,;=+ ́", max_size=12), max_size=120).map(" ".join),
)
paragraphs = st.builds(
    lambda kind, words, level: Paragraph(kind, words, level if kind is ContentType.HEADING else 0),
    st.sampled_from(list(ContentType)),
    paragraph_texts,
    st.integers(1, 4),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(paragraphs, max_size=8), st.lists(paragraph_texts.map(lambda words: words[:400]), max_size=3))
def test_chunks_are_exact_slices_within_the_budget_and_lose_nothing(
    content: list[Paragraph], path: list[str]
) -> None:
    source = segment(*content, path=tuple(path))
    check(source, list(chunk([source], shared_embedder())))


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=3000))
def test_text_without_blocks_is_chunked_too(words: str) -> None:
    source = Segment(0, SegmentKind.SECTION, 1, words)
    check(source, list(chunk([source], shared_embedder())))


def test_a_long_text_fills_its_chunks() -> None:
    source = segment(text(" ".join([SENTENCE] * 200)))
    chunks = list(chunk([source], shared_embedder()))
    check(source, chunks)
    assert all(made.text.endswith(".") for made in chunks)
    assert all(170 <= made.token_count <= 220 for made in chunks[:-1])


def test_a_heading_starts_a_chunk_and_stays_with_its_text() -> None:
    source = segment(
        text(SENTENCE),
        Paragraph(ContentType.HEADING, "2 Analysis", 1),
        Paragraph(ContentType.HEADING, "2.1 Stability", 2),
        text(SENTENCE),
        Paragraph(ContentType.HEADING, "2.2 Accuracy", 2),
        text(SENTENCE),
        path=("1 Schemes", "1.9 Exercises"),
    )
    chunks = list(chunk([source], shared_embedder()))
    assert [made.heading_path for made in chunks] == [
        ("1 Schemes", "1.9 Exercises"),
        ("2 Analysis", "2.1 Stability"),
        ("2 Analysis", "2.2 Accuracy"),
    ]
    assert chunks[1].text.startswith("2 Analysis\n\n2.1 Stability\n\nThe Crank")


def test_no_chunk_crosses_a_segment_and_each_segment_is_cut_on_its_own() -> None:
    pages = [segment(text(" ".join([SENTENCE] * 7)), ordinal=number) for number in range(4)]
    whole = list(chunk(pages, shared_embedder()))
    resumed = list(chunk(pages[2:], shared_embedder(), first_ordinal=sum(made.segment < 2 for made in whole)))
    assert [made for made in whole if made.segment >= 2] == resumed
    assert {made.segment for made in whole} == {0, 1, 2, 3}


def test_a_table_is_kept_whole_or_cut_between_rows() -> None:
    row = "| alpha | 0.125 | 12,500 | stable |"
    small = segment(text(SENTENCE), Paragraph(ContentType.TABLE, "\n".join([row] * 6)), text(SENTENCE))
    tables = [made for made in chunk([small], shared_embedder()) if made.type is ContentType.TABLE]
    assert [made.text.count(row) for made in tables] == [6]
    large = segment(Paragraph(ContentType.TABLE, "\n".join([row] * 60)))
    chunks = list(chunk([large], shared_embedder()))
    check(large, chunks)
    assert len(chunks) > 2
    assert all(line == row for made in chunks for line in made.text.split("\n"))


def test_a_tiny_rest_joins_the_chunk_before() -> None:
    body = " ".join([SENTENCE] * 9)
    source = segment(text(body), text("QED."))
    chunks = list(chunk([source], shared_embedder()))
    assert len(chunks[-1].text) > 100


def test_an_overlong_sentence_is_cut_at_clauses_or_words() -> None:
    sentence = " ".join(f"the {number}th value of the mesh function is computed," for number in range(120))
    chunks = list(chunk([segment(text(sentence))], shared_embedder()))
    assert all(made.text.endswith(",") for made in chunks)
    words = list(chunk([segment(text("value " * 1500))], shared_embedder()))
    assert all(set(made.text.split()) == {"value"} for made in words)
