"""Whether a question has one answer, and whether it must be known: ambiguous and trivial items. Pure."""

import re
from collections.abc import Sequence

from tools.notes.terms import Stems
from tools.study.gate.subject import only_right_names_subject
from tools.study.gate.told import Told, another_fits, another_is_told
from tools.study.gate.view import BLANK, View
from tools.study.gate.words import (
    NUMBER_WORDS,
    Held,
    content,
    has_run,
    in_order,
    is_content,
    numbers,
    root,
    words,
)

_HEDGES = re.compile(
    r"\b(?:may|might|could|sometimes|often|usually|somewhat|perhaps|possibly|probably|rather(?! than)|mostly|occasionally|frequently|seems?|seemed|appears? to|tends? to|in (?:some|many|most) cases|more or less|to some extent|likely|generally|typically|quite|(?:almost|nearly) (?!all\b|\d|[$]|one\b|two\b|three\b|four\b|five\b|ten\b)|kann manchmal|meistens|oft|vielleicht|souvent|parfois|peut-être)\b",
    re.IGNORECASE,
)
GENERIC = frozenset(
    """
    very important desired desirable useful good bad great large small big little long short high low many several various different
    popular common special main major certain possible general specific similar special simple complex easy hard difficult new old own
    full whole entire particular typical usual appropriate suitable relevant significant interesting available necessary needed given
    following previous next last other another same able likely much more most less least rather quite always never often usually
    sometimes called known used made using often natural helpful famous basic key real right wrong current clear fast slow better best
    higher lower larger smaller well widely highly easily quickly thing things way ways kind kinds type types sort part parts case cases
    example examples number numbers amount result results people person time times make makes use uses get gets give gives take takes
    show shows help helps include includes including contain contains consist consists become becomes need needs want wants provide
    provides require requires allow allows mean means represent work works lot set people person individual complete obvious active
    """.split()
)
_NOT_ADVERBS = frozenset(
    "family assembly anomaly supply apply reply multiply assembly monopoly early daily polynomially july rely imply fly".split()
)
_VERB_GAP = re.compile(
    r"(?:\bto|\bcan|\bwill|\bmust|\bexplicitly|\bwe) ____ (?:the|an?|it|this|these|its)\b|\bto ____ (?:from|in|on|with)\b",
    re.IGNORECASE,
)
"""A gap where a verb stands: nearly always several fit."""
_BEFORE_GAP = re.compile(
    r"\b(?:an?|the|more|very|most|some|many) ([^\W\d_]+) ____(?=[\s.,;:?!)]|$)(?! [^\W\d_]+ing\b)"
)
_OPEN_LIST = re.compile(
    r"\b(?:such as|like|e\.g\.|for example|for instance|include[sd]?|including|typical|examples?|among (?:them|others)|etc)\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\b(?:first|second|third|fourth|fifth|last|next|before|after|respectively|except|not|least|most|longest|earliest|latest|oldest|newest)\b",
    re.IGNORECASE,
)
_PIECES = re.compile(r"\s*(?:,|;|:|\band\b|\bor\b)\s*")
_ARTICLES = frozenset("a an the der die das ein eine le la les un une el los las".split())
_ALL_OF = re.compile(
    r"\b(?:all|none|any|both|neither) of (?:the|these)\b|\b(?:both|only) \(?[a-d]\)? and \(?[a-d]\)?\b|\bnone\b$|^all$|\b[a-d] and [a-d]\b|\b(?:alle|keine) (?:der )?(?:genannten|antworten)\b",
    re.IGNORECASE,
)
_NUMBERED_PART = re.compile(
    r"^\s*(?:\(?\d{1,2}[.):]\s|step \d|(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|then|next|finally|lastly)\b[,:]?\s)",
    re.IGNORECASE,
)
_YES_NO = frozenset({"yes", "no", "true", "false", "ja", "nein", "oui", "non", "sí", "maybe", "not sure"})
_SINGULAR_BLANK = re.compile(r"\b(?:is|called|as|named) an? (?:what\b|____|\?|…|\.\.\.)", re.IGNORECASE)
_KIND = re.compile(r"\b(?:which|what|other|another) (?P<kind>[^\W\d_]{4,})", re.IGNORECASE)
_ENDS_AN = re.compile(r"\b(an?)\s*(?:____|…|\.\.\.|:)?\s*$", re.IGNORECASE)


def is_ambiguous(view: View, told: Told, stems: Stems) -> bool:
    """Whether another answer is as right, by the item itself, its evidence, or what is told elsewhere."""
    if view.form == "true_false":
        return bool(_HEDGES.search(view.asked))
    if view.form == "matching":
        return _two_fit(view, stems)
    if BLANK in view.asked and view.claim:
        return (
            any(fits_many(key, stems) for key in view.keys)
            or _is_one_of_an_open_list(view)
            or bool(_VERB_GAP.search(view.asked))
            or _follows_praise(view)
            or _says_little(view, stems)
            or another_fits(view, told, stems)
        )
    if view.wrong:
        return _another_is_right(view, stems) or another_is_told(view, told, stems)
    return False


# --- gaps


def fits_many(key: str, stems: Stems) -> bool:
    """Whether a gap's word is one that many others could replace: a function word, a general adjective, an adverb."""
    said = [word for word in words(key) if word not in _ARTICLES]
    if not said:
        return bool(words(key)) or not any(sign.isalnum() or sign in "\\^=+-*/%<>" for sign in key)
    if any(character.isdigit() for character in key) or any(
        word in NUMBER_WORDS and word != "one" for word in said
    ):
        return False
    return all(_is_replaceable(word, stems) for word in said)


def _follows_praise(view: View) -> bool:
    """A single word behind a general adjective: "led to an important ____"."""
    single = all(len(words(key)) == 1 for key in view.keys)
    return single and any(match.group(1).lower() in GENERIC for match in _BEFORE_GAP.finditer(view.asked))


_LEAST_TOLD = 2
_LITTLE = frozenset("care taken avoid avoided should must can need done value values".split())


def _says_little(view: View, stems: Stems) -> bool:
    """A single gap with hardly anything around it that points to what is missing: "Care should be taken to avoid ____"."""
    if view.asked.count(BLANK) != 1 or any(character.isdigit() for character in view.asked + view.keys[0]):
        return False
    told = {word for word in content(view.asked, stems) if word not in GENERIC and word not in _LITTLE}
    return len(told) < _LEAST_TOLD and len(words(view.asked)) < 12


def _is_replaceable(word: str, stems: Stems) -> bool:
    if word in GENERIC or not is_content(word, stems):
        return True
    return word.endswith("ly") and len(word) > 4 and word not in _NOT_ADVERBS


def _is_one_of_an_open_list(view: View) -> bool:
    """A gap among examples: "such as measles, ____, flu"."""
    for match in re.finditer(re.escape(BLANK), view.asked):
        before, after = view.asked[: match.start()], view.asked[match.end() :]
        listed = bool(
            re.search(r",\s*(?:and |or )?$", before) or re.match(r"\s*,\s*\w+\s*(?:,|and|or)", after)
        )
        if listed and _OPEN_LIST.search(before):
            return True
    return False


# --- options


def _another_is_right(view: View, stems: Stems) -> bool:
    return any(
        _is_same(wrong, key, stems) or _is_thing_of(wrong, key, stems) or _is_beside(wrong, key, view, stems)
        for wrong in view.wrong
        for key in view.keys
    )


def _is_same(wrong: str, key: str, stems: Stems) -> bool:
    """The same words but for articles and endings, or some of the key's words that already answer."""
    one = [root(word, stems) for word in words(wrong) if word not in _ARTICLES]
    other = [root(word, stems) for word in words(key) if word not in _ARTICLES]
    if not one or not other:
        return False
    if one == other:
        return _signs(wrong) == _signs(key) and numbers(wrong) == numbers(key)
    if numbers(wrong) != numbers(key) or len(one) >= len(other):
        return False
    return len(one) <= 3 and len(other) <= 4 and other[-len(one) :] == one and not _signs(key)


_THINGS = frozenset(
    "object objects construct constructs instance instances structure structures type types".split()
)


def _is_thing_of(one: str, other: str, stems: Stems) -> bool:
    """ "Dictionary object" and "Python dictionary"."""
    pair = [words(one), words(other)]
    if min(len(side) for side in pair) < 1:
        return False
    heads = [root(side[-1], stems) for side in pair]
    return any(
        pair[n][-1] in _THINGS and heads[1 - n] in [root(word, stems) for word in pair[n][:-1]]
        for n in (0, 1)
    )


def _signs(text: str) -> str:
    """Operators and brackets, by which code and formulas differ where their words do not."""
    return "".join(sign for sign in text if not sign.isalnum() and sign not in " .,;'’\"“”")


def _is_beside(wrong: str, key: str, view: View, stems: Stems) -> bool:
    """Whether a sentence of the evidence lists a wrong option with the right one, as if both were."""
    if _ORDINAL.search(view.asked) or len(words(wrong)) > 6:
        return False
    for sentence in view.item.evidence:
        if "respectively" in sentence.text:
            continue
        pieces = [_roots(piece, stems) for piece in _PIECES.split(sentence.text) if piece.strip()]
        places = [
            [i for i, piece in enumerate(pieces) if _is_item(_roots(one, stems), piece)]
            for one in (wrong, key)
        ]
        if any(abs(a - b) > 0 and _all_short(pieces, a, b) for a in places[0] for b in places[1]):
            return True
    return False


def _roots(text: str, stems: Stems) -> tuple[str, ...]:
    return tuple(root(word, stems) for word in words(text) if word not in _ARTICLES)


def _is_item(option: Sequence[str], piece: Sequence[str]) -> bool:
    """The option is this part of a list, or the part that begins the list ends with it."""
    if not option or not piece:
        return False
    if tuple(piece[-len(option) :]) == tuple(option):
        return True
    return has_run(option, piece) and len(option) >= 0.6 * len(piece)


def _all_short(pieces: Sequence[Sequence[str]], one: int, other: int) -> bool:
    """Whether both belong to the same list: nothing longer than five words from the second on."""
    first, last = sorted((one, other))
    return all(len(piece) <= 5 for piece in pieces[first + 1 : last + 1])


# --- matching


def _two_fit(view: View, stems: Stems) -> bool:
    """Whether a right goes with two lefts, or a spare right with any."""
    told = [sentence.text for sentence in view.item.evidence]
    if len(told) < 2:
        return False
    for index, (left, right) in enumerate(view.pairs):
        own = {i for i, text in enumerate(told) if _names(left, text, stems)}
        wanted = content(right, stems) or words(right)
        for other, _ in (*view.pairs[:index], *view.pairs[index + 1 :]):
            elsewhere = [text for i, text in enumerate(told) if i not in own and _names(other, text, stems)]
            if any(_says(wanted, text, stems) for text in elsewhere):
                return True
    return any(
        _says(content(spare, stems), text, stems)
        for spare in view.wrong
        for text in told
        if len(content(spare, stems)) > 1
    )


def _names(left: str, text: str, stems: Stems) -> bool:
    bare = "".join(left.split()).casefold()
    if bare in "".join(text.split()).casefold():
        return True
    return Held([text], stems).share(content(left, stems) or words(left)) == 1.0


def _says(wanted: Sequence[str], text: str, stems: Stems) -> bool:
    """All these words, in this order."""
    if not wanted or Held([text], stems).share(wanted) < 1.0:
        return False
    told = [root(word, stems) for word in words(text)]
    return in_order([root(word, stems) for word in wanted], told) >= 0.99


# --- trivial


def is_trivial(view: View, stems: Stems) -> bool:
    """Whether the answer can be seen without knowing anything."""
    if view.form == "ordering":
        return any(_NUMBERED_PART.match(key) for key in view.keys)
    if view.form == "matching":
        return _pairs_share_words(view, stems)
    if view.form == "true_false":
        return False
    if BLANK in view.asked and view.claim:
        return any(_stands_in(key, view.asked, stems) or _has_partner(key, view.asked) for key in view.keys)
    if view.form == "reversed":
        return _stands_in(view.asked, view.keys[0], stems) or _stands_in(view.keys[0], view.asked, stems)
    if _options_give_away(view) or _only_key_is_of_the_kind(view, stems):
        return True
    if only_right_names_subject(view, stems):
        return True
    if re.search(r"\bor\b", view.asked):
        return False
    return any(_stands_in(key, view.asked, stems) and not _is_offered(key, view, stems) for key in view.keys)


_PARTNERS = (
    {"horizontal", "vertical"},
    {"upper", "lower"},
    {"left", "right"},
    {"positive", "negative"},
    {"inner", "outer"},
)


def _has_partner(key: str, text: str) -> bool:
    """ "… in the horizontal direction and … in the ____": the other of the two stands there with the same noun."""
    own, around = words(key), set(words(text))
    return (
        len(own) == 2
        and own[1] in around
        and any(own[0] in pair and pair - {own[0]} <= around for pair in _PARTNERS)
    )


def _is_offered(key: str, view: View, stems: Stems) -> bool:
    """Whether the question names wrong options of the same length too, so that it gives nothing away."""
    length = len(content(key, stems))
    return any(
        len(content(wrong, stems)) >= length and _stands_in(wrong, view.asked, stems) for wrong in view.wrong
    )


def _stands_in(key: str, text: str, stems: Stems) -> bool:
    """The key's words that carry meaning, side by side in the text."""
    said = [root(word, stems) for word in content(key, stems)]
    if not said:
        return False
    return has_run(said, [root(word, stems) for word in content(text, stems)])


def _pairs_share_words(view: View, stems: Stems) -> bool:
    """At least half of the pairs can be told by a word that both sides have and no other right has."""
    told = 0
    for left, right in view.pairs:
        own = set(content(left, stems)) & set(content(right, stems))
        others = {word for _, other in view.pairs if other != right for word in content(other, stems)}
        told += bool(own - others)
    return 2 * told >= len(view.pairs)


def _options_give_away(view: View) -> bool:
    if view.form not in ("multiple_choice", "multiple_answer"):
        return False
    if not view.wrong or (len(view.wrong) < 2 and len(view.keys) == 1):
        return True
    if any(_ALL_OF.search(option) for option in (*view.keys, *view.wrong)):
        return True
    return view.form == "multiple_choice" and (
        _stands_out(view.keys[0], view.wrong) or _only_one_agrees(view)
    )


def _only_key_is_of_the_kind(view: View, stems: Stems) -> bool:
    """The question asks for a kind ("which method", "than other errors"), and only the key is named as one."""
    if len(view.keys) != 1 or len(view.wrong) < 2:
        return False
    kinds = {root(match.group("kind").lower(), stems) for match in _KIND.finditer(view.asked)}
    named = [kinds & set(_roots(option, stems)) for option in (view.keys[0], *view.wrong)]
    return bool(named[0]) and not any(named[1:])


def _stands_out(key: str, wrong: Sequence[str]) -> bool:
    """By its length or its form the key is unlike every other option."""
    longest, length = max(len(words(option)) for option in wrong), len(words(key))
    if length >= 6 and length >= 2.5 * max(1, longest):
        return True
    has_number = any(character.isdigit() for character in key)
    return len(wrong) >= 2 and all(has_number != any(c.isdigit() for c in option) for option in wrong)


def _only_one_agrees(view: View) -> bool:
    """Of the options only the key goes with the article or the number of the question."""
    if _SINGULAR_BLANK.search(view.asked):
        plural = [_is_plural(option) for option in view.wrong]
        if all(plural) and not _is_plural(view.keys[0]):
            return True
    article = _ENDS_AN.search(view.asked)
    if not article:
        return False
    wants_vowel = article.group(1).lower() == "an"
    return all((option[:1].lower() in "aeiou") != wants_vowel for option in view.wrong)


def _is_plural(option: str) -> bool:
    last = (words(option) or ("",))[-1]
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "ics"))
