"""Whether a sentence or a phrase can be understood, and asked about, without what stands around it. Pure."""

import re

from tools.notes import cues

SHORTEST, LONGEST = 5, 38
"""Words of a sentence that is asked about."""

MOST_NOTATION = 5
"""Words of a sentence that are notation: a few symbols do no harm where words are asked for, a derivation does."""

_I = re.IGNORECASE
_FORMULA = re.compile(
    r"[=^_{}\\|<>≈≤≥≠∈∞∑∏∫√∂∆∇′″×·÷±→⇒←↔∼∝⊂∪∩∀∃−∣\[\]`~@#$]|[Α-Ωα-ω]|[\U0001D400-\U0001D7FF]"
    r"|(?<![\w'’.])[b-hj-zB-HJ-Z](?![\w'’-]|\.\w|\+\+)|\b[A-Za-z]\([A-Za-z0-9, ]+\)|(?<!\w)[+*/]{1,2}(?!\w)|\d\s*[+*/]\s*\d|\. ?\. ?\."
)
_UGLY = re.compile(
    r"[{}\\\\|\[\]`~@#˜¯ˆ´\u0300-\u036f]|(?<!\w)[_^+*/]|\. ?\. ?\.|\w[_^]\w*_|’’|′′|\b\w\(\w\)\s?[=<>]|=.*=|[−-] ?\d+/\d|\^\w{3,}"
)
"""Notation that has lost its shape, or is too much of it to be read on a line."""
_CODE = re.compile(
    r"\w\(\w[^)]*[,'\"=][^)]*\)|\b(?:def|elif|lambda|import \w+|self)\b|\w\.\w+\(|--\w|>>>|https?:|www\.|\.(?:py|com|org|txt|pdf|html|sh)\b|/\w+/|\w+\.[a-z_]+(?:\.[a-z_]+)*(?=[\s,;)])(?<!e\.g)(?<!i\.e)|\b(?:int|str|float|bool)\s+\w+\s*=",
)
_ELSEWHERE = re.compile(
    r"\b(?:(?:figure|fig|table|section|chapter|equation|eq|exercise|example|appendix|problem|listing|theorem|project|part|page|step|line|item|formula)s?\.?~?\s*\(?\d"
    r"|(?:next|previous|preceding|present|last|this|following) (?:section|chapter|book|text|example|page|paragraph|exercise|figure|table|part|lecture|module|unit|course|program|code)"
    r"|(?:the|as|in) (?:above|below|following|former|latter|aforementioned|previous|figure|table)|(?:shown|see|seen|listed|described|mentioned|explained|discussed|presented|given|illustrated|defined|noted|introduced) (?:above|below|earlier|before|later|here|next|in the)|see also|cf\."
    r"|the (?:reader|author|text ?book|book|exercise|document|chapter|section|video|slide|lecture)s?\b|in what follows|so far|above|below|recall|aforementioned|earlier|later (?:on|in)|previously|here|now)\b"
    r"|\(\s*\d+(?:\.\d+)+[a-z]?\s*\)|\[\d+(?:,\s*\d+)*\]|©|\bEx:|^\s*(?:Note|Notice|Remember|Hint|Tip|Answer|Solution|Remark|Exercise|Problem|Example|Step|Fig|Figure|Table|Learning)\b[\s\d.:]",
    _I,
)
_POINTING = re.compile(
    r"\b(?:this|these|those(?! (?:that|who|of|in|with)\b)|such(?! as\b)|(?<!that )(?<!when )(?<!because )(?<!if )(?<!as )it|they|them|he|she|his|her|him|theirs|the ones?|others|former|latter|the same(?! \w+(?: \w+)? as\b)|(?<!after )(?<!beside )the other|associated|corresponding|(?:exact|second|latter|last|former|right|left|new|old|other|good|better|simpler|next|same|previous) ones?|above|below|here|there|thus|therefore|hence|however|also|again|similarly|likewise|respectively|now|mentioned|aforementioned|in question|(?:is|are) then)\b"
    r"|^(?:then|so|too|still|its|their|instead)\b|\b(?:etc|and so on|and so forth|and more|among others)\b",
    _I,
)
PERSONS = re.compile(r"\b(?:I|we|us|our|ours|you|your|yours|my|me|let's|let us)\b", _I)
_OWN = re.compile(r"\b(?:I(?= (?:am|have|will|think))|us|our|ours|you|your|yours|my|me|let's|let us)\b")
_ANYBODY = re.compile(r"^(?:If|When|As|Whenever) \b.*\bwe\b|\bwe (?:mean|call|say that|speak of|refer)\b")
_MEANT = re.compile(r"\b(?:it|they|them)\b", _I)
NAMED_BEFORE = 24
"""Characters of a sentence behind which "it" means what it has named."""
_OPENING = re.compile(
    r"^(?:however|therefore|thus|hence|moreover|furthermore|also|in addition|additionally|consequently|similarly|finally|actually|in fact|indeed|of course|fortunately|unfortunately|nevertheless|nonetheless|on the other hand|in other words|that is|as a result|in general|generally|in particular|usually|often|typically|importantly|basically|clearly|obviously|naturally|luckily|specifically|in practice|in summary|in short|again|besides|instead|likewise|accordingly|interestingly|basically|essentially|technically|for convenience|nowadays|today|first|second|third|fourth|intuitively|in reality|normally|in contrast|ideally|note that|alternatively|conversely|meanwhile|otherwise|for example|for instance|overall|historically|roughly speaking|strictly speaking|at first sight|as always|surprisingly|not surprisingly|apparently|eventually|ultimately|mathematically|that said),\s+(?=\S)|^(?:That is|Or in other words), |^(?:(?:From \w+ we|We) (?:have seen|have|can|may|also|now|then|clearly)? ?(?:see|observe|realize|realise|find|know|note|conclude|say|remark|recall|seen|emphasize)d? that|It (?:is clear|is obvious|follows|turns out|is known|is important to note|is well known|means) that|This means that|Experience shows that|Observe that|Note that|Notice that|Remember that|Recall that|(?:An|One) (?:important|interesting) (?:observation|point|property) is that|The (?:important |key |main )?(?:point|observation|result|conclusion) is that)\s+(?=\S)",
    _I,
)
_OPINION = re.compile(
    r"\b(?:easily|nicely|nice-looking|facilitates?|important|useful|interesting|great|easy|easier|difficult|nice|popular|good|best|better|convenient|helpful|powerful|attractive|gentle|simple|hard|harder|challenging|overwhelming|surprising|remarkable|quite|very|fairly|rather|somewhat|obvious|obviously|clearly|of course|maybe|perhaps|probably|slightly|messy|fun|favou?rite|ideal|recommended?s?|good practice|dominating|fancy|rich|extensive|primarily)\b",
    _I,
)
_LINKING = re.compile(
    r", (?:however|therefore|thus|too|of course|for instance|for example|in fact|indeed|hence|though|on the other hand|obviously|clearly),(?= \w+s\b| (?:is|are|can|must|will|do|have)\b)|(?<=\w) (?:therefore|hence|thus|however|also|obviously|clearly|actually|really|of course|indeed|accordingly)(?= (?!called|known|referred)[a-z])|(?<=, )(?:obviously|of course),? |^(?:Also|Therefore|Hence|Thus) ",
)
"""Words that link a sentence to the ones before, or only colour it."""
_FOOTNOTE = re.compile(r"(?<=[^\W\d_]{2})\^\d{1,2}(?=[\s,.;:)]|$)")
_BROKEN = re.compile(r"(?<=[a-z]{2})- (?=[A-Z])")
_REFERENCE = re.compile(
    r"\s*(?:\((?:see|cf\.|Section|Chapter|Figure|Fig\.)[^()]*\)|\[\d+(?:, ?\d+)*\]|,? \(?(?:see|as (?:described|explained|shown|exemplified|defined|discussed)) (?:in )?(?:Section|Chapter|Figure|Fig\.|Exercise|Problem)s? \d[\d.]*\d\)?(?: for [^.]*)?(?=[.,)])"
    r"|(?<=[a-z]{3})(?<!\band)(?<!\bfor)(?<!\bsee)(?<!\bare)(?<!\bhas)(?<!\bthe)(?<!\buse)(?<!quation)(?<!quations)(?<!\bfrom)(?<!\bwith)(?<!\bthat)(?<!\bwhen)(?<!\binto) \(\d+\.\d+[a-z]?\)(?=[\s,.]))"
)
_CUT = re.compile(
    r"\b(?:of|for|in|by|with|from|the form|solving|using|and|or|the)\s*[.,](?=\s|$)|[^\s.…]\s[.,](?=\s|$)|(?<!e\.g)(?<!i\.e)(?<!\bvs)(?<!\bcf)(?<!\betc)\.\s[a-z]"
)
"""A formula or a reference that belonged there was taken out, a formula lost its lower line ("at t_n ."), or two sentences ran together."""
_ONE_EQUATION = re.compile(
    r"\b(?:the|version|particular) (?:schemes?|equations?|formulas?|problems?|systems?|models?|methods?|ODEs?|expressions?|versions?|recipes?)\s\(\d+\.\d+"
)
"""What is told by the number of its equation alone, which is not shown."""
_NO_RULE = re.compile(
    r"(?:Sometimes|Occasionally|Rarely|Seldom)\b|(?:Write|Define|Identify|Describe|Explain|Implement|Compute|Discuss|Demonstrate|Construct|Distinguish|Predict|Evaluate|Develop)\s(?!to\b)"
)
"""What a student is told to do, which parses as a noun: "Write function calls that use the default values."; and what is
so only sometimes, which a statement without that word turns into a rule."""
_LABEL = re.compile(r"^\(\d+\.\d+[a-z]?\)\s+(?=[A-Z])")
"""The number of the equation before it, which was read as the beginning of a sentence."""


def cleaned(text: str) -> str:
    """Without marks of footnotes and without references; "Crank- Nicolson" was broken over lines."""
    joined = _BROKEN.sub("-", _FOOTNOTE.sub("", _LABEL.sub("", text)))
    return _REFERENCE.sub("", joined).strip()


def notation(text: str) -> int:
    """How many of its words are symbols or hold some."""
    return sum(1 for word in text.split() if _FORMULA.search(word))


def is_plain(text: str) -> bool:
    """Words, with little enough notation to be read on one line."""
    count = notation(text)
    return count == 0 or (
        count <= MOST_NOTATION and 4 * count <= len(text.split()) + 4 and not _UGLY.search(text)
    )


THE_BARE = re.compile(
    r"\bthe (?:program|code|method|function|value|problem|system|result|number|case|student|user|variable|test|file|same|first|second|last|third|present|current|new|condition|size|solver?|solution|text|message|software|model|equation|scheme|formula|task|error|point|curve|plot|data|language|package|class|parameter|experiment|experiments|idea|process|name|names|string|list|array|loop|statement|object|arguments?|script|command|line|report|simulation|page|image|figure|step|term|terms|forces?|material|particle|fluid|body|layer|population|disease)s?\b(?! (?:of|in|for|that|which|created|called|where|between|with|whose|at|on|\w+(?:ing|ed|tion|ment|ence|ance|er|or)\b))",
    _I,
)
"""A definite thing that only what stands before tells."""


def without_links(text: str) -> str:
    """The sentence without what links it to others, inside of it too: as it is shown alone."""
    bare = _LINKING.sub("", without_opening(text))
    return bare[:1].upper() + bare[1:] if bare[:1].islower() and text[:1].isupper() else bare


def without_opening(text: str) -> str:
    """The sentence without the connective it begins with ("However, …"), in capitals again."""
    bare = _OPENING.sub("", text)
    return bare[:1].upper() + bare[1:] if bare != text else text


def means_an_equation(text: str) -> bool:
    """ "Higher-order versions of the scheme (3.39) …": without the number nobody knows which."""
    return bool(_ONE_EQUATION.search(text))


def may_be_asked(text: str) -> bool:
    """The first, cheap look at an English sentence: whole, plain words, and not about another place of the book."""
    return (
        SHORTEST <= len(text.split()) <= LONGEST
        and text.rstrip("\"'”’)").endswith(".")
        and text[:1].isupper()
        and is_plain(text)
        and not _NO_RULE.match(text)
        and not _CODE.search(text)
        and not _ELSEWHERE.search(text)
        and not _CUT.search(text)
        and not cues.is_housekeeping(text)
        and not cues.points_back(text)
        and _is_balanced(text)
    )


def stands_alone(text: str) -> bool:
    """Whether a part of a sentence, put into a question or an option, points at nothing outside of it."""
    return not _POINTING.search(text) and not PERSONS.search(text) and _is_balanced(text)


def points_nowhere(text: str) -> bool:
    """The same of a sentence that is shown as it is: there "we" may stand for anybody ("if we halve …")."""
    return (
        not _POINTING.search(text[:NAMED_BEFORE] + _MEANT.sub("_", text[NAMED_BEFORE:]))
        and not _OWN.search(text)
        and _is_balanced(text)
        and (not PERSONS.search(text) or bool(_ANYBODY.search(text)))
    )


def is_opinion(text: str) -> bool:
    """Praise and hedges, which cannot be asked about fairly."""
    return bool(_OPINION.search(text))


def _is_balanced(text: str) -> bool:
    return (
        text.count("(") == text.count(")") and text.count('"') % 2 == 0 and text.count("“") == text.count("”")
    )
