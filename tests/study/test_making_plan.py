"""Where items go: shares, slots, and what is made next. Pure rules of tools.study.planning."""

from collections import Counter
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.study.outcome import notice
from tools.study.parts import chapters, ranges_of
from tools.study.planning import (
    Due,
    Portion,
    Slot,
    State,
    allotted,
    due,
    mixed,
    order_of,
    pool,
    sampled,
    slots_of,
)

TYPES = {"multiple_choice": 2.0, "cloze": 1.0, "true_false": 1.0}


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.integers(0, 300))
def test_shares_add_up_and_are_less_than_one_away_from_what_is_due(weights: list[float], total: int) -> None:
    shares = allotted(weights, total)
    if sum(weights) <= 0:
        assert shares == [0] * len(weights)
        return
    assert sum(shares) == total
    for weight, share in zip(weights, shares, strict=True):
        assert abs(share - weight * total / sum(weights)) < 1 + 1e-6


def test_the_largest_remainder_gets_what_is_left() -> None:
    assert allotted([47, 16, 15.8, 12, 6.1, 3.1], 10) == [5, 2, 1, 1, 1, 0]


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=60),
    st.integers(0, 300),
    st.floats(0, 1, exclude_max=True),
)
def test_items_are_sampled_in_proportion_to_the_size_of_topics(
    sizes: list[int], total: int, start: float
) -> None:
    shares = sampled(sizes, total, start)
    assert sum(shares) == total
    for size, share in zip(sizes, shares, strict=True):
        assert abs(share - size * total / sum(sizes)) <= 1 + 1e-6


def test_few_items_of_many_topics_come_from_all_over_the_material() -> None:
    shares = sampled([100] * 40, 4, 0.5)
    assert [topic for topic, share in enumerate(shares) if share] == [5, 15, 25, 35]


def test_equal_types_do_not_stand_beside_each_other() -> None:
    names = mixed({"a": 3, "b": 3, "c": 1})
    assert Counter(names) == {"a": 3, "b": 3, "c": 1}
    assert all(one != other for one, other in pairwise(names))


def test_topics_take_turns_and_types_are_spread_by_their_shares() -> None:
    portions = [Portion({0: 100, 1: 100}, 2.0), Portion({2: 50}, 1.0)]
    slots = slots_of(portions, TYPES, 12, 0.3)
    assert Counter(slot.part for slot in slots) == {0: 8, 1: 4}
    assert Counter(slot.topic for slot in slots) == {0: 4, 1: 4, 2: 4}
    assert Counter(slot.type for slot in slots) == {"multiple_choice": 6, "cloze": 3, "true_false": 3}
    assert all(one.topic != other.topic for one, other in pairwise(slots))


def test_a_paper_that_is_imitated_gives_its_own_types_and_points() -> None:
    fixed = (("cloze", 2.0), ("short_answer", 5.0))
    slots = slots_of([Portion({3: 10}, 1.0, fixed), Portion({4: 10}, 1.0, fixed[:1])], TYPES, 3, 0.0)
    assert sorted((slot.topic, slot.type, slot.points) for slot in slots) == [
        (3, "cloze", 2.0), (3, "short_answer", 5.0), (4, "cloze", 2.0),
    ]  # fmt: skip


def simulated(
    slots: list[Slot], portions: list[Portion], stock: dict[tuple[int, str], int]
) -> tuple[State, list[tuple[int, str]]]:
    """Make items until nothing is due; `stock` says how many of a type a topic can give."""
    state, made = State(), list[tuple[int, str]]()
    for _ in range(10_000):
        state = State.of(state.as_json())
        job = due(slots, portions, list(TYPES), state)
        if job is None:
            return state, made
        assert sum(job.types.values()) == len(job.slots) <= 10
        given_now = give(job, stock, state)
        made += given_now
        state.step += 1
    raise AssertionError("This does not end.")


def give(job: Due, stock: dict[tuple[int, str], int], state: State) -> list[tuple[int, str]]:
    made = []
    free = list(job.slots)
    for type, wanted in job.types.items():
        number = min(wanted, stock.get((job.topic, type), 0), 2)
        stock[job.topic, type] = stock.get((job.topic, type), 0) - number
        if not number:
            state.shut_off(job.topic, type)
        for _ in range(number):
            state.filled.append(free.pop(0))
            made.append((job.topic, type))
    return made


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=6),
    st.integers(1, 60),
)
def test_as_much_is_made_as_the_topics_can_give_and_never_more(stocks: list[list[int]], total: int) -> None:
    portions = [Portion({topic: 100 + topic for topic in range(len(stocks))})]
    stock = {(topic, type): n for topic, row in enumerate(stocks) for type, n in zip(TYPES, row, strict=True)}
    possible = sum(stock.values())
    state, made = simulated(slots_of(portions, TYPES, total, 0.2), portions, dict(stock))
    assert len(made) == min(total, possible)
    assert len(set(state.filled)) == len(made)
    for key, number in Counter(made).items():
        assert number <= stock[key]


def test_a_slot_moves_within_its_part_before_it_changes_its_type() -> None:
    portions = [Portion({0: 100, 1: 100}), Portion({2: 1000})]
    slots = [Slot(0, 0, "cloze")]
    state = State()
    state.shut_off(0, "cloze")
    job = due(slots, portions, ["multiple_choice", "cloze"], state)
    assert job == Due(1, {"cloze": 1}, (0,))
    state.shut_off(1, "cloze")
    job = due(slots, portions, ["multiple_choice", "cloze"], state)
    assert job == Due(2, {"cloze": 1}, (0,))
    state.shut_off(2, "cloze")
    job = due(slots, portions, ["multiple_choice", "cloze"], state)
    assert job is not None
    assert (job.types, job.topic in (0, 1)) == ({"multiple_choice": 1}, True)


def test_items_are_put_into_the_order_of_their_slots() -> None:
    assert order_of([4, 0, 2, 99]) == [1, 2, 0, 3]


def test_of_a_book_only_as_much_is_looked_at_as_the_items_need_and_then_more() -> None:
    whole = [Portion(dict.fromkeys(range(200), 500))]
    few = pool(whole, 10, 0.5)
    assert sorted(few[0].topics) == [12, 37, 62, 87, 112, 137, 162, 187]
    more = pool(whole, 10, 0.5, width=1)
    assert set(few[0].topics) < set(more[0].topics) < set(whole[0].topics)
    assert pool(whole, 10, 0.5, width=3) == whole
    weighed = pool([Portion({0: 900, 1: 900}, 1.0), Portion({2: 9000, 3: 9000, 4: 9000}, 3.0)], 10, 0.0)
    assert [list(portion.topics) for portion in weighed] == [[0], [2]]


# --- words


@pytest.mark.parametrize(
    ("topic", "numbers"),
    [
        ("chapters 2 to 4", ["2", "3", "4"]),
        ("chapters 3 and 5", ["3", "5"]),
        ("Kapitel 2-3", ["2", "3"]),
        ("chapter 3", []),
        ("section 3.2", []),
        ("photosynthesis", []),
    ],
)
def test_several_chapters_can_be_named_at_once(topic: str, numbers: list[str]) -> None:
    assert chapters(topic) == numbers


def test_passages_in_a_row_become_a_range() -> None:
    key = UUID(int=1)
    assert ranges_of({key: {3, 1, 2, 7}}) == ((key, 1, 3), (key, 7, 7))


def test_a_shortfall_is_told_with_its_reasons() -> None:
    rejected = {"repeated": 88, "trivial": 30}
    assert notice(182, 300, "question", rejected) == (
        "182 good questions could be made of the 300 asked for; 118 candidates were turned away:"
        " 88 that repeat others, 30 that give their answer away."
    )
    assert (
        notice(1, 5, "card", {})
        == "1 good card could be made of the 5 asked for: the material gives no more."
    )
    assert notice(5, 5, "card", rejected) is None
