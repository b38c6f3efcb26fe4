"""The queue: what comes first, limits, siblings, interleaving; the same however often it is asked for."""

from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.scheduling.queue import Candidate, Done, Kind, Limits, Queue, Waiting, queue_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DECKS = [UUID(int=n) for n in (1, 2, 3)]


def card(
    number: int, deck: int = 0, topic: str | None = None, rank: float | None = None, group: int | None = None,
    minutes: int | None = None,
) -> Candidate:  # fmt: skip
    due_at = None if minutes is None else NOW + timedelta(minutes=minutes)
    key = UUID(int=1000 + number)
    group_id = key if group is None else UUID(int=90_000 + group)
    return Candidate(key, DECKS[deck], group_id, topic, float(number) if rank is None else rank, due_at)


def queued(
    reviews: list[Candidate] | None = None,
    new: list[Candidate] | None = None,
    learning: list[Candidate] | None = None,
    done: list[Done] | None = None,
    limits: tuple[Limits, Limits] = (Limits(20, {}), Limits(200, {})),
) -> Queue:
    return queue_of(Waiting(learning or [], reviews or [], new or [], done or []), *limits, NOW)


def numbers(cards: list[Candidate]) -> list[int]:
    return [one.id.int - 1000 for one in cards]


def test_cards_being_learned_come_first_when_their_time_has_come() -> None:
    queue = queued([card(1)], [card(2)], [card(3, minutes=-1), card(4, minutes=-5), card(5, minutes=5)])
    assert numbers(queue.order)[:2] == [4, 3]
    assert 5 not in numbers(queue.order)
    assert queue.next_due_at == NOW + timedelta(minutes=5)


def test_they_come_a_little_early_only_when_nothing_else_is_left() -> None:
    learning = [card(1, minutes=30), card(2, minutes=19)]
    assert numbers(queued(learning=learning).order) == [2]
    assert numbers(queued([card(9)], learning=learning).order) == [9]


def test_reviews_come_least_retrievable_first_and_new_cards_in_the_order_of_the_deck() -> None:
    queue = queued([card(n, rank=r) for n, r in ((1, 0.5), (2, 3.0), (3, 1.0))], [card(9), card(8)])
    assert [n for n in numbers(queue.order) if n < 8] == [2, 3, 1]
    assert [n for n in numbers(queue.order) if n >= 8] == [8, 9]


def test_new_cards_stand_evenly_among_the_reviews() -> None:
    order = numbers(queued([card(n) for n in range(40)], [card(n) for n in range(100, 110)]).order)
    places = [place for place, number in enumerate(order) if number >= 100]
    assert [b - a for a, b in pairwise(places)] == [5] * 9


def test_decks_and_topics_are_interleaved_and_not_in_blocks() -> None:
    reviews = [card(n, deck=n % 3, topic="ab"[n // 3 % 2]) for n in range(60)]
    order = queued(reviews).order
    runs = [len(list(run)) for _, run in groupby(order, key=lambda one: (one.deck_id, one.topic))]
    assert max(runs) == 1
    assert [one.deck_id for one in order[:6]].count(DECKS[0]) == 2


def test_of_siblings_one_comes_and_the_one_being_learned_first() -> None:
    queue = queued(
        [card(1, group=1), card(2, group=2)],
        [card(3, group=2), card(4, group=1)],
        [card(5, group=1, minutes=-1)],
    )
    assert numbers(queue.order) == [5, 2]


def test_the_limits_of_a_day_count_what_was_done_and_a_decks_own_stands_alone() -> None:
    limits = (Limits(5, {DECKS[1]: 2}), Limits(10, {DECKS[2]: 0}))
    new = [card(n, deck=n % 3) for n in range(60)]
    reviews = [card(100 + n, deck=n % 3) for n in range(60)]
    done = [Done(DECKS[0], None, "new", 3), Done(DECKS[1], None, "new", 1), Done(DECKS[0], None, "review", 4)]
    queue = queued(reviews, new, done=done, limits=limits)
    by_deck = [[one.deck_id for one in queue.new].count(deck) for deck in DECKS]
    assert by_deck == [0, 1, 2]  # 5 - 3 shared, and the third deck's turn is before the first's
    assert [[one.deck_id for one in queue.reviews].count(deck) for deck in DECKS] == [3, 3, 0]


def test_new_cards_come_from_every_deck_in_turn() -> None:
    big = [card(n, deck=0) for n in range(50)]
    small = [card(100 + n, deck=1) for n in range(3)]
    chosen = queued(new=big + small, limits=(Limits(6, {}), Limits(0, {}))).new
    assert [one.deck_id for one in chosen].count(DECKS[1]) == 3


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.sampled_from("ab")), max_size=40))
@settings(max_examples=60, deadline=None)
def test_answering_from_the_front_goes_through_the_queue_as_it_was_first_shown(
    drawn: list[tuple[bool, int, str]],
) -> None:
    """Whoever asks for one card at a time sees the order that was shown for the whole day."""
    cards = [(is_new, card(n, deck, topic)) for n, (is_new, deck, topic) in enumerate(drawn)]
    first = queued(
        [one for is_new, one in cards if not is_new], [one for is_new, one in cards if is_new]
    ).order
    seen: list[Candidate] = []
    done: list[Done] = []
    for _ in first:
        left = [(is_new, one) for is_new, one in cards if one not in seen]
        queue = queued([one for n, one in left if not n], [one for n, one in left if n], done=done)
        following = queue.order[0]
        kind: Kind = "new" if (True, following) in cards else "review"
        seen.append(following)
        done.append(Done(following.deck_id, following.topic, kind, 1))
    assert seen == first
