"""Which item is made where: places for items over topics and types by weight, and what is to be made next. Pure.

A slot is a place for one item in the order of the finished test or deck. It has a topic and a type; when nothing more can be
made of this type there, it moves to another topic, and if that does not help to another type.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

WORDS_PER_ITEM = 150
LEAST_POOL = 4000
"""Words of the material that are looked at for each item, and in all: of so many the rules make some three times as many."""
GROWTH = 4
"""How much more is taken in when that was not enough."""
BATCH = 10
"""Items that are asked for, judged and stored at a time."""
LOOK_AHEAD = 4
"""So many batches of slots are given new homes at a time; one batch is made before the next look."""


@dataclass(frozen=True, slots=True)
class Slot:
    part: int
    """Which part of the blueprint."""
    topic: int
    """Index of the topic."""
    type: str
    points: float | None = None
    """Where the blueprint says so, as a past paper does."""


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of the blueprint: its topics with their sizes, and either its weight or exactly what it should have."""

    topics: Mapping[int, int]
    """Index of a topic → its size in words."""
    weight: float = 1.0
    fixed: tuple[tuple[str, float | None], ...] = ()
    """Type and points of each item, where another test or a past paper is imitated."""
    focus: str | None = None
    """Words that its items should be about."""


@dataclass
class State:
    """How far a job is. Stored with every batch, so that the next attempt goes on behind it."""

    step: int = 0
    width: int = 0
    """How often more of the material was taken in."""
    filled: list[int] = field(default_factory=list)
    """Which slot each stored item fills, in the order of storing."""
    shut: dict[int, list[str]] = field(default_factory=dict)
    """Types of which nothing more can be made, by topic."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Candidates turned away, by reason."""
    spent: Counter[str] = field(default_factory=Counter)
    """Tokens, and what else is counted of the makers."""
    fitting: int | None = None
    """Once no more of the difficulty could be made: how many there were. From then on any will do."""

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "width": self.width,
            "filled": self.filled,
            "shut": {str(topic): types for topic, types in self.shut.items()},
            "rejected": dict(self.rejected),
            "spent": dict(self.spent),
            "fitting": self.fitting,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> "State":
        if not stored:
            return cls()
        return cls(
            step=stored["step"],
            width=stored["width"],
            filled=list(stored["filled"]),
            shut={int(topic): list(types) for topic, types in stored["shut"].items()},
            rejected=Counter(stored["rejected"]),
            spent=Counter(stored["spent"]),
            fitting=stored.get("fitting"),
        )

    def is_shut(self, topic: int, type: str) -> bool:
        return type in self.shut.get(topic, ())

    def shut_off(self, topic: int, type: str) -> None:
        if not self.is_shut(topic, type):
            self.shut.setdefault(topic, []).append(type)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be made next: of one topic, so many of each type."""

    topic: int
    types: Mapping[str, int]
    slots: tuple[int, ...]
    """The slots that they are for."""


# --- shares


def allotted(weights: Sequence[float], total: int) -> list[int]:
    """The total divided in proportion to the weights, by largest remainder (Hamilton's method); of equal remainders the
    first wins."""
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    exact = [weight * total / whole for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def sampled(sizes: Sequence[int], total: int, start: float) -> list[int]:
    """The total divided in proportion to the sizes by systematic sampling: every n-th word gives an item.

    With fewer items than topics they spread over all of the material instead of going to the largest ones. `start` (0 to 1)
    says where the first one falls, so that another seed takes other topics.
    """
    whole = sum(sizes)
    shares = [0] * len(sizes)
    if whole <= 0 or total <= 0:
        return shares
    above, index = float(sizes[0]), 0
    for nth in range(total):
        point = (nth + start) * whole / total
        while point >= above and index < len(sizes) - 1:
            index += 1
            above += sizes[index]
        shares[index] += 1
    return shares


def mixed(counts: Mapping[T, int]) -> list[T]:
    """Each name as often as counted, spread evenly, so that equal ones seldom stand beside each other."""
    spread = [
        ((nth + 0.5) / count, index, name)
        for index, (name, count) in enumerate(counts.items())
        for nth in range(count)
    ]
    return [name for _, _, name in sorted(spread, key=lambda one: one[:2])]


def slots_of(portions: Sequence[Portion], types: Mapping[str, float], total: int, start: float) -> list[Slot]:
    """The slots in the order of the finished test: topics take turns, types are spread over them.

    Portions with fixed items have exactly these; the others share the total by their weights. Each has a topic.
    """
    shares = allotted([0.0 if one.fixed else one.weight for one in portions], total)
    free = dict(zip(types, allotted(list(types.values()), sum(shares)), strict=True))
    names = mixed(free)
    waiting: list[list[Slot]] = []
    for number, (portion, share) in enumerate(zip(portions, shares, strict=True)):
        wanted = list(portion.fixed) or [(names.pop(0), None) for _ in range(share)]
        counts = sampled(list(portion.topics.values()), len(wanted), start)
        homes = mixed({topic: n for topic, n in zip(portion.topics, counts, strict=True) if n})
        waiting.append([Slot(number, home, *one) for home, one in zip(homes, wanted, strict=True)])
    return _in_turn(waiting)


def _in_turn(queues: Sequence[Sequence[Slot]]) -> list[Slot]:
    """One of each in turn, in proportion to their lengths."""
    spread = [
        ((nth + 0.5) / len(queue), number, slot)
        for number, queue in enumerate(queues)
        for nth, slot in enumerate(queue)
    ]
    return [slot for _, _, slot in sorted(spread, key=lambda one: one[:2])]


# --- how much of the material is looked at


def pool(portions: Sequence[Portion], items: int, start: float, width: int = 0) -> list[Portion]:
    """The portions with as many of their topics as the items need: what makes items reads all of these topics, and a book
    takes half a minute. With each `width` more, on top of what was there."""
    taken: dict[int, set[int]] = {number: set() for number in range(len(portions))}
    for more in range(width + 1):
        for number, topics in _drawn(portions, items * GROWTH**more, start).items():
            taken[number] |= topics
    return [
        replace(
            portion, topics={topic: size for topic, size in portion.topics.items() if topic in taken[number]}
        )
        for number, portion in enumerate(portions)
    ]


def _drawn(portions: Sequence[Portion], items: int, start: float) -> dict[int, set[int]]:
    """By portion: topics from all over it, in proportion to its weight."""
    room = max(LEAST_POOL, items * WORDS_PER_ITEM)
    weights = [len(portion.fixed) or portion.weight for portion in portions]
    drawn = {}
    for number, (portion, weight) in enumerate(zip(portions, weights, strict=True)):
        own, sizes = room * weight / sum(weights), list(portion.topics.values())
        if sum(sizes) <= 1.25 * own:
            drawn[number] = set(portion.topics)
        else:
            shares = sampled(sizes, max(1, round(own * len(sizes) / sum(sizes))), start)
            drawn[number] = {topic for topic, share in zip(portion.topics, shares, strict=True) if share}
    return drawn


# --- what comes next


def due(slots: Sequence[Slot], portions: Sequence[Portion], types: Sequence[str], state: State) -> Due | None:
    """What to make next; None when every slot is filled or nothing more can be made.

    `types`: those that a slot may move to, the dearest first.
    """
    done = set(state.filled)
    left = [number for number in range(len(slots)) if number not in done]
    at_home = [
        (number, slots[number].topic, slots[number].type)
        for number in left
        if not state.is_shut(slots[number].topic, slots[number].type)
    ]
    homes = at_home or _rehomed(slots, portions, types, state, left)
    if not homes:
        return None
    topic = homes[0][1]
    here = [(number, type) for number, home, type in homes if home == topic][:BATCH]
    return Due(topic, Counter(type for _, type in here), tuple(number for number, _ in here))


def _rehomed(
    slots: Sequence[Slot],
    portions: Sequence[Portion],
    types: Sequence[str],
    state: State,
    left: Sequence[int],
) -> list[tuple[int, int, str]]:
    """New homes of slots whose own is shut: the least used topic of their part, else of all; their own type, else another."""
    used = Counter(slots[number].topic for number in state.filled if number < len(slots))
    sizes = {topic: size for portion in portions for topic, size in portion.topics.items()}

    @cache
    def able_of(part: int, type: str) -> list[int]:
        near = [topic for topic in portions[part].topics if not state.is_shut(topic, type)]
        return near or [topic for topic in sizes if not state.is_shut(topic, type)]

    homes = []
    for number in left[: LOOK_AHEAD * BATCH]:
        slot = slots[number]
        for type in dict.fromkeys((slot.type, *types)):
            if able := able_of(slot.part, type):
                topic = min(able, key=lambda one: ((used[one] + 1) / max(1, sizes[one]), one))
                used[topic] += 1
                homes.append((number, topic, type))
                break
    return homes


def order_of(filled: Sequence[int]) -> list[int]:
    """Positions in the order of storing, as they stand in the finished test."""
    return sorted(range(len(filled)), key=lambda position: (filled[position], position))
