"""Definitions in other languages, by the turns of phrase that give them; nothing is parsed there. Pure.

A language has the types that these definitions and gaps over its key terms allow, and no others.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.notes import cues
from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.notes.terms import key_terms, tokens
from tools.study.port import Topic

_GERMAN_NOUN = r"(?:[a-zäöüß]{4,}(?:e|er|es|en) )?[A-ZÄÖÜ][\wäöüß-]{2,}(?: [A-ZÄÖÜ][\wäöüß-]+)?"
_ROMANCE_NOUN = r"[\wà-ÿ'’-]+(?: (?:de |d['’]|du |des |del |de la )?[\wà-ÿ'’-]+){0,2}"


@dataclass(frozen=True, slots=True)
class Tongue:
    """How a language defines, points and asks. Patterns have the groups `term`, `meaning` and perhaps `article`."""

    patterns: tuple[re.Pattern[str], ...]
    pointing: re.Pattern[str]
    ask_term: str
    ask_meaning: str
    """Of a term without article, in quotes: cases and genders need not be known."""
    match: str
    joining: str


TONGUES: Mapping[str, Tongue] = {
    "de": Tongue(
        (
            re.compile(
                rf"^(?P<article>Ein|Eine|Der|Die|Das) (?P<term>{_GERMAN_NOUN}) (?:ist|sind) (?P<meaning>(?:ein|eine|der|die|das) (?!Beispiel|Grund|Ziel|Vorteil|Nachteil|Teil|Frage|Problem|Folge)\w.{{18,}})\.$"
            ),
            re.compile(
                r"^(?P<term>[A-ZÄÖÜ][\wäöüß-]{3,}) (?:ist|sind) (?P<meaning>(?:ein|eine|der|die|das) (?!Beispiel|Grund|Ziel|Vorteil|Nachteil|Teil|Frage|Problem|Folge)\w.{18,})\.$"
            ),
            re.compile(
                rf"^(?:Unter|Als) (?:(?:einem|einer|der|dem|den) )?(?P<term>{_GERMAN_NOUN}) (?:versteht|bezeichnet) man (?P<meaning>.{{15,}})\.$"
            ),
            re.compile(
                rf"^(?P<meaning>(?:Ein|Eine|Der|Die|Das) .{{15,}}?),? (?:heißt|heißen|nennt man|wird|werden) (?:als )?(?P<term>{_GERMAN_NOUN})(?: bezeichnet| genannt)?\.$"
            ),
        ),
        re.compile(
            r"\b(?:dies\w*|jene\w*|solche\w*|er|sie|es|ihn|ihm|ihr\w*|sein\w{0,2}|dabei|dadurch|damit|dafür|daher|deshalb|hier|dort|oben|unten|folgende\w*|obige\w*|wir|uns|unser\w*|ich|Sie|Ihnen|man sieht|(?:Abbildung|Abb\.|Tabelle|Kapitel|Abschnitt|Gleichung|Aufgabe) \d+|letztere\w*|erstere\w*|auch|also)\b|[=^_{}\\<>|∆]"
        ),
        "Welcher Begriff ist gemeint? „{}“",
        "Was bedeutet der Begriff „{}“?",
        "Ordne jedem Begriff seine Bedeutung zu: {}.",
        " und ",
    ),
    "fr": Tongue(
        (
            re.compile(
                rf"^(?P<article>Une?|L[ea]|Les) (?P<term>{_ROMANCE_NOUN}) (?:est|sont) (?P<meaning>(?:une?|l[ea]|les|des) (?!exemple|raison|but|partie|question|problème)\w.{{18,}})\.$"
            ),
        ),
        re.compile(
            r"\b(?:ce|cet|cette|ces|celui|celle|ceux|celles|il|elle|ils|elles|on|nous|vous|notre|votre|ici|là|(?:figure|tableau|chapitre|section|équation|exercice) \d+|aussi|donc|suivante?s?)\b|[=^_{}\\<>|∆]",
            re.IGNORECASE,
        ),
        "De quel terme s’agit-il ? « {} »",
        "Que signifie le terme « {} » ?",
        "Associez chaque terme à sa signification : {}.",
        " et ",
    ),
    "es": Tongue(
        (
            re.compile(
                rf"^(?P<article>Una?|El|La|Los|Las) (?P<term>{_ROMANCE_NOUN}) (?:es|son) (?P<meaning>(?:una?|el|la|los|las) (?!ejemplo|razón|parte|cuestión|problema)\w.{{18,}})\.$"
            ),
        ),
        re.compile(
            r"\b(?:este|esta|estos|estas|ese|esa|eso|esto|aquel|aquella|él|ella|ellos|ellas|nosotros|aquí|allí|(?:figura|tabla|capítulo|sección|ecuación|ejercicio) \d+|también|siguientes?)\b|[=^_{}\\<>|∆]",
            re.IGNORECASE,
        ),
        "¿De qué término se trata? «{}»",
        "¿Qué significa el término «{}»?",
        "Relacione cada término con su significado: {}.",
        " y ",
    ),
}
_ELSEWHERE = re.compile(r"\bhttps?:|www\.|\(\d+(?:\.\d+)+\)|\[\d+\]|©")
_WITHIN = re.compile(r"(?<=[a-zäöüß,] )[A-ZÄÖÜ][\w-]{2,}")
_SECOND_VERB = re.compile(r",? und [a-zäöü]+t (?!(?:und|wird|werden|ist|sind|hat|haben|worden)\b)")
TERMS = 14
GERMAN_OPENING = re.compile(
    r"^(?:Also|Daher|Deshalb|Außerdem|Ferner|Jedoch|Allerdings|Somit|Dann|Nun|Aber|Und|Oder|Denn)\b"
)


@dataclass(frozen=True, slots=True)
class Definition:
    term: str
    article: str
    meaning: str
    sentence: Sentence
    gap: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gap:
    """A key term that may be left out of its sentence."""

    term: str
    sentence: Sentence
    place: tuple[int, int]


def tongue_of(language: str | None) -> Tongue | None:
    return TONGUES.get((language or "").split("-")[0].casefold())


def definitions_in(sentences: Sequence[Sentence], tongue: Tongue) -> Iterator[Definition]:
    """Each term once. Without an article a term must be a name: written with a capital also within a sentence."""
    seen: set[str] = set()
    names = {word for one in sentences for word in _WITHIN.findall(one.text)}
    for one in sentences:
        if not _may_be_asked(one.text, tongue):
            continue
        for pattern in tongue.patterns:
            match = pattern.match(one.text)
            if match is None:
                continue
            term, meaning = match["term"], match["meaning"]
            is_name = bool(match.groupdict().get("article")) or term.split()[-1] in names
            if not is_name or _SECOND_VERB.search(meaning) or not _names_a_kind(meaning, tongue):
                break
            if (
                term.casefold() not in seen
                and _stem(term) not in meaning.casefold()
                and len(meaning.split()) >= 4
            ):
                seen.add(term.casefold())
                article = (match.groupdict().get("article") or "").casefold()
                yield Definition(term, article, meaning, one, match.span("term"))
            break


def gaps_in(topic: Topic, lexicon: Lexicon) -> Iterator[Gap]:
    """One a sentence: the longest of the topic's key terms that stands in it once."""
    tongue = tongue_of(topic.language)
    spread, parts = lexicon.spread, lexicon.parts
    terms = key_terms([tokens(one.text, lexicon.stems) for one in topic.sentences], spread, parts, TERMS)
    able = sorted((term for term in terms if len(term) >= 4), key=lambda term: (-len(term), term))
    for one in topic.sentences:
        if not _may_be_asked(one.text, tongue):
            continue
        held = [term for term in able if term.casefold() in one.text.casefold()]
        for term in held if len(held) >= 2 else []:
            places = [
                match.span()
                for match in re.finditer(rf"(?<![\w-]){re.escape(term)}(?![\w-])", one.text, re.IGNORECASE)
            ]
            if len(places) != 1 or not places[0][0] or not _is_whole_noun(one.text, places[0], tongue):
                continue
            if one.text[places[0][0] - 1] == " " and one.text.casefold().count(_stem(term)) == 1:
                yield Gap(one.text[slice(*places[0])], one, places[0])
                break


def _is_whole_noun(text: str, place: tuple[int, int], tongue: Tongue | None) -> bool:
    """German: only nouns, and no part of a longer name ("San Diego", "Europäische Union")."""
    if tongue is not TONGUES["de"]:
        return True
    before, after = text[: place[0]].split(), text[place[1] :].split()
    beside = [*before[-1:], *after[:1]]
    return all(word[:1].isupper() for word in text[slice(*place)].split()) and not any(
        word[:1].isupper() for word in beside
    )


def _names_a_kind(meaning: str, tongue: Tongue) -> bool:
    """German nouns are seen by their capital: there is one right behind the article and its adjectives."""
    return tongue is not TONGUES["de"] or any(word[:1].isupper() for word in meaning.split()[1:5])


def _stem(term: str) -> str:
    words = term.casefold().split()
    return words[-1][: max(4, len(words[-1]) - 2)]


def _may_be_asked(text: str, tongue: Tongue | None) -> bool:
    words = len(text.split())
    if not 6 <= words <= 35 or not text.endswith(".") or not text[:1].isupper() or cues.is_housekeeping(text):
        return False
    if _ELSEWHERE.search(text) or cues.points_back(text) or GERMAN_OPENING.match(text):
        return False
    return not (
        tongue.pointing.search(text[:1].lower() + text[1:]) if tongue else re.search(r"[=^_{}\\<>|∆]", text)
    )
