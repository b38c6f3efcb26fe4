"""What belongs together: enumerations in a sentence, steps in their order, events with their years. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from tools.notes.reading import Sentence
from tools.study.rules.analysed import Analysed
from tools.study.rules.facts import Listing, Statement
from tools.study.rules.noun_phrases import NOUNS
from tools.study.rules.standing import THE_BARE, may_be_asked, stands_alone
from tools.study.rules.wording import capital, spoken_of

_INCLUDING = frozenset({"include", "contain", "comprise", "have", "support", "define", "encompass"})
_WHOLE = frozenset({"consist", "compose", "make", "divide", "classify"})
LEAST, MOST = 3, 8


def listings_of(sentence: Sentence, source: Analysed, statements: Sequence[Statement]) -> list[Listing]:
    found = [made for one in statements if (made := _of_statement(one)) is not None]
    found += _such_as(sentence, source)
    found += _in_order(sentence, source)
    found += _kinds(sentence)
    return found


def _members(source: Analysed, first: int) -> tuple[str, ...]:
    """ "a, b, and c" as its parts; empty unless each is a short noun phrase that stands alone."""
    heads, at = [first], first
    while (following := source.child(at, "conj")) is not None:
        heads.append(following)
        at = following
    if not LEAST <= len(heads) <= MOST or not any(
        token.text == "and" for token in source.tokens[heads[0] : heads[-1]]
    ):
        return ()
    members = []
    for i in heads:
        inside = source.subtree(
            i, without=lambda k: source.tokens[k].dep in ("conj", "cc", "punct", "preconj", "appos")
        )
        text = source.span(inside[0], inside[-1])
        if (
            source.tokens[i].tag not in NOUNS
            or len(text.split()) > 5
            or "," in text
            or not stands_alone(text)
            or re.match(r"(?:other|more|many|countless|some|the|one|two|three|four|five|[0-9]+)\b", text)
        ):
            return ()
        members.append(re.sub(r"^(?:an?|both|either) ", "", text))
    return tuple(members) if len({one.casefold() for one in members}) == len(members) else ()


def _of_statement(one: Statement) -> Listing | None:
    """ "X include a, b and c", "X consists of a, b and c"."""
    source, root = one.source, one.root
    if one.called or one.negated:
        return None
    subject = spoken_of(one.subject)
    target = source.child(root, "dobj") if one.verb in _INCLUDING else None
    question = ""
    if target is not None:
        verb = "do" if one.subject.plural else "does"
        question = f"Which of the following {verb} {subject} {one.verb}?"
        if one.verb == "include" and one.subject.plural:
            question = f"Which of the following are {one.subject.text if one.subject.text.startswith('examples') else 'among ' + subject}?"
    elif one.verb == "consist":
        of = source.child(root, "prep")
        target = source.child(of, "pobj") if of is not None and source.tokens[of].text == "of" else None
        modal = "can" if one.predicate.startswith("can ") else "do" if one.subject.plural else "does"
        question = f"What {modal} {subject} consist of?"
    if target is None:
        return None
    members = _members(source, target)
    if not members or one.subject.text in ("examples", "example"):
        return None
    context = f"{one.context}, {question[:1].lower()}{question[1:]}" if one.context else question
    return Listing(capital(context), one.subject.text, members, (one.sentence,))


_ORDERED = re.compile(
    r"^(?P<what>(?:The|A|An) [^,;:]{3,60}?),? (?:is|are|has|have)\b[^;:]*?,? ordered (?:as|from \w+ to \w+ as)(?: follows:?)? (?P<list>[^;:()]+)\.$",
    re.IGNORECASE,
)
_KINDS = re.compile(
    r"(?:^|\b)(?P<number>two|three|four|five|six)(?: different| main| basic| fundamental)? (?P<kind>(?:types? of |kinds? of |groups of |categories of )?[a-z][\w -]{2,30}s)(?P<tail> (?:when|for|in|of) [^:;,]{3,60})?(?:: | are |, namely )(?P<list>[^;:()]+)\.$",
    re.IGNORECASE,
)


def _split(text: str) -> tuple[str, ...]:
    """ "a, b, and c" as its parts; empty when one of them is long."""
    parts = [
        re.sub(r"^(?:the|an?) ", "", part.strip()) for part in re.split(r",\s*(?:and |or )?|\s+and\s+", text)
    ]
    whole = LEAST <= len(parts) <= MOST and all(
        0 < len(part.split()) <= 5 and stands_alone(part) for part in parts
    )
    return tuple(parts) if whole and len({part.casefold() for part in parts}) == len(parts) else ()


def _in_order(sentence: Sentence, source: Analysed) -> Iterator[Listing]:
    """ "The logger has different levels of messages, ordered as critical, error, …"."""
    found = _ORDERED.match(source.text)
    members = _split(found["list"]) if found else ()
    if found and members:
        what = re.sub(r",? ordered as .*", "", source.text).rstrip(" .,")
        question = f"Put these into the order in which the material ranks them: {what[:1].lower()}{what[1:]}."
        yield Listing(
            question, found["what"], tuple(capital(one) for one in members), (sentence,), ordered=True
        )


def _kinds(sentence: Sentence) -> Iterator[Listing]:
    """ "three different types of forces: the gravity force, the drag force, and the buoyancy force"."""
    text = re.sub(r"\^\d+", "", " ".join(sentence.text.split()))
    found = _KINDS.search(text)
    members = _split(found["list"]) if found else ()
    if found and members and stands_alone(found["kind"]) and not re.search(r"[=_\\]", found["list"]):
        before = text[: found.start()].strip()
        if found["tail"]:
            question = f"Which of the following are {found['kind']}{found['tail']}?"
        elif before and 3 <= len(before.split()) <= 20 and stands_alone(before):
            question = f"{text[: found.end('kind')].strip()}: which of the following are they?"
        elif len(found["kind"].split()) > 1:
            question = f"Which of the following are {found['kind']}?"
        else:
            return
        yield Listing(capital(question), found["kind"], members, (sentence,))


def _such_as(sentence: Sentence, source: Analysed) -> Iterator[Listing]:
    """ "mathematical operations like addition, subtraction, and division"."""
    for i, token in enumerate(source.tokens):
        if token.tag not in ("NNS", "NNPS"):
            continue
        for preposition in source.children(i, "prep"):
            word = source.tokens[preposition].text.casefold()
            if word not in ("as", "like", "including"):
                continue
            target = source.child(preposition, "pobj")
            members = _members(source, target) if target is not None else ()
            category = _category(source, i)
            if members and category:
                yield Listing(
                    f"Which of the following are examples of {category}?", category, members, (sentence,)
                )


def _category(source: Analysed, head: int) -> str:
    inside = [k for k in source.below[head] if source.tokens[k].dep in ("amod", "compound") and k < head]
    words = [*inside, head]
    if not inside or words != list(range(words[0], head + 1)):
        return ""
    text = source.span(words[0], head)
    term = text[:1].lower() + text[1:] if words[0] == 0 and text[1:2].islower() else text
    return (
        term
        if stands_alone(term)
        and not re.search(
            r"\b(?:many|several|various|different|other|common|countless|certain|important)\b", term
        )
        else ""
    )


# --- order

_STEP = re.compile(r"^(?:Step|Phase|Stage)\s+(?P<number>\d{1,2})\s*[:.]\s*(?P<text>\S.*?)\.?$", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?:^|[\s,;])\(?(?P<number>\d)[.)]\s+(?P<text>[^\d].*?)(?=[,;]?\s+(?:and\s+)?\(?\d[.)]\s|[.;]?$)"
)
_ANNOUNCED = re.compile(
    r"\b(?:steps|stages|phases|procedure|in (?:this|the following) order|process|sequence|algorithm)\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"^(?:first|firstly|to begin with|second|secondly|third|thirdly|next|then|after that|afterwards|fourth|finally|lastly)\b,?\s+(?P<text>\w.*?)\.?$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"^In (?P<first>1\d{3}|20\d\d), |,? in (?P<last>1\d{3}|20\d\d)\.$")
_NO_EVENT = re.compile(
    r"\b(?:is|are|has|have|before|after|by|since|until|would|had|between|from|during|later|earlier)\b|\d",
    re.IGNORECASE,
)


def orders_of(sentences: Sequence[Sentence], path_title: str) -> Iterator[Listing]:
    """Steps in their order, from the sentences of a topic."""
    yield from _steps(sentences)
    yield from _numbered(sentences)
    yield from _first_then(sentences)
    yield from _events(sentences, path_title)
    yield from _sizes(sentences)


_SIZE = re.compile(
    r"(?<![-–.\d])(?P<number>\d+(?:\.\d+)?) for (?:an? |the )?(?P<what>[a-z][a-z -]+?)(?=,|\.| and | \()"
)
_QUANTITY = re.compile(
    r"^The (?P<name>[a-z]+(?: [a-z]+)?)(?:\^\d+)?(?: [A-Z]\w*)? (?:depends|varies|differs)\b"
)


def _sizes(sentences: Sequence[Sentence]) -> Iterator[Listing]:
    """ "The drag coefficient depends on the shape." "Values are: 0.45 for a sphere, 1.05 for a cube, …"."""
    for lead, one in pairwise(sentences):
        named = _QUANTITY.match(lead.text)
        sizes = {match["what"]: float(match["number"]) for match in _SIZE.finditer(one.text)}
        ranked = sorted(sizes, key=lambda what: sizes[what])[:MOST]
        if not named or len(ranked) < LEAST or len(set(sizes.values())) < len(sizes):
            continue
        question = f"Put these into the order of their {named['name']}, the smallest first."
        yield Listing(question, named["name"], tuple(map(capital, ranked)), (one, lead), ordered=True)


def _steps(sentences: Sequence[Sentence]) -> Iterator[Listing]:
    """ "Step 1: …", "Step 2: …" among other sentences."""
    found = [(match, one) for one in sentences if (match := _STEP.match(one.text)) is not None]
    runs: list[list[tuple[re.Match[str], Sentence]]] = []
    for match, one in found:
        number = int(match["number"])
        if number == 1:
            runs.append([])
        if runs and len(runs[-1]) == number - 1:
            runs[-1].append((match, one))
    for run in runs:
        if len(run) < LEAST:
            continue
        lead = _lead_before(sentences, run[0][1])
        if lead:
            yield Listing(
                f"Put the steps of {lead} into the right order.",
                lead,
                tuple(capital(match["text"]) for match, _ in run),
                tuple(one for _, one in run),
                ordered=True,
            )


def _lead_before(sentences: Sequence[Sentence], first: Sentence) -> str:
    """What the steps are the steps of, from the sentence that announces them."""
    at = sentences.index(first)
    for one in reversed(sentences[max(0, at - 6) : at]):
        named = re.match(
            r"(?P<what>(?:[A-Z]\w+ing|The \w+ (?:process|method|procedure|algorithm)).{3,80}?) (?:consists of|involves|has|requires|takes)\b.*\b(?:steps|stages|phases)\b",
            one.text,
        )
        if named and not re.search(r"[=^_{}\\()]", named["what"]):
            return named["what"][:1].lower() + named["what"][1:]
    return ""


def _numbered(sentences: Sequence[Sentence]) -> Iterator[Listing]:
    """ "… consists of the following steps:" and "1. …, 2. …, 3. …" in the sentence behind it."""
    for lead, one in pairwise(sentences):
        parts = list(_NUMBERED.finditer(one.text))
        if (
            not _ANNOUNCED.search(lead.text)
            or [int(part["number"]) for part in parts] != list(range(1, len(parts) + 1))
            or not LEAST <= len(parts) <= MOST
        ):
            continue
        named = re.match(
            r"(?P<what>.{8,120}?) (?:consists of|involves|has|requires|takes)\b.*\bsteps\b", lead.text
        )
        texts = [capital(part["text"].strip(" ,;.")) for part in parts]
        if named and all(_is_step(text) for text in texts) and stands_alone(named["what"]):
            what = re.sub(r"\s*\([\d.]+\)", "", named["what"])
            what = re.sub(r"\blike\b (?=by)", "", what)
            yield Listing(
                f"Put the steps of {what[:1].lower() + what[1:]} into the right order.",
                what,
                tuple(texts),
                (one, lead),
                ordered=True,
            )


def _is_step(text: str) -> bool:
    return 2 <= len(text.split()) <= 16 and not re.search(r"[=^_{}\\<>]", text)


def _first_then(sentences: Sequence[Sentence]) -> Iterator[Listing]:
    """ "First, … . Then, … . Finally, … ." one after the other."""
    for _, group in groupby(sentences, key=lambda one: bool(_ORDINAL.match(one.text))):
        run = list(group)
        matches = [match for one in run if (match := _ORDINAL.match(one.text)) is not None]
        if len(matches) < LEAST or not re.match(r"first|to begin", run[0].text, re.IGNORECASE):
            continue
        texts = [capital(match["text"]) for match in matches]
        if all(_is_step(text) and stands_alone(text) for text in texts):
            yield Listing(
                "Put these steps into the order in which they are done.",
                run[0].path[-1] if run[0].path else "",
                tuple(texts),
                tuple(run),
                ordered=True,
            )


def _events(sentences: Sequence[Sentence], title: str) -> Iterator[Listing]:
    """Sentences with one year each, which are events."""
    for path, group in groupby(sentences, key=lambda one: one.path):
        found: dict[int, tuple[str, Sentence]] = {}
        for one in group:
            match = _YEAR.search(one.text)
            if match is None or not may_be_asked(one.text) or len(one.text.split()) > 24:
                continue
            text = _YEAR.sub("", one.text).strip().rstrip(".")
            if stands_alone(text) and not _NO_EVENT.search(text) and not THE_BARE.search(text):
                found.setdefault(int(match["first"] or match["last"]), (capital(" ".join(text.split())), one))
        if len(found) >= LEAST:
            ordered = [found[year] for year in sorted(found)][:6]
            about = (path[-1] if path else title).replace("_", " ")
            question = f"Put these events into the order in which they happened ({about})."
            yield Listing(
                question,
                about,
                tuple(text for text, _ in ordered),
                tuple(one for _, one in ordered),
                ordered=True,
            )
