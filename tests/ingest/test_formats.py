"""Markdown, text, web pages and EPUB books: sections by heading, lists, tables, code, formulas, notes and pictures."""

import base64
import tempfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from tests.ingest.containers import epub
from tests.ingest.office_files import picture, rezipped
from tests.ingest.reading import figures, read, tables, typed, written
from tools.ingest.cleaning import clean
from tools.ingest.mathml import tex_of
from tools.ingest.segments import ContentType
from tools.ingest.text import TextExtractor

PNG = picture("plot")
DATA_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


def test_markdown_keeps_headings_lists_tables_and_code(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text(
        "---\ntitle: My notes\nauthor: Ada\nlang: en\n---\n# Decay\nIntro *with* `code` and [a link](http://x).\n\n## Schemes\n"
        "- first\n  - nested\n- second\n\n1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "```python\ndef f():\n    return 1\n```\n\n## Other\ntext\n"
    )
    info, (decay, schemes, other) = read(path)
    assert (info.title, info.author, info.language, info.media_type) == (
        "My notes",
        "Ada",
        "en",
        "text/markdown",
    )
    assert decay.text == "Decay\n\nIntro with code and a link."
    assert (schemes.heading_path, schemes.heading_levels) == (("Decay",), (1,))
    assert typed(schemes) == [
        (ContentType.HEADING, "Schemes"),
        (ContentType.LIST, "- first"),
        (ContentType.LIST, "  - nested"),
        (ContentType.LIST, "- second"),
        (ContentType.LIST, "1. one"),
        (ContentType.LIST, "2. two"),
        (ContentType.TABLE, "| a | b |\n|---|---|\n| 1 | 2 |"),
        (ContentType.TEXT, "def f():\n    return 1"),
    ]
    assert other.heading_path == ("Decay", "Schemes")
    assert other.blocks[0].level == 2


def test_markdown_formulas_are_not_taken_for_emphasis(tmp_path: Path) -> None:
    path = tmp_path / "maths.md"
    path.write_text(
        "Let $a_i * b_i$ and $c * d$ cost $5 or $6.[^1]\n\n$$\n\\sum_i x_i^2 \\\\\n= 3\n$$\n\n"
        f"```\n$not * maths$\n```\n\n[^1]: The note.\n\n![plot]({DATA_URL})\n"
    )
    _, (section,) = read(path)
    assert typed(section) == [
        (ContentType.TEXT, "Let $a_i * b_i$ and $c * d$ cost $5 or $6. [note 1]"),
        (ContentType.FORMULA, "$$\n\\sum_i x_i^2 \\\\\n= 3\n$$"),
        (ContentType.TEXT, "$not * maths$"),
        (ContentType.TEXT, "[note 1] The note."),
        (ContentType.TEXT, "plot"),
    ]
    assert [one.caption for one in figures(path)] == ["plot"]


def test_html_keeps_what_a_reader_reads(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><html lang=en><head><title>A &amp; B</title><style>p{}</style></head><body>"
        "<nav>menu</nav><h1>One</h1><div>Hello <b>bold</b> x<sup>2</sup>, 1<sup>st</sup>.<p>Inner</p>tail</div>"
        "<h2>Two</h2><ul><li>a<ul><li>n</li></ul></li><li><p>b</p></li></ul><ol start=3 type=a><li>c</ol>"
        "<dl><dt>Phase<dd>an angle</dl>"
        "<table><tr><th>A<th>B</tr><tr><td>1<td>2|3</tr></table><pre>def f():\n    return 1</pre>"
        "<script>x()</script><footer>foot</footer></body></html>"
    )
    info, (one, two) = read(path)
    assert (info.title, info.language) == ("A & B", "en")
    assert one.text == "One\n\nHello bold x², 1st.\n\nInner\n\ntail"
    assert typed(two)[1:] == [
        (ContentType.LIST, "- a"),
        (ContentType.LIST, "  - n"),
        (ContentType.LIST, "- b"),
        (ContentType.LIST, "c. c"),
        (ContentType.LIST, "- Phase: an angle"),
        (ContentType.TABLE, "| A | B |\n| --- | --- |\n| 1 | 2\\|3 |"),
        (ContentType.TEXT, "def f():\n    return 1"),
    ]


def test_merged_cells_of_a_web_table_count_for_all_they_cover(tmp_path: Path) -> None:
    path = tmp_path / "table.html"
    path.write_text(
        "<!doctype html><body><table><caption>Speeds</caption><tr><th rowspan=2>Medium<th colspan=2>c in m/s</tr>"
        "<tr><th>cold<th>warm</tr><tr><td rowspan=2>Water<td>1402<td>1482</tr><tr><td colspan=2>see above</tr>"
        "</table>"
    )
    _, found = read(path)
    assert typed(found[0])[0] == (ContentType.CAPTION, "Speeds")
    assert tables(found) == [
        [
            ["Medium", "c in m/s cold", "c in m/s warm"],
            ["Water", "1402", "1482"],
            ["Water", "see above", "see above"],
        ]
    ]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<mfrac><mrow><mo>-</mo><mi>b</mi></mrow><mn>2</mn></mfrac>", r"\frac{-b}{2}"),
        ("<msup><mi>e</mi><mrow><mi>i</mi><mi>π</mi></mrow></msup>", "e^{iπ}"),
        ("<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>", "x_i^2"),
        ("<msqrt><mn>2</mn></msqrt><mroot><mi>x</mi><mn>3</mn></mroot>", r"\sqrt{2}\sqrt[3]{x}"),
        ("<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>", r"\sum_{i=1}^n i"),
        ("<mover><mi>v</mi><mo>→</mo></mover><mi>sin</mi><mi>x</mi>", r"\vec{v}\sin x"),
        ("<mrow><mo>(</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr></mtable><mo>)</mo></mrow>", r"\begin{pmatrix} 1 & 0 \end{pmatrix}"),
        ("<semantics><mi>wrong</mi><annotation encoding='application/x-tex'>{\\displaystyle a^2}</annotation></semantics>", "a^2"),
        ("<mtext>if 5%</mtext>", r"\text{if 5\%}"),
    ],
)  # fmt: skip
def test_mathml_becomes_latex(markup: str, expected: str) -> None:
    node = LexborHTMLParser(f"<math>{markup}</math>").css_first("math")
    assert node is not None
    assert " ".join(tex_of(node).split()) == expected


def test_formulas_of_katex_and_mathjax_are_read_once(tmp_path: Path) -> None:
    def katex(tex: str, shown: str) -> str:
        return (
            f'<span class="katex"><span class="katex-mathml"><math{shown}><semantics><mi>x</mi>'
            f'<annotation encoding="application/x-tex">{tex}</annotation></semantics></math></span>'
            '<span class="katex-html" aria-hidden="true">garbled</span></span>'
        )

    path = tmp_path / "page.html"
    path.write_text(
        f"<!doctype html><body><p>Energy {katex('E=mc^2', '')} is mass.</p>"
        f'<span class="katex-display">{katex("a=b", " display=block")}</span>'
        '<p><span class="MathJax_Preview">old</span><span class="MathJax">old</span>'
        '<script type="math/tex">x^2</script> and</p><div><script type="math/tex; mode=display">y^2</script> (3)</div>'
    )
    _, (section,) = read(path)
    assert typed(section) == [
        (ContentType.TEXT, "Energy $E=mc^2$ is mass."),
        (ContentType.FORMULA, "$$a=b$$"),
        (ContentType.TEXT, "$x^2$ and"),
        (ContentType.FORMULA, "$$y^2$$ (3)"),
    ]


def test_pictures_inside_a_page_are_figures(tmp_path: Path) -> None:
    page = (
        f'<!doctype html><body><h1>Waves</h1><p>Words.</p><figure><img src="{DATA_URL}" alt="a plot">'
        "<figcaption>Fig. 2: Displacement</figcaption></figure><img src='https://x.test/y.png' alt='elsewhere'>"
    )
    path = written(tmp_path, "page.html", page.encode())
    (figure,) = figures(path)
    assert (figure.label, figure.caption, figure.image) == ("Fig. 2", "Fig. 2: Displacement", PNG)
    _, (section,) = read(path)
    assert section.text == "Waves\n\nWords.\n\nFig. 2: Displacement\n\nelsewhere"


def test_a_page_saved_in_one_file_is_read_with_its_pictures(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Waves"
    message["MIME-Version"] = "1.0"
    message.set_content(
        "<html><body><h1>Waves</h1><p>Größe</p><img src='a/p.png'></body></html>", subtype="html"
    )
    message["Content-Location"] = "https://x.test/page"
    message.add_related(PNG, "image", "png", headers=["Content-Location: https://x.test/a/p.png"])
    path = written(tmp_path, "page.mhtml", message.as_bytes())
    assert read(path)[1][0].text == "Waves\n\nGröße"
    assert [one.image for one in figures(path)] == [PNG]


def test_menus_of_a_page_without_marks_are_left_out(tmp_path: Path) -> None:
    links = "".join(f"<li><a href=/{n}>Topic {n}</a></li>" for n in range(8))
    text = "<p>" + "Words about waves. " * 20 + "</p>"
    path = written(tmp_path, "page.html", f"<!doctype html><body><ul>{links}</ul>{text}</body>".encode())
    assert read(path)[1][0].text.startswith("Words about waves.")


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "latin-1"),
        ("cp1251", "windows-1251"),
        ("shift_jis", "Shift_JIS"),
        ("cp1252", "utf-8"),
        ("utf-16", "utf-8"),
    ],
)
def test_a_page_is_decoded_by_its_bytes_where_its_declaration_is_wrong(
    encoding: str, declared: str, tmp_path: Path
) -> None:
    words = {"cp1251": "Волна и частота", "shift_jis": "波動の方程式"}.get(encoding, "Größe der Wellenlänge")
    page = f'<!doctype html><html><head><meta charset="{declared}"></head><body><p>{words}</p></body></html>'
    assert read(written(tmp_path, "page.html", page.encode(encoding)))[1][0].text == words


def test_html_nested_without_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.html"
    path.write_text("<!doctype html><body>" + "<div><b>" * 5000 + "deep words" + "</b></div>" * 5000)
    _, found = read(path)
    assert "deep words" in found[0].text


CHAPTER = (
    '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
    'xmlns:m="http://www.w3.org/1998/Math/MathML"><head><title/><script src="x.js"/></head><body><h1><a id="x"/>1 Strings</h1>'
    '<p>A string<a epub:type="noteref" href="#n1"><sup>1</sup></a> has <m:math><m:mi>f</m:mi><m:mo>=</m:mo><m:mfrac><m:mi>v</m:mi>'
    '<m:mi>L</m:mi></m:mfrac></m:math>.</p><p>More.</p><aside epub:type="footnote" id="n1"><p>1. Of steel.</p></aside>'
    '<h2>Modes</h2><figure><img src="../p.png" alt=""/><figcaption>Figure 1.1 Standing wave</figcaption></figure></body></html>'
)
SOUND = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>2 Sound</p><p>Pressure.</p><table><tr><th>Medium</th><th>c</th></tr>'
    "<tr><td>Air</td><td>343</td></tr></table></body></html>"
)
NAV = (
    '<html xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="toc"><ol><li><span>Part One</span><ol>'
    '<li><a href="text/one.xhtml">1 Strings</a></li><li><a href="text/t%20wo.xhtml">2 Sound</a></li></ol></li></ol></nav></body></html>'
)
NCX = (
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Part One</text></navLabel><content src=""/>'
    '<navPoint><navLabel><text>1 Strings</text></navLabel><content src="text/one.xhtml"/></navPoint>'
    '<navPoint><navLabel><text>2 Sound</text></navLabel><content src="text/t%20wo.xhtml#a"/></navPoint></navPoint></navMap></ncx>'
)


@pytest.mark.parametrize(("contents", "ncx"), [(NAV, False), (NCX, True)], ids=["EPUB 3", "EPUB 2"])
def test_a_book_has_the_headings_of_its_table_of_contents(contents: str, ncx: bool, tmp_path: Path) -> None:
    path = epub(
        tmp_path / "a.epub", {"one.xhtml": CHAPTER, "t wo.xhtml": SOUND}, contents, {"OPS/p.png": PNG}, ncx
    )
    info, found = read(path)
    assert (info.title, info.author, info.language) == ("Waves", "A. Author, C. Coauthor", "en")
    strings, modes, sound = found
    assert typed(strings) == [
        (ContentType.HEADING, "Part One"),
        (ContentType.HEADING, "1 Strings"),
        (ContentType.TEXT, r"A string [note 1] has $f=\frac{v}{L}$."),
        (ContentType.TEXT, "[note 1] Of steel."),
        (ContentType.TEXT, "More."),
    ]
    assert modes.heading_path == ("Part One", "1 Strings")
    assert typed(sound)[:2] == [(ContentType.HEADING, "2 Sound"), (ContentType.TEXT, "Pressure.")]
    assert tables(found) == [[["Medium", "c"], ["Air", "343"]]]
    assert [(one.label, one.segment) for one in figures(path)] == [("Figure 1.1", 1)]


def test_a_missing_chapter_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    whole = epub(tmp_path / "a.epub", {"one.xhtml": CHAPTER, "t wo.xhtml": SOUND}, NAV)
    path = rezipped(
        whole, tmp_path / "b.epub", lambda name, data: None if name.endswith("one.xhtml") else data
    )
    _, found = read(path)
    assert found[0].notice == "A chapter of this book is missing from the file."
    assert "Pressure." in found[-1].text


def test_long_plain_text_is_cut_into_sections_at_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("\r\n\r\n".join(f"Paragraph {number}. " + "words " * 80 for number in range(60)))
    _, found = read(path)
    assert len(found) > 5
    assert all(len(segment.text) <= 4500 for segment in found)
    assert [s.text.startswith("Paragraph ") for s in found] == [True] * len(found)
    path.write_text("x" * 700_000)
    _, found = read(path)
    assert sum(segment.text.count("x") for segment in found) == 700_000


@settings(deadline=None)
@given(
    st.lists(
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=80), max_size=40
    )
)
def test_no_word_of_a_text_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), "a.txt", ("start\n\n" + text).encode())
        joined = "\n".join(segment.text for segment in TextExtractor(path).segments())
    assert joined.split() == clean("start\n\n" + text).split()
