"""Words and key terms of a text. Pure; stems and stop words come from the database's dictionaries, for each language."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
POSSESSIVE = re.compile(r"['’]s$")
LONGEST_TERM = 3
"""Words of a key term at most."""

Stems = Mapping[str, str | None]

# Words that carry nothing in a lecture, beyond the stop words of the dictionary: talk, classroom, connectives.
EMPTY = frozenset(
    """
    also one two three first second third next last many much may might could would should must can let lets like just really
    actually basically kind sort thing things stuff lot lots okay ok yeah yes well right gonna going want wanted get gets got go
    goes come comes say says said saying see seen look looks make makes made making take takes use used uses using way ways mean
    means know think thought thing something anything everything someone people time times day today now then here there example
    examples following follows given give gives show shows shown called call calls different same another every even still yet
    however therefore thus hence since although though whether within without upon often usually always never sometimes maybe
    perhaps quite rather almost already around back ahead away little big small new old good better best bad part parts point
    points case cases question questions answer answers chapter section page figure table book lecture slide slides class course
    student students learn learning talk talking bit pretty able need needs needed try tries put puts start starts end ends keep
    don't doesn't didn't isn't aren't wasn't can't won't it's that's there's what's let's we're we'll we've you're you'll you've
    i'm i'll i've they're he's she's im dont thats its youre um uh er hmm etc eg ie vs per
    """.split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a sentence: as written, its stem (None when it carries nothing), and whether it directly follows the one before."""

    text: str
    stem: str | None
    joined: bool


def distinct_words(texts: Iterable[str]) -> list[str]:
    """All words, lower case, each once: what the dictionary is asked for."""
    return sorted(
        {POSSESSIVE.sub("", match.group()).lower() for text in texts for match in WORD.finditer(text)}
    )


def tokens(text: str, stems: Stems) -> list[Token]:
    found = []
    end = 0
    for match in WORD.finditer(text):
        word = POSSESSIVE.sub("", match.group())
        stem = stems.get(word.lower())
        empty = stem is None or word.lower() in EMPTY or len(word) < 2 or word.isdigit()
        found.append(Token(word, None if empty else stem, text[end : match.start()].isspace()))
        end = match.end()
    return found


def content_stems(text: str, stems: Stems) -> tuple[str, ...]:
    """Stems of the words that carry meaning, with repeats."""
    return tuple(token.stem for token in tokens(text, stems) if token.stem is not None)


def key_terms(part: Sequence[Sequence[Token]], spread: Mapping[str, int], parts: int, most: int) -> list[str]:
    """The terms that tell a part from the others, best first, as they are written in it.

    `part`: its sentences; `spread`: in how many of the `parts` parts a stem occurs. Scored by class-based tf-idf
    (Grootendorst 2022) over runs of content words; a longer term wins when it is repeated.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    forms: dict[tuple[str, ...], Counter[str]] = {}
    for sentence in part:
        for run in _runs(sentence):
            for size in range(1, LONGEST_TERM + 1):
                for first in range(len(run) - size + 1):
                    words = run[first : first + size]
                    stem = tuple(word.stem or "" for word in words)
                    counts[stem] += 1
                    forms.setdefault(stem, Counter())[" ".join(word.text for word in words)] += 1
    scores = {stem: _score(stem, times, spread, parts, forms[stem]) for stem, times in counts.items()}
    chosen: list[tuple[str, ...]] = []
    for stem in sorted(scores, key=lambda s: (-scores[s], s)):
        if len(chosen) == most or scores[stem] <= 0:
            break
        if not any(set(stem) & set(other) for other in chosen):
            chosen.append(stem)
    return [_written(forms[stem]) for stem in chosen]


def _runs(sentence: Sequence[Token]) -> list[list[Token]]:
    """Content words that stand directly beside each other."""
    runs: list[list[Token]] = [[]]
    for token in sentence:
        if token.stem is None or (runs[-1] and not token.joined):
            runs.append([])
        if token.stem is not None:
            runs[-1].append(token)
    return [run for run in runs if run]


def _score(
    stem: tuple[str, ...], times: int, spread: Mapping[str, int], parts: int, forms: Counter[str]
) -> float:
    if len(stem) > 1 and (times < 2 or len(set(stem)) < len(stem)):
        return 0.0
    rarity = sum(log(1 + parts / spread.get(one, 1)) for one in stem) / len(stem)
    form = _written(forms)
    weak = (
        len(stem) == 1
        and (len(form) < 3 or re.search(r"(?:ing|ed|ly|ize|izes)$", form))
        and not form.isupper()
    )
    return times * rarity * (1 + 0.6 * (len(stem) - 1)) * (0.4 if weak else 1.0)


def _written(forms: Counter[str]) -> str:
    """The commonest form; a capital only where it is never written without."""
    form = forms.most_common(1)[0][0]
    small = form.lower()
    return small if small in forms and not form.isupper() else form


def spread_of(parts: Iterable[Iterable[str]]) -> Counter[str]:
    """Stem → in how many parts it occurs."""
    return Counter(stem for part in parts for stem in set(part))
