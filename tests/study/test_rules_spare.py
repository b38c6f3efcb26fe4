"""What is asked of sentences that give no fact: which stand alone, which term is left out, how they are made false, and what several make."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import numpy as np
import pytest
import pytest_asyncio

from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.study.items import Question
from tools.study.keys import ChoicesKey, MatchingKey, OrderingKey
from tools.study.port import Ground, Matrix, Topic, Wanted
from tools.study.rules.analyser import Analyser
from tools.study.rules.falsity import with_opposite, with_other_number, without_denial
from tools.study.rules.inventory import Inventory
from tools.study.rules.lists import listings_of, orders_of
from tools.study.rules.maker import RuleMaker
from tools.study.rules.spare import Gap, gaps_in, headings_of, spare_of, subject_question
from tools.study.rules.standing import cleaned, may_be_asked, points_nowhere, without_links

CHAPTER = """
Consistency means that the truncation error goes to zero as the mesh is refined.
The truncation error decreases when the mesh is refined, because more points are used.
The Leapfrog scheme will develop growing oscillations if the time step is too large.
Rounding errors are smaller than discretization errors when the mesh is not too fine.
The convergence rate must be estimated before the mesh is refined any more.
The amplification factor is always smaller than one if the time step is small enough.
Discretization errors are larger than rounding errors if the time step is large.
The convergence rate depends on the truncation error of the chosen scheme.
The Leapfrog scheme requires a special first step because two earlier values are needed.
The amplification factor is smaller than the convergence rate when oscillations grow.
The truncation error is larger than all rounding errors because numbers have sixteen digits.
Rounding errors and discretization errors are measured before the convergence rate.
"""


def sentence(text: str, number: int = 0) -> Sentence:
    path = ("2 Analysis of errors", "Truncation error and convergence rate")
    start = number * 300
    return Sentence(UUID(int=1), 0, 1, start, start + len(text), text, path, spoken=False)


async def embed(texts: Sequence[str]) -> Matrix:
    """Each text a direction of its own."""
    return np.eye(512, dtype=np.float32)[[i % 512 for i in range(len(texts))]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def maker() -> AsyncIterator[RuleMaker]:
    made = RuleMaker(embed)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def analyser(maker: RuleMaker) -> Analyser:
    return maker.equipment.analyser


def ground() -> Ground:
    lines = CHAPTER.strip().splitlines()
    sentences = tuple(sentence(line, number) for number, line in enumerate(lines))
    return Ground((Topic("Truncation error", sentences, "en"),), Lexicon({}, {}, 4))


async def gaps_of(analyser: Analyser, text: str) -> list[Gap]:
    one = sentence(text)
    (source,) = await analyser.analyse([text])
    spare = spare_of(text, one, source)
    empty = Inventory(
        [], np.zeros((0, 1), np.float32), {}, [], np.zeros((0, 1), np.float32), [text.casefold()] * 2
    )
    return gaps_in(spare, empty, headings_of([one.path])) if spare is not None else []


@pytest.mark.parametrize(
    "text",
    [
        "The convergence rate r is 2 if halving ∆t reduces the error by a factor of 4.",
        "The scheme requires ∆t < 2/a for avoiding growing solutions of the differential equation.",
    ],
)
def test_a_little_notation_does_no_harm(text: str) -> None:
    assert may_be_asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "Then u^{n+1} = u^n − a∆tu^n is solved for all n = 0, 1, . . . , N − 1.",
        "Any system of equations can be written in the form, but others need more functions.",
    ],
)
def test_derivations_and_sentences_with_holes_are_left_out(text: str) -> None:
    assert not may_be_asked(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("However, the stability, therefore, is conditional.", "The stability is conditional."),
        ("We see that the error decreases with the mesh size.", "The error decreases with the mesh size."),
        ("The cooling law (4.8) needs an initial condition.", "The cooling law needs an initial condition."),
        ("Meshes are used in methods (Section 3.2 explains them).", "Meshes are used in methods."),
    ],
)
def test_what_links_a_sentence_to_others_is_taken_out(text: str, shown: str) -> None:
    assert without_links(cleaned(text)) == shown


def test_we_may_stand_for_anybody_and_it_for_what_was_named() -> None:
    assert points_nowhere("If we halve the time step, the error is reduced by a factor of four.")
    assert points_nowhere("The Crank-Nicolson scheme is stable, but it can produce oscillations.")
    assert not points_nowhere("We have chosen a very fine mesh for the exact solution.")
    assert not points_nowhere("In our case it is stable for all time steps.")


async def test_the_key_term_is_left_out_and_asked_for(analyser: Analyser) -> None:
    text = "The truncation error goes to zero if the size of all cells is reduced."
    gap = (await gaps_of(analyser, text))[0]
    assert gap.shown == "The ____ goes to zero if the size of all cells is reduced."
    assert subject_question(gap) == "Which error goes to zero if the size of all cells is reduced?"
    assert subject_question(gap, "which of the following") == (
        "Which of the following goes to zero if the size of all cells is reduced?"
    )


@pytest.mark.parametrize(
    "text",
    [
        "The truncation error of one method is a truncation error like all others.",
        "A wide range of problems is known for which there are special methods.",
        "The plot shows the truncation error for all three values of the parameter.",
    ],
)
async def test_no_gap_where_the_rest_tells_it_or_many_words_fit(analyser: Analyser, text: str) -> None:
    assert not await gaps_of(analyser, text)


def test_a_sentence_is_made_false_by_one_word() -> None:
    assert with_opposite("The error increases with time.") == "The error decreases with time."
    assert with_opposite("No argument is larger than that.") == ""
    assert without_denial("The scheme does not damp waves.") == "The scheme damps waves."
    assert with_other_number("The model has seven layers.") == "The model has five layers."
    assert with_other_number("The model has seven layers of 3 km.") == ""


async def test_several_sentences_make_matchings_and_statements_to_choose(maker: RuleMaker) -> None:
    types = {"matching": 2, "multiple_answer": 2}
    made = await maker.make(ground().topics[0], Wanted(cards=False, types=types, seed=3), ground())
    items = [one for one in made.items if isinstance(one, Question)]
    (match, *_) = [one for one in items if isinstance(one.key, MatchingKey)]
    texts = {choice.id: choice.text for choice in (*match.options, *match.right)}
    assert isinstance(match.key, MatchingKey)
    for left, right in match.key.pairs.items():
        filled = texts[right].replace("____", texts[left]).casefold()
        assert any(line.casefold() == filled for line in CHAPTER.strip().splitlines())
    (choose, *_) = [one for one in items if isinstance(one.key, ChoicesKey)]
    assert isinstance(choose.key, ChoicesKey)
    told = {choice.text for choice in choose.options if choice.id in choose.key.choices}
    assert told <= set(CHAPTER.strip().splitlines())
    assert 2 <= len(told) < len(choose.options)


async def test_kinds_behind_a_colon_belong_together(analyser: Analyser) -> None:
    text = "A body in a fluid is subject to three different types of forces: the gravity force, the drag force, and the buoyancy force."
    (source,) = await analyser.analyse([text])
    (found,) = [one for one in listings_of(sentence(text), source, ()) if one.members]
    assert found.members == ("gravity force", "drag force", "buoyancy force")
    assert found.question.endswith("three different types of forces: which of the following are they?")


async def test_ranks_and_sizes_are_put_into_order(analyser: Analyser) -> None:
    text = "A logger has different levels of messages, ordered as critical, error, warning, and debug."
    (source,) = await analyser.analyse([text])
    (ranked,) = [one for one in listings_of(sentence(text), source, ()) if one.ordered]
    assert ranked.members == ("Critical", "Error", "Warning", "Debug")
    lead = sentence("The drag coefficient C_D depends heavily on the shape of the body.")
    values = sentence("Some values are: 0.45 for a sphere, 1.05 for a cube, and 0.75 for a rocket.", 1)
    (sized,) = list(orders_of([lead, values], "Data"))
    assert sized.members == ("Sphere", "Rocket", "Cube")
    assert "drag coefficient" in sized.question


async def test_an_order_becomes_a_question(maker: RuleMaker) -> None:
    lines = (
        "The drag coefficient C_D depends on the shape.",
        "Values are: 0.45 for a sphere, 1.05 for a cube, 0.75 for a rocket.",
    )
    topic = Topic("Data", tuple(sentence(line, number) for number, line in enumerate(lines)), "en")
    whole = Ground((topic,), Lexicon({}, {}, 1))
    (item,) = (await maker.make(topic, Wanted(cards=False, types={"ordering": 1}), whole)).items
    assert isinstance(item, Question)
    assert isinstance(item.key, OrderingKey)
    texts = {choice.id: choice.text for choice in item.options}
    assert [texts[id] for id in item.key.order] == ["Sphere", "Rocket", "Cube"]
