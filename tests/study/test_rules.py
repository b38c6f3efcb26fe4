"""The built-in maker's rules, on sentences that the real English model analyses, and its items as a whole."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
import psutil
import pytest
import pytest_asyncio

from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.notes.terms import content_stems, distinct_words, spread_of
from tools.study.items import Card, Item, Question
from tools.study.keys import (
    ChoiceKey,
    ChoicesKey,
    ClozeKey,
    MatchingKey,
    OrderingKey,
    ShortKey,
    TruthKey,
)
from tools.study.port import Ground, Matrix, Topic, Wanted
from tools.study.rules.analysed import Analysed
from tools.study.rules.analyser import Analyser
from tools.study.rules.clauses import statements_of
from tools.study.rules.connected import conditions_of, reasons_of
from tools.study.rules.facts import Statement
from tools.study.rules.falsity import falsified
from tools.study.rules.inventory import occurs
from tools.study.rules.lists import listings_of
from tools.study.rules.maker import RuleMaker
from tools.study.rules.material import is_english
from tools.study.rules.wording import asked_term, stated, what_question, which_question

TEXT = """
A string is a sequence of characters enclosed by matching quotes.
A variable is a name that refers to an object stored in memory.
A library is a collection of code that can be used in other programs.
A tuple is an ordered collection of elements that cannot be changed.
The difference between an approximation of a value and the correct value is called a round-off error.
Arithmetic operators are used to perform mathematical operations like addition, subtraction, and division.
A local variable cannot be accessed outside of the function that creates the variable.
A break statement ends the execution of a loop before the condition becomes false.
A return statement finishes the function execution and gives a value back to the caller.
Dynamic typing is popular because programmers need not declare the type of each variable.
A variable name can consist of letters, digits, and underscores.
An overflow error occurs when a value is too large to be stored in memory.
A round-off error is smaller than an overflow error in most programs.
Python's interpreter translates each break statement and each return statement into bytecode.
Each library holds a string, a tuple and a variable for its version.
We see in figure 3 that this method is better than the previous one.
The break statement and the return statement were introduced in 1991 by the author.
"""
GERMAN = """
Eine Primzahl ist eine natürliche Zahl, die genau zwei Teiler hat.
Ein Vektor ist ein Element eines Raumes, in dem addiert und gestreckt wird.
Eine Matrix ist eine rechteckige Anordnung von Zahlen in Zeilen und Spalten.
Unter einer Abbildung versteht man eine Zuordnung von Elementen zweier Mengen.
Heute ist die Börse der größte Markt der Region mit vielen Unternehmen.
Das ist wichtig, wie wir oben gesehen haben.
"""


def sentence(text: str, number: int = 0) -> Sentence:
    return Sentence(
        chunk_id=UUID(int=1 + number // 10), segment=0, number=1, start=number * 200, end=number * 200 + len(text),
        text=text, path=("Basics",), spoken=False,
    )  # fmt: skip


def ground_of(text: str, language: str = "en") -> Ground:
    lines = text.strip().splitlines()
    stems: dict[str, str | None] = {
        word: None if len(word) < 4 else word.rstrip("s") for word in distinct_words(lines)
    }
    sentences = []
    for number, line in enumerate(lines):
        one = sentence(line, number)
        sentences.append(replace(one, stems=content_stems(line, stems)))
    spread = spread_of([one.stems for one in sentences])
    return Ground((Topic("Basics", tuple(sentences), language),), Lexicon(stems, spread, 4))


async def embed(texts: Sequence[str]) -> Matrix:
    """Texts that share words are near each other."""
    vectors = np.full((len(texts), 64), 0.05, np.float32)
    for row, text in enumerate(texts):
        for word in text.casefold().split():
            vectors[row, hashlib.blake2b(word.encode(), digest_size=1).digest()[0] % 64] += 1
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def maker() -> AsyncIterator[RuleMaker]:
    made = RuleMaker(embed)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def analyser(maker: RuleMaker) -> Analyser:
    return maker.equipment.analyser


async def analysed(analyser: Analyser, text: str) -> Analysed:
    return (await analyser.analyse([text]))[0]


async def statement(analyser: Analyser, text: str) -> Statement:
    (found,) = statements_of(sentence(text), await analysed(analyser, text))
    return found


async def made_of(maker: RuleMaker, ground: Ground, *, seed: int = 1, **types: int) -> tuple[Item, ...]:
    cards = any(type in ("basic", "reversed") for type in types)
    batch = await maker.make(ground.topics[0], Wanted(cards=cards, types=types, seed=seed), ground)
    return batch.items


# --- facts


@pytest.mark.parametrize(
    ("text", "question", "term"),
    [
        (
            "A string is a sequence of characters enclosed by matching quotes.",
            "What is the term for a sequence of characters enclosed by matching quotes?",
            "string",
        ),
        (
            "The difference between a value and its approximation is called a round-off error.",
            "What is the term for the difference between a value and its approximation?",
            "round-off error",
        ),
        (
            "HTML is the markup language used for web pages.",
            "What is the name of the markup language used for web pages?",
            "HTML",
        ),
    ],
)
async def test_a_definition_is_asked_for_its_term(
    analyser: Analyser, text: str, question: str, term: str
) -> None:
    found = await statement(analyser, text)
    assert (found.kind, asked_term(found), found.subject.text) == ("definition", question, term)


async def test_a_statement_becomes_questions_in_right_grammar(analyser: Analyser) -> None:
    found = await statement(
        analyser, "Return statements always end the function and return control flow to the calling code."
    )
    assert what_question(found) == (
        "What always ends the function and returns control flow to the calling code?"
    )
    assert which_question(found) == (
        "Which of the following always end the function and return control flow to the calling code?"
    )
    assert stated(found) == found.source.text


@pytest.mark.parametrize(
    "text",
    [
        "This method is more accurate than the other schemes.",
        "It consists of letters, digits, and underscores.",
        "We place square brackets around the operator.",
        "Some people think that stiff challenges are the best device to induce learning.",
        "The program prints the result of the computation on the screen.",
        "John Smith is a professor of mathematics at the university.",
        "The method was introduced by the Norwegian mathematician in a paper.",
    ],
)
async def test_sentences_that_lean_on_others_give_no_statement(analyser: Analyser, text: str) -> None:
    found = statements_of(sentence(text), await analysed(analyser, text))
    assert [one.subject.text for one in found if not one.loose] == []


async def test_two_clauses_give_two_statements(analyser: Analyser) -> None:
    text = "An integer represents a whole number, and a floating-point format represents a decimal number."
    found = statements_of(sentence(text), await analysed(analyser, text))
    assert [(one.subject.text, one.predicate) for one in found] == [
        ("integer", "represents a whole number"),
        ("floating-point format", "represents a decimal number"),
    ]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (
            "Ice is lighter than water because water molecules form an open lattice.",
            "Why is ice lighter than water?",
        ),
        (
            "Metals conduct electricity because free electrons move through the lattice.",
            "Why do metals conduct electricity?",
        ),
    ],
)
async def test_reasons_are_asked_with_why(analyser: Analyser, text: str, question: str) -> None:
    (found,) = reasons_of(sentence(text), await analysed(analyser, text))
    assert found.question == question


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (
            "An overflow error occurs when a value is too large to be stored.",
            "When does an overflow error occur?",
            "When a value is too large to be stored.",
        ),
        (
            "If a body loses heat to the air, the temperature of the body falls.",
            "What happens if a body loses heat to the air?",
            "The temperature of the body falls.",
        ),
    ],
)
async def test_conditions_are_asked_both_ways(
    analyser: Analyser, text: str, question: str, answer: str
) -> None:
    (found,) = conditions_of(sentence(text), await analysed(analyser, text))
    assert (found.question, found.consequence) == (question, answer)


async def test_enumerations_are_lists_of_their_members(analyser: Analyser) -> None:
    text = "A variable name can consist of letters, digits, and underscores."
    source = await analysed(analyser, text)
    (found,) = listings_of(sentence(text), source, statements_of(sentence(text), source))
    assert found.question == "What can a variable name consist of?"
    assert found.members == ("letters", "digits", "underscores")


@pytest.mark.parametrize(
    ("text", "false"),
    [
        (
            "A local variable cannot be accessed outside of a function.",
            "A local variable can be accessed outside of a function.",
        ),
        (
            "The interpreter program translates source code into machine code.",
            "The interpreter program translates machine code into source code.",
        ),
        ("Friction increases the temperature of a body.", "Friction decreases the temperature of a body."),
        ("A byte holds eight bits of information.", "A byte holds six bits of information."),
    ],
)
async def test_statements_are_made_false(analyser: Analyser, text: str, false: str) -> None:
    found = await statement(analyser, text)
    assert false in [text for text, _ in falsified(found)]


async def test_a_hedged_statement_is_not_made_false(analyser: Analyser) -> None:
    found = await statement(analyser, "Friction usually increases the temperature of a body.")
    assert list(falsified(found)) == []


# --- items


EVERY_QUESTION = {
    "multiple_choice": 8, "multiple_answer": 4, "true_false": 8, "cloze": 8, "short_answer": 8, "matching": 2, "ordering": 2,
}  # fmt: skip
EVERY_CARD = {"basic": 8, "reversed": 8, "cloze": 8, "multiple_choice": 8}


def _choice(item: Question) -> str:
    assert isinstance(item.key, ChoiceKey)
    return next(one.text for one in item.options if one.id == item.key.choice)


def check_question(item: Question) -> None:
    """Key among the options once, gaps in the text, nothing said twice, nothing that points elsewhere."""
    texts = [one.text.casefold() for one in item.options]
    assert len(set(texts)) == len(texts)
    assert item.evidence
    assert not any(word in f" {item.text.casefold()} " for word in (" we ", " figure ", " this method "))
    match item.key:
        case ChoiceKey():
            right = _choice(item)
            told = item.evidence[0].text.casefold()
            assert sum(text == right.casefold() for text in texts) == 1
            assert len(texts) == 4
            assert not any(occurs(text, told) for text in texts if text != right.casefold())
        case ChoicesKey(choices=ids):
            assert 2 <= len(ids) < len(texts)
            assert set(ids) <= {one.id for one in item.options}
        case TruthKey(value=value, correction=correction):
            assert value or (correction and correction != item.text)
        case ClozeKey(gaps=gaps):
            assert [f"{{{{{n}}}}}" in item.text for n in range(1, len(gaps) + 1)] == [True] * len(gaps)
            filled = item.text.replace("(n)", "").replace("{{1}}", gaps[0].text)
            assert gaps[0].text in item.evidence[0].text
            assert filled.split()[-3:] == item.evidence[0].text.split()[-3:]
            assert gaps[0].text.casefold() not in item.text.casefold()
        case ShortKey(expected=expected):
            assert not occurs(expected.text, item.text.casefold())
        case MatchingKey(pairs=pairs):
            assert set(pairs) == {one.id for one in item.options}
            assert set(pairs.values()) == {one.id for one in item.right}
        case OrderingKey(order=order):
            assert sorted(order) == [one.id for one in item.options]


async def test_questions_are_whole(maker: RuleMaker) -> None:
    ground = ground_of(TEXT)
    for seed in range(6):
        items = await made_of(maker, ground, seed=seed, **EVERY_QUESTION)
        assert items
        for item in items:
            assert isinstance(item, Question)
            check_question(item)
    assert {item.type for item in items} >= {
        "multiple_choice",
        "true_false",
        "cloze",
        "short_answer",
        "matching",
    }


async def test_cards_are_whole(maker: RuleMaker) -> None:
    items = await made_of(maker, ground_of(TEXT), **EVERY_CARD)
    assert {item.type for item in items} == set(EVERY_CARD)
    for item in items:
        assert isinstance(item, Card)
        if item.type == "cloze":
            assert "{{c1::" in item.front
        elif item.type == "multiple_choice":
            assert [one.text for one in item.options].count(item.back) == 1
        else:
            assert item.front
            assert item.back


async def test_the_same_seed_gives_the_same_items(maker: RuleMaker) -> None:
    first = await made_of(maker, ground_of(TEXT), seed=7, **EVERY_QUESTION)
    assert first == await made_of(maker, ground_of(TEXT), seed=7, **EVERY_QUESTION)
    assert first != await made_of(maker, ground_of(TEXT), seed=8, **EVERY_QUESTION)


async def test_only_wanted_levels_and_nothing_that_exists(maker: RuleMaker) -> None:
    ground = ground_of(TEXT)
    plain = Wanted(cards=False, types={"short_answer": 5})
    before = (await maker.make(ground.topics[0], plain, ground)).items
    asked = [item.text for item in before if isinstance(item, Question)]
    wanted = Wanted(cards=False, types={"short_answer": 5}, avoid=tuple(asked[:1]))
    again = (await maker.make(ground.topics[0], wanted, ground)).items
    assert asked[0] not in [item.text for item in again if isinstance(item, Question)]
    deep = Wanted(cards=True, types={"basic": 5}, bloom=("apply",))
    found = (await maker.make(ground.topics[0], deep, ground)).items
    assert found
    assert {item.bloom for item in found} == {"apply"}


async def test_a_focus_leaves_only_what_is_about_it(maker: RuleMaker) -> None:
    ground = ground_of(TEXT)
    wanted = Wanted(cards=False, types={"cloze": 9}, focus="overflow error")
    found = (await maker.make(ground.topics[0], wanted, ground)).items
    assert found
    assert all("error" in item.evidence[0].text for item in found)


async def test_german_definitions_are_asked_in_german(maker: RuleMaker) -> None:
    items = await made_of(maker, ground_of(GERMAN, "de"), **EVERY_QUESTION)
    short = {
        item.key.expected.text
        for item in items
        if isinstance(item, Question) and isinstance(item.key, ShortKey)
    }
    assert short == {"Primzahl", "Vektor", "Matrix", "Abbildung"}
    assert {item.type for item in items} == {
        "multiple_choice",
        "true_false",
        "short_answer",
        "cloze",
        "matching",
    }
    for item in items:
        assert isinstance(item, Question)
        check_question(item)


async def test_two_materials_in_one_ground_are_not_mixed_up(maker: RuleMaker) -> None:
    first, second = (
        ground_of(TEXT),
        ground_of("Copper is a metal that conducts electricity well in wires.\nZinc is soft."),
    )
    (other,) = second.topics
    moved = Topic("Metals", tuple(replace(one, chunk_id=UUID(int=99)) for one in other.sentences), "en")
    ground = Ground((*first.topics, moved), first.lexicon)
    batch = await maker.make(moved, Wanted(cards=True, types={"basic": 5}), ground)
    assert [item.front for item in batch.items if isinstance(item, Card)] == ["What is copper?"]


async def test_an_unnamed_language_is_recognised(maker: RuleMaker) -> None:
    german = ground_of(GERMAN, "de").topics[0]
    assert not is_english(replace(german, language=None))
    assert is_english(replace(ground_of(TEXT).topics[0], language=None))


async def test_an_unknown_language_gives_no_nonsense(maker: RuleMaker) -> None:
    items = await made_of(maker, ground_of(GERMAN, "fi"), multiple_choice=3, ordering=3, true_false=3)
    assert items == ()


# --- the process


async def test_a_child_that_dies_is_replaced_once(maker: RuleMaker) -> None:
    analyser = maker.equipment.analyser
    await analysed(analyser, "A mirror reflects light from its surface.")
    assert analyser._pool is not None
    for pid in list(analyser._pool._processes):
        os.kill(pid, signal.SIGKILL)
    found = await analysed(analyser, "A lens bends light towards its axis.")
    assert found.tokens[-1].text == "."


async def test_a_cancelled_reading_leaves_the_maker_usable(maker: RuleMaker) -> None:
    ground = ground_of(TEXT.replace("variable", "constant"))
    task = asyncio.create_task(made_of(maker, ground, cloze=2))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await made_of(maker, ground, cloze=2)


async def test_closing_ends_the_process(maker: RuleMaker) -> None:
    analyser = maker.equipment.analyser
    await analysed(analyser, "A prism splits white light into colours.")
    assert analyser._pool is not None
    children = [psutil.Process(pid) for pid in analyser._pool._processes]
    await maker.close()
    assert children
    assert not any(child.is_running() for child in children)
    await maker.close()
