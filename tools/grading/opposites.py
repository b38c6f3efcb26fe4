"""Words that must not be taken for each other, however alike they look: negations, opposites, and terms one letter apart. Pure."""

from collections.abc import Collection, Sequence

NEGATIONS = frozenset(
    """not no never non without neither nor none nothing nobody cannot cant dont doesnt isnt arent wasnt werent didnt wont fail fails
    hardly barely nicht kein keine keinen keinem keiner keines nie niemals ohne weder nichts pas jamais sans aucun aucune
    false falsch faux unlike except""".split()
)
HEDGES = frozenset("or oder ou either entweder perhaps maybe vielleicht possibly".split())

_OPPOSITES = """
increas raise raises raised grow rise rises rising rose risen higher up more most gain above greater larg bigger|decreas shrink fall falls falling fell fallen
lower down less least fewer lose loses lost below smaller small little
high|low
start begin first before earl|end ends ended finish last after late
inside inner internal intern|outside outer external extern
absorb take|release emit give
oxidi oxidation|reduc reduction
anode|cathode
acid|base basic alkal
north|south
east|west
left|right
positiv|negativ
maximum maxima maximal|minimum minima minimal
attract|repel repuls
expand|contract
open|clos
hot warm heat|cold cool
fast quick rapid|slow
always|never
all every|some none
active|passive
convex|concave
import|export
supply|demand
parent|child daughter
male|female
push|pull
series|parallel
dominant|recessive
arter|vein ven
endothermic|exothermic
endo|exo
hyper|hypo
inter|intra
anabol|catabol
prokaryot|eukaryot
aerobic|anaerobic
mitosis|meiosis
dna|rna
produc produit produis|consum consom
strong|weak
light lighter|heav dark
independent|dependent
necessary|sufficient
true|false
constructive|destructive
steig zunehm zunahme wächst höher mehr größer grösser mehr gewinn|sink abnehm abnahme fäll niedriger tiefer weniger kleiner verlier
hoch|niedrig tief
innen|außen aussen
anfang beginn erst vor|ende letzt nach
aufnehm|abgeb
augment|diminu
haut|bas
plus|moins
avant|après apres
dedans|dehors
"""
OPPOSITES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = tuple(
    (tuple(one.split()), tuple(other.split()))
    for one, _, other in (
        pair.partition("|") for pair in _OPPOSITES.replace("\nlower", " lower").strip().splitlines()
    )
)
_ENDINGS = (
    ("ate", "ite"), ("ate", "ide"), ("ite", "ide"), ("ane", "ene"), ("ane", "yne"), ("ene", "yne"), ("ose", "ase"), ("ium", "ia"),
    ("ous", "ic"), ("er", "ee"), ("or", "ee"), ("an", "in"), ("ol", "al"), ("at", "it"), ("at", "id"), ("it", "id"), ("an", "en"),
    ("yl", "ol"), ("amine", "amide"), ("blast", "clast"), ("cyte", "cide"),
)  # fmt: skip
_PREFIXES = (
    "un",
    "in",
    "im",
    "ir",
    "il",
    "dis",
    "non",
    "anti",
    "de",
    "a",
    "an",
    "mis",
    "counter",
    "kontra",
    "gegen",
)
SHORTEST_STEM = 3


def negated(words: Sequence[str]) -> bool:
    """Whether the words as a whole deny: an odd number of negations."""
    return sum(word in NEGATIONS or word.endswith("n't") for word in words) % 2 == 1


def apart(a: str, b: str) -> bool:
    """Two words that differ by what makes another term of them: nitrate and nitrite, saturated and unsaturated."""
    for one, other in ((a, b), (b, a)):
        if any(one == prefix + other for prefix in _PREFIXES):
            return True
        for x, y in _ENDINGS:
            if one.endswith(x) and other.endswith(y) and one.removesuffix(x) == other.removesuffix(y):
                return True
    return opposite([a], [b])


def opposite(a: Collection[str], b: Collection[str]) -> bool:
    """Whether one text has a word where the other has only its opposite."""
    for one, other in OPPOSITES:
        a_one, a_other, b_one, b_other = (_any(words, side) for words in (a, b) for side in (one, other))
        if (a_one and b_other and not a_other and not b_one) or (
            a_other and b_one and not a_one and not b_other
        ):
            return True
    return any(x != y and x.removeprefix(p) == y for x in a for y in b for p in _PREFIXES if len(y) > SHORTEST_STEM and x.startswith(p)) or any(
        x != y and y.removeprefix(p) == x for x in a for y in b for p in _PREFIXES if len(x) > SHORTEST_STEM and y.startswith(p)
    )  # fmt: skip


def _any(words: Collection[str], stems: Sequence[str]) -> bool:
    """Short stems are whole words; longer ones also begin a word."""
    return any(
        word == stem or (len(stem) > SHORTEST_STEM and word.startswith(stem))
        for word in words
        for stem in stems
    )
