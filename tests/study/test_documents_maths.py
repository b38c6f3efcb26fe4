"""Formulas: TeX and the notation of PDF text to one tree, which Typst sets, browsers show and Word edits."""

import asyncio
from xml.etree import ElementTree

import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tools.documents.extras import formulas_in, is_balanced
from tools.documents.maths.inline import Code, Math, Plain, as_linear, formula, runs
from tools.documents.maths.mathml import mathml
from tools.documents.maths.omml import omml
from tools.documents.maths.parsing import Unreadable, parsed
from tools.documents.rendering.blocks import SMALLEST, Display, Page, Paragraph
from tools.documents.rendering.measuring import measured
from tools.documents.rendering.typesetter import Typesetter
from tools.ingest.omml import to_latex

KNOWN = (
    r"\frac{a+b}{c}", r"x_n^{2}", r"\sum_{i=1}^n \left( x_i - \bar{x}\right)^2", r"\sqrt[3]{x} + \sqrt{2}",
    r"\begin{cases} a & x>0 \\ b & \text{else} \end{cases}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
    r"\mathbb{R}\to \mathcal{L} \mathbf{x}", r"\int_0^1 \sin x\,dx = \oint f", r"\underbrace{a+b}_{n}",
    r"\begin{aligned} a &= b \\ c &= d\end{aligned}", r"\vec{a}\cdot\hat b \times \overline{cd}", r"\binom{n}{k}",
    r"\operatorname{arg\,max}_x f", r"\left| \frac{x}{2} \right|", r"\lim_{x\to 0} \frac{\sin x}{x} = 1",
    r"\mathrm{d}x \approx 3{,}5 \%", r"f''(x) \neq \overset{!}{=} \not= \dots", r"\left\langle a \middle| b \right\rangle",
)  # fmt: skip


def page(*formulas: str, linear: bool = False, size: float = 10.5, is_compact: bool = False) -> Page:
    blocks = [Display(formula(one, is_display=True, linear=linear)) for one in formulas]
    inline = [Paragraph([Plain("in a line "), formula(one, linear=linear)]) for one in formulas]
    return Page(
        "Formulas", "", [*blocks, *inline], columns=2 if is_compact else 1, size=size, is_compact=is_compact
    )


async def text_of(made: Page) -> str:
    async with Typesetter() as typesetter:
        pdf = await typesetter.pdf(made)
    with pymupdf.open(stream=pdf) as document:  # type: ignore[no-untyped-call]
        return "".join(one.get_text() for one in document)


@pytest.mark.parametrize("source", KNOWN)
def test_the_usual_tex_is_read_and_is_well_formed_for_browsers_and_word(source: str) -> None:
    node = parsed(source)
    ElementTree.fromstring(mathml(node, source, display=True))
    again = to_latex(etree.fromstring(omml(node, display=False)))
    assert again.strip()


async def test_typst_sets_the_usual_tex_in_all_sizes() -> None:
    for is_compact in (False, True):
        async with Typesetter() as typesetter:
            pdf = await typesetter.pdf(page(*KNOWN, size=7.0 if is_compact else 10.5, is_compact=is_compact))
        found = measured(pdf)
        assert found.pages >= 1
        if is_compact:
            assert found.smallest >= SMALLEST - 0.01


def test_what_word_gets_means_the_same_when_it_is_read_again() -> None:
    for source, again in (
        (r"\frac{a}{b}", r"\frac{a}{b}"),
        (r"x_i^2", r"x_i^2"),
        (r"\sqrt[3]{x}", r"\sqrt[3]{x}"),
        (r"\sum_{i=1}^n i = 1", r"\sum_{i=1}^n i=1"),
        (r"\left(a\right)", "(a)"),
        (r"\vec{v}", r"\vec{v}"),
    ):
        made = to_latex(etree.fromstring(omml(parsed(source), display=False)))
        assert made.replace(" ", "") == again.replace(" ", "")


def test_fractions_of_pdf_text_become_fractions() -> None:
    made = as_linear("u′(t_n) ≈ (u^n − u^{n−1})/(t_n − t_{n−1})")
    assert made is not None
    assert "<mfrac>" in mathml(made.node, made.source, display=True)
    for text in ("k∆x/2", "a b/c"):
        slash = as_linear(text)
        assert slash is not None
        assert "<mfrac>" not in mathml(slash.node, text, display=False)
    derivative = as_linear("df^{(m)}/dx^m(t_n)")
    assert derivative is not None
    assert mathml(derivative.node, "", display=False).count("<mfrac>") == 1


def test_only_whole_formulas_of_a_page_are_taken() -> None:
    assert formulas_in("u′(t_n) ≈ (u^n − u^{n−1})/(t_n − t_{n−1}) .\n(1.8)") == [
        (0, None, "u′(t_n) ≈ (u^n − u^{n−1})/(t_n − t_{n−1})", "(1.8)")
    ]
    torn = (
        "u′(t_n ) ≈ (u^{n+1} − u^n)/(t_{n+1} − t_n)\n_+ 1/2\n. (1.11)",
        "u(t)\nt_n\nt_{n−1} t_{n +1}",
        "[D_tu =\n] .",
        "x = ",
    )
    assert [found for text in torn for found in formulas_in(text)] == []
    assert formulas_in(r"$$E = mc^2$$ (3.1)") == [(0, "E = mc^2", "E = mc^2", "(3.1)")]
    assert is_balanced("t ∈ (0, T]")
    assert not is_balanced("f(x")


def test_text_falls_into_words_and_formulas() -> None:
    def kinds(text: str) -> list[tuple[str, str]]:
        return [(type(run).__name__, run.source if isinstance(run, Math) else run.text) for run in runs(text)]

    assert kinds("costs $5 and $6 today") == [("Plain", "costs $5 and $6 today")]
    assert kinds("where $x_1$ is") == [("Plain", "where "), ("Math", "x_1"), ("Plain", " is")]
    assert kinds("as my_var of u^{n+1}") == [("Plain", "as my_var of "), ("Math", "u^{n+1}")]
    assert kinds(r"bad $\foo{x}$") == [("Plain", "bad "), ("Code", r"\foo{x}")]
    assert runs("A cell is small.", "cell") == [Plain("A "), Plain("cell", is_bold=True), Plain(" is small.")]


SIGNS = st.sampled_from(
    ["a", "x", "1", "2.5", "+", "=", "{", "}", "^", "_", "&", r"\\", "(", ")", "[", "]", "/", "'", "|", "<", "∑", "é", "漢", "#", "$", "~", "%",
     r"\frac", r"\sqrt", r"\alpha", r"\left(", r"\right)", r"\begin{cases}", r"\end{cases}", r"\text{a b}", r"\hat", r"\sum", r"\lim",
     r"\mathbf", r"\unknown", r"\underbrace", r"\operatorname{sgn}", r"\begin{matrix}", r"\end{matrix}", r"\,", r"\not"]
)  # fmt: skip
SOURCES = st.lists(SIGNS, max_size=14).map(" ".join) | st.text(max_size=40)


@given(SOURCES, st.booleans())
def test_whatever_it_is_a_formula_is_read_or_refused_and_stays_well_formed(source: str, linear: bool) -> None:
    try:
        node = parsed(source, linear=linear)
    except Unreadable:
        return
    ElementTree.fromstring(mathml(node, source, display=False))
    etree.fromstring(omml(node, display=True))


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(SOURCES, min_size=30, max_size=30), st.booleans())
def test_typst_sets_every_formula_that_is_read(sources: list[str], linear: bool) -> None:
    made = [formula(source, linear=linear) for source in sources]
    read = [one.source for one in made if isinstance(one, Math)]

    async def setting() -> None:
        async with Typesetter() as typesetter:
            # Without the second attempt that shows sources: a formula that Typst refuses is a fault of ours.
            await typesetter.exactly(page(*read, linear=linear, size=7.0, is_compact=True))

    asyncio.run(setting())


async def test_what_cannot_be_read_is_shown_as_its_source() -> None:
    assert isinstance(formula(r"\foo{x}"), Code)
    assert r"\foo{x}" in await text_of(page(r"\foo{x}"))


def test_a_formula_nested_without_end_is_refused_soon() -> None:
    for source in ("{" * 500, r"\frac" * 400, "(" * 900, r"\left(" * 300, "x" * 5000, "^" * 50):
        for linear in (False, True):
            try:
                parsed(source, linear=linear)
            except Unreadable:
                continue
