"""Questions out of past papers: numbers, parts, points, options and places, in English and German."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.study.paper_lines import without_points
from tools.study.papers import PaperQuestion, paper_questions


@dataclass(frozen=True)
class Sheet:
    ordinal: int
    text: str


def read(*pages: str) -> list[PaperQuestion]:
    return paper_questions([Sheet(n, page) for n, page in enumerate(pages)])


PHYSICS = (
    """University of Northbridge
PHYS1001 Mechanics, Final Examination, June 2023
Time allowed: 2 hours

Instructions to candidates
1. Answer ALL questions.
2. Calculators are permitted.
3. Write your name on every sheet.

Section A

1. A ball is thrown vertically upwards at 12 m/s from the edge
of a cliff that is 30 m high.
(a) State what is meant by acceleration. [1 mark]
(b) Calculate
(i) the greatest height above the ground, [3 marks]
(ii) the time until the ball reaches the ground.
[4 marks]
(c) Explain why air resis-
tance makes both answers smaller. [2 marks]
[Total: 10 marks]

PHYS1001 June 2023   Page 1 of 3
[Turn over
""",
    """PHYS1001 Mechanics
2. Which of the following is a vector quantity?
A. Mass
B. Energy
C. Momentum
D. Temperature
[1 mark]

3. Which of the following are units of energy? Select all that apply.
A) joule   B) newton metre   C) watt   D) kilowatt hour

4. The work done by a force is the product of the force and the ____________ moved in
its direction. (1 mark)

PHYS1001 June 2023   Page 2 of 3
""",
    """PHYS1001 Mechanics
Section B
1. True or false: the total momentum of a closed system is conserved.  /1
2. Put the following stages of a rocket launch in the correct order: burnout, ignition, separation. (3 points)
3. Discuss the limits of Newtonian mechanics.
__________________________________________
__________________________________________
__________________________________________
____ / 12
PHYS1001 June 2023   Page 3 of 3
END OF PAPER
""",
)

CHEMIE = (
    """Klausur Allgemeine Chemie WS 2022/23
Name: ______________________  Matrikelnummer: ______________
Zugelassene Hilfsmittel: Taschenrechner

Aufgabe 1 (12 Punkte)
Gegeben ist eine Lösung von 0,1 mol/l Salzsäure.
a) Berechnen Sie den pH-Wert der Lösung. (4 P.)
b) Erklären Sie, warum sich der pH-Wert beim Verdünnen
ändert. (5,5 Punkte)
c) Richtig oder falsch: Salzsäure ist eine schwache Säure. (1 BE)

Aufgabe 2: Bindungen (6 Punkte)
Welche der folgenden Moleküle sind polar? Kreuzen Sie alle zutreffenden an.
☐ Wasser
☐ Methan
☐ Ammoniak

Seite 1 von 2
""",
    """Klausur Allgemeine Chemie WS 2022/23
Aufgabe 3
Bringen Sie die Elemente Fluor, Lithium und Kohlenstoff nach ihrem Atomradius in die richtige Reihenfolge.
    ___/3
Aufgabe 4
Ordnen Sie die Begriffe den Definitionen zu. [5]
Seite 2 von 2
Viel Erfolg!
""",
)


def found(questions: list[PaperQuestion], number: str, section: str | None = None) -> PaperQuestion:
    (question,) = [q for q in questions if q.number == number and (section is None or q.section == section)]
    return question


def test_an_english_paper_falls_into_its_questions_and_parts() -> None:
    questions = read(*PHYSICS)
    assert [(q.section, q.number) for q in questions] == [
        ("Section A", "1 (a)"), ("Section A", "1 (b) (i)"), ("Section A", "1 (b) (ii)"), ("Section A", "1 (c)"),
        ("Section A", "2"), ("Section A", "3"), ("Section A", "4"),
        ("Section B", "1"), ("Section B", "2"), ("Section B", "3"),
    ]  # fmt: skip
    assert [q.points for q in questions] == [1, 3, 4, 2, 1, None, 1, 1, 3, 12]
    assert [q.type for q in questions] == [
        "short_answer", "short_answer", "short_answer", "short_answer", "multiple_choice", "multiple_answer", "cloze",
        "true_false", "ordering", "short_answer",
    ]  # fmt: skip


def test_a_part_comes_with_what_the_question_above_says() -> None:
    part = found(read(*PHYSICS), "1 (b) (ii)")
    assert part.text == "the time until the ball reaches the ground."
    assert part.context == (
        "A ball is thrown vertically upwards at 12 m/s from the edge of a cliff that is 30 m high.\nCalculate"
    )


def test_words_divided_at_the_end_of_a_line_are_joined() -> None:
    assert "air resistance makes" in found(read(*PHYSICS), "1 (c)").text


def test_options_are_read_one_to_a_line_and_several_on_a_line() -> None:
    questions = read(*PHYSICS)
    assert [(o.letter, o.text) for o in found(questions, "2", "Section A").options] == [
        ("a", "Mass"), ("b", "Energy"), ("c", "Momentum"), ("d", "Temperature"),
    ]  # fmt: skip
    units = found(questions, "3", "Section A")
    assert [o.text for o in units.options] == ["joule", "newton metre", "watt", "kilowatt hour"]
    assert units.text == "Which of the following are units of energy? Select all that apply."


def test_page_furniture_and_rules_on_the_cover_are_no_questions() -> None:
    text = " ".join(f"{q.text} {q.context}" for q in read(*PHYSICS))
    for word in ("PHYS1001", "Page", "Turn over", "END OF PAPER", "Calculators", "Total"):
        assert word not in text


def test_lines_for_the_answer_are_counted_and_not_read() -> None:
    essay = found(read(*PHYSICS), "3", "Section B")
    assert (essay.text, essay.answer_lines) == ("Discuss the limits of Newtonian mechanics.", 3)


def test_the_place_of_a_question_is_what_stands_there() -> None:
    for question in read(*PHYSICS):
        for place in question.places:
            printed = PHYSICS[place.segment][place.start : place.end]
            first = question.text.split()[0]
            assert first in printed or question.text.startswith("the")
    (place,) = found(read(*PHYSICS), "1 (c)").places
    assert PHYSICS[0][place.start : place.end].startswith("(c) Explain why")


def test_a_german_paper_is_read_alike() -> None:
    questions = read(*CHEMIE)
    assert [(q.number, q.points, q.type) for q in questions] == [
        ("1 (a)", 4, "short_answer"), ("1 (b)", 5.5, "short_answer"), ("1 (c)", 1, "true_false"),
        ("2", 6, "multiple_answer"), ("3", 3, "ordering"), ("4", 5, "matching"),
    ]  # fmt: skip
    assert [o.text for o in found(questions, "2").options] == ["Wasser", "Methan", "Ammoniak"]
    assert found(questions, "1 (a)").context == "Gegeben ist eine Lösung von 0,1 mol/l Salzsäure."


def test_a_question_that_runs_over_a_page_has_two_places() -> None:
    questions = read(
        "Midterm 2024\n1. Describe the steps by which a cell\n2",
        "Midterm 2024\ncopies its chromosomes. (6 marks)\n2. Name two enzymes of the stomach.\n3",
    )
    assert [(q.number, q.points) for q in questions] == [("1", 6), ("2", None)]
    assert questions[0].text == "Describe the steps by which a cell copies its chromosomes."
    assert [place.segment for place in questions[0].places] == [0, 1]


def test_numbers_without_dots_and_parts_on_the_same_line_are_read() -> None:
    questions = read(
        "1 (a) Define the term isotope. [2]\n(b) Give one use of carbon-14. [1]\n"
        "2 Sodium reacts with water.\n(a) (i) Write the equation. [2]\n(ii) Name the gas. [1]\n(b) Describe what is seen. [3]\n"
    )
    assert [(q.number, q.points) for q in questions] == [
        ("1 (a)", 2), ("1 (b)", 1), ("2 (a) (i)", 2), ("2 (a) (ii)", 1), ("2 (b)", 3),
    ]  # fmt: skip
    assert questions[2].context == "Sodium reacts with water."


def test_decimal_numbers_are_parts_and_decimal_fractions_are_not() -> None:
    questions = read(
        "1.1 Simplify the fraction. (2 points)\n1.2 Solve for x.\n2.5 kg of water are heated.\n2.1 Find the heat."
    )
    assert [q.number for q in questions] == ["1.1", "1.2", "2.1"]
    assert "2.5 kg of water" in questions[1].text


def test_parts_may_be_called_by_their_decimal_number() -> None:
    questions = read(
        "Aufgabe 1.1 Nennen Sie zwei Basen. (2 P)\nAufgabe 1.2: Was ist ein Salz?\nAufgabe 2.1 Warum?"
    )
    assert [(q.number, q.points) for q in questions] == [("1.1", 2), ("1.2", None), ("2.1", None)]
    assert [q.number for q in read("Q.1 Define work.\nQ.2 Define power.")] == ["1", "2"]


def test_lower_case_letters_are_options_where_one_is_to_be_chosen() -> None:
    (question,) = read("Question 1\nWhich of the following is a prime number?\na) 21\nb) 23\nc) 25\n")
    assert [(o.letter, o.text) for o in question.options] == [("a", "21"), ("b", "23"), ("c", "25")]
    assert question.type == "multiple_choice"


def test_phrases_under_an_open_sentence_are_options_and_tasks_are_parts() -> None:
    questions = read(
        "PART A: Multiple Choice (20 points)\n1. The powerhouse of the cell is\na. the nucleus\nb. the mitochondrion\n"
        "c. the ribosome\nPART B\n2. DNA is copied in\na) G1\nb) S\nc) G2\n"
        "3. (10 pts) Explain\na. how transcription works,\nb. how translation works,\nc. how they differ.\n"
    )
    assert [q.number for q in questions] == ["1", "2", "3 (a)", "3 (b)", "3 (c)"]
    assert [option.text for option in questions[0].options] == [
        "the nucleus",
        "the mitochondrion",
        "the ribosome",
    ]
    assert [(option.letter, option.text) for option in questions[1].options] == [
        ("a", "G1"),
        ("b", "S"),
        ("c", "G2"),
    ]
    assert questions[1].type == "multiple_choice"


def test_a_sentence_that_begins_with_a_letter_or_a_number_is_no_option_and_no_question() -> None:
    questions = read("1. Read this.\nA ball falls from a tower.\n12 seconds later it lands.\n2. Explain why.")
    assert [q.number for q in questions] == ["1", "2"]
    assert "A ball falls" in questions[0].text
    assert "12 seconds later" in questions[0].text


def test_prose_and_empty_pages_have_no_questions() -> None:
    assert read() == []
    assert read("", "   \n") == []
    assert read("Entropy never falls in a closed system. See (a) and (b) in chapter 3.") == []


@pytest.mark.parametrize(
    ("line", "left", "points"),
    [
        ("Explain it. [5 marks]", "Explain it.", 5), ("Explain it. (1 mark)", "Explain it.", 1),
        ("Erklären Sie das. (4 Punkte)", "Erklären Sie das.", 4), ("Rechnen Sie. (2,5 P.)", "Rechnen Sie.", 2.5),
        ("Rechnen Sie. [3 BE]", "Rechnen Sie.", 3), ("Solve.   ____/10", "Solve.", 10), ("Solve. /10", "Solve.", 10),
        ("Solve. [3]", "Solve.", 3), ("(4)", "", 4), ("Solve.   6 points", "Solve.", 6), ("Solve x = 3/4", "Solve x = 3/4", None),
        ("See reference [3] there", "See reference [3] there", None), ("It is 5 points wide", "It is 5 points wide", None),
        ("f(3) is asked", "f(3) is asked", None),
    ],
)  # fmt: skip
def test_points_are_read_as_they_are_printed(line: str, left: str, points: float | None) -> None:
    assert without_points(line)[:2] == (left, points)


@given(st.lists(st.text(max_size=300), max_size=4))
def test_any_text_is_read_and_every_place_lies_in_it(pages: list[str]) -> None:
    for question in read(*pages):
        assert question.places
        for place in question.places:
            assert 0 <= place.start < place.end <= len(pages[place.segment])


@given(
    st.lists(
        st.from_regex(r"\A(?:[1-9]\.|\([a-d]\)|\(i+\)|[A-D]\)|Aufgabe [1-9]) [A-Za-z ]{3,20}\Z"), max_size=25
    )
)
def test_any_mixture_of_numbers_gives_each_number_once_in_a_section(lines: list[str]) -> None:
    questions = read("\n".join(lines))
    numbers = [question.number for question in questions]
    assert all(question.text or question.options for question in questions)
    assert len(numbers) == len(set(numbers)) or any("Aufgabe" in line for line in lines)
