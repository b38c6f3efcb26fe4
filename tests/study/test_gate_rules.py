"""The rules of the gate, each by a table of what it turns away and what it must let pass."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.study.gate.clarity import fits_many, is_ambiguous, is_trivial
from tools.study.gate.form import is_badly_formed
from tools.study.gate.standing import is_pronoun_only, refers_elsewhere
from tools.study.gate.support import support_of
from tools.study.gate.told import Told
from tools.study.gate.view import Unreadable, View, view
from tools.study.gate.words import Held, has_run, in_order, negations, numbers, numbers_held, turned
from tools.study.items import Card, Question
from tools.study.keys import KEY, CardType, Choice
from tools.study.port import Ground, Topic

EVIDENCE = "Tuples are immutable and have a fixed size, so tuples use less memory than lists."


def sentence(text: str, number: int = 1) -> Sentence:
    return Sentence(UUID(int=number), 0, 1, 0, len(text), text, (), spoken=False)


def question(
    text: str, key: dict[str, Any], *options: str, evidence: str = EVIDENCE, right: tuple[str, ...] = ()
) -> Question:
    return Question(
        (sentence(evidence),), "Topic", "test", 5, "remember", key["type"], text, KEY.validate_python(key),
        tuple(Choice(id="abcdef"[i], text=option) for i, option in enumerate(options)),
        tuple(Choice(id="pqrstu"[i], text=option) for i, option in enumerate(right)),
    )  # fmt: skip


def short(text: str, answer: str = "They have a fixed size.", evidence: str = EVIDENCE) -> View:
    return view(question(text, {"type": "short_answer", "expected": {"text": answer}}, evidence=evidence))


def truth(text: str, value: bool = True, correction: str | None = None, evidence: str = EVIDENCE) -> View:
    key = {"type": "true_false", "value": value, "correction": correction}
    return view(question(text, key, evidence=evidence))


def choice(text: str, *options: str, evidence: str = EVIDENCE) -> View:
    """The first is right."""
    return view(question(text, {"type": "multiple_choice", "choice": "a"}, *options, evidence=evidence))


def cloze(text: str, *gaps: str, evidence: str = EVIDENCE) -> View:
    return view(question(text, {"type": "cloze", "gaps": [{"text": gap} for gap in gaps]}, evidence=evidence))


def card(type: CardType, front: str, back: str, *options: str) -> View:
    choices = tuple(Choice(id="abcdef"[i], text=option) for i, option in enumerate(options))
    return view(
        Card((sentence(EVIDENCE),), "Topic", "test", 5, "remember", type, front, back, options=choices)
    )


def is_supported(item: View) -> bool:
    held = Held([one.text for one in item.item.evidence], {})
    return not support_of(item, held, Told(), {}).fails


# --- form


@pytest.mark.parametrize(
    "text",
    [
        "Why do tuples use less memory?",
        "Name the property of tuples that saves memory.",
        "Tuples use less memory because they are:",
        "What is the value of $\\frac{a}{b}$ in $[0, T)$?",
        "Warum brauchen Tupel weniger Speicher?",
        "What costs $5 in the example of the shop?",
    ],
)
def test_whole_questions_are_well_formed(text: str) -> None:
    assert not is_badly_formed(short(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What?",
        "Tuples use less memory.",
        "What does the the tuple use?",
        "What is is a tuple?",
        "What does Using a tuple do?",
        "Why do tuples, unlike the?",
        "What is $\\frac{a}{b in the tuple?",
        "What is $x of the tuple?",
        "Why do tuples (which are immutable use less memory?",
        "Why do <b>tuples</b> use less memory?",
        "Why do **tuples** use less memory?",
        "What does \ufffd mean for tuples?",
        "Why " + "very " * 80 + "less memory?",
    ],
)
def test_broken_questions_are_not(text: str) -> None:
    assert is_badly_formed(short(text))


@pytest.mark.parametrize(
    ("options", "bad"),
    [
        (("a fixed size", "a large size", "no size at all"), False),
        (("a fixed size",), True),
        (("a fixed size", "A fixed size.", "no size"), True),
        (("a fixed size", "", "no size"), True),
        (("a fixed size", "word " * 50, "no size"), True),
        (("True", "true", "TRUE"), True),
        (("b", "B2", "c"), False),
    ],
)
def test_options_are_all_there_and_differ(options: tuple[str, ...], bad: bool) -> None:
    assert is_badly_formed(choice("What do tuples have?", *options)) is bad


@pytest.mark.parametrize(
    ("number", "bad"),
    [
        ({"value": 9.8, "tolerance": 0.1}, False),
        ({"value": 9.8, "tolerance": -0.1}, True),
        ({"value": 9.8, "tolerance": 10}, True),
        ({"value": float("nan")}, True),
        ({"value": 0, "tolerance": 0.1}, False),
    ],
)
def test_numbers_have_a_sensible_tolerance(number: dict[str, float], bad: bool) -> None:
    key = {"type": "short_answer", "expected": {"text": "9.8", "number": number}}
    assert is_badly_formed(view(question("How large is the constant g?", key))) is bad


@pytest.mark.parametrize(
    "made",
    [
        lambda: cloze("Tuples are {{1}} and have a {{2}} size.", "immutable"),
        lambda: cloze("Tuples are immutable.", "immutable"),
        lambda: view(question("What?", {"type": "multiple_choice", "choice": "z"}, "a", "b")),
        lambda: view(question("Order.", {"type": "ordering", "order": ["a", "a"]}, "one", "two")),
        lambda: view(question("Match.", {"type": "matching", "pairs": {"a": "z"}}, "one", right=("two",))),
        lambda: card("cloze", "Tuples are {{c1::immutable", ""),
        lambda: card("cloze", "Tuples are {{c1::}} objects.", ""),
        lambda: card("multiple_choice", "What are tuples?", "immutable", "mutable", "sorted"),
    ],
)
def test_keys_that_do_not_fit_cannot_be_read(made: Any) -> None:
    with pytest.raises(Unreadable):
        made()


def test_gaps_may_hold_formulas() -> None:
    item = card("cloze", "It is $\\Delta t < {{c1::\\frac{2}{a}}}$ for stable solutions.", "")
    assert item.keys == ("\\frac{2}{a}",)
    assert item.claim == "It is $\\Delta t < \\frac{2}{a}$ for stable solutions."


@pytest.mark.parametrize(
    ("front", "bad"),
    [
        ("What is tuple?", True),
        ("What is The tuple?", True),
        ("What is a tuple?", False),
        ("What is immutability?", False),
    ],
)
def test_a_term_is_asked_for_with_the_article_it_has(front: str, bad: bool) -> None:
    told = sentence("A tuple is a sequence, and immutability is its property.")
    item = Card((told,), "Topic", "test", 5, "remember", "basic", front, "a sequence with a property")
    assert is_badly_formed(view(item)) is bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("Tuples use less memory.", False),
        ("van Rossum shared Python with others.", False),
        ("len() returns the length of tuples.", False),
        ("A break statement ends the loop.", False),
        ("tedious manual work with tuples is automated.", True),
        ("Suppose tuples use less memory.", True),
        ("There are two kinds of tuples:", True),
        ("Do tuples use less memory?", True),
        ("1. Tuples use less memory.", True),
    ],
)
def test_what_is_judged_as_true_or_false_is_a_whole_statement(text: str, bad: bool) -> None:
    assert is_badly_formed(truth(text)) is bad


# --- standing alone


@pytest.mark.parametrize(
    "text",
    [
        "What does figure 3 show?",
        "What is known from Eq. (2.4)?",
        "What holds by (1.6)?",
        "What is the purpose of the code below?",
        "What was said in the previous chapter?",
        "As shown, why do tuples use less memory?",
        "According to the text, why do tuples use less memory?",
        "What is the goal of this book?",
        "Was zeigt Abbildung 3?",
        "What is listed in the table above?",
        "Which methods does [12] describe?",
    ],
)
def test_what_stands_elsewhere_is_found(text: str) -> None:
    assert refers_elsewhere(short(text))


@pytest.mark.parametrize(
    "text",
    [
        "Which value lies above the exact curve?",
        "What does the next line in a file end with?",
        "How many lines does the program print?",
        "What is the probability of the following event being false: a tie?",
        "What is f(2.5)?",
        "Which version was released before Python 3.0?",
        "What happens when the water is below zero?",
    ],
)
def test_ordinary_words_are_no_references(text: str) -> None:
    assert not refers_elsewhere(short(text))


@pytest.mark.parametrize(
    "text",
    [
        "What is this known as?",
        "What was he designing when he joined a team?",
        "Which dimensions do they have?",
        "Why is this technique used for messages?",
        "What does the function return?",
        "What is it called?",
    ],
)
def test_questions_that_only_point_are_found(text: str) -> None:
    assert is_pronoun_only(short(text), {})


@pytest.mark.parametrize(
    "text",
    [
        "Why is it possible to change lists but not tuples?",
        "Why do tuples use less memory when they are created?",
        "What does the function len() return?",
        "How does a class relate to its superclass?",
        "Why did van Rossum name his language Python?",
        "What happens to a variable when the function in which it was created ends?",
    ],
)
def test_pronouns_that_mean_something_named_before_are_fine(text: str) -> None:
    assert not is_pronoun_only(short(text), {})


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("This method is conditionally stable.", True),
        ("It means that the solution approaches the exact one.", True),
        ("However, these languages are difficult to use.", True),
        ("The function requires two arguments.", True),
        ("We shall now make a solver for the problem.", True),
        ("Our module defines one function.", True),
        ("Alternatively, a list can be used.", True),
        ("The solution is in such cases irrelevant.", True),
        ("When the error vanishes, we say that a scheme is convergent.", False),
        ("Tuples are immutable, so they use less memory.", False),
        ("It is possible to change a list.", False),
        ("The Forward Euler method is conditionally stable.", False),
        ("The method of separation of variables gives the solution.", False),
    ],
)
def test_statements_must_not_begin_with_what_they_only_point_at(text: str, bad: bool) -> None:
    assert is_pronoun_only(truth(text), {}) is bad


# --- support


@pytest.mark.parametrize(
    ("text", "value", "correction", "supported"),
    [
        ("Tuples use less memory than lists.", True, None, True),
        ("Tuples do not use less memory than lists.", True, None, False),
        ("Tuples use more memory than lists.", True, None, False),
        ("Tuples use more memory than lists.", False, "Tuples use less memory than lists.", True),
        ("Tuples use less memory than lists.", False, None, False),
        ("Tuples have 7 sizes.", True, None, False),
        ("Tuples are mutable.", False, "Tuples are immutable.", True),
        ("Tuples are sorted by the interpreter at compile time.", True, None, False),
    ],
)
def test_a_true_statement_follows_from_the_evidence_and_a_false_one_does_not(
    text: str, value: bool, correction: str | None, supported: bool
) -> None:
    assert is_supported(truth(text, value, correction)) is supported


def test_a_negation_may_be_put_in_other_words() -> None:
    told = "Tuples are immutable, whereas lists are mutable."
    assert is_supported(truth("Lists are mutable, but tuples are not.", evidence=told))
    assert is_supported(truth("Lists are mutable.", evidence=told))


@pytest.mark.parametrize(
    ("answer", "supported"),
    [
        ("They are immutable and have a fixed size.", True),
        ("because their size is fixed", True),
        ("They are compressed by the interpreter.", False),
        ("3 bytes less", False),
        ("more memory", False),
    ],
)
def test_an_answer_stands_in_the_evidence(answer: str, supported: bool) -> None:
    assert is_supported(short("Why do tuples use less memory?", answer)) is supported


def test_pairs_and_orders_follow_the_evidence() -> None:
    told = "First the domain is discretized, then derivatives are replaced, and finally an algorithm is formulated."
    steps = ("the domain is discretized", "derivatives are replaced", "an algorithm is formulated")
    for order, supported in (("abc", True), ("cba", False), ("acb", False)):
        item = question("Order the steps.", {"type": "ordering", "order": list(order)}, *steps, evidence=told)
        assert is_supported(view(item)) is supported


@pytest.mark.parametrize(
    ("told", "asked", "has_one"),
    [
        ("The valve has the following parts: a spring, a disc and a stem.", "Order the parts.", False),
        ("A spring, a disc and a stem are added after the valve was bought.", "Order the parts.", False),
        ("In one time step there are a spring, a disc and, rather than a rod, a stem.", "Order the parts.", False),
        ("In order to work, it needs a spring, a disc and a stem.", "Put the parts into the order of use.", False),
        ("For 3 valves of 20 cm there are a spring, a disc and a stem.", "Order the parts.", False),
        ("A spring follows, then a disc, and at the end a stem.", "Order the parts.", True),
        ("It is assembled in three stages: a spring, a disc and a stem.", "Order the parts.", True),
        ("1. a spring 2. a disc 3. a stem", "Order the parts.", True),
        ("A spring weighs 2 g, a disc 30 g and a stem 400 g.", "Order the parts by their weight.", True),
        ("There was a spring in 1901, a disc in 1950 and a stem in 1999.", "Order the inventions.", True),
        ("A spring is lighter than a disc, a disc is lighter than a stem.", "Order the parts.", True),
        ("Zuerst wird a spring, danach a disc und schließlich a stem eingesetzt.", "Ordne die Teile.", True),
    ],
)  # fmt: skip
def test_an_order_is_given_by_the_evidence_and_not_by_an_enumeration(
    told: str, asked: str, has_one: bool
) -> None:
    key = {"type": "ordering", "order": ["a", "b", "c"]}
    item = question(asked, key, "a spring", "a disc", "a stem", evidence=told)
    assert is_supported(view(item)) is has_one


def test_the_sentence_before_the_evidence_may_call_it_steps() -> None:
    lead = sentence("Mounting the valve takes three steps:", 1)
    told = sentence("A spring, a disc and a stem.", 2)
    key = {"type": "ordering", "order": ["a", "b", "c"]}
    item = view(replace(question("Order.", key, "a spring", "a disc", "a stem"), evidence=(told,)))
    held, heard = Held([told.text], {}), Told()
    assert support_of(item, held, heard, {}).fails
    heard.learn(Ground((Topic("Valves", (lead, told), "en"),), Lexicon({}, {}, 1)))
    assert not support_of(item, held, heard, {}).fails


# --- one answer


@pytest.mark.parametrize(
    "word", ["very", "the", "are", "important", "is", "quickly", "a good", "of the", "known"]
)
def test_gaps_that_many_words_fit(word: str) -> None:
    assert fits_many(word, {})


@pytest.mark.parametrize(
    "word", ["immutable", "two", "9.807", "Unicode", "fixed size", "family", "len()", "+", "global"]
)
def test_gaps_that_one_word_fits(word: str) -> None:
    assert not fits_many(word, {})


@pytest.mark.parametrize(
    ("options", "bad"),
    [
        (("a fixed size", "fixed size", "no size"), True),
        (("measles", "smallpox", "diabetes"), True),
        (("measles", "diabetes", "asthma"), False),
        (("unconditionally stable", "stable", "unstable"), True),
        (("2", "4", "8"), False),
        (("x + y", "x - y", "x * y"), False),
    ],
)
def test_no_other_option_is_right_too(options: tuple[str, ...], bad: bool) -> None:
    told = "Diseases that can be simulated by the model are measles, smallpox, flu, plague, and HIV."
    item = choice("Which disease can be simulated by the model?", *options, evidence=told)
    assert is_ambiguous(item, Told(), {}) is bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("Tuples may use less memory.", True),
        ("Tuples often use less memory.", True),
        ("Tuples use about 2 bytes less memory.", False),
        ("Tuples use less memory.", False),
    ],
)
def test_statements_do_not_hedge(text: str, bad: bool) -> None:
    assert is_ambiguous(truth(text), Told(), {}) is bad


# --- worth asking


@pytest.mark.parametrize(
    ("item", "bad"),
    [
        (choice("What is an infinite loop called?", "an infinite loop", "a nested loop", "a for loop"), True),
        (choice("Which is faster, a tuple or a list?", "a tuple", "a list", "a set"), False),
        (choice("What saves memory?", "a fixed size", "all of the above", "a cache"), True),
        (choice("What saves memory?", "a fixed size that does not change after the object was created", "no", "wind"), True),
        (choice("How many are there?", "7", "the tuple", "the list", "the set"), True),
        (choice("Which are small beside other errors?", "rounding errors", "numbers", "methods"), True),
        (choice("Which are small beside other errors?", "rounding errors", "data errors", "methods"), False),
        (choice("Are tuples immutable objects?", "yes", "no"), True),
        (choice("A tuple is called an", "immutable object", "mutable object", "fixed object"), True),
        (cloze("A {{1}} is immutable, so a tuple uses less memory.", "tuple"), True),
        (cloze("A {{1}} is immutable, so it uses less memory.", "tuple"), False),
        (choice("What is a valve?", "A valve regulates a flow", "A list of words", "A kind of stone"), True),
        (choice("What is a valve?", "It regulates a flow", "A list of words", "A kind of stone"), False),
        (choice("What is a valve?", "A valve regulates a flow", "A valve is a stone", "A kind of stone"), False),
        (choice("What is a valve?", "A valve regulates a flow", "It names a stone", "A kind of stone"), False),
        (choice("What does a valve do in a pump?", "In a pump water is kept", "Stones are moved", "Words are read"), False),
        (choice("Which statement is true of valves?", "Each valve regulates a flow", "Stones are moved", "Words are read"), True),
        (choice("Which statements about valves and pumps hold?", "Each valve regulates a flow", "Stones are moved", "Words are read"), False),
        (choice("Was ist ein Ventil?", "Ein Ventil regelt den Fluss", "Eine Liste von Wörtern", "Eine Art von Stein"), True),
        (card("multiple_choice", "What is a valve?", "A valve regulates a flow", "A valve regulates a flow", "A list of words", "A stone in a wall"), True),
        (card("reversed", "fixed size", "a size that is a fixed size"), True),
        (card("reversed", "tuple", "an immutable sequence"), False),
    ],
)  # fmt: skip
def test_the_answer_must_be_known(item: View, bad: bool) -> None:
    assert is_trivial(item, {}) is bad


# --- words


@pytest.mark.parametrize(
    ("text", "passage", "held"),
    [
        ("1,000 items", "There are 1000 items.", True),
        ("two forms", "There are 2 forms.", True),
        ("2 forms", "There are two forms.", True),
        ("9.80", "It is 9.8.", True),
        ("9.9", "It is 9.8.", False),
        ("$T_0$ is warm", "The temperature is warm.", True),
    ],
)
def test_numbers_are_compared_by_their_value(text: str, passage: str, held: bool) -> None:
    assert numbers_held(text, passage) is held


def test_negations_and_opposites() -> None:
    assert negations("It is not immutable, never.", {"mutable"}) == 3
    assert negations("The important thing is inside.", {"portant", "side"}) == 2
    assert negations("The important thing is inside.", {"thing"}) == 0
    assert turned("It uses more memory.", Held(["It uses less memory."], {})) == "more"
    assert turned("It uses less memory.", Held(["It uses less memory, not more."], {})) is None


WORDS = st.lists(st.sampled_from("abcde"), max_size=8)


@given(WORDS, WORDS)
def test_the_longest_common_order_is_a_share_and_whole_for_a_run(wanted: list[str], held: list[str]) -> None:
    assert 0 <= in_order(wanted, held) <= 1
    assert in_order(wanted, [*held, *wanted]) == 1
    assert not wanted or has_run(wanted, [*held, *wanted])


@given(st.text(max_size=80))
def test_a_passage_holds_its_own_words_and_numbers(text: str) -> None:
    assert numbers_held(text, text)
    assert Held([text], {}).share(tuple(Held([text], {}).words)) == 1
    assert all(number == number.strip() for number in numbers(text))
