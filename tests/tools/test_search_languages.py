"""Words are stemmed in the language of the text, and a question in every language of what it asks."""

import pytest

from storage.repositories.lexical import Lexeme, Scope, terms_of
from storage.resources import Storage
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor

GERMAN = (
    "Die Zelle ist die kleinste Einheit des Lebens. In jeder pflanzlichen Zelle befinden sich Chloroplasten, "
    "welche das Licht der Sonne auffangen und in chemische Energie umwandeln."
)
ENGLISH = (
    "A battery stores energy in chemical form and gives it back as an electric current. Its capacity falls with "
    "every charging cycle, because the electrodes wear off."
)
CHINESE = "有限差分方法把微分方程变成代数方程。稳定性取决于时间步长的选择，显式格式要求步长足够小。"


@pytest.fixture(scope="module")
async def polyglot(executor: Executor, new_user: Principal) -> Principal:
    """A student with material in three languages in one class."""
    for title, text in (("Zellen", GERMAN), ("Batteries", ENGLISH), ("差分", CHINESE)):
        await add_text(executor, new_user, "Science", title, f"{text}\n")
    return new_user


async def found_by_words(executor: Executor, who: Principal, query: str) -> list[str]:
    """Titles that share a word with the query, best first."""
    found = await call(executor, who, "search_materials", query=query, class_id="Science")
    return [h["locator"]["material_title"] for h in found["hits"] if h["scores"]["lexical"] is not None]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("Einheiten der Zellen", ["Zellen"]),
        ("pflanzliches Leben", ["Zellen"]),
        ("charged electrode", ["Batteries"]),
        ("步长", ["差分"]),
        ("稳定性是什么", ["差分"]),
        ("Welche Chemie?", []),
    ],
)
async def test_a_word_is_found_in_another_form_in_its_own_language(
    executor: Executor, polyglot: Principal, query: str, titles: list[str]
) -> None:
    assert await found_by_words(executor, polyglot, query) == titles


async def test_stop_words_of_the_question_are_no_words_in_material_of_another_language(
    executor: Executor, polyglot: Principal
) -> None:
    assert await found_by_words(executor, polyglot, "What is the capacity of a battery?") == ["Batteries"]
    assert await found_by_words(executor, polyglot, "Was ist eine Zelle, und wo ist sie?") == ["Zellen"]


async def test_a_phrase_is_matched_in_the_language_of_the_text(
    executor: Executor, polyglot: Principal
) -> None:
    for phrase, title in (
        ("kleinste Einheiten", "Zellen"),
        ("electric currents", "Batteries"),
        ("代数方程", "差分"),
    ):
        found = await call(
            executor, polyglot, "search_materials", query=f'"{phrase}" xyzzy', class_id="Science"
        )
        assert found["hits"][0]["locator"]["material_title"] == title


async def test_a_material_knows_its_language(
    storage: Storage, executor: Executor, polyglot: Principal
) -> None:
    languages = {}
    for row in (await call(executor, polyglot, "list_materials", class_id="Science"))["items"]:
        languages[row["title"]] = row["language"]
    assert languages == {"Zellen": "de", "Batteries": "en", "差分": "zh"}
    async with storage.as_user(polyglot.user_id, read_only=True) as db:
        reach = await db.lexical.reach(Scope())
        assert reach.configs == ("english", "german", "simple")
        only = await db.materials.resolve("Zellen")
        assert (await db.lexical.reach(Scope(material_id=only.id))).configs == ("german",)


def lexemes(config: str, *stems: str | None) -> list[Lexeme]:
    """One for each word of a question, None for a stop word."""
    return [Lexeme(config, stem, (n,)) for n, stem in enumerate(stems, 1) if stem is not None]


def test_a_word_with_several_stems_is_one_term() -> None:
    english = lexemes("english", None, None, "energi", None, "cell")
    german = lexemes("german", "what", "is", "energy", "of", "cell")
    assert terms_of([*english, *german]) == [("energi", "energy"), ("cell",)]
    assert terms_of(english) == [("energi",), ("cell",)]
    assert terms_of([]) == []


def test_words_that_share_a_stem_are_one_term() -> None:
    english = [Lexeme("english", "run", (1, 2))]
    german = lexemes("german", "run", "running")
    assert terms_of([*english, *german]) == [("run", "running")]
