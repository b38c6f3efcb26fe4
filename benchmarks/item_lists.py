"""Made items as readable lists, with boxes to tick for someone who judges them by `items_rubric.md`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.study.gate.view import View, view
from tools.study.items import Item, Question

BOXES = "[ ] answerable [ ] key right [ ] supported [ ] worth asking"


@dataclass(frozen=True, slots=True)
class Listed:
    item: Item
    score: float

    def as_json(self) -> dict[str, Any]:
        item = self.item
        right = item.right if isinstance(item, Question) else ()
        return {
            "rule": item.rule,
            "topic": item.topic,
            "bloom": item.bloom,
            "difficulty": item.difficulty,
            "score": self.score,
            "text": item.text if isinstance(item, Question) else item.front,
            "options": [option.text for option in item.options],
            "right": [option.text for option in right],
            "key": item.key.model_dump(mode="json") if isinstance(item, Question) else item.back,
            "quotes": [sentence.text for sentence in item.evidence],
            "places": [sentence.number for sentence in item.evidence],
        }

    def line(self) -> str:
        """One line: boxes, the item, its key, its quote and where that stands."""
        seen = view(self.item)
        asked = seen.asked if seen.form != "cloze" else seen.asked.replace("____", "\\_\\_\\_\\_")
        evidence = " / ".join(f"“{one.text}” ({one.number})" for one in self.item.evidence)
        line = f"{BOXES} — **{asked}** {_options(seen)}→ **{_key(seen)}** — {evidence} · {self.item.rule} {self.score:.2f}"
        return " ".join(line.split())


def _options(seen: View) -> str:
    if seen.pairs:
        return f"(spare: {'; '.join(seen.wrong)}) " if seen.wrong else ""
    return f"(wrong: {' | '.join(seen.wrong)}) " if seen.wrong else ""


def _key(seen: View) -> str:
    if seen.form == "true_false" and seen.value is False:
        return f"false: {seen.claim}"
    return seen.answer


def write_lists(folder: Path, book: str, by_type: Mapping[str, Sequence[Listed]], maker: str) -> None:
    """items-<book>.md and items-<book>.json."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"# Items of the {book}, made by {maker}"]
    for type, listed in by_type.items():
        lines += ["", f"## {type} ({len(listed)})", ""]
        lines += [f"{number}. {one.line()}" for number, one in enumerate(listed, start=1)]
    (folder / f"items-{book}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    records = {type: [one.as_json() for one in listed] for type, listed in by_type.items()}
    text = json.dumps(records, ensure_ascii=False, indent=1)
    (folder / f"items-{book}.json").write_text(text + "\n", encoding="utf-8")
