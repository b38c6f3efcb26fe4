"""Whether of the options only the right one names what the question is about: "What is an object?" – "An object is …". Pure."""

import re

from tools.notes.terms import Stems
from tools.study.gate.view import BLANK, View
from tools.study.gate.words import content, root, words

_ASKED = re.compile(
    r"""
    ^(?: (?:what|who|how|why|when|where)\ (?:is|are|was|were|does|do|did|can|should|must)
    | (?:what|which)\b [^?]*? \b(?:describes?|defines?|explains?|characteri[sz]es?|summari[sz]es?|(?:is|are|holds?|applies)\ (?:(?:not\ )?(?:true|correct|right|false)\ )?(?:of|about|for|to)|about)
    | was\ (?:ist|sind|macht|bedeutet|bezeichnet|bezeichnen|versteht\ man\ unter) | (?:wie|warum|wozu)\ (?:ist|sind|wird|werden|dient|dienen)
    | qu['’]est[- ]ce\ qu['’e] | qué\ (?:es|son)
    )\s+
    (?: (?:an?|the|each|all|ein|eine|einen|einem|einer|der|die|das|une?|l[ae]s?|el|los|una?)\s+ )?
    (?: (?:\w+\s+){0,2}(?:purposes?|roles?|functions?|definitions?|meanings?|uses?|goals?|aims?|benefits?|advantages?|tasks?|characteristics?|features?|properties|property|job)\s+(?:of|for)\s+(?:(?:an?|the|using)\s+)? )?
    (?P<subject>[^?.,;:]+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ENDS = frozenset(
    """
    of in on for to with by from at as that which who when if while where than like used use mean means called known considered defined
    described made return returns do does have has had help helps contain contains represent represents refer refers stand stands work works
    differ happen happens occur occurs allow allows not so and or is are can must should important useful necessary needed required
    """.split()
)
"""The subject of a question does not go on behind these."""
_SEVERAL = re.compile(r",|\b(?:and|or|und|oder|et|ou|y|o)\b", re.IGNORECASE)
"""Behind the first word asked about: of several subjects no option need name each."""
_MOST_WORDS = 4
_NAMES_IT_TOO = re.compile(
    r"^(?:it|its|they|their|these|this|he|she|er|sie|es|il|elle|ils|elles)\b", re.IGNORECASE
)
_SAID = 3
"""Words from which on an option says something of the subject; a shorter one is a term, which other rules look at."""


def only_right_names_subject(view: View, stems: Stems) -> bool:
    """Whether every right option has a word of the subject and no wrong one has, nor a pronoun in its place."""
    if len(view.wrong) < 2 or BLANK in view.asked or not view.keys:
        return False
    subject = set(_subject(view.asked, stems))
    if not subject or any(_NAMES_IT_TOO.match(option.strip()) for option in view.wrong):
        return False
    return all(len(words(key)) >= _SAID and subject & _roots(key, stems) for key in view.keys) and not any(
        subject & _roots(option, stems) for option in view.wrong
    )


def _subject(asked: str, stems: Stems) -> list[str]:
    """Roots of the words that carry meaning in what is asked about."""
    asked = asked.strip()
    match = _ASKED.match(asked)
    if not match or _SEVERAL.search(asked[match.start("subject") :]):
        return []
    said = []
    for word in words(match["subject"])[:_MOST_WORDS]:
        if word in _ENDS:
            break
        said.append(word)
    return [root(word, stems) for word in content(" ".join(said), stems)]


def _roots(text: str, stems: Stems) -> set[str]:
    return {root(word, stems) for word in words(text)}
