"""TeX to a tree, by a tokenizer and recursive descent. What it does not know raises Unreadable; nothing is guessed.

`linear` also reads the notation that text of PDFs is written in: `(u^n − u^{n−1})/(t_n − t_{n−1})` is a fraction there.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from tools.documents.maths import signs
from tools.documents.maths.shapes import can_stand_over, is_differential, is_prime, unfenced
from tools.documents.maths.tree import (
    EMPTY,
    LINES,
    Accent,
    Fenced,
    Fraction,
    Grid,
    Name,
    Node,
    Root,
    Row,
    Scripts,
    Sign,
    Space,
    Words,
    row,
)

LONGEST: Final = 2000
"""Characters of a formula."""
DEEPEST: Final = 30
MOST_PARTS: Final = 1500

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL)
_NAMED = re.compile(
    r"(?<![A-Za-z])(?:(?P<name>arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|exp|log|ln|lim|max|min|sup|inf|det)"
    r"|(?P<word>for|if|and|or|where|with|otherwise|else|when))(?![A-Za-z])"
)
"""Words among the letters of a formula in PDF text."""
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_DOTS = re.compile(r"[.·](?: ?[.·]){2}")
_SPACES = {
    ",": 0.167,
    ":": 0.222,
    ";": 0.278,
    "!": 0.0,
    " ": 0.25,
    "quad": 1.0,
    "qquad": 2.0,
    "enspace": 0.5,
    "thinspace": 0.167,
}
_ACCENTS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304", "vec": "\u20d7",
    "overrightarrow": "\u20d7", "dot": "\u0307", "ddot": "\u0308", "check": "\u030c", "breve": "\u0306",
    "acute": "\u0301", "grave": "\u0300", "mathring": "\u030a", **LINES,
}  # fmt: skip
_TEXTS = frozenset({"text", "textrm", "textnormal", "mbox", "textit", "textbf", "textsf", "texttt", "hbox"})
_UPRIGHT = frozenset({"mathrm", "operatorname", "operatorname*", "mathop", "rm"})
_IGNORED = frozenset(
    "displaystyle textstyle scriptstyle limits nolimits nonumber notag left. right. big Big bigg Bigg bigl bigr Bigl Bigr"
    " biggl biggr Biggl Biggr bigm Bigm middle allowbreak strut cdotp protect ensuremath mathstrut".split()
)
_FENCES = {"matrix": ("", ""), "pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "Bmatrix": ("{", "}"), "vmatrix": ("|", "|"), "Vmatrix": ("‖", "‖"), "smallmatrix": ("", ""), "array": ("", "")}  # fmt: skip
_ALIGNED = frozenset(
    {
        "aligned",
        "align",
        "align*",
        "split",
        "gathered",
        "gather",
        "gather*",
        "eqnarray",
        "eqnarray*",
        "alignedat",
    }
)
_END = frozenset({"}", "&", "\\\\", "\\right", "\\end", "\\cr"})


class Unreadable(Exception):
    """This is no formula that can be set; its source is shown instead."""


def parsed(source: str, *, linear: bool = False) -> Node:
    """Raises Unreadable."""
    if len(source) > LONGEST:
        raise Unreadable("too long")
    text = _worded(source) if linear else _COMMENT.sub("", source)
    parser = _Parser(list(_TOKEN.findall(text)), linear)
    made = parser.row(0)
    if parser.peek() is not None:
        raise Unreadable(f"unexpected {parser.peek()}")
    if made == EMPTY:
        raise Unreadable("empty")
    return made


def _worded(source: str) -> str:
    """The linear notation with its words as commands."""
    if "\\" in source:
        return source
    return _NAMED.sub(
        lambda m: f"\\{m['name']} " if m["name"] else f"\\text{{ {m['word']} }}", _DOTS.sub("…", source)
    )


@dataclass
class _Parser:
    tokens: list[str]
    linear: bool
    position: int = 0
    made: int = field(default=0)
    scripts: int = field(default=0)
    """How many indices and exponents it is in: there a slash stays one, for t_{1/2}."""

    # --- tokens

    def peek(self) -> str | None:
        self._skip()
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _skip(self) -> None:
        while self.position < len(self.tokens) and self.tokens[self.position].isspace():
            self.position += 1

    def next(self) -> str:
        piece = self.peek()
        if piece is None:
            raise Unreadable("it breaks off")
        self.position += 1
        return piece

    def expect(self, piece: str) -> None:
        if self.next() != piece:
            raise Unreadable(f"{piece} is missing")

    def raw_group(self) -> str:
        """The characters between braces, with their spaces."""
        self.expect("{")
        depth, found = 1, []
        while depth:
            if self.position >= len(self.tokens):
                raise Unreadable("a brace is not closed")
            piece = self.tokens[self.position]
            self.position += 1
            depth += (piece == "{") - (piece == "}")
            found.append(piece)
        return "".join(found[:-1])

    # --- rows

    def row(self, depth: int, stop: frozenset[str] = frozenset()) -> Node:
        """Parts up to a piece that ends them."""
        if depth > DEEPEST:
            raise Unreadable("too deep")
        parts: list[Node] = []
        while (piece := self.peek()) is not None and piece not in _END and piece not in stop:
            if self.linear and piece == "/" and not self.scripts and can_stand_over(parts):
                self.next()
                parts.append(self._divided(parts, depth))
                continue
            part = self.scripted(depth)
            if part is not None:
                parts.append(part)
        return row(parts) if parts else EMPTY

    def _divided(self, parts: list[Node], depth: int) -> Node:
        over = parts.pop()
        if parts and is_differential(parts[-1]) and isinstance(over, Sign | Scripts):
            over = row([parts.pop(), over])
        under = self.scripted(depth)
        if under is None:
            raise Unreadable("nothing below the line")
        if (is_differential(under) and (self.peek() or "").isalpha()) or self.peek() == "!":
            under = row([under, self.scripted(depth) or EMPTY])
        return Fraction(unfenced(over), unfenced(under))

    def scripted(self, depth: int) -> Node | None:
        """A part with what stands below and above it; None for what leaves no trace."""
        self.made += 1
        if self.made > MOST_PARTS:
            raise Unreadable("too many parts")
        base = EMPTY if self.peek() in ("_", "^", "'", "′") else self.atom(depth)
        below: Node | None = None
        above: list[Node] = []
        limits = False
        while (piece := self.peek()) in ("_", "^", "'", "′", "″", "\\limits", "\\nolimits"):
            self.next()
            if piece in ("\\limits", "\\nolimits"):
                limits = piece == "\\limits"
            elif piece == "_":
                if below is not None:
                    raise Unreadable("two subscripts")
                below = self.script(depth)
            elif piece == "^":
                if any(not is_prime(part) for part in above):
                    raise Unreadable("two superscripts")
                above.append(self.script(depth))
            else:
                above.append(Sign("″" if piece == "″" else "′"))
        if below is None and not above:
            return base
        if isinstance(base, Accent) and base.mark in ("\u23de", "\u23df"):
            limits = True
        return Scripts(base or EMPTY, below, row(above) if above else None, limits)

    def script(self, depth: int) -> Node:
        self.scripts += 1
        made = self.argument(depth + 1)
        self.scripts -= 1
        return made

    def argument(self, depth: int) -> Node:
        """What follows a command or a script sign: a group or one part."""
        if depth > DEEPEST:
            raise Unreadable("too deep")
        piece = self.peek()
        if piece is None or piece in _END:
            raise Unreadable("an argument is missing")
        if piece.isdigit() and len(piece) > 1 and not self.linear:
            # x^12 is x to the 1, then 2.
            self.tokens[self.position : self.position + 1] = [piece[0], piece[1:]]
        return self.atom(depth + 1) or EMPTY

    # --- atoms

    def atom(self, depth: int) -> Node | None:
        piece = self.next()
        if piece == "{":
            inner = self.row(depth + 1)
            self.expect("}")
            return inner
        if piece in ("(", "[") and self.linear:
            return self._bracketed(piece, depth)
        if piece.startswith("\\"):
            return self._command(piece[1:], depth)
        if piece[0].isdigit():
            return Sign(piece, "number")
        if piece == "~":
            return Space(0.25)
        if piece in ("#", "$", "&", "}", "\\") or not piece.isprintable():
            raise Unreadable(f"unexpected {piece!r}")
        return signs.sign(piece)

    def _bracketed(self, opening: str, depth: int) -> Node:
        """Of the linear notation: brackets with what is between them, closed by either kind (half-open intervals)."""
        start = self.position
        try:
            body = self.row(depth + 1, frozenset(")]"))
            closing = self.next()
        except Unreadable:
            if depth + 1 > DEEPEST:
                raise
            self.position = start
            return signs.sign(opening)
        return Fenced(opening, body, closing)

    def _command(self, name: str, depth: int) -> Node | None:
        if name in _SPACES:
            return Space(_SPACES[name])
        if name in ("frac", "dfrac", "tfrac", "cfrac", "binom", "dbinom", "tbinom"):
            made = Fraction(self.argument(depth), self.argument(depth), line="binom" not in name)
            return made if made.line else Fenced("(", made, ")")
        if name == "sqrt":
            degree = self._optional(depth)
            return Root(self.argument(depth), degree)
        if name in _ACCENTS:
            return Accent(self.argument(depth), _ACCENTS[name])
        if name in _TEXTS:
            return Words(re.sub(r"\\(.)", r"\1", self.raw_group()).replace("$", ""))
        return self._worded(name, depth)

    def _worded(self, name: str, depth: int) -> Node | None:
        """Commands that change letters, stack, or stand for more than one line."""
        if name in _UPRIGHT:
            return self._upright(depth)
        if name in signs.STYLES:
            return _restyled(self.argument(depth), signs.STYLES[name])
        if name in ("overset", "stackrel", "underset"):
            return self._stacked(name, depth)
        if name == "left":
            return self._fenced(depth)
        if name == "begin":
            return self._environment(depth)
        return self._plain(name, depth)

    def _plain(self, name: str, depth: int) -> Node | None:
        """Commands without arguments of their own."""
        if name in _IGNORED:
            return None
        if name in ("pmod", "bmod"):
            return row([Name("mod"), Space(0.2), *([self.argument(depth)] if name == "pmod" else [])])
        if name == "not":
            struck = self.argument(depth)
            if isinstance(struck, Sign):
                return Sign(
                    "≠" if struck.text == "=" else "∉" if struck.text == "∈" else struck.text + "\u0338",
                    "relation",
                )
            raise Unreadable("not")
        if name in ("label", "tag", "tag*"):
            self.raw_group()
            return None
        made = signs.command(name)
        if made is None:
            raise Unreadable(f"unknown command {name}")
        return made

    def _optional(self, depth: int) -> Node | None:
        if self.peek() != "[":
            return None
        self.next()
        inner = self.row(depth + 1, frozenset("]"))
        self.expect("]")
        return inner

    def _upright(self, depth: int) -> Node:
        inner = self.argument(depth)
        text = _letters(inner)
        if text is None:
            return inner
        return Sign(text, upright=True) if len(text) == 1 else Name(text, limits=text in signs.LIMITS)

    def _stacked(self, name: str, depth: int) -> Node:
        mark, base = self.argument(depth), self.argument(depth)
        return Scripts(
            base, mark if name == "underset" else None, None if name == "underset" else mark, limits=True
        )

    def _delimiter(self) -> str:
        piece = self.next()
        if piece == ".":
            return ""
        if piece.startswith("\\") and len(piece) > 1:
            known = (
                signs.command(piece[1:]) if piece[1].isalpha() else Sign({"|": "‖"}.get(piece[1], piece[1]))
            )
            if not isinstance(known, Sign) or len(known.text) != 1:
                raise Unreadable("no bracket")
            return known.text
        return {"<": "⟨", ">": "⟩"}.get(piece, piece)

    def _fenced(self, depth: int) -> Node:
        opening = self._delimiter()
        body = self.row(depth + 1)
        self.expect("\\right")
        return Fenced(opening, body, self._delimiter())

    def _environment(self, depth: int) -> Node:
        name = self.raw_group()
        if name in ("array", "alignedat"):
            self.raw_group()
        rows = self._rows(depth)
        self.expect("\\end")
        if self.raw_group() != name:
            raise Unreadable("environments cross")
        if name in ("equation", "equation*", "math", "displaymath"):
            return rows[0][0] if rows and rows[0] else EMPTY
        if name in ("cases", "dcases", "rcases"):
            return Grid(rows, "cases", "{" if name != "rcases" else "", "" if name != "rcases" else "}")
        if name in _ALIGNED:
            return Grid(rows, "aligned")
        if name not in _FENCES:
            raise Unreadable(f"unknown environment {name}")
        return Grid(rows, "matrix", *_FENCES[name])

    def _rows(self, depth: int) -> tuple[tuple[Node, ...], ...]:
        rows: list[list[Node]] = [[]]
        while True:
            rows[-1].append(self.row(depth + 1))
            piece = self.peek()
            if piece == "&":
                self.next()
            elif piece in ("\\\\", "\\cr"):
                self.next()
                self._optional(depth)
                rows.append([])
            else:
                break
        if len(rows) > 1 and rows[-1] == [EMPTY]:
            rows.pop()
        width = max(map(len, rows))
        return tuple((*cells, *[EMPTY] * (width - len(cells))) for cells in rows)


def _letters(node: Node) -> str | None:
    """The text of a row of nothing but letters and digits."""
    if isinstance(node, Sign) and (node.text.isalnum() or node.text in "−-"):
        return node.text.replace("−", "-")
    if isinstance(node, Space):
        return " " if node.width else ""
    if isinstance(node, Row) and node.parts:
        texts = [_letters(part) for part in node.parts]
        return None if None in texts else "".join(text for text in texts if text)
    return None


def _restyled(node: Node, style: str) -> Node:
    if isinstance(node, Sign) and node.role in ("letter", "number"):
        return Sign("".join(signs.styled(c, style) for c in node.text), node.role)
    if isinstance(node, Row):
        return Row(tuple(_restyled(part, style) for part in node.parts))
    return node
