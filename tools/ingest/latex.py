"""Pieces of LaTeX that formulas of Word, PowerPoint and web pages are written in, as KaTeX understands them. Pure."""

import re
import unicodedata
from collections.abc import Sequence

MAX_FORMULA = 4000
"""Characters; what is longer is no formula a person wrote."""

BIG_OPERATORS = {
    "∑": r"\sum", "∏": r"\prod", "∐": r"\coprod", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint", "∮": r"\oint",
    "⋃": r"\bigcup", "⋂": r"\bigcap", "⋁": r"\bigvee", "⋀": r"\bigwedge", "⨁": r"\bigoplus", "⨂": r"\bigotimes",
}  # fmt: skip
FUNCTIONS = frozenset(
    "sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan exp log ln lg lim limsup liminf max min sup inf det"
    " dim ker gcd arg deg hom Pr".split()
)
_ACCENTS = {
    "\u0302": "hat", "^": "hat", "\u02c6": "hat", "\u0303": "tilde", "~": "tilde", "\u02dc": "tilde",
    "\u0304": "bar", "\u00af": "bar", "\u0305": "overline", "\u203e": "overline", "\u20d7": "vec", "\u2192": "vec",
    "\u0307": "dot", "\u02d9": "dot", "\u0308": "ddot", "\u00a8": "ddot", "\u20db": "dddot", "\u030c": "check",
    "\u02c7": "check", "\u0306": "breve", "\u02d8": "breve", "\u0301": "acute", "\u00b4": "acute", "\u0300": "grave",
    "`": "grave", "\u23de": "overbrace", "\u23df": "underbrace", "_": "underline", "\u0332": "underline",
}  # fmt: skip
_FENCES = {
    "{": r"\{", "}": r"\}", "|": r"\vert", "‖": r"\Vert", "∥": r"\Vert", "⟨": r"\langle", "〈": r"\langle",
    "⟩": r"\rangle", "〉": r"\rangle", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "": ".",
}  # fmt: skip
_ESCAPES = {
    "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\sim ",
    "^": r"\hat{}", "\\": r"\setminus ", "|": r"\vert ", "′": "'", "″": "''", "\u2061": "", "\u2062": "", "\u2063": ",",
    "\u2064": "+", "\u00a0": " ", "…": r"\ldots ", "⋯": r"\cdots ", "⋮": r"\vdots ", "⋱": r"\ddots ",
}  # fmt: skip
_TALL = re.compile(r"\\(?:frac|sum|int|iint|prod|begin|binom|sqrt|underset|overset|under|over)")
_ONE_TOKEN = re.compile(r"(?:\\[A-Za-z]+|\\.|[^\\{}^_$])'*\Z")
_INDEXED = re.compile(r"(?:\\[A-Za-z]+|[^\\{}^_$])_(?:[^\\{}^_$]|\{[^{}]*\})\Z")
_COMMAND_THEN_LETTER = re.compile(r"(\\[A-Za-z]+) +(?=[^A-Za-z])")


def characters(text: str) -> str:
    """Letters and signs of a formula: styled letters as plain ones, LaTeX's own characters escaped."""
    plain = (unicodedata.normalize("NFKC", c) if "\U0001d400" <= c <= "\U0001d7ff" else c for c in text)
    return "".join(
        _ESCAPES.get(c, BIG_OPERATORS[c] + " " if c in BIG_OPERATORS else c) for c in "".join(plain)
    )


def words(text: str) -> str:
    """Upright text in a formula."""
    inner = "".join(f"\\{c}" if c in "#$%&_{}" else "" if c in "\\^~" else c for c in text)
    return rf"\text{{{inner}}}" if inner.strip() else (" " if inner else "")


def name(text: str) -> str:
    """The name of a function or of a quantity with several upright letters."""
    plain = text.strip()
    if plain in FUNCTIONS:
        return rf"\{plain} "
    return (
        rf"\mathrm{{{plain}}}"
        if len(plain) > 1 and plain.isalpha() and plain.isascii()
        else characters(plain)
    )


def fraction(over: str, under: str) -> str:
    return rf"\frac{{{over.strip()}}}{{{under.strip()}}}"


def root(body: str, degree: str = "") -> str:
    return rf"\sqrt[{degree.strip()}]{{{body.strip()}}}" if degree.strip() else rf"\sqrt{{{body.strip()}}}"


def scripts(base: str, below: str = "", above: str = "") -> str:
    """A base with what stands below right and above right of it."""
    base = base.strip()
    if above and not below and _INDEXED.match(base):
        return base + _script("^", above)
    whole = base if _ONE_TOKEN.match(base) or not base or _closed(base) else f"{{{base}}}"
    return whole + _script("_", below) + _script("^", above)


def _closed(base: str) -> bool:
    return (base.startswith(("(", "[", r"\left")) and base.endswith((")", "]"))) or bool(
        re.fullmatch(r"\\(?:mathrm|text|vec|hat|bar|dot|ddot|tilde|mathbf)\{[^{}]*\}", base)
    )


def _script(sign: str, text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    return sign + (text if len(text) == 1 else f"{{{text}}}")


def operator(sign: str, below: str, above: str, body: str) -> str:
    """A sum, product, integral and the like with its limits."""
    head = BIG_OPERATORS.get(sign, characters(sign)).strip()
    return f"{head}{_script('_', below)}{_script('^', above)} {body.strip()}"


def accent(sign: str, body: str) -> str:
    known = _ACCENTS.get(sign)
    wide = {"hat": "widehat", "tilde": "widetilde", "bar": "overline", "vec": "overrightarrow"}
    body = body.strip()
    if known is None:
        return rf"\overset{{{characters(sign).strip()}}}{{{body}}}" if sign else body
    return rf"\{known if _ONE_TOKEN.match(body) else wide.get(known, known)}{{{body}}}"


def fenced(opening: str, parts: Sequence[str], closing: str, separator: str = "|") -> str:
    """Parts between brackets; the brackets grow where something tall is in them."""
    between = {"|": r" \mid "}.get(separator, characters(separator) + " ")
    body = between.join(part.strip() for part in parts)
    left, right = _FENCES.get(opening, opening), _FENCES.get(closing, closing)
    if _TALL.search(body) or "." in (left, right):
        return rf"\left{left} {body} \right{right}"
    return f"{left} {body}{right}" if left[-1:].isalpha() else f"{left}{body}{right}"


def stacked(base: str, below: str = "", above: str = "") -> str:
    """What stands right above or below a base: limits of `lim`, text under a brace."""
    base = base.strip()
    if (base.startswith("\\") and base.removeprefix("\\") in FUNCTIONS) or base in BIG_OPERATORS.values():
        return base + _script("_", below) + _script("^", above) + " "
    if base.startswith((r"\overbrace", r"\underbrace")):
        return base + _script("_", below) + _script("^", above)
    made = rf"\underset{{{below.strip()}}}{{{base}}}" if below.strip() else base
    return rf"\overset{{{above.strip()}}}{{{made}}}" if above.strip() else made


def matrix(rows: Sequence[Sequence[str]], environment: str = "matrix") -> str:
    body = r" \\ ".join(" & ".join(cell.strip() for cell in row) for row in rows)
    return rf"\begin{{{environment}}} {body} \end{{{environment}}}"


def in_brackets(made: str) -> str:
    """A matrix between plain brackets by its own environment."""
    for left, right, environment in (
        (r"\left(", r"\right)", "p"),
        (r"\left[", r"\right]", "b"),
        (r"\left\vert", r"\right\vert", "v"),
    ):
        inner = made[len(left) : -len(right)].strip()
        begin, end = r"\begin{matrix}", r"\end{matrix}"
        if (
            made.startswith(left)
            and made.endswith(right)
            and inner.startswith(begin)
            and inner.find(end) == len(inner) - len(end)
        ):
            return inner.replace("{matrix}", f"{{{environment}matrix}}")
    return made


def tidy(formula: str) -> str:
    """One line without needless spaces."""
    text = " ".join(formula.split())
    return _COMMAND_THEN_LETTER.sub(r"\1 ", text)[:MAX_FORMULA].strip()


def inline(formula: str) -> str:
    """Between dollars; one letter or number needs none."""
    text = tidy(formula)
    if not text or re.fullmatch(r"\w|[\d.,]+", text):
        return text
    return f"${text}$"


def display(formula: str) -> str:
    text = tidy(formula)
    return f"$${text}$$" if text else ""
