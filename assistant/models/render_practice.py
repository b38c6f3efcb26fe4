"""Results of the tools for tests, cards, documents and progress as readable Markdown."""

from collections.abc import Callable
from typing import Any

from assistant.models.render_study import flat

MOST_ITEMS = 20
MOST_QUESTIONS = 50


def started(artifact: dict[str, Any]) -> str:
    """A test, deck or document that a job makes."""
    title = flat(artifact.get("title"))
    return f"{flat(artifact.get('message'))} You find it beside the chat as **{title}**."


def due_cards(artifact: dict[str, Any]) -> str:
    due = artifact.get("due") or {}
    items = _items(artifact)
    if not items:
        return f"No cards are to be reviewed now. {flat(artifact.get('message'))}".strip()
    counts = [f"{due[name]} {words}" for name, words in _DUE.items() if due.get(name)]
    fronts = [f"- {flat(card.get('front'))} ({flat(card.get('deck_title'))})" for card in items[:5]]
    more = sum(due.get(name) or 0 for name in _DUE) - len(fronts)
    rest = [f"- … and {more} more"] if more > 0 else []
    return "\n".join(
        [f"Cards to review now: {', '.join(counts)}. The first ones:", "", *fronts, *rest, "", _REVIEW]
    )


_DUE = {"new": "new", "learning": "being learned", "review": "to repeat"}
_REVIEW = "Press **Review** beside the chat to go through them."


def deck_list(artifact: dict[str, Any]) -> str:
    items = _items(artifact)
    if not items:
        return "You have no cards yet. Say “make 20 flashcards from …” with the name of a material."
    return _listed(artifact, "deck", [_deck_line(one) for one in items])


def _deck_line(item: dict[str, Any]) -> str:
    due = item.get("due") or {}
    now = sum(due.get(name) or 0 for name in _DUE)
    return f"- **{flat(item.get('title'))}**, {item.get('card_count')} cards, {now} due"


def test_list(artifact: dict[str, Any]) -> str:
    items = _items(artifact)
    if not items:
        return "You have no tests yet. Say “quiz me on …”."
    return _listed(artifact, "test", [_test_line(one) for one in items])


def _test_line(item: dict[str, Any]) -> str:
    best = (item.get("best") or {}).get("percent")
    result = f", best result {best:.0f} %" if isinstance(best, int | float) else ", not taken yet"
    return f"- **{flat(item.get('title'))}**, {item.get('question_count')} questions{result}"


def document_list(artifact: dict[str, Any]) -> str:
    items = _items(artifact)
    if not items:
        return "You have no documents yet. Say “make a cheat sheet of …”."
    lines = [
        f"- **{flat(one.get('title'))}**, {flat(one.get('kind')).replace('_', ' ')}, version {one.get('version')}"
        for one in items
    ]
    return _listed(artifact, "document", lines)


def attempt(artifact: dict[str, Any]) -> str:
    """A test that was begun, with its questions."""
    left = artifact.get("seconds_left")
    limit = f" You have {round(left / 60)} minutes." if isinstance(left, int | float) else ""
    questions = [q for q in artifact.get("questions") or [] if isinstance(q, dict)]
    blocks = [f"**{flat(artifact.get('title'))}**, {artifact.get('question_count')} questions.{limit}"]
    blocks += [_question(one) for one in questions[:MOST_QUESTIONS]]
    blocks.append(
        "Answer with the number and your answer, for example “1: b”. Say “hand in” when you are done."
    )
    return "\n\n".join(blocks)


def _question(item: dict[str, Any]) -> str:
    lines = [f"**{item.get('number')}.** {_text(item.get('text'))}"]
    if item.get("type") == "true_false":
        lines.append("True or false?")
    marks = "abcdefghijklmnopqrstuvwxyz"
    for mark, option in zip(marks, item.get("options") or [], strict=False):
        lines.append(f"- ({mark}) {_text(option.get('text'))}")
    right = [f"({option.get('id')}) {_text(option.get('text'))}" for option in item.get("right") or []]
    if right:
        lines.append(f"\nBelongs to: {'; '.join(right)}")
    return "\n".join(lines)


def answered(artifact: dict[str, Any]) -> str:
    said = f"Noted for question {artifact.get('number')}: {_text(artifact.get('understood'))}."
    result = artifact.get("result")
    if isinstance(result, dict):
        said += "\n\n" + _graded(result)
    return f"{said}\n\n{artifact.get('answered_count')} of {artifact.get('question_count')} are answered."


def result(artifact: dict[str, Any]) -> str:
    """An attempt that was graded."""
    percent = artifact.get("percent") or 0
    blocks = [
        f"**{flat(artifact.get('title'))}: {percent:.0f} %**, {artifact.get('score')} of {artifact.get('max_score')} points."
    ]
    topics = [one for one in artifact.get("by_topic") or [] if isinstance(one, dict)]
    if len(topics) > 1:
        blocks.append(
            "\n".join(
                f"- {flat(one.get('name'))}: {one.get('right')} of {one.get('questions')}" for one in topics
            )
        )
    wrong = [
        q for q in artifact.get("questions") or [] if isinstance(q, dict) and q.get("outcome") != "right"
    ]
    blocks += [
        f"**{one.get('number')}.** {_text(one.get('text'))}\n\n{_graded(one)}" for one in wrong[:MOST_ITEMS]
    ]
    return "\n\n".join(blocks)


def _graded(item: dict[str, Any]) -> str:
    outcome = {"right": "Right", "partial": "Partly right", "unanswered": "Not answered"}.get(
        str(item.get("outcome")), "Wrong"
    )
    lines = [f"{outcome}. {_text(item.get('grading_explanation'))}".strip()]
    if item.get("outcome") != "right":
        lines.append(f"Right is: {_text(item.get('answer_text'))}")
    evidence = item.get("evidence")
    if isinstance(evidence, dict) and evidence.get("quote"):
        title = flat((evidence.get("locator") or {}).get("material_title"))
        lines.append(f"> {_text(evidence['quote'])}\n> — *{title}*, {flat(evidence.get('label'))}")
    return "\n\n".join(lines)


def appealed(artifact: dict[str, Any]) -> str:
    return f"{flat(artifact.get('message'))} The result is now {artifact.get('percent') or 0:.0f} %."


def reviewed(artifact: dict[str, Any]) -> str:
    following = artifact.get("next_card")
    said = flat(artifact.get("message"))
    return f"{said}\n\nNext: {_text(following.get('front'))}" if isinstance(following, dict) else said


def weak_topics(artifact: dict[str, Any]) -> str:
    items = _items(artifact)
    if not items:
        return "Nothing stands out yet: too little was answered wrong or forgotten."
    lines = []
    for one in items[:MOST_ITEMS]:
        lines.append(f"- **{flat(one.get('topic'))}**: {one.get('wrong')} of {one.get('tried')} went wrong")
        for item in one.get("items") or []:
            place = ", ".join(filter(None, [flat(item.get("material_title")), flat(item.get("label"))]))
            lines.append(f"  - {_text(item.get('text'))}" + (f" (read up: *{place}*)" if place else ""))
    return "\n".join(
        ["What goes wrong most:", "", *lines, "", "Say “ten questions on what I got wrong” to practise it."]
    )


def progress(artifact: dict[str, Any]) -> str:
    if not (artifact.get("answered") or artifact.get("reviews")):
        return "Nothing was answered or reviewed yet."
    minutes = round((artifact.get("study_seconds") or 0) / 60)
    lines = [
        f"Since {artifact.get('since')}: {artifact.get('answered')} questions answered, {artifact.get('reviews')} cards reviewed,"
        f" {minutes} minutes. {artifact.get('streak_days')} days in a row."
    ]
    shares = [("right", "accuracy"), ("remembered when due", "retention")]
    lines += [f"- {artifact[name]:.0%} {words}" for words, name in shares if artifact.get(name) is not None]
    return "\n".join(lines)


def exported(artifact: dict[str, Any]) -> str:
    """A file that can be fetched, at once or when its job has ended."""
    title, address = flat(artifact.get("title")), str(artifact.get("download_url") or "")
    when = "once it is packed, in a moment" if artifact.get("job_id") else "now"
    return f"**{title}** as {flat(artifact.get('format'))}: it can be fetched {when} from {address}"


def _listed(artifact: dict[str, Any], noun: str, lines: list[str]) -> str:
    total = artifact.get("total") or len(lines)
    shown = lines[:MOST_ITEMS]
    more = [f"\n… and {total - len(shown)} more."] if total > len(shown) else []
    return "\n".join([f"You have {total} {noun}{'' if total == 1 else 's'}:", "", *shown, *more])


def _items(artifact: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in artifact.get("items") or [] if isinstance(one, dict)]


def _text(value: object) -> str:
    """Text of an item as it is, with its maths, on one line."""
    return " ".join(str(value if value is not None else "").split())


RENDERERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "generate_test": started,
    "generate_flashcards": started,
    "generate_document": started,
    "get_due_cards": due_cards,
    "list_decks": deck_list,
    "list_tests": test_list,
    "list_documents": document_list,
    "start_test": attempt,
    "answer_question": answered,
    "submit_test": result,
    "appeal_grade": appealed,
    "review_card": reviewed,
    "get_weak_topics": weak_topics,
    "get_progress": progress,
    "export_deck": exported,
    "export_document": exported,
}
