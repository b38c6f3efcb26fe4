"""What the material says elsewhere, found by words: so that another option, or a "false" statement, is not right by another page."""

import re
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from tools.notes.reading import Sentence
from tools.notes.terms import Stems
from tools.study.gate.view import View
from tools.study.gate.words import Held, content, in_order, negations, numbers_held, root, turned, words
from tools.study.port import Ground, Topic

SAME = 0.95
"""Share of a statement's words, in order, from which on a sentence says it."""
FEWEST_WORDS = 4
"""Of a question, so that another sentence can be said to answer it."""
LONGEST_NAME = 5
"""Words of an option that may be a second name of the key."""
_JOIN = re.compile(
    r"^[\s,\"“”'‘’]*(?:\(|/|\(?(?:also|often|sometimes|usually|or|i\.e\.,?|that is,?|aka|a\.k\.a\.)*\s*(?:called|known as|referred to as|named|termed|denoted|i\.e\.,?|that is,?|aka|a\.k\.a\.|short for|abbreviated))[\s,\"“”'‘’(]*(?:an?|the)?\s*$",
    re.IGNORECASE,
)
_OR = re.compile(r"^[\s\"“”'‘’]*(?P<comma>,?)\s*or\s+(?:(?:an?|the)\s+)?[\"“‘']?$", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:called|known as|referred to as|named|termed)\s+(?:an?\s+|the\s+)?[\"“‘']?$", re.IGNORECASE
)


class Told:
    """The sentences of all topics seen so far."""

    def __init__(self) -> None:
        self._topics: dict[int, Topic] = {}
        self._topic_of: dict[UUID, Topic] = {}
        self._held: dict[int, Held] = {}
        self._unread: list[Topic] = []
        self._sentences: list[Sentence] = []
        self._by_root: dict[str, list[int]] = {}
        self._stems: Stems = {}

    def learn(self, ground: Ground) -> None:
        """Grounds of one material share their topics; each is read once, and only when something is looked up."""
        self._stems = ground.lexicon.stems
        for topic in ground.topics:
            if id(topic) not in self._topics:
                self._topics[id(topic)] = topic
                self._unread.append(topic)
                self._topic_of.update((sentence.chunk_id, topic) for sentence in topic.sentences)

    def around(self, sentence: Sentence) -> Held | None:
        """The words of the topic that it stands in."""
        topic = self._topic_of.get(sentence.chunk_id)
        if topic is None:
            return None
        if id(topic) not in self._held:
            texts = [topic.title, *(sentence.text for sentence in topic.sentences)]
            self._held[id(topic)] = Held(texts, self._stems)
        return self._held[id(topic)]

    def before(self, sentence: Sentence) -> str:
        """The sentence that stands before it in its topic; empty when there is none."""
        topic = self._topic_of.get(sentence.chunk_id)
        around = topic.sentences if topic is not None else ()
        at = next((i for i, one in enumerate(around) if one == sentence), 0)
        return around[at - 1].text if at else ""

    def _read(self) -> None:
        for topic in self._unread:
            for sentence in topic.sentences:
                for word in set(words(sentence.text)):
                    self._by_root.setdefault(root(word, self._stems), []).append(len(self._sentences))
                self._sentences.append(sentence)
        self._unread = []

    def with_all(self, roots: Iterable[str]) -> list[Sentence]:
        """The sentences that have all of these words."""
        self._read()
        lists = sorted((self._by_root.get(word, []) for word in set(roots)), key=len)
        if not lists:
            return []
        found = set(lists[0])
        for more in lists[1:]:
            found &= set(more)
        return [self._sentences[index] for index in sorted(found)]


def states(sentence: str, claim: str, stems: Stems) -> bool:
    """Whether a sentence says a claim, word for word: all its words in their order, and no word turned round."""
    wanted = content(claim, stems)
    held = Held([sentence], stems)
    if held.share(wanted) < SAME or turned(claim, held) or not numbers_held(claim, sentence):
        return False
    known = {*words(claim), *held.words}
    if (negations(claim, known) - negations(sentence, known)) % 2:
        return False
    told = [root(word, stems) for word in content(sentence, stems)]
    return in_order([root(word, stems) for word in wanted], told) >= SAME


def is_stated(claim: str, told: Told, stems: Stems) -> bool:
    """Whether the material says this anywhere."""
    wanted = [root(word, stems) for word in content(claim, stems)]
    return len(wanted) >= FEWEST_WORDS and any(
        states(sentence.text, claim, stems) for sentence in told.with_all(wanted)
    )


def another_is_told(view: View, told: Told, stems: Stems) -> bool:
    """Whether the material gives a wrong option as a second name of the key, or says of it what is asked."""
    asked = [root(word, stems) for word in content(view.asked, stems)]
    evidence = {sentence.text for sentence in view.item.evidence}
    for wrong in view.wrong:
        said = [root(word, stems) for word in words(wrong)]
        if not said or len(said) > LONGEST_NAME:
            continue
        if any(_is_second_name(wrong, key, told, stems) for key in view.keys):
            return True
        if len(asked) >= FEWEST_WORDS:
            elsewhere = [one for one in told.with_all([*said, *asked]) if one.text not in evidence]
            known = {*words(view.asked)}
            if any(_goes_with(one.text, asked, known, stems) for one in elsewhere):
                return True
    return False


def another_fits(view: View, told: Told, stems: Stems) -> bool:
    """Whether another sentence says the rest of a gap's or a question's text about something else than the key."""
    asked = [root(word, stems) for word in content(view.asked, stems)]
    if len(asked) < FEWEST_WORDS:
        return False
    evidence = {sentence.text for sentence in view.item.evidence}
    keys = [set(words(key)) for key in view.keys]
    known = set(words(view.asked))
    return any(
        _goes_with(one.text, asked, known, stems)
        for one in told.with_all(asked)
        if one.text not in evidence and not any(key & set(words(one.text)) for key in keys)
    )


def _goes_with(sentence: str, asked: Sequence[str], known: set[str], stems: Stems) -> bool:
    told = [root(word, stems) for word in content(sentence, stems)]
    return in_order(asked, told) >= SAME and negations(sentence, known) == 0


def _is_second_name(wrong: str, key: str, told: Told, stems: Stems) -> bool:
    both = [root(word, stems) for word in (*words(wrong), *words(key))]
    if not words(key) or len(words(key)) > LONGEST_NAME:
        return False
    return any(
        _are_joined(text, one, other)
        for text in (sentence.text.casefold() for sentence in told.with_all(both))
        for one, other in ((wrong.casefold(), key.casefold()), (key.casefold(), wrong.casefold()))
    )


def _are_joined(text: str, one: str, other: str) -> bool:
    """ "X, also called Y", "X (Y)", "called X or Y", "X, or Y,": not a mere "X or Y"."""
    for before, between, after in _between(text, one, other):
        if _JOIN.match(between):
            return True
        joined = _OR.match(between)
        if joined and (_NAMED.search(before) or (joined.group("comma") and after[:1] in ",.;)")):
            return True
    return False


def _between(text: str, one: str, other: str) -> Iterator[tuple[str, str, str]]:
    first = text.find(one)
    while first >= 0:
        end = first + len(one)
        second = text.find(other, end)
        if 0 <= second - end <= 40:
            yield text[:first], text[end:second], text[second + len(other) :]
        first = text.find(one, end)
