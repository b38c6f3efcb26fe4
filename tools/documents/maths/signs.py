"""What TeX commands and characters mean. The names of 4,000 signs come from the table of `latex2mathml`."""

import unicodedata

from latex2mathml.symbols_parser import convert_symbol

from tools.documents.maths.tree import Name, Node, Role, Sign
from tools.ingest.latex import BIG_OPERATORS, FUNCTIONS

BIG = frozenset(BIG_OPERATORS)
LIMITS = frozenset("lim limsup liminf max min sup inf det gcd Pr argmax argmin".split())
NAMES = FUNCTIONS | {"argmax", "argmin", "tanh", "coth", "erf", "sgn", "tr", "rank", "diag", "span", "mod"}
OPENING, CLOSING = frozenset("([{⟨⌊⌈"), frozenset(")]}⟩⌋⌉")
_OWN = {
    "sim": "∼", "ast": "∗", "setminus": "∖", "cdot": "⋅", "perp": "⊥", "colon": ":", "lvert": "|", "rvert": "|",
    "vert": "|", "mid": "∣", "lVert": "‖", "rVert": "‖", "dots": "…", "dotsc": "…", "dotsb": "⋯", "ldots": "…",
    "square": "□", "le": "≤", "ge": "≥", "ne": "≠", "N": "ℕ", "R": "ℝ", "Z": "ℤ", "lbrack": "[", "rbrack": "]",
    "bigtriangleup": "△", "blacksquare": "■", "backslash": "\\", "degree": "°", "celsius": "℃", "euro": "€",
}  # fmt: skip
_RELATIONS = frozenset("=≠≈≃≅≡∼<>≤≥≪≫∝→←↔⇒⇐⇔⟹⟸⟺↦∈∉∋⊂⊃⊆⊇∣∥⊥≺≻⟶⟵⊢⊨≐≔")
_PUNCTUATION = frozenset(",;:!?.")
_LIKE = {
    "-": "−",
    "*": "∗",
    "\u2217": "∗",
    "\u00b7": "⋅",
    "\u02dc": "∼",
    "\u2206": "Δ",
    "\u2126": "Ω",
    "\u00b5": "μ",
}
STYLES = {
    "mathbf": "BOLD", "bm": "BOLD", "boldsymbol": "BOLD", "mathbb": "DOUBLE-STRUCK", "mathcal": "SCRIPT",
    "mathscr": "SCRIPT", "mathfrak": "FRAKTUR", "mathsf": "SANS-SERIF", "mathtt": "MONOSPACE",
}  # fmt: skip
# Letters whose styled form stands outside the block of mathematical letters (Unicode, Letterlike Symbols).
_OUTSIDE = {
    ("DOUBLE-STRUCK", "C"): "ℂ", ("DOUBLE-STRUCK", "H"): "ℍ", ("DOUBLE-STRUCK", "N"): "ℕ", ("DOUBLE-STRUCK", "P"): "ℙ",
    ("DOUBLE-STRUCK", "Q"): "ℚ", ("DOUBLE-STRUCK", "R"): "ℝ", ("DOUBLE-STRUCK", "Z"): "ℤ", ("SCRIPT", "B"): "ℬ",
    ("SCRIPT", "E"): "ℰ", ("SCRIPT", "F"): "ℱ", ("SCRIPT", "H"): "ℋ", ("SCRIPT", "I"): "ℐ", ("SCRIPT", "L"): "ℒ",
    ("SCRIPT", "M"): "ℳ", ("SCRIPT", "R"): "ℛ", ("SCRIPT", "e"): "ℯ", ("SCRIPT", "g"): "ℊ", ("SCRIPT", "o"): "ℴ",
    ("FRAKTUR", "C"): "ℭ", ("FRAKTUR", "H"): "ℌ", ("FRAKTUR", "I"): "ℑ", ("FRAKTUR", "R"): "ℜ", ("FRAKTUR", "Z"): "ℨ",
}  # fmt: skip


def sign(character: str) -> Sign:
    """A character of a formula with the part it plays."""
    plain = _LIKE.get(character, character)
    return Sign(plain, _role(plain))


def _role(character: str) -> Role:
    if character.isdigit():
        return "number"
    if character in BIG:
        return "big"
    if character in OPENING:
        return "open"
    if character in CLOSING:
        return "close"
    if character in _RELATIONS:
        return "relation"
    if character in _PUNCTUATION:
        return "punctuation"
    is_letter = unicodedata.category(character)[0] == "L" or character in "∂∇∞′″‴∅ℏ°"
    return "letter" if is_letter else "operator"


def command(name: str) -> Node | None:
    """The sign or function that a command without arguments stands for; None for an unknown one."""
    if name in NAMES:
        return Name(name, limits=name in LIMITS)
    if name in _OWN:
        return sign(_OWN[name])
    code = convert_symbol(f"\\{name}")
    if not code or "-" in code:
        return None
    character = chr(int(code, 16))
    return sign(character) if character.isprintable() else None


def styled(character: str, style: str) -> str:
    """A letter in bold, script, …; itself where Unicode has no such form."""
    if (style, character) in _OUTSIDE:
        return _OUTSIDE[style, character]
    case = "CAPITAL" if character.isupper() else "SMALL"
    try:
        if character.isascii() and character.isalpha():
            return unicodedata.lookup(f"MATHEMATICAL {style} {case} {character.upper()}")
        if character.isdigit() and style not in ("SCRIPT", "FRAKTUR"):
            name = unicodedata.name(character).removeprefix("DIGIT ")
            return unicodedata.lookup(f"MATHEMATICAL {style} DIGIT {name}")
        if style == "BOLD" and unicodedata.name(character, "").startswith("GREEK"):
            return unicodedata.lookup(
                f"MATHEMATICAL BOLD {unicodedata.name(character)[6:].replace('LETTER ', '')}"
            )
    except KeyError:
        pass
    return character
