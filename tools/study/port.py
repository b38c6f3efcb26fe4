"""The port that both makers fill, and the one of the gate behind them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.study.items import Batch, Item
from tools.study.keys import BloomLevel, Difficulty

Matrix = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Awaitable[Matrix]]
"""Texts to unit vectors, one row each."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A part of the material that items are made from: a section, or a run of sentences on one thing."""

    title: str
    sentences: tuple[Sentence, ...]
    """In the order of the material, with stems."""
    language: str | None
    """BCP 47."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What makers and the gate know of the whole material, for distractors and for what is common."""

    topics: tuple[Topic, ...]
    lexicon: Lexicon


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of one topic."""

    cards: bool
    """Cards, else questions."""
    types: Mapping[str, int]
    """How many of each type, at least 1 each; makers give more, so that the gate can choose."""
    difficulty: Difficulty = "mixed"
    bloom: tuple[BloomLevel, ...] = ()
    """Only these levels; all when empty."""
    seed: int = 0
    focus: str | None = None
    """Words that the items should be about, when the student named a subject."""
    avoid: tuple[str, ...] = ()
    """Questions that exist already, so that a language model does not repeat them."""


class Maker(Protocol):
    """Makes items of a topic. Raises Unavailable when what it needs does not answer, MakerFailed when it gave nothing usable."""

    @property
    def name(self) -> str:
        """`builtin` or the name of the language model."""
        ...

    async def make(self, topic: Topic, wanted: Wanted, ground: Ground) -> Batch: ...

    async def close(self) -> None:
        """Free what it holds; it is not used any more."""
        ...


class Reason(StrEnum):
    """Why the gate turned an item away."""

    UNSUPPORTED = "unsupported"
    AMBIGUOUS = "ambiguous"
    """Two right options, or a gap that several words fit."""
    TRIVIAL = "trivial"
    """The answer stands in the question, or only one option can be right by its form."""
    REPEATED = "repeated"
    """In this batch or in an earlier one."""
    BADLY_FORMED = "badly_formed"
    PRONOUN_ONLY = "pronoun_only"
    """"It", "this method": what is meant is not said."""
    REFERS_ELSEWHERE = "refers_elsewhere"
    """"As shown in figure 3", "in the previous section"."""


@dataclass(frozen=True, slots=True)
class Verdict:
    item: Item
    reasons: tuple[Reason, ...]
    """Empty when it may pass."""
    score: float
    """0 to 1, stored as the quality score."""


class Gate(Protocol):
    """Judges items, whoever made them. Keeps those it let pass, so that repeats in later batches are found."""

    async def judge(self, items: Sequence[Item], ground: Ground) -> list[Verdict]: ...


def counted(verdicts: Sequence[Verdict]) -> Counter[str]:
    """How many were turned away, by their first reason."""
    return Counter(verdict.reasons[0].value for verdict in verdicts if verdict.reasons)
