"""A sentence as the parser sees it: plain data, so that it passes between processes, and walks over its tree."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Token:
    """`tag` is Penn Treebank's, `dep` ClearNLP's, `entity` OntoNotes' (empty for none); `head` is an index, its own for the root."""

    text: str
    lemma: str
    tag: str
    dep: str
    head: int
    entity: str
    start: int


@dataclass(frozen=True)
class Analysed:
    """One sentence. Tokens are named by their index."""

    text: str
    tokens: tuple[Token, ...]

    @cached_property
    def below(self) -> tuple[tuple[int, ...], ...]:
        """Children of each token, in order."""
        found: list[list[int]] = [[] for _ in self.tokens]
        for i, token in enumerate(self.tokens):
            if token.head != i:
                found[token.head].append(i)
        return tuple(map(tuple, found))

    @cached_property
    def roots(self) -> tuple[int, ...]:
        return tuple(i for i, token in enumerate(self.tokens) if token.head == i)

    def child(self, of: int, *deps: str) -> int | None:
        """The first child with one of the relations."""
        return next((i for i in self.below[of] if self.tokens[i].dep in deps), None)

    def children(self, of: int, *deps: str) -> list[int]:
        return [i for i in self.below[of] if self.tokens[i].dep in deps]

    def subtree(self, of: int, without: Callable[[int], bool] = lambda i: False) -> list[int]:
        """The token and all below it, in order, but for branches that `without` refuses."""
        found, waiting = [], [of]
        while waiting:
            i = waiting.pop()
            found.append(i)
            waiting += [c for c in self.below[i] if not without(c)]
        return sorted(found)

    def extent(self, first: int, last: int) -> tuple[int, int]:
        """Characters [start, end) of the words from one token to another, both included."""
        return self.tokens[first].start, self.tokens[last].start + len(self.tokens[last].text)

    def span(self, first: int, last: int) -> str:
        """Words from one token to another, both included, as written."""
        start, end = self.extent(first, last)
        return self.text[start:end]

    def phrase(self, of: int) -> str:
        """The subtree as written."""
        inside = self.subtree(of)
        return self.span(inside[0], inside[-1])
