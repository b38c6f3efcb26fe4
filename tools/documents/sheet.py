"""Cheat sheets: which items go on the pages that were asked for, found by setting the page and measuring it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count

from tools.documents.citing import renumbered
from tools.documents.content import (
    Citation,
    Content,
    Definition,
    Depth,
    Formula,
    Item,
    Options,
    Statement,
    Table,
)
from tools.documents.rendering.blocks import SMALLEST
from tools.documents.rendering.measuring import Measured, measured
from tools.documents.rendering.paging import page_of
from tools.documents.rendering.typesetter import Typesetter
from tools.documents.work import Finished

SIZES: dict[Depth, float] = {"brief": 9.5, "normal": 8.0, "detailed": 7.0}
"""Of the text in points: the denser, the more fits."""
LARGEST = 12.0
STEP = 0.25
USUAL_WORDS = 18
AGAIN = 0.09
"""What each further item of the same kind and section is worth less."""

Place = tuple[int, int]
"""Section and item."""


@dataclass(frozen=True, slots=True)
class Attempt:
    content: Content
    citations: list[Citation]
    size: float
    found: Measured


async def fitted(
    content: Content, citations: Sequence[Citation], options: Options, language: str | None
) -> Finished:
    """As much of the content as fits, the most important first; in larger print where everything fits.

    Raises Unavailable when a page cannot be set.
    """
    order = ranked(content)
    size = SIZES[options.depth]
    async with Typesetter() as typesetter:

        async def tried(number: int, size: float) -> Attempt:
            chosen, cited = renumbered(with_items(content, set(order[:number])), citations)
            pdf = await typesetter.pdf(page_of(chosen, cited, options, size), language)
            return Attempt(chosen, cited, size, await asyncio.to_thread(measured, pdf, options.columns))

        best, number = await _most(order, lambda number: tried(number, size), options)
        if number == len(order):
            best = await _largest(best, lambda larger: tried(number, larger), options)
    if best.found.smallest < SMALLEST - 0.01 and content != (plain := without_formulas(content)):
        # The template sets indices large enough; should one be smaller all the same, the rule goes before the formulas.
        return await fitted(plain, citations, options, language)
    return Finished(best.content, best.citations, best.found.pages, best.size, best.found.smallest)


def fits(attempt: Attempt, options: Options) -> bool:
    return attempt.found.pages <= options.pages


def without_formulas(content: Content) -> Content:
    places = {
        (n, m)
        for n, section in enumerate(content.sections)
        for m, item in enumerate(section.items)
        if not isinstance(item, Formula)
    }
    return with_items(content, places)


async def _most(
    order: Sequence[Place], tried: Callable[[int], Awaitable[Attempt]], options: Options
) -> tuple[Attempt, int]:
    """The largest number of items that fits, by halving; the smallest page is that of the title alone."""
    low, high = 0, len(order)
    best = await tried(high)
    if fits(best, options):
        return best, high
    best = await tried(0)
    while high - low > 1:
        middle = (low + high) // 2
        attempt = await tried(middle)
        if fits(attempt, options):
            low, best = middle, attempt
        else:
            high = middle
    return best, low


async def _largest(best: Attempt, tried: Callable[[float], Awaitable[Attempt]], options: Options) -> Attempt:
    low, high = 0, round((LARGEST - best.size) / STEP) + 1
    start = best.size
    while high - low > 1:
        middle = (low + high) // 2
        attempt = await tried(start + middle * STEP)
        if fits(attempt, options):
            low, best = middle, attempt
        else:
            high = middle
    return best


# --- what matters most


def ranked(content: Content) -> list[Place]:
    """All items, the most important first; of equal ones the first in the material."""
    scores: dict[Place, float] = {}
    for n, section in enumerate(content.sections):
        ordinals: dict[str, count[int]] = {}
        for m, item in enumerate(section.items):
            nth = next(ordinals.setdefault(item.type, count()))
            scores[n, m] = importance(item) - AGAIN * nth
    return sorted(scores, key=lambda place: (-round(scores[place], 6), place))


def importance(item: Item) -> float:
    """Definitions and numbered formulas before points, short before long."""
    if isinstance(item, Definition):
        return 1.0 - _length(item.text)
    if isinstance(item, Formula):
        return 0.8 + 0.12 * bool(item.label) + 0.06 * bool(item.about)
    if isinstance(item, Statement):
        return (0.92 if item.is_central else 0.35 if item.is_example else 0.72) - _length(item.text)
    if isinstance(item, Table):
        return 0.62 - 0.02 * len(item.rows)
    return 0.0


def _length(text: str) -> float:
    return 0.01 * max(0, len(text.split()) - USUAL_WORDS)


def with_items(content: Content, places: set[Place]) -> Content:
    """Only these items, in the order of the material; sections that are empty then are left out."""
    sections = [
        section.model_copy(
            update={"items": [item for m, item in enumerate(section.items) if (n, m) in places]}
        )
        for n, section in enumerate(content.sections)
    ]
    return content.model_copy(update={"sections": [section for section in sections if section.items]})
