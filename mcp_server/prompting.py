"""What the prompts are: their arguments, the tools they need, their text in `prompt_texts/`, and what is put in it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import MappingProxyType

from mcp_server.live import Live, debugging_facts, explaining_facts, planning_facts, quiz_facts

TEXTS = Path(__file__).parent / "prompt_texts"


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    description: str
    required: bool = False
    default: str = ""
    most: int | None = None
    """Of a number: from 1 to this."""


@dataclass(frozen=True)
class PromptSpec:
    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    needs: frozenset[str]
    """Without these tools it is not offered."""
    facts: Callable[[Live, Mapping[str, str]], Awaitable[list[str]]]
    """Lines of live data, from the caller's own tools."""

    def text(self, values: Mapping[str, str]) -> str:
        words = (TEXTS / f"{self.name}.md").read_text(encoding="utf-8")
        return Template(words).substitute(values).strip()


CLASS = Argument("class", "A class: its name or id. Left out: all of them.")
MATERIAL = Argument("material", "One material of it: its title or id.")

PROMPTS: Mapping[str, PromptSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            PromptSpec(
                "quiz-me",
                "Quiz me",
                "Questions from my own material, one at a time, graded with the page that holds the answer.",
                (
                    CLASS,
                    Argument("topic", "What to be asked about. Left out: what I get wrong most."),
                    MATERIAL,
                    Argument("chapter", "A chapter or section of the material."),
                    Argument("count", "How many questions.", default="5", most=50),
                ),
                frozenset({"generate_test", "get_job", "start_test", "answer_question", "submit_test"}),
                quiz_facts,
            ),
            PromptSpec(
                "explain-from-my-notes",
                "Explain from my notes",
                "Explains a topic from my own notes and material alone, each sentence with its source.",
                (Argument("topic", "What to explain.", required=True), CLASS, MATERIAL),
                frozenset({"search_materials"}),
                explaining_facts,
            ),
            PromptSpec(
                "plan-my-week",
                "Plan my week",
                "A plan day by day from what is due, the cards that come back, and what goes wrong most.",
                (
                    CLASS,
                    Argument("days", "How many days, today included.", default="7", most=31),
                    Argument("minutes_a_day", "How long I can study each day.", default="45", most=600),
                ),
                frozenset({"list_assignments"}),
                planning_facts,
            ),
            PromptSpec(
                "debug-retrieval",
                "Why was this not found?",
                "Finds out step by step why search missed something, and how to mend it.",
                (
                    Argument("query", "What was searched for.", required=True),
                    Argument("expected_material", "The material that should have been found."),
                    Argument("expected_phrase", "Words that stand in the missing passage."),
                    CLASS,
                ),
                frozenset({"search_materials", "chroma_list_collections"}),
                debugging_facts,
            ),
        )
    }
)
