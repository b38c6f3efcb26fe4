"""Definitions by other turns of phrase, and which sentences and gaps say enough to be asked about."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
import pytest_asyncio

from tools.notes.reading import Sentence
from tools.study.rules.analyser import Analyser
from tools.study.rules.cards import _asked_openly
from tools.study.rules.clauses import statements_of
from tools.study.rules.facts import Statement, Term
from tools.study.rules.inventory import Inventory, _may_be_the_same
from tools.study.rules.spare import tells_enough
from tools.study.rules.standing import may_be_asked, means_an_equation
from tools.study.rules.wording import asked_term, stated, what_question
from tools.study.rules.worth import is_counted, is_everywhere, is_passing_name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def analyser() -> AsyncIterator[Analyser]:
    made = Analyser()
    yield made
    await made.close()


async def statements(analyser: Analyser, text: str) -> list[Statement]:
    (source,) = await analyser.analyse([text])
    return statements_of(Sentence(UUID(int=1), 0, 1, 0, len(text), text, (), spoken=False), source)


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        (
            "By a mesh we mean a finite set of points in time at which the solution is computed.",
            "What is the term for a finite set of points in time at which the solution is computed?",
            "A mesh is a finite set of points in time at which the solution is computed.",
        ),
        (
            "Susceptibles (S): people who can get the disease.",
            "What is the term for people who can get the disease?",
            "Susceptibles are people who can get the disease.",
        ),
    ],
)
async def test_a_definition_by_another_turn_of_phrase_is_one(
    analyser: Analyser, text: str, asked: str, said: str
) -> None:
    (one,) = await statements(analyser, text)
    assert (one.kind, asked_term(one), stated(one)) == ("definition", asked, said)
    assert one.source.text[slice(*one.gap)].casefold() == one.subject.text


@pytest.mark.parametrize(
    "text",
    ["Note: the program may crash at any moment in time.", "By stability we mean that errors do not grow."],
)
async def test_a_remark_is_no_definition(analyser: Analyser, text: str) -> None:
    assert [one for one in await statements(analyser, text) if one.kind == "definition"] == []


async def test_a_verb_behind_can_stays_as_it_is(analyser: Analyser) -> None:
    (one,) = await statements(
        analyser, "Mixin classes promote modularity and can remove the diamond problem."
    )
    assert what_question(one) == "What promotes modularity and can remove the diamond problem?"


@pytest.mark.parametrize(
    "text",
    [
        "Write function calls that use the default values along with other arguments.",
        "Sometimes a decision only requires one condition to be true.",
        "The Crank-Nicolson method builds on sampling the equation at t_n .",
        "The index has been posted online. shows the popularity of five languages.",
    ],
)
def test_orders_exceptions_and_broken_sentences_are_not_asked_about(text: str) -> None:
    assert not may_be_asked(text)


def test_what_is_told_by_an_equation_number_alone_is_not_asked_about() -> None:
    assert means_an_equation("Higher-order versions of the scheme (3.39) can be constructed.")
    assert not means_an_equation("The Leapfrog scheme (3.41) will develop growing oscillations.")


@pytest.mark.parametrize(
    ("before", "after", "enough"),
    [
        ("A(n) ", " allows for skipping the rest of the loop without exiting it entirely.", True),
        ("A(n) ", " can be used in a for or a while loop.", False),
        ("A(n) ", " is often used for repeating tasks of very different kinds.", False),
        ("Care should be taken to avoid ", ".", False),
    ],
)
def test_a_gap_needs_words_around_it_that_point_to_it(before: str, after: str, enough: bool) -> None:
    assert tells_enough(before, after) is enough


def term(text: str, *, proper: bool = False, plural: bool = False) -> Term:
    return Term(text, "" if proper else "a", plural, text.split()[-1].casefold(), proper)


def test_names_of_examples_and_what_does_everything_are_no_answers() -> None:
    few = Inventory([], np.zeros((0, 1), np.float32), {"mint": 1}, [], np.zeros((0, 1), np.float32), [], 200)
    assert is_passing_name(term("Mint", proper=True), few)
    assert is_passing_name(term("Developer class"), few)
    assert not is_passing_name(term("Taylor series"), few)
    assert not is_passing_name(term("Mint", proper=True), replace(few, size=20))
    assert is_everywhere(term("Python programs", plural=True))
    assert not is_everywhere(term("Python dictionary"))
    assert is_counted(term("multiple classes", plural=True))
    assert not is_counted(term("multiple inheritance"))


def test_a_thing_and_its_object_are_no_two_options() -> None:
    assert _may_be_the_same(term("Python dictionary"), term("dictionary object"))
    assert _may_be_the_same(replace(term("input data"), head="datum"), term("input parameter"))
    assert not _may_be_the_same(term("break statement"), term("loop body"))


def test_a_card_asks_without_options() -> None:
    assert _asked_openly("Which of the following are among module authors?") == (
        "What are examples of module authors?"
    )
    assert _asked_openly("A body is subject to three forces: which of the following are they?").endswith(
        "which are they?"
    )
