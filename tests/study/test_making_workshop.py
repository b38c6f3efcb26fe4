"""Who makes the items of a batch, and which of them are taken."""

from collections import Counter
from uuid import UUID

import pytest

from storage.errors import Unavailable
from tests.study.makers import PlainMaker, plain_gate
from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.study.items import MakerFailed
from tools.study.planning import Due
from tools.study.port import Ground, Matrix, Topic
from tools.study.workshop import Terms, Workshop

MATERIAL, CHUNK = UUID(int=1), UUID(int=2)
TEXTS = [
    "Chlorophyll absorbs red light.",
    "The Calvin cycle builds sugar.",
    "Plants release oxygen only in the light.",
    "Flemming described mitosis in 1882.",
]
SENTENCES = tuple(
    Sentence(CHUNK, 0, 1, 100 * n, 100 * n + len(text), text, ("Light",), spoken=False)
    for n, text in enumerate(TEXTS)
)
TOPIC = Topic("Light", SENTENCES, "en")
TERMS = Terms(cards=False, difficulty="mixed", bloom=(), seed=7)


async def no_vectors(_: object) -> Matrix:
    raise AssertionError("These makers know words only.")


def shop(*makers: PlainMaker, terms: Terms = TERMS) -> Workshop:
    gate = plain_gate(no_vectors, [])
    return Workshop(makers, gate, Ground((TOPIC,), Lexicon({}, {}, 1)), terms, {CHUNK: MATERIAL})


def due(**types: int) -> Due:
    return Due(0, types, tuple(range(sum(types.values()))))


class Failing(PlainMaker):
    """A language model that does not answer, or answers nonsense."""

    def __init__(self, error: Exception) -> None:
        super().__init__(name="openai:scripted")
        self.error = error

    async def make(self, *_: object) -> object:  # type: ignore[override]
        self.asked.append(("", None))  # type: ignore[arg-type]
        raise self.error


@pytest.mark.parametrize("error", [MakerFailed("nonsense"), Unavailable("away", code="model_unreachable")])
async def test_the_rules_make_what_a_language_model_could_not(error: Exception) -> None:
    model, rules = Failing(error), PlainMaker()
    place = shop(model, rules)
    for step, type in enumerate(("cloze", "true_false", "short_answer")):
        made = await place.batch(due(**{type: 1}), TOPIC, step)
        assert [(one.model, one.item.type) for one in made.taken] == [("builtin", type)]
        assert (made.shut, made.spent["fallbacks"]) == ([], 1)
    assert len(model.asked) == 2, "A model that failed twice is not asked any more."
    await place.close()
    assert (model.closed, rules.closed) == (1, 1)


async def test_without_any_maker_that_answers_the_job_is_told() -> None:
    with pytest.raises(Unavailable):
        await shop(Failing(Unavailable("away", code="analyser_unavailable"))).batch(due(cloze=1), TOPIC, 0)


async def test_a_language_model_is_asked_first_and_the_rules_only_for_types_it_gave_none_of() -> None:
    class OnlyClozes(PlainMaker):
        async def make(self, topic, wanted, ground):  # type: ignore[no-untyped-def]
            batch = await super().make(topic, wanted, ground)
            return type(batch)(tuple(one for one in batch.items if one.type == "cloze"))

    model, rules = OnlyClozes(name="openai:scripted"), PlainMaker()
    made = await shop(model, rules).batch(due(cloze=1, true_false=1), TOPIC, 0)
    assert {(one.model, one.item.type) for one in made.taken} == {
        ("openai:scripted", "cloze"), ("builtin", "true_false"),
    }  # fmt: skip
    assert rules.asked[0][1].types == {"true_false": 1}


async def test_what_passed_and_was_not_needed_waits_for_the_next_batch() -> None:
    rules = PlainMaker()
    place = shop(rules)
    first = await place.batch(due(cloze=2), TOPIC, 0)
    second = await place.batch(due(cloze=1), TOPIC, 1)
    assert len(rules.asked) == 1
    assert len({one.item.evidence[0].start for one in [*first.taken, *second.taken]}) == 3
    assert first.rejected == {"trivial": 1}
    assert not second.rejected


async def test_a_sentence_is_asked_about_in_three_ways_at_most() -> None:
    wanted = due(cloze=9, true_false=9, short_answer=9, multiple_choice=9)
    made = await shop(PlainMaker()).batch(wanted, TOPIC, 0)
    spots = Counter((one.item.evidence[0].start, one.item.type) for one in made.taken)
    assert max(spots.values()) == 1
    assert Counter(start for start, _ in spots) == {0: 3, 100: 3, 200: 3}
    assert made.rejected["repeated"] == 3


async def test_sentences_that_earlier_items_quote_are_asked_about_in_another_way() -> None:
    place = shop(PlainMaker())
    place.asked_before = {(MATERIAL, 0, 0): {"cloze"}}
    made = await place.batch(due(cloze=3, true_false=3), TOPIC, 0)
    assert {(one.item.evidence[0].start, one.item.type) for one in made.taken} >= {(0, "true_false")}
    assert (0, "cloze") not in {(one.item.evidence[0].start, one.item.type) for one in made.taken}


async def test_what_is_not_as_asked_for_is_left_out_and_counted() -> None:
    hard = Terms(cards=False, difficulty="hard", bloom=(), seed=7)
    place = shop(PlainMaker(), terms=hard)
    made = await place.batch(due(cloze=2), TOPIC, 0)
    assert (made.taken, made.shut) == ([], ["cloze"])
    place.relax()
    assert len((await place.batch(due(cloze=2), TOPIC, 0)).taken) == 2
    creating = Terms(cards=False, difficulty="mixed", bloom=("create",), seed=7)
    made = await shop(PlainMaker(), terms=creating).batch(due(cloze=2), TOPIC, 0)
    assert (made.taken, made.rejected["other_level"]) == ([], 3)


async def test_a_card_with_two_gaps_counts_as_two() -> None:
    cards = Terms(cards=True, difficulty="mixed", bloom=(), seed=7)
    made = await shop(PlainMaker(), terms=cards).batch(due(cloze=3), TOPIC, 0)
    assert len(made.taken) == 2
