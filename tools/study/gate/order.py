"""Whether the material gives an order to what is to be put into one: numbers, words of sequence between the things, or a sentence that
calls them steps. Without these an order is only the one in which things happen to be named. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise

from tools.notes.terms import WORD, Stems
from tools.study.gate.told import Told
from tools.study.gate.view import View
from tools.study.gate.words import content, has_run, number_words, numbers, root, words

_CALLED_AN_ORDER = re.compile(
    r"""
    \b(?: (?<!time\ )steps?(?!\ (?:size|length)) | stages? | phases? | procedures? | life[ -]?cycles? | pipelines? | timelines? | chronolog\w* | hierarch\w*
    | (?<!time\ )levels | layers | rank(?:s|ed|ing)? | precedence | priorit\w+ | successive(?:ly)? | sequential(?:ly)? | consecutive(?:ly)?
    | one\ (?:after|by)\ (?:the\ other|another|one) | in\ turn | (?:in|by)\ (?:\w+\ ){0,3}order(?!\s+to\b)
    | order(?:ed|ing)\ (?:as|by|from|of) | order\ (?:in\ which|of\ (?:the\ )?(?:execution|evaluation|operations?|steps|events?))
    | sequence\ of\ (?:\w+\ )?(?:steps|events|actions|operations|tasks|instructions)
    | becom(?:es?|ing) | turns?\ into | (?:trans|con|re)(?:formed|verted)\ into | pass(?:es)?\ through
    | schritte?n? | phasen? | stufen? | reihenfolge | nacheinander | étapes? | ordre | successivement | pasos | etapas | fases
    )\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Says of things that they have an order, wherever it stands in the evidence. A time step or level of numerics does not."""
_ORDINALS = "first|firstly|second|secondly|third|thirdly|fourth|fifth|finally|lastly|last"
_NOT_IN_TIME = (
    r"arguments?|parameters?|order|degree|derivatives?|hand|person|sight|column|row|letter|index|digit|time"
)
_SEQUENCE = re.compile(
    rf"""
    \b(?: (?:{_ORDINALS})(?!-)(?!\s(?:{_NOT_IN_TIME})\b) | then | next | afterwards? | after | before | until | later | earlier | followed\ by
    | (?<!as\ )follows? | precede[sd]?(?:\ by)? | preceding | prior\ to | subsequent(?:ly)? | begins? | begin(?:ning)? | starts?\ with
    | starting | ends? | ending | initial(?:ly)? | eventually | once | leads?\ to | results?\ in | gives?\ rise\ to | previous(?:ly)?
    | (?:(?!other|rather)\w+er|more|less)\ than
    | zuerst | zunächst | dann | danach | anschließend | schließlich | zuletzt | bevor | nachdem | gefolgt\ von
    | d['’]abord | ensuite | puis | enfin | après | avant | primero | luego | después | finalmente | antes
    )\b
    | (?:->|→|⇒)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Puts what stands around it into an order. "The following", "as follows" and "other than" do not."""
_COUNTED_UP = re.compile(
    r"\b(?:first|erste[nrs]?|première?|primer[ao]?)\b.*\b(?:second|zweite[nrs]?|deuxième|segund[ao])\b",
    re.IGNORECASE | re.DOTALL,
)
_BEFORE = 6
"""Words before the first thing within which a word of sequence is about it: "After the first step of X, …"."""
_NUMBERED = re.compile(
    r"(?:^|[\s(])(?:(?P<step>\d{1,2})[.):]|(?:step|phase|stage|schritt|étape|paso)\s+(?P<named>\d{1,2}))(?=\s|:)",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"\bfrom\b[^.;]*?\b(?:through|over|via|to)\b", re.IGNORECASE)
_MEASURED = re.compile(
    r"\b(?:earliest|latest|oldest|newest|youngest|first|last|smallest|largest|lowest|highest|shortest|longest|slowest|fastest|lightest|heaviest|least|most|ascending|descending|increasing|decreasing|size|number|value|years?|dates?|happened|appear\w*|chronological\w*|by (?:their|its|the)|order of their|history)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:1\d{3}|20\d\d)\b")


def has_order(view: View, told: Told, stems: Stems) -> bool:
    """Whether the evidence, its heading or the sentence before it gives the things of an ordering an order."""
    evidence = view.evidence
    lead = told.before(view.item.evidence[0])
    headings = " ".join(one.path[-1] for one in view.item.evidence if one.path)
    said = _without_things(evidence, view.keys)
    if any(_CALLED_AN_ORDER.search(text) for text in (said, lead, headings)) or _COUNTED_UP.search(said):
        return True
    return _are_numbered(evidence) or _are_measured(view) or _stands_between(view, evidence, stems)


def _without_things(evidence: str, things: Sequence[str]) -> str:
    """What is said around them: "stage" in the name of one thing says nothing of an order."""
    for thing in sorted(things, key=len, reverse=True):
        evidence = re.sub(re.escape(thing), " ", evidence, flags=re.IGNORECASE)
    return evidence


def _are_numbered(evidence: str) -> bool:
    """1. … 2. …"""
    found = [int(match["step"] or match["named"]) for match in _NUMBERED.finditer(evidence)]
    return any(after == before + 1 for before, after in pairwise(found))


def _are_measured(view: View) -> bool:
    """A number or a year for each thing, and the question asks by it."""
    years = set(_YEAR.findall(view.evidence))
    if len(years) >= len(view.keys):
        return True
    told = set(numbers(view.evidence)) | number_words(view.evidence)
    return len(told) >= len(view.keys) and bool(_MEASURED.search(view.asked))


def _stands_between(view: View, evidence: str, stems: Stems) -> bool:
    """A word of sequence between the things, or shortly before the first."""
    spots = sorted(place_of(key, evidence, stems) for key in view.keys)
    starts = [match.start() for match in WORD.finditer(evidence)]
    if not starts:
        return False
    last = max(spots)
    longest = max(len(words(key)) for key in view.keys)
    first = starts[max(0, min(spots) - _BEFORE)]
    end = starts[min(len(starts) - 1, last + longest)] + 1
    around = _without_things(evidence[first:end], view.keys)
    return bool(_SEQUENCE.search(around) or _FROM_TO.search(around))


def place_of(thing: str, evidence: str, stems: Stems) -> int:
    """The word of the evidence from which on most of the thing's words follow."""
    told = [root(word, stems) for word in words(evidence)]
    wanted = [root(word, stems) for word in content(thing, stems) or words(thing)]
    for first in range(len(told) - len(wanted) + 1):
        if has_run(wanted, told[first : first + len(wanted)]):
            return first
    window = len(wanted) + 4
    counts = [sum(word in told[i : i + window] for word in set(wanted)) for i in range(len(told))]
    return counts.index(max(counts)) if counts else 0
