"""Whether an item can be understood by itself: nothing it only points at, and nothing that stands elsewhere. Pure."""

import re
from collections.abc import Iterator

from tools.notes.terms import Stems
from tools.study.gate.view import BLANK, View
from tools.study.gate.words import FUNCTION_WORDS, is_content, words

_I = re.IGNORECASE
_NUMBERED = (
    r"(?:figures?|figs?\.|tables?|tabs?\.|sections?|chapters?|chap\.|equations?|eqs?\.|eqns?\.|exercises?|listings?|examples?|pages?|pp?\.|slides?|lines?|steps?|problems?|appendix|theorems?|lemmas?|footnotes?|parts?|"
    r"abbildung|abb\.|tabelle|kapitel|abschnitt|gleichung|aufgabe|seite|beispiel|satz|chapitre|tableau|équation|exercice|capítulo|tabla|ecuación|ejercicio)"
)
_PLACES = r"(?:figures?|tables?|sections?|chapters?|equations?|exercises?|examples?|code|programs?|listings?|illustrations?|images?|pictures?|diagrams?|formulas?|graphs?|plots?|charts?|texts?|passages?|paragraphs?|discussions?|expressions?|experiments?|questions?|steps?|slides?|pages?|problems?|lines?|sketch|case|animation|video|interactive|outputs?)"
_NEIGHBOURS = r"(?:figures?|tables?|sections?|subsections?|chapters?|equations?|exercises?|examples?|code|programs?|listings?|illustrations?|diagrams?|formulas?|graphs?|plots?|paragraphs?|discussions?|experiments?|slides?|pages?|lectures?)"
_ELSEWHERE = [
    re.compile(rf"\b{_NUMBERED}\s*~?\(?(?:\d+(?:\.\d+)*|[A-Z]\.\d+|[IVX]+\b)", _I),
    re.compile(r"(?<![\w)])\(\d+\.\d+[a-z]?\)|(?<=\s)\[\d+(?:,\s*\d+)*\](?=[\s.,;?]|$)"),
    re.compile(r"\b(?:as|is|are|was|were|been) (?:shown|seen|illustrated|depicted|displayed|listed|described|discussed|mentioned|noted|explained|demonstrated|introduced|presented|given|indicated) (?:above|below|earlier|before|previously|here|in the (?:figure|table|code|example|illustration|animation|previous|next|following|next)|later)\b", _I),
    re.compile(r"\bas (?:shown|seen|illustrated|depicted|displayed|indicated|mentioned|discussed|noted)\b", _I),
    re.compile(rf"\b(?:above|preceding|aforementioned|below[- ]mentioned|foregoing) {_PLACES}\b|\b{_PLACES} (?:shown |given |listed |displayed )?(?:above|below|on the (?:left|right)|opposite|overleaf)\b|\bthe (?:above|below)\b", _I),
    re.compile(rf"\b(?:the|this|these|our|a) (?:previous|next|following|last|preceding|present|current|earlier|subsequent|upcoming|later|above) {_NEIGHBOURS}\b", _I),
    re.compile(r"\b(?:in|of|by|throughout) (?:this|the present|these) (?:book|chapter|section|course|lecture|text|exercise|document|slide|notes|example|module|paper|article|study|writings)\b|^this (?:book|chapter|section|course|lecture|document|exercise|paper)\b", _I),
    re.compile(r"\b(?:see|cf\.|recall|refer to|look at|consult) (?:also )?(?:the )?(?:figure|table|section|chapter|appendix|equation|exercise|reference)", _I),
    re.compile(r"\b(?:according to the (?:text|passage|authors?|excerpt|paragraph|lecture|material|document|source|book|slide|reading|sentence|snippet|context)|(?:in|from|by|of) the (?:passage|authors?|excerpt|(?:given|provided|source) (?:text|material|context)|figure|illustration))\b", _I),
    re.compile(r"\b(?:wie (?:oben|unten)|siehe (?:abbildung|tabelle|kapitel|abschnitt)|im vorigen|im nächsten|ci-dessus|ci-dessous|le (?:chapitre|tableau) (?:précédent|suivant))\b", _I),
]  # fmt: skip
_ORDINARY = re.compile(r"\b(?:above|below) (?:zero|average|freezing|sea level|all)\b", _I)

_AUX = r"(?:is|are|was|were|does|do|did|can|could|will|would|should|must|may|might|has|have|had)"
_EXPLETIVE = re.compile(
    r"\bit (?:is|was|be|are)?\s*(?:not |often |usually |always |also |sometimes |very |more |so |common(?:ly)? )*(?:possible|impossible|necessary|important|useful|better|best|convenient|easy|easier|difficult|hard|common|sufficient|enough|advantageous|natural|recommended|desirable|customary|good|bad|safe|likely|unlikely|make sense|makes sense|take|takes|follows?|turns? out|seems?|helps?|matters?|worth|wise|crucial|essential|sensible|(?:known|said|clear|true|called|assumed|believed|expected|shown)(?= that))\b",
    _I,
)
_OPENS_BACK = re.compile(
    r"^(?:(?:so|and|but|or|then|thus|hence|however|also|therefore|because|well|now|again|still|yet|instead|otherwise|similarly|moreover|furthermore|in addition|for this reason|as a result|in contrast|consequently|likewise|first|second|third|fourth|finally|true or false:?)\b[,:]?\s*)*"
    r"(?:this|that|these|those|it|its|they|them|their|he|she|his|her|such|the (?:former|latter|same|above|following|reason for this)|another (?:reason|way|alternative|example|advantage|type|one|common)|one (?:reason|way|of (?:these|them))|both of (?:these|them)|dies|diese[rsmn]?|er|sie|es|cela|ceci|cette|ces|esto|estos?|estas?)\b",
    _I,
)
_LEANS = re.compile(
    r"^(?:ex|e\.g|example|note|hint|tip)\s?[:.]|^(?:here|alternatively|however|therefore|thus|hence|moreover|furthermore|consequently|nevertheless|nonetheless|fortunately|unfortunately|similarly|likewise|conversely|accordingly|otherwise|instead|in addition|in contrast|as a result|as a consequence|on the other hand|for this reason|for example|for instance|that is|in other words|if (?:true|false|so|not|yes|no))\b,?|\bthe (?:associated|aforementioned|provided|latter|former|respective|said) \w+(?! with)|\bthe (?:other|exact|true|correct|previous|new|old|same|first|second|latter) ones?\b",
    _I,
)
"""What goes on from a sentence before, or takes up a noun that is not there."""
_AUTHORS = re.compile(
    r"\bwe (?:shall|will|now|here|just|next|first|then|start|turn|present|recommend|want|look|make|explicitly|introduce|consider|need|may look|can now|must now|have (?:already |now |just )?(?:seen|chosen|implemented|introduced|used|made|shown|discussed|computed|derived))\b"
    r"|\b(?:our|my) (?:\w+ )?(?:modules?|programs?|solvers?|functions?|code|examples?|problems?|models?|case|implementations?|experiments?|goal|aim|focus|test|script|class|method|discussion|notation|finding|data)\b"
    r"|\bthe readers? (?:is|are|should|may|can|will|must)\b|\blet us\b|\bwe (?:in|\w+ly) the \w+ (?:function|program|section)\b"
    r"|\b(?:in|for) (?:such|this|that|these|those) (?:cases?|situations?|examples?|settings?|problems?|sense|context|document)\b|\b(?:this|that) way\b",
    _I,
)
"""What the author does or has just done, and cases that were named before."""
_GENERIC = r"(?:algorithms?|answers?|approach|arguments?|authors?|books?|chapters?|class|code|companys?|constants?|curves?|differences?|equations?|examples?|expressions?|factors?|figures?|files?|former|formulas?|fractions?|functions?|goals?|ideas?|inputs?|languages?|latter|limits?|lines?|lists?|loops?|methods?|models?|modules?|names?|notations?|numbers?|objects?|operations?|operators?|outputs?|parameters?|plots?|points?|problems?|procedures?|process|programs?|programmers?|quantitys?|questions?|reasons?|results?|schemes?|sequences?|solutions?|statements?|strings?|tables?|teams?|techniques?|terms?|tests?|tools?|units?|users?|values?|variables?|words?)"
_GENERIC_SUBJECT = re.compile(
    rf"^(?:(?:in|what|why|how|when|where|who|which \w+)\s+)?(?:(?:{_AUX})\s+)?the (?:first |second |third |last |other |same |following |whole |new |given |resulting |corresponding |two |three |four |five )?{_GENERIC} (?:{_AUX}|\w+[^s\W]s|known|called|given)\b(?! (?:that|which|of|for|between|used|called))",
    _I,
)
_GENERIC_ALONE = re.compile(
    rf"^(?:what|why|how|when|where|who|which \w+)(?: \w+)? {_AUX} the (?:first |second |third |last |other |same |following |whole |new |given |resulting |corresponding |two |three |four |five )?{_GENERIC}(?: \w+){{0,2}}\?$",
    _I,
)
_SUBJECT_PRONOUN = re.compile(rf"\b{_AUX} (?:not )?(?:it|they|he|she|these|those|this|that)\b", _I)
_OFFERED = re.compile(
    r"\b(?:which|what) (?:one |ones )?of the following(?: \w+)?\b"
    r"|\b(?:which|what|any|all|one|two|some|how many) (?:\w+ )?of (?:these|those)\b|^(?:\w+ ){1,3}(?:these|those)\b",
    _I,
)
"""Options are what is meant."""
_DEMONSTRATIVE = re.compile(r"\b(?:this|these|those|such an?) (?:\w+ly )?(?P<noun>[^\W\d_]{3,})", _I)
_THAT_NOUN = re.compile(r"\b(?:of|in|for|by|from|with|to|on) that (?P<noun>[^\W\d_]{3,})\b", _I)
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her)\b", _I)
_ANSWERS_BACK = re.compile(r"^(?:this|that|these|those|such)\b(?! (?:is why|of)\b)", _I)
"""An answer may say "it", which is what the question names, but not "this"."""
EARLY = 40
"""Characters within which a subject stands in the main clause of a question."""
_ACCEPTED_NOUNS = frozenset("cases case words ways way kinds kind types type".split())


def refers_elsewhere(view: View) -> bool:
    """Whether it speaks of a figure, a section or a page that the student does not see."""
    texts = (_ORDINARY.sub("", text) for text in view.texts())
    return any(pattern.search(text) for text in texts for pattern in _ELSEWHERE)


def is_pronoun_only(view: View, stems: Stems) -> bool:
    """Whether what it is about is only pointed at."""
    for text in _asked_texts(view):
        bare = _EXPLETIVE.sub("_", text)
        if view.item.options:
            bare = _OFFERED.sub("Which options", bare)
        if (
            _LEANS.search(bare)
            or _AUTHORS.search(bare)
            or _OPENS_BACK.match(bare)
            or _GENERIC_SUBJECT.match(bare)
            or _GENERIC_ALONE.match(bare)
        ):
            return True
        if _points_at_nothing(bare, stems):
            return True
    return not view.wrong and any(_ANSWERS_BACK.match(key) for key in view.keys)


def _asked_texts(view: View) -> Iterator[str]:
    yield view.asked.lstrip("\"'“‘( ")
    if view.form == "ordering" or view.form == "matching":
        return
    if view.claim and view.form == "cloze":
        yield view.claim


def _points_at_nothing(text: str, stems: Stems) -> bool:
    """A pronoun before which nothing was named that it could mean."""
    match = _SUBJECT_PRONOUN.search(text) if text.endswith("?") else None
    if match and match.start() < EARLY:
        return not _names_before(text[: match.start()], stems)
    for pattern in (_DEMONSTRATIVE, _THAT_NOUN):
        for match in pattern.finditer(text):
            noun = match.group("noun").lower()
            if (
                noun not in _ACCEPTED_NOUNS
                and noun not in FUNCTION_WORDS
                and not _was_named(noun, text[: match.start()])
            ):
                return True
    match = _PRONOUN.search(text)
    return match is not None and not _names_something(text[: match.start()], stems)


def _names_before(text: str, stems: Stems) -> bool:
    """Whether more than the question's own noun ("which dimensions do") stands before."""
    return sum(is_content(word, stems) for word in words(text)) >= 2


def _names_something(text: str, stems: Stems) -> bool:
    return BLANK in text or "$" in text or any(is_content(word, stems) for word in words(text))


def _was_named(noun: str, before: str) -> bool:
    start = noun[: max(4, len(noun) - 2)]
    return any(word.startswith(start) for word in words(before))
