"""Which cards are asked next, and in which order. Pure: the same cards, counts and time give the same queue.

1. Cards being (re)learned whose time has come, earliest first.
2. Then reviews and new cards mixed: new ones evenly among the reviews; both interleaved over decks and topics instead of
   in blocks (Rohrer & Taylor 2007), within a topic reviews by retrievability, lowest first, new ones in the deck's order.

What was done today counts into the places, so that the order does not change as the queue is taken off from the front.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

LEARN_AHEAD = timedelta(minutes=20)
"""When nothing else is left, cards being learned come so much earlier; Anki's default."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
Kind = Literal["new", "review"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A card that may be asked today."""

    id: UUID
    deck_id: UUID
    group: UUID
    """Shared by siblings; its own id without any."""
    topic: str | None
    rank: float
    """Reviews: elapsed days in stabilities, which falls as retrievability rises. New cards: position in the deck."""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Cards that were answered today, of one deck and topic."""

    deck_id: UUID
    topic: str | None
    kind: Kind
    count: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Daily limits: a deck's own are of this deck alone; the others share that of the account."""

    shared: int
    own: Mapping[UUID, int]

    def left(self, done: Counter[UUID]) -> "Allowance":
        used = sum(count for deck_id, count in done.items() if deck_id not in self.own)
        return Allowance(
            max(self.shared - used, 0),
            {deck_id: max(limit - done[deck_id], 0) for deck_id, limit in self.own.items()},
        )


@dataclass
class Allowance:
    shared: int
    own: dict[UUID, int]

    def takes(self, deck_id: UUID) -> bool:
        """Whether another card of this deck fits in; then it is counted."""
        if deck_id in self.own:
            fits = self.own[deck_id] > 0
            self.own[deck_id] -= fits
        else:
            fits = self.shared > 0
            self.shared -= fits
        return fits


@dataclass(frozen=True, slots=True)
class Waiting:
    """Everything that the queue is made of."""

    learning: Sequence[Candidate]
    """Due until the end of the study day."""
    reviews: Sequence[Candidate]
    new: Sequence[Candidate]
    done: Sequence[Done]


@dataclass(frozen=True, slots=True)
class Queue:
    order: list[Candidate]
    learning: list[Candidate]
    """Due now."""
    later: list[Candidate]
    """Being learned, and due later today."""
    reviews: list[Candidate]
    new: list[Candidate]

    @property
    def next_due_at(self) -> datetime | None:
        return min((one.due_at for one in self.later if one.due_at), default=None)


def queue_of(waiting: Waiting, new_limits: Limits, review_limits: Limits, now: datetime) -> Queue:
    """The queue at `now`. Only the first of several siblings is in it."""
    groups: set[UUID] = set()
    in_time = sorted(waiting.learning, key=_due)
    learning = [one for one in in_time if one.due_at is None or one.due_at <= now]
    later = [one for one in in_time if one.due_at is not None and one.due_at > now]
    groups.update(one.group for one in in_time)

    done_reviews, done_new = _done(waiting.done, "review"), _done(waiting.done, "new")
    most_forgotten = sorted(waiting.reviews, key=lambda one: (-one.rank, one.id))
    reviews = _chosen(most_forgotten, review_limits.left(_by_deck(done_reviews)), groups)
    in_turn = _round_robin(waiting.new, done_new)
    new = _chosen(in_turn, new_limits.left(_by_deck(done_new)), groups)

    mixed_reviews = _interleaved(reviews, done_reviews, lambda one: (-one.rank, one.id))
    mixed_new = _interleaved(new, done_new, lambda one: (one.rank, one.id))
    rest = _spread(mixed_reviews, mixed_new, done_reviews.total(), done_new.total())
    order = learning + rest or [one for one in later if _due(one)[0] <= now + LEARN_AHEAD]
    return Queue(order, learning, later, reviews, new)


Place = tuple[UUID, str | None]


def _due(one: Candidate) -> tuple[datetime, UUID]:
    return one.due_at or LONG_AGO, one.id


def _done(done: Iterable[Done], kind: Kind) -> Counter[Place]:
    counts: Counter[Place] = Counter()
    for one in done:
        if one.kind == kind:
            counts[one.deck_id, one.topic] += one.count
    return counts


def _by_deck(done: Counter[Place]) -> Counter[UUID]:
    counts: Counter[UUID] = Counter()
    for (deck_id, _), count in done.items():
        counts[deck_id] += count
    return counts


def _chosen(ordered: Iterable[Candidate], allowance: Allowance, groups: set[UUID]) -> list[Candidate]:
    """Those within the limits, the first of each group; `groups` grows."""
    chosen = []
    for one in ordered:
        if one.group not in groups and allowance.takes(one.deck_id):
            groups.add(one.group)
            chosen.append(one)
    return chosen


def _round_robin(new: Sequence[Candidate], done: Counter[Place]) -> list[Candidate]:
    """One of each deck in turn, each in its own order; decks of which some were done today wait for the others."""
    turns = Counter(_by_deck(done))
    placed = []
    for one in sorted(new, key=lambda one: (one.rank, one.id)):
        placed.append((turns[one.deck_id], one.deck_id, one))
        turns[one.deck_id] += 1
    return [one for _, _, one in sorted(placed, key=lambda turn: turn[:2])]


def _interleaved(
    cards: Sequence[Candidate], done: Counter[Place], order: Callable[[Candidate], tuple[float, UUID]]
) -> list[Candidate]:
    """Each deck and topic spread evenly over the whole."""
    places: dict[Place, list[Candidate]] = {}
    for one in sorted(cards, key=order):
        places.setdefault((one.deck_id, one.topic), []).append(one)
    spread = [
        ((done[place] + number + 0.5) / (done[place] + len(members)), _tie(place), one)
        for place, members in places.items()
        for number, one in enumerate(members)
    ]
    return [one for _, _, one in sorted(spread, key=lambda at: at[:2])]


def _tie(place: Place) -> bytes:
    return hashlib.blake2b(f"{place[0]} {place[1]}".encode(), digest_size=8).digest()


def _spread(
    reviews: Sequence[Candidate], new: Sequence[Candidate], reviewed: int, learned: int
) -> list[Candidate]:
    """New cards evenly among the reviews."""
    placed = [
        ((done + number + 0.5) / (done + len(cards)), kind, one)
        for kind, (cards, done) in enumerate(((reviews, reviewed), (new, learned)))
        for number, one in enumerate(cards)
    ]
    return [one for _, _, one in sorted(placed, key=lambda at: at[:2])]
