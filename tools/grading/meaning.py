"""Whether two sentences mean the same, as far as vectors and words can tell. Careful: what it cannot tell is not the same. Pure.

Cosine alone cannot tell: in tests/study/graded_answers.json "Friction turns heat into kinetic energy" is nearer to its reverse
(0.99) than most right answers are to their key. So the words decide as well.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from tools.grading.numbers import quantities
from tools.grading.opposites import HEDGES, negated, opposite
from tools.grading.wording import singular, words_of

ALIKE = 0.65
"""Least cosine to the key. Nothing in the set that the words let pass lies below; it stops nonsense made of the right words."""
MOST_NEW = 2
"""Content words that the answer may add to those of the key and the question."""
FEWEST_WORDS = 3
"""Content words of a key that has a meaning of its own; shorter ones are terms, and are matched letter by letter."""

_EMPTY = frozenset(
    """a an the of to in on at by for from with into as that this these those it its they them their there here is are was were be
    been being has have had do does did will would can could may might must should shall so such than then thus hence because since
    while when where which who whom whose what how and or but if also just only very much most more some any each every all both
    one another other own same about between through during over under per via within you we i he she his her our your get gets got
    give gives given take takes taken mean means need needs let lets
    der die das den dem des ein eine einen einem einer eines und oder aber wenn weil dass daß ist sind war waren wird werden wurde
    hat haben im in an am auf aus bei mit nach seit von vom zu zum zur für durch über unter vor es sie er sich ihre ihr ihren sein
    seine als auch nur sehr man bevor nachdem
    le la les l un une des du de d et ou mais si est sont était a ont à au aux en dans par pour sur avec qui que se sa son ses leur
    leurs il elle ils elles ce cette ces on ne pas plus""".split()
)  # fmt: skip
_SAME = """make makes made produce produces produced create creates created generate generates form forms formed shape shapes shaped
release releases released emit emits emitted
lower lowers lowered reduce reduces reduced decrease decreases decreased
raise raises raised increase increases increased
turn turns turned convert converts converted transform transforms transformed become becomes
protect protects protected defend defends defended
copy copies copied duplicate duplicates duplicated
carry carries carried transport transports transported
call calls called invoke invokes invoked
inside within
fall falls fell drop drops dropped
fast faster quick quicker quickly rapid rapidly
big large great
begin begins began start starts started
end ends ended finish finishes finished
show shows showed demonstrate demonstrates
use uses used consume consumes consumed
verdoppeln verdoppelt dupliziert kopiert
erzeugt erzeugen produziert produzieren bildet bilden"""
_GROUPS = {word: n for n, line in enumerate(_SAME.splitlines()) for word in line.split()}
_QUANTITIES = frozenset(
    """all half quarter third double twice most some only both several many few single one two three alle halb hälfte viertel drittel
    doppelt meisten einige nur beide mehrere tous toutes moitié quart tiers double plupart seul seulement""".split()
)
_TURNED = frozenset("by von vom durch par".split())
"""Somewhere in the sentence: it is the passive."""
_FRONTED = frozenset(
    """when if because since during with in at on after before through while wenn weil da während mit bei vor nach durch falls
    quand si à pendant avec dans après avant lorsque""".split()
)
"""At its beginning: a part was put in front."""
_SHORTEST_STEM = 4
_ENDINGS = ("ations", "ation", "ities", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "ed", "er", "es", "en", "ly", "ity", "al", "e", "s", "n")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Likeness:
    new: int
    """Content words that the answer adds."""
    missing: int
    """Content words of the key that it does not have, those of the question apart."""
    unsaid: int
    """Content words of the key that it does not have at all."""
    swapped: bool
    """The words are the key's, in another order, and nothing says that the sentence was turned round."""
    contradicts: str | None
    """Why it cannot be the same, in a sentence."""


def likeness(key: str, given: str, question: str = "") -> Likeness:
    ours, theirs, asked = content(key), content(given), content(question)
    wanted = [word for word in ours if not _among(word, asked)] or ours
    unsaid = sum(not _among(word, theirs) for word in ours)
    missing = sum(not _among(word, theirs) for word in wanted)
    new = sum(not _among(word, [*ours, *asked]) for word in theirs)
    common = [word for word in ours if _among(word, theirs)]
    places = [_place(word, theirs) for word in common]
    return Likeness(
        new=new,
        missing=missing,
        unsaid=unsaid,
        swapped=places != sorted(places) and _turned(words_of(key)) == _turned(words_of(given)),
        contradicts=contradiction(key, given),
    )


def _turned(words: Sequence[str]) -> bool:
    """Whether a sentence says that it is in the passive, or begins with what usually comes later."""
    return bool(set(words) & _TURNED) or (bool(words) and words[0] in _FRONTED)


def contradiction(key: str, given: str) -> str | None:
    """Why two sentences cannot say the same: a denial, an opposite, another number, a hedge."""
    ours, theirs = words_of(key), words_of(given)
    if negated(ours) != negated(theirs):
        return "One of the two denies what the other says."
    if (HEDGES & set(theirs)) - set(ours):
        return "It leaves open which of two things it means."
    if opposite(set(ours), set(theirs)):
        return "It says the opposite of a word of the key."
    if (_QUANTITIES & set(ours)) ^ (_QUANTITIES & set(theirs)):
        return "It says something else about how many or how much."
    wanted, said = quantities(key), quantities(given)
    if any(not any(set(one.values) & set(other.values) for other in wanted) for one in said):
        return "It names another number."
    return None


def content(text: str) -> list[str]:
    """Words that carry meaning, each once, in order."""
    return list(
        dict.fromkeys(
            word for word in words_of(text) if word not in _EMPTY and (len(word) > 1 or word.isdigit())
        )
    )


def _among(word: str, words: Collection[str]) -> bool:
    return any(_same(word, other) for other in words)


def _place(word: str, words: Sequence[str]) -> int:
    return next(n for n, other in enumerate(words) if _same(word, other))


def _same(a: str, b: str) -> bool:
    """The same word in another form: release, releases, released."""
    if a == b or singular(a) == singular(b):
        return True
    if a in _GROUPS and _GROUPS[a] == _GROUPS.get(b):
        return True
    one, other = _stem(a), _stem(b)
    if one == other or (
        min(len(one), len(other)) > _SHORTEST_STEM + 1 and (one.startswith(other) or other.startswith(one))
    ):
        return True
    return (
        min(len(a), len(b)) >= 2 * _SHORTEST_STEM and a[0] == b[0] and OSA.distance(a, b, score_cutoff=1) <= 1
    )


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


def says_the_same(found: Likeness, cosine: float) -> bool:
    """Whether an answer of this likeness is right. A new word where one of the question is missing may stand for another thing."""
    return (
        not found.contradicts
        and not found.swapped
        and not found.missing
        and found.new <= (0 if found.unsaid else MOST_NEW)
        and cosine >= ALIKE
    )
