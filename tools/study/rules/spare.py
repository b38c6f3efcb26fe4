"""What can be asked of any sentence that stands alone: a key term left out of it, and a word turned into its opposite. Pure.

These rank behind what is asked about facts: they fill what a request needs beyond it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from uuid import UUID

from tools.notes.reading import Sentence
from tools.study.rules.analysed import Analysed
from tools.study.rules.facts import Term
from tools.study.rules.inventory import Inventory, occurs
from tools.study.rules.noun_phrases import NOUNS, core_term_of
from tools.study.rules.standing import PERSONS, is_opinion, notation, points_nowhere
from tools.study.rules.worth import LONG_MATERIAL, NAMED_OFTEN, is_counted, is_everywhere, is_passing_name

_NO_STATEMENT = re.compile(
    r"^(?:how|what|why|where|examples? (?:include|are)|details|the (?:details|resulting|rest|slots?|result|effect|plots?|construction|name|use of)|input fields|open source|let|consider|suppose|assume|write|make|use|create|define|compute|show|find|run|print|say|open|observe|place|decide|the (?:two|three|four|five|reason|downside|remedy|task|idea|goal|point|question|next|first|second|third|final|last|rationale|hope|key observation|starting point|interesting feature))\b",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"[:;]|\b(?:illustrations?|theme|newcomers?|familiarity|literature|pedagogical|deserves?|one (?:may|might|should|has)|wish|many ways|question|chapters?|coming|special|thank|comment|idea is|examples? (?:used|made|start)|another (?:advantage|example|problem|possibility|option)|(?:upper|lower|left|right) (?:left|right|plot|part)|plots? (?:is|are|shows?)|in some fields|in mind|similar calculations|of course|as seen|vast amount|presented|investigations|the resulting|newbie|taste|html|browsers?|microsoft|google\w*|years?|decades?|today|nowadays|worth|recommended|shall|desired|it remains|always obvious|is to see|the (?:basic|mentioned|displayed|listed|given|complete|whole) \w+|displayed|in this|seem(?:s|ingly)?|striking|handy|by hand|teaching|available (?:for|in|as)|may be significant|\d+ is (?:not )?(?:in|found)|number \d+|funny)\b|^(?:one (?!can\b)|some(?! kind)|much|most|several|by (?!\W?\w+\W? we mean)|for example|even|to|despite|imagining|compared|other|another|now|it|there)\b",
    re.IGNORECASE,
)
_THE_CASE = re.compile(
    r"\bthe [\"“‘]|\bthe variable \w+ (?:contains|holds|stores|is)\b|\bthe (?:program|code|character(?= is)|provided|counter|plots?|file|filename|user|text|message|present|current|given|figure|test|curves?|table|report|task|question|student|reports?|new|simple|example|experiments?|package|software|above|below|script|last|output|page|picture|image|latter|former|alternative|three (?:schemes|methods)|two (?:schemes|methods)|other (?:two |three )?(?:schemes?|methods?))\b(?! (?:of|in|for|that|which|created|called|where|between|with|whose|is run|\w+ing)\b)",
    re.IGNORECASE,
)
"""A definite thing of one example, which only what stands before tells."""
_NO_SUBJECT = re.compile(
    r"^(?!(?:in|for|at|on|from|to|of|all|both|when|if|after|before|during|under|over|through|within|without|since|because|as|among|between|half|although|while|unlike|whenever|using|by|\w+ing)\b)\w+ (?:an?|the|each|all|every|your)\b|^an? \w+ (?:writes|creates|wants)\b",
    re.IGNORECASE,
)
"""An order ("Separate each part …") or a fragment ("Generates a sequence …")."""
_IN_A_ROW = re.compile(
    r"(?:,|^Typical|\ball previous|\beach|\b[Cc]ommon|\b(?:and|or|like|as|than|e\.g\.|some|any|other|another|each|every|this|same))\s$"
)
_IDENTIFIER = re.compile(r"[a-z]{3,}_[a-z]{2,}")
"""A name in somebody's program."""
_LABELLED = re.compile(r"^\(\d+\.\d+[a-z]?\) (?:The|It|This)\b|^The [a-z][a-z -]+ \(\d+\.\d+[a-z]?\)")
"""It speaks of one equation: "The scheme (3.2) is explicit"."""
_FINITE = re.compile(r"\b(?:is|are|has|have|can|must|may|will|does|do|\w{3,}s)\b")
_TELLS = re.compile(
    r"\b(?:because|since|due to|therefore|if|when|unless|than|means|called|known as|referred to as|defined|consists? of|requires?|needs?|leads? to|results? in|causes?|reduces?|increases?|decreases?|proportional|depends?|ensures?|avoids?|allows?|must|only|always|never|cannot|not|order|stable|unstable|independent|before|after|instead|rather)\b",
    re.IGNORECASE,
)
"""Words of a sentence that teaches a relation."""
_AS_NOUN = frozenset({"dobj", "pobj", "attr", "nsubj", "nsubjpass", "oprd", "appos"})
_ADVERBIAL = frozenset({"advmod", "neg", "aux", "auxpass", "punct", "cc"})
_PLAIN_WORDS = frozenset(
    """
    implementation string array language body module data analysis formula report class package extension section variable function
    element line page web image file tool user operation result experiment argument book space memory script option format interface
    application environment test understanding multiple proper solution approach popular software recent library document number
    symbol expression software directory format plot type science group feature syntax sequence index loop tag editor action item
    individual input output value step constant set number word material integer
    """.split()
)
"""Words that stand in headings, and fit nearly any gap alone."""
_EVENT = frozenset(
    "range problem theory message assumption property report data code mean distribution use case part work need way point form kind type example purpose addition order".split()
)
MOST_TERM_WORDS = 4


@dataclass(frozen=True, slots=True)
class Spare:
    """A sentence that stands alone, as it is asked about."""

    text: str
    sentence: Sentence
    source: Analysed

    @property
    def place(self) -> tuple[UUID, int]:
        return self.sentence.chunk_id, self.sentence.start

    @property
    def is_plain(self) -> bool:
        """Whether it can be stated as it is, as true or false."""
        return not PERSONS.search(self.text) and not is_opinion(self.text)


@dataclass(frozen=True, slots=True)
class Gap:
    """A sentence with a term left out."""

    score: float
    before: str
    term: Term
    after: str
    spare: Spare

    @property
    def shown(self) -> str:
        return f"{self.before}____{self.after}"


def place_of(sentence: Sentence) -> tuple[UUID, int]:
    return sentence.chunk_id, sentence.start


def spare_of(text: str, sentence: Sentence, source: Analysed) -> Spare | None:
    """The sentence, if it can be shown alone and says something."""
    able = (
        (9 if text.startswith("The ") and not re.search(r"\b[A-Z]", text[1:]) else 7) <= len(text.split())
        and not _LABELLED.match(sentence.text)
        and points_nowhere(text)
        and not _THE_CASE.search(text)
        and not _NO_STATEMENT.match(text)
        and not _TALK.search(text)
        and not _NO_SUBJECT.match(text)
        and _FINITE.search(text)
        and any(token.tag in ("VBZ", "VBP", "MD") for token in source.tokens)
        and not _is_past(source)
        and source.child(source.roots[0], "mark") is None
        and not _IDENTIFIER.search(text)
    )
    return Spare(text, sentence, source) if able else None


def _is_past(source: Analysed) -> bool:
    """It tells what was done once."""
    root = source.roots[0]
    return source.tokens[root].tag == "VBD" or any(
        source.tokens[i].text.casefold() in ("was", "were", "had", "would", "could", "did")
        for i in source.children(root, "aux", "auxpass")
    )


def teaches(text: str) -> float:
    """0 to 1: whether it tells a relation, and is not mostly symbols."""
    return min(1.0, 0.35 * len(_TELLS.findall(text))) - 0.08 * notation(text)


def gaps_in(spare: Spare, inventory: Inventory, headings: Set[str]) -> list[Gap]:
    """Terms that may be left out, the best first."""
    if _is_about_an_example(spare.source, inventory, headings):
        return []
    found = []
    for i, token in enumerate(spare.source.tokens):
        if token.tag not in NOUNS or token.dep not in _AS_NOUN:
            continue
        i = _worded(spare.source, i)
        token = spare.source.tokens[i]
        term = core_term_of(spare.source, i)
        value = _value(term, inventory, headings) if term is not None else 0.0
        value += _role(spare.source, i) if value > 0 else 0.0
        if (
            term is not None
            and len(term.text.split()) == 1
            and not term.proper
            and not _is_subject(spare.source, i)
        ):
            continue
        if term is None or value <= 0:
            continue
        made = _gap(spare, term, token.start + len(token.text), value)
        if made is not None:
            found.append(made)
    return sorted(found, key=lambda gap: (-gap.score, gap.term.key))


def _is_about_an_example(source: Analysed, inventory: Inventory, headings: Set[str]) -> bool:
    """ "String inherits from Instrument": its subject is a name that hardly occurs, and no abbreviation."""
    first = source.tokens[0]
    return (
        inventory.size >= LONG_MATERIAL
        and first.tag in ("NNP", "NNPS")
        and first.dep in ("nsubj", "nsubjpass")
        and first.text[1:].islower()
        and not is_heading(first.text, headings)
        and inventory.words.count(first.text.casefold()) < NAMED_OFTEN
    )


def _value(term: Term, inventory: Inventory, headings: Set[str]) -> float:
    """How much of a key term it is; 0 for a word that many others could replace."""
    words = term.text.split()
    if (
        len(words) > MOST_TERM_WORDS
        or re.search(r"[^\w\s'’-]|_|\d$|\b\w\b", term.text)
        or term.head in _EVENT
        or is_counted(term)
        or is_passing_name(term, inventory)
    ):
        return 0.0
    if words[0].casefold() in _PLAIN_WORDS and term.head in _PLAIN_WORDS:
        return 0.0
    if is_everywhere(term):
        return 0.0
    heading = sum(is_heading(word, headings) for word in words) / len(words)
    known = term.key in inventory.place
    count = max(inventory.count(term), inventory.words.count(term.text.casefold()))
    if len(words) == 1:
        if not (heading or (known and term.proper)):
            return 0.0
        return 0.5 + 0.2 * known if count <= max(12, 0.05 * inventory.size) else 0.0
    weak = 0.4 if term.head in _PLAIN_WORDS or words[0].casefold() in _PLAIN_WORDS else 0.0
    return 0.6 * known + 0.4 * heading + (0.2 if count >= 2 else -0.2) - weak


def _worded(source: Analysed, i: int) -> int:
    """The noun of "drag coefficient C_D" and "porosity φ"."""
    if i and re.search(r"^\w$|_|[^\x00-\x7f]", source.tokens[i].text) and i - 1 in source.below[i]:
        return i - 1
    return i


def _is_subject(source: Analysed, i: int) -> bool:
    token = source.tokens[i]
    above = source.tokens[token.head]
    if token.dep == "compound":
        return _is_subject(source, token.head)
    named = (
        token.dep == "pobj" and above.text == "as" and source.tokens[above.head].lemma in ("know", "refer")
    )
    return named or token.dep == "oprd" or (token.dep in ("nsubj", "nsubjpass") and above.head == token.head)


def _role(source: Analysed, i: int) -> float:
    """What the sentence is about, or says a thing is, can be known; what stands deep in it mostly cannot."""
    token, depth, at = source.tokens[i], 0, i
    if token.dep == "compound":
        return _role(source, token.head)
    while source.tokens[at].head != at:
        at, depth = source.tokens[at].head, depth + 1
    if depth == 1 and token.dep in ("nsubj", "nsubjpass", "attr", "oprd", "dobj"):
        return 0.3
    return 0.1 if depth <= 2 else -0.15 * (depth - 2)


def is_heading(word: str, headings: Set[str]) -> bool:
    return stem(word) in headings


def stem(word: str) -> str:
    return word.casefold().rstrip("s")[:9]


def headings_of(paths: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """The words that headings are made of, but for those that any book has."""
    words = {word for path in set(paths) for title in path for word in re.findall(r"[^\W\d_]{4,}", title)}
    plain = "making using with from that example exercise problem project introduction summary notice remark general first several version different various into what when between do not have simple more about basic list writing running"
    return frozenset(stem(word) for word in words) - {stem(word) for word in plain.split()}


def _gap(spare: Spare, term: Term, end: int, value: float) -> Gap | None:
    text = spare.text
    start = text.casefold().rfind(term.text.casefold(), 0, end)
    if start < 0 or start + len(term.text) != end:
        return None
    rest = f"{text[:start]} {text[end:]}"
    if (
        _is_given_away(term, rest)
        or _IN_A_ROW.search(text[:start])
        or re.match(
            r",(?! (?:which|where|while|but|because|since|so)\b)| \d| and\b| or\b|[-’'(=]| \(", text[end:]
        )
    ):
        return None
    if re.search(re.escape(term.text) + r" \(\d", spare.sentence.text):
        return None
    praised = is_opinion(text)
    if (
        not tells_enough(text[:start], text[end:])
        or _is_one_of_two(term, rest)
        or (praised and not teaches(rest))
    ):
        return None
    before = re.sub(r"\b([Aa])n? $", r"\1(n) ", text[:start])
    written = replace(term, text=text[start:end]) if start else term
    clear = 0.15 if start > 0 else 0.0
    opinion = -0.35 if praised else 0.0
    return Gap(value + teaches(rest) + clear + opinion, before, written, text[end:], spare)


def _is_given_away(term: Term, rest: str) -> bool:
    """The term stands in the rest of the sentence too, or its head, where it is no name."""
    small = rest.casefold()
    if occurs(term.key, small):
        return True
    words = {word[:6] for word in re.findall(r"\w+", small)}
    own = [word.casefold()[:6] for word in re.findall(r"\w+", term.text) if len(word) > 3]
    return all(word in words for word in own) or sum(word in words for word in own) > len(own) / 2


_VAGUE = re.compile(
    r"^\s*(?:may|might|(?:is|are) (?:often|usually|commonly|sometimes)|can (?:also )?utili[sz]e|uses?)\b"
)
_SAYS_LITTLE = frozenset(
    """
    the and for with that this from into any all each every can may must will has have are was were been being used use using needed
    need available possible called known value values number case cases way time other others another some more than when while which
    its their not between within after before only also both one two three important several different general either should care taken make made
    """.split()
)
LEAST_TOLD = 4


def tells_enough(before: str, after: str) -> bool:
    """Whether the words around a gap point to what was left out, and not to many things: "can be used in a loop" does not,
    nor "is often used for …", nor "Care should be taken to avoid"."""
    told = [
        {word for word in re.findall(r"[^\W\d_]{3,}", part.casefold()) if word not in _SAYS_LITTLE}
        for part in (before, after)
    ]
    if len(told[0] | told[1]) < LEAST_TOLD:
        return False
    return len(told[0]) > 0 or not _VAGUE.match(after)


_DEFINED = re.compile(r"\s*(?:(?:is|are) (?:an?|the|when|what|relative)\b|means?\b|refers? to\b|\.?$)")
"""What follows a single word that was left out, where the sentence says what it is: elsewhere many words fit."""

_PARTNERS = (
    {"horizontal", "vertical"},
    {"upper", "lower"},
    {"left", "right"},
    {"first", "second"},
    {"positive", "negative"},
    {"inner", "outer"},
)


def _is_one_of_two(term: Term, rest: str) -> bool:
    """ "H images in the horizontal direction and V images in the ____": its partner gives it away."""
    own = set(term.text.casefold().split())
    words = set(re.findall(r"\w+", rest.casefold()))
    return term.head in words and any(pair & own and pair - own <= words for pair in _PARTNERS)


def spares_of(texts: Mapping[str, Sentence], sources: Iterable[Analysed]) -> Iterator[Spare]:
    for (text, sentence), source in zip(texts.items(), sources, strict=True):
        made = spare_of(text, sentence, source)
        if made is not None:
            yield made


def subject_question(gap: Gap, asked: str = "") -> str | None:
    """What asks for the subject that was left out: "Which method is the default choice …?"; None where it is not the subject.

    `asked` instead of "which method": "which of the following".
    """
    source, term = gap.spare.source, gap.term
    root = source.roots[0]
    subject = source.child(root, "nsubj", "nsubjpass")
    start = len(gap.spare.text) - len(gap.after) - len(term.text)
    if subject is None or source.tokens[subject].start + len(source.tokens[subject].text) != start + len(
        term.text
    ):
        return None
    inside = source.subtree(subject)
    if any(
        source.tokens[i].text.casefold() in ("no", "each", "every", "some", "any", "two", "both", "another")
        for i in inside
    ):
        return None
    if inside[-1] != subject or any(source.tokens[i].dep in ("poss", "nummod", "cc", "conj") for i in inside):
        return None
    finite = next(
        (
            i
            for i in range(subject + 1, len(source.tokens))
            if source.tokens[i].dep not in ("advmod", "neg", "punct")
        ),
        root,
    )
    if source.tokens[finite].tag not in ("VBZ", "VBP", "MD") or (
        source.children(root, "conj")
        and source.child(root, "cc") is not None
        and _has_second_subject(source, root)
    ):
        return None
    context = gap.spare.text[: source.tokens[inside[0]].start].strip()
    if context and not (context.endswith(",") and len(context.split()) <= 16):
        return None
    rest = gap.after.strip().rstrip(".")
    words = term.text.split()
    what = asked or (f"which {words[-1]}" if len(words) > 1 and not term.proper else "what")
    if what == "what" and (term.plural or source.tokens[finite].tag == "VBP"):
        return None
    if (
        re.match(r"[,(]", rest)
        or len(rest.split()) < 5
        or re.search(r"\b(?:and|but|while|so) (?:it|they|the|\w+ (?:is|are|has|can))\b", rest)
    ):
        return None
    question = f"{context} {what} {rest}?" if context else f"{what} {rest}?"
    return question[:1].upper() + question[1:]


def _has_second_subject(source: Analysed, root: int) -> bool:
    return any(source.child(i, "nsubj", "nsubjpass") is not None for i in source.children(root, "conj"))
