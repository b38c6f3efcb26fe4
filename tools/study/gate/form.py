"""Whether an item is well formed: a whole question, whole options, whole formulas. Pure."""

import re
from collections.abc import Sequence
from math import isfinite

from tools.study.gate.view import BLANK, View
from tools.study.gate.words import words
from tools.study.items import Card, Question
from tools.study.keys import ClozeKey, Number, ShortKey

LONGEST_QUESTION = 60
"""Words of a question or statement."""
LONGEST_OPTION = 35
LONGEST_ANSWER = 60
"""Words of a short answer or the back of a card."""
LONGEST_GAP = 6
MOST_GAPS = 5

_IMPERATIVE = re.compile(
    r"^(?:\W*)(?:name|list|explain|describe|give|define|complete|state|calculate|compute|find|choose|select|identify|order|put|match|arrange|sort|write|tell|summari[sz]e|compare|outline|determine|show|prove|derive|evaluate|discuss|sketch|rank|assign|pair|fill|mark|pick|decide|suppose|consider|simplify|solve|convert|estimate|connect|link|bring|place"
    r"|nenne|erkläre|beschreibe|definiere|ordne|berechne|wähle|bringe|vergleiche|nommez|expliquez|décrivez|définissez|calculez|classez|associez|choisissez|nombra|explica|describe|define|ordena|calcula|elige)\b",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(
    r"^(?:what|which|who|whom|whose|when|where|why|how|was|welche[rsn]?|wer|wie|wann|wo|warum|wozu|que|quel(?:le)?s?|qui|quand|où|pourquoi|comment|qué|cuál(?:es)?|quién|cuándo|dónde|por qué|cómo)\b",
    re.IGNORECASE,
)
_BROKEN = [
    re.compile(r"\b(?:does|do|did|is|are|was|were)\s+[A-Z][a-z]+ing\b"),
    re.compile(r"\b(?:is|are|was|were)\s+(?:is|are|was|were|does|do|did)\b", re.IGNORECASE),
    re.compile(r"\b(?:does|did|do)\s+(?:is|are|was|were|has|have|can|may|will|the (?:is|are|was|were))\b", re.IGNORECASE),
    re.compile(r"\b(the|a|an|of|to|and|or|in|is|are|by|for|with)\s+\1\b", re.IGNORECASE),
    re.compile(r"\b(?:the|a|an|and|or|but|that|which|because|whose)\s*\?"),
    re.compile(r"\b(?:a|an|the)\s+(?:a|an|the|of|is|are|and|or)\b", re.IGNORECASE),
    re.compile(r"^(?:what|which|who|how|why|when|where)\s*[,;:]", re.IGNORECASE),
    re.compile(r"[,;:(]\s*\?|\?\s*\?|\.\s*\?"),
    re.compile(r"\ufffd|[\x00-\x08\x0b-\x1f]|\\u[0-9a-f]{4}"),
    re.compile(r"\b(?:lorem ipsum|TODO|option [A-D]|undefined|none provided|n/a)\b"),
    re.compile(r"(?:^|\s)[,;](?:\s|$)|,\s*[,.;]"),
    re.compile(r"[^\W\d_]{3,}- [^\W\d_]{3,}(?<!- and)(?<!- oder)(?<!- und)"),
]  # fmt: skip
_WHAT_IS = re.compile(r"^What (?:is|was) (?!an?\b|the\b)([^\W\d_][\w'’ -]*)\?$")
_NO_STATEMENT = re.compile(
    r"^(?:suppose|consider|let|assume|note|recall|imagine|observe|notice|remember|see|look|run|try|write|add|use|click|enter|complete|modify|edit|copy|print|compute|calculate|show|verify|explain|draw|demonstrate|describe|develop|create|identify|choose|analyze|apply|determine|define|test|do|don't|please|hint)\b(?! (?:statement|function|method|command|operator|keyword|clause|\w+\(\)))|^(?:write|describe|explain|identify|develop)\s|^\d{1,2}[.)] |^[_^+=*/|\\<>,;.)\]]",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(r"^(?:if|because|although|unless|whereas)\b(?!.*(?:,|\bthen\b|[?:;]))", re.IGNORECASE)
"""A clause without what depends on it; brackets are left out before."""
_BRACKETS = re.compile(r"\([^()]*\)")
_RUN_TOGETHER = re.compile(r"[a-z]{3}(?<!\betc)\.\s[a-z]{2,}\s")
_WITHOUT_OPTIONS = re.compile(r"\bwhich of (?:the following|these)\b", re.IGNORECASE)
_FIRST_WORD = re.compile(r"^([^\W\d_]{3,})(?=[ ,])(?: (\w*))?")
"""A sentence may begin with a small letter only in a name: "van Rossum", "len()"."""
_MARKUP = re.compile(
    r"</?(?:p|b|i|u|em|strong|br|div|span|li|ul|ol|h\d|code|pre|table|tr|td|sub|sup|a|img)\b[^<>]*>|\*\*\w[^*]*\*\*|```|^\s*#{1,6}\s\w|\[[^\]]+\]\(https?:|&(?:nbsp|lt|gt|amp|quot);|\|\s*-{3,}",
    re.IGNORECASE,
)
_LOST = re.compile(r"\s\(\s*\)")
"""A sign that the reader of the file has lost: "a backslash ()"; not a call."""
_CODE = re.compile(r"\bdef \w+\(|\bimport \w+|;\s*\w+\s*=|^\s*(?:>>>|\$ )|\w+ = \w+\(.*\w+ = |\):\s+\w+")
_LETTER = re.compile(r"[^\W\d_]")
_MATH = re.compile(r"\$[^$]*\$")
_MONEY = re.compile(r"\$\s?\d[\d.,]*(?:\s|$|[.,;?)])")
_OPENING, _CLOSING = "([{", ")]}"


def is_badly_formed(view: View) -> bool:
    texts = view.texts()
    return (
        any(not text.strip() for text in texts)
        or any(map(_is_junk, texts))
        or _has_broken_question(view)
        or _has_broken_options(view)
        or _is_out_of_range(view)
        or (BLANK in view.asked and _has_broken_gaps(view))
    )


def _is_junk(text: str) -> bool:
    """Markup, half formulas, brackets that do not close."""
    return (
        bool(_MARKUP.search(text) or _LOST.search(text)) or not _is_balanced(text) or not _is_whole_math(text)
    )


def _is_balanced(text: str) -> bool:
    """As many brackets closed as opened; half-open intervals count as closed, "a)" is a number of a list."""
    depth = 0
    for match in re.finditer(r"^\(?[a-z\d]{1,2}\)\s|[()\[\]{}]", text):
        mark = match.group()
        if len(mark) > 1:
            continue
        depth += 1 if mark in _OPENING else -1
        if depth < 0 and text[max(0, match.start() - 1) : match.start()] not in ("]", "\\"):
            return False
    return depth == 0


def _is_whole_math(text: str) -> bool:
    bare = text.replace("\\$", "")
    return bare.count("$") % 2 == 0 or bool(_MONEY.search(bare))


def _has_broken_question(view: View) -> bool:
    text = view.asked.strip()
    count = len(words(text))
    if count > LONGEST_QUESTION or any(broken.search(_MATH.sub("x", text)) for broken in _BROKEN):
        return True
    if view.form in ("true_false", "cloze") and (
        _FRAGMENT.match(_BRACKETS.sub("", text)) or _RUN_TOGETHER.search(text)
    ):
        return True
    if view.form in ("basic", "short_answer") and _WITHOUT_OPTIONS.search(text):
        return True
    if view.form == "true_false":
        return count < 3 or not _states(text)
    if view.form == "cloze":
        return count < 4 or not (_states(text) or text.endswith("?"))
    if view.form == "reversed":
        return (not count and "$" not in text) or bool(_CODE.search(text)) or count > 40
    if view.form == "basic" and _is_term(text):
        return False
    return not _asks(text) or _lacks_its_article(text, view.evidence)


def _lacks_its_article(text: str, evidence: str) -> bool:
    """ "What is loop?", where the evidence says "a loop"; "What is The range?"."""
    match = _WHAT_IS.match(text)
    if match is None:
        return False
    term = re.escape(match.group(1))
    with_article = re.search(rf"\b(?:an?|the) {term}\b", evidence, re.IGNORECASE)
    alone = re.search(rf"(?<!\ba )(?<!\ban )(?<!\bthe )\b{term}\b", evidence, re.IGNORECASE)
    return match.group(1).startswith(("The ", "A ", "An ")) or (with_article is not None and alone is None)


def _states(text: str) -> bool:
    """Whether a text is a whole statement: it begins as one, asks nothing of the reader, and does not end in the middle."""
    if text.endswith(("?", ":", ",", ";", " and", " or")):
        return False
    if text.startswith(BLANK):
        return True
    first = _FIRST_WORD.match(text)
    begins = first is None or not first.group(1).islower() or (first.group(2) or "")[:1].isupper()
    return begins and not _NO_STATEMENT.match(text)


def _is_term(text: str) -> bool:
    """The front of a basic card may be a bare term."""
    return 0 < len(words(text)) <= 5 and not _QUESTION_WORD.match(text) and text[-1:] not in ".!?:,;"


def _asks(text: str) -> bool:
    """Whether a question is one: with a question mark, a request, or a blank to complete."""
    if len(words(text)) < 2:
        return False
    if text.endswith("?"):
        return len(words(text)) >= 3 or not _QUESTION_WORD.match(text)
    return bool(_IMPERATIVE.match(text)) or "?" in text or text.endswith((":", "…", "...")) or BLANK in text


def _has_broken_options(view: View) -> bool:
    item = view.item
    options = [option.text for option in item.options]
    if isinstance(item, Question):
        options_of_right = [option.text for option in item.right]
        if _repeats(options_of_right) or (view.form == "matching" and len(options) < 2):
            return True
    needs = view.form in ("multiple_choice", "multiple_answer", "ordering")
    if (needs and len(options) < 2) or _repeats(options):
        return True
    if any(len(words(option)) > LONGEST_OPTION for option in options):
        return True
    return any(len(words(key)) > LONGEST_ANSWER for key in view.keys) or _says_nothing(view)


def _says_nothing(view: View) -> bool:
    """A card whose sides are the same, an answer that is only a mark."""
    bare = [_plain(key) for key in view.keys]
    return any(not key.strip("_.,;:-–") for key in bare) or (view.is_card and _plain(view.asked) in bare)


def _repeats(options: Sequence[str]) -> bool:
    plain = [_plain(option) for option in options]
    return len(set(plain)) < len(plain)


def _plain(text: str) -> str:
    """By which two options are the same; case counts in code and formulas, so only capitals of first words are dropped."""
    bare = " ".join(text.split()).rstrip(".;,")
    return bare[:1].lower() + bare[1:]


def _has_broken_gaps(view: View) -> bool:
    """Gaps beside each other, too many, too long, or too little text around them."""
    around = [word for word in words(_MATH.sub(" x ", view.asked)) if set(word) != {"_"}]
    gaps = view.asked.count(BLANK)
    return (
        gaps > MOST_GAPS
        or any(len(words(key)) > LONGEST_GAP for key in view.keys)
        or len(around) < max(3, 2 * gaps)
        or bool(re.search(r"____\s*____", view.asked))
        or (view.form != "reversed" and bool(_CODE.search(view.claim)))
        or _is_mostly_signs(view.claim)
    )


def _is_mostly_signs(text: str) -> bool:
    bare = _MATH.sub("", text)
    solid = bare.replace(" ", "")
    return len(_LETTER.findall(solid)) < 0.6 * len(solid)


def _is_out_of_range(view: View) -> bool:
    item = view.item
    if not 1 <= item.difficulty <= 10 or not item.evidence:
        return True
    if isinstance(item, Card):
        return False
    key = item.key
    expected = key.gaps if isinstance(key, ClozeKey) else [key.expected] if isinstance(key, ShortKey) else []
    return any(one.number is not None and _is_wild(one.number) for one in expected)


def _is_wild(number: Number) -> bool:
    """No number, or a tolerance that lets everything pass."""
    if not (isfinite(number.value) and isfinite(number.tolerance)) or number.tolerance < 0:
        return True
    return number.value != 0 and number.tolerance >= abs(number.value)
