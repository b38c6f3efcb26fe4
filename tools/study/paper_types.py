"""Of what type a question of an exam paper is, by its form and its words. Pure."""

import re
from collections.abc import Sequence

from tools.study.keys import QuestionType

CHOOSES = re.compile(
    r"\b(?:which (?:one )?of the (?:following|these)|which (?:statement|option|answer)|choose|select|circle|tick|mark the|welche (?:der|dieser|aussage|antwort)|kreuzen|markieren|wählen sie|ankreuzen)\b",
    re.IGNORECASE,
)
TELLS = re.compile(
    r"^(?:please\s+|bitte\s+)?(?:define|explain|describe|name|state|list|give|calculate|find|compute|determine|draw|sketch|discuss|compare|write|solve|prove|show|derive|outline|suggest|evaluate|identify|sort|match|arrange|put|complete|fill|use|how|why|nennen|erklären|beschreiben|berechnen|bestimmen|geben|definieren|zeichnen|skizzieren|vergleichen|beweisen|zeigen|lösen|erläutern|begründen|ordnen|warum|wie)\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:all that apply|(?:select|choose|tick|mark|circle) (?:all|two|three|2|3)|which (?:two|three)|one or more|which of the (?:following|these)(?: \w+)? are|mehrere|alle (?:zutreffenden|richtigen|korrekten)|welche (?:zwei|drei)|welche der (?:folgenden )?\w+ (?:sind|treffen))\b",
    re.IGNORECASE,
)
_TRUTH = re.compile(
    r"\b(?:true\s*(?:/|or)\s*false|t\s*/\s*f|(?:richtig|wahr)\s*(?:/|oder)\s*falsch)\b", re.IGNORECASE
)
_MATCH = re.compile(
    r"\b(?:match (?:the|each|these)|ordnen sie\b.*\bzu\b|verbinden sie)\b", re.IGNORECASE | re.DOTALL
)
_ORDER = re.compile(
    r"\b(?:(?:put|arrange|place|list|number)\b.*\b(?:in|into) (?:the |their )?(?:correct |right |chronological |proper |logical )*(?:order|sequence)|richtige reihenfolge|der reihe nach)\b",
    re.IGNORECASE | re.DOTALL,
)
BLANK = re.compile(r"_{3,}|\.{6,}|…{2,}")
_FILL = re.compile(r"\b(?:fill in|complete the|ergänzen|vervollständigen|füllen|setzen sie)\b", re.IGNORECASE)


def guessed(text: str, options: Sequence[str], above: str) -> QuestionType:
    """By the form first, then by the words of the question, then by those `above` it: what it is a part of, its heading."""
    words = {option.casefold().strip(" .") for option in options}
    if words and words <= {"true", "false", "richtig", "falsch", "wahr"}:
        return "true_false"
    if len(options) >= 2:
        return "multiple_answer" if _SEVERAL.search(text) else "multiple_choice"
    for said in (text, above):
        if _TRUTH.search(said):
            return "true_false"
        if BLANK.search(text) and (_FILL.search(said) or len(BLANK.split(text)[0].split()) >= 2):
            return "cloze"
        if _MATCH.search(said):
            return "matching"
        if _ORDER.search(said):
            return "ordering"
    return "short_answer"
