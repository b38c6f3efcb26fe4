"""Chunks against the real tokenizer: exact slices, in order, nothing lost, never longer than the embedder reads; a table's
header above its later rows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.embeddings import shared_embedder
from tools.ingest.chunking import chunk, word_count
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


def markdown_table(rows: list[list[str]]) -> str:
    """As extractors write tables."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([*lines[:1], "|" + " --- |" * len(rows[0]), *lines[1:]]) if rows else ""


def text(words: str) -> Paragraph:
    return Paragraph(ContentType.TEXT, words)


def check(source: Segment, chunks: list[Chunk]) -> None:
    """The promises that every chunk keeps."""
    position = 0
    for ordinal, made in enumerate(chunks):
        assert made.ordinal == ordinal
        own = source.text[made.start : made.end]
        assert own.strip() == own != ""
        assert made.text == own or (made.type is ContentType.TABLE and made.text.endswith(own))
        assert position <= made.start
        gap = source.text[position : made.start].strip()
        assert not gap or (made.type is ContentType.TABLE and set(gap) <= set("| -\n"))
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
    st.lists(st.lists(st.text("ab1 |\\é漢-", max_size=40), max_size=12), max_size=30).map(markdown_table),
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


def table(rows: int, width: int = 3, cell: str = "0.125") -> Paragraph:
    header = [f"Quantity {column}" for column in range(width)]
    cells = [[f"{cell} {row}.{column}" for column in range(width)] for row in range(rows)]
    return Paragraph(ContentType.TABLE, markdown_table([header, *cells]))


def test_every_chunk_of_a_long_table_has_its_header_above_its_own_rows() -> None:
    source = segment(table(60))
    chunks = list(chunk([source], shared_embedder()))
    check(source, chunks)
    assert len(chunks) > 3
    for made in chunks:
        header, separator, *rows = made.text.split("\n")
        assert header == "| Quantity 0 | Quantity 1 | Quantity 2 |"
        assert separator == "| --- | --- | --- |"
        assert rows
        assert all(row.startswith("| 0.125 ") and row.count("|") == 4 for row in rows)
    sizes = [made.token_count for made in chunks]
    assert max(sizes) < 1.5 * min(sizes)
    assert all(source.text[made.start : made.end].count("Quantity") == 0 for made in chunks[1:])


def test_a_row_that_is_too_long_is_cut_between_cells_below_the_headers_of_these_cells() -> None:
    source = segment(table(2, width=40, cell="stable for all"))
    chunks = list(chunk([source], shared_embedder()))
    check(source, chunks)
    assert not any(set(made.text) <= set("| -") for made in chunks)
    below = [made.text.split("\n") for made in chunks if "stable" in made.text]
    assert len(below) > 4
    for header, _, *rows in below:
        columns = [name.strip().rpartition(" ")[2] for name in header.strip("| ").split("|")]
        for row in rows:
            assert [cell.strip().rpartition(".")[2] for cell in row.strip("| ").split("|")] == columns


def test_a_long_header_is_shortened_above_later_rows() -> None:
    header = ["the amplification factor of the scheme " * 6, "the exact amplification factor " * 9]
    source = segment(Paragraph(ContentType.TABLE, markdown_table([header, *[["0.5", "0.61"]] * 60])))
    chunks = list(chunk([source], shared_embedder()))
    check(source, chunks)
    later = chunks[1].text.split("\n")
    assert later[0].startswith("| the amplification factor")
    assert len(later[0]) < len(chunks[0].text.split("\n")[0])
    assert later[2:].count("| 0.5 | 0.61 |") > 5


def test_a_caption_stays_with_its_table() -> None:
    above = Paragraph(ContentType.CAPTION, "Table 3: Accuracy of the schemes.")
    source = segment(text(" ".join([SENTENCE] * 6)), above, table(8), text(" ".join([SENTENCE] * 6)))
    found = next(made for made in chunk([source], shared_embedder()) if "| 0.125 0.0" in made.text)
    assert found.text.startswith("Table 3: Accuracy of the schemes.")
    words = "Table 3: " + " ".join(["Accuracy of the schemes for a long time step."] * 8)
    below = segment(table(4), Paragraph(ContentType.CAPTION, words), text(SENTENCE))
    found = next(chunk([below], shared_embedder()))
    assert found.text.endswith(words)
    assert found.type is ContentType.TABLE


def test_what_introduces_a_list_a_formula_or_a_program_moves_on_with_it() -> None:
    body = " ".join([SENTENCE] * 7)
    items = [Paragraph(ContentType.LIST, f"{n}. {SENTENCE}") for n in range(5)]
    listed = segment(text(f"{body} The steps are these:"), *items)
    assert chunk_with("0. The", listed).startswith("The steps are these:")
    formula = Paragraph(ContentType.FORMULA, "u = I exp(-at) + " + " + ".join(["a dt"] * 30))
    assert chunk_with("u = I", segment(text(f"{body} The solution reads"), formula)).startswith(
        "The solution"
    )
    unrelated = chunk_with("u = I", segment(text(f"{body} That is all."), formula))
    assert unrelated.startswith("u = I")


def test_a_program_is_not_torn() -> None:
    body = " ".join([SENTENCE] * 6)
    lines = ["def solver(I, a, T, dt):", '    """Solve u\'=-a*u."""', *["    u[n+1] = (1 - a*dt)*u[n]"] * 6]
    program = Paragraph(ContentType.TEXT, "\n".join([*lines, "    return u"]), verbatim=True)
    source = segment(text(f"{body} It may look as follows:"), program, text(body))
    found = chunk_with("def solver", source)
    assert found.startswith("It may look as follows:")
    assert "return u" in found


def chunk_with(words: str, source: Segment) -> str:
    chunks = list(chunk([source], shared_embedder()))
    check(source, chunks)
    return next(made.text for made in chunks if words in made.text)


def test_a_transcript_is_cut_at_sentences_and_says_what_it_is() -> None:
    spoken = Paragraph(ContentType.TRANSCRIPT, " ".join([SENTENCE] * 20))
    chunks = list(chunk([segment(spoken, spoken)], shared_embedder()))
    assert {made.type for made in chunks} == {ContentType.TRANSCRIPT}
    assert all(made.text.endswith(".") for made in chunks)


def test_words_are_what_can_be_searched_for() -> None:
    assert word_count("| Scheme | 0.5 |\n| --- | --- |") == 2
    assert word_count("u = 3, done.") == 3
    assert word_count("有限差分 method") == 5


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
