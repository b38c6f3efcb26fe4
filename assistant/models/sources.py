"""Results as a small model reads them, and the source of an answer that cites none."""

import re

from assistant.models.quotes import Hit, absent_words, read_hits
from assistant.models.render import render_result
from assistant.models.turns import ToolResult, Turn
from assistant.models.words import terms

HITS_SHOWN = 5
HIT_CHARACTERS = 900
SUPPORTING = 0.5
"""Least share of an answer's content words that a passage must hold to be named as its source."""

CITED_SUPPORTING = 0.2
"""The same for a passage that the answer cites itself: other words are allowed, other facts are not."""
NEAR = 0.4
"""Cosine from which a passage may answer a question without sharing a word with it (another language, a paraphrase)."""

_CITED = re.compile(r"\[(\d+)\]")
_NOTHING = re.compile(
    r"\b(?:did not|didn't|could not|couldn't|cannot|can't|no) (?:find|passage|information)|not in your material",
    re.IGNORECASE,
)


def readable(result: ToolResult) -> str:
    """Hits as numbered passages, best first; other results as Markdown."""
    if result.failed or not result.artifact:
        return result.text
    if result.name != "search_materials":
        return render_result(result)
    hits = read_hits(result.artifact)
    if not hits:
        return f"No passage was found. {result.artifact.get('notice') or ''}".strip()
    return "\n".join(
        f"[{h.number}] ({h.title}, {h.label}) {_without_marks(h.text)}" for h in hits[:HITS_SHOWN]
    )


def _without_marks(text: str) -> str:
    """A passage on one line; its own "[3]" made "(ref. 3)", else the model repeats it as a citation of ours."""
    return _CITED.sub(r"(ref. \1)", " ".join(text.split()))[:HIT_CHARACTERS]


def nothing_found(turn: Turn) -> str:
    """The plain answer when the searches of the turn found nothing that touches the question; empty otherwise.

    Asked anyway, a small model answers from memory and puts a number behind it (seen: "Paris. [1]").
    """
    searches = [r for r in turn.results if r.name == "search_materials" and not r.failed]
    if not searches:
        return ""
    hits = [h for r in searches for h in read_hits(r.artifact)]
    if hits and (_is_near(searches) or turn.previous_questions or _shares_a_word(turn.question, hits)):
        return ""
    query = str(searches[-1].args.get("query") or turn.question)
    notice = next((str(r.artifact["notice"]) for r in searches if r.artifact.get("notice")), "")
    return f"I did not find that in your material. I searched for “{query}”. {notice}".strip()


def _is_near(searches: list[ToolResult]) -> bool:
    scores = [(h.get("scores") or {}).get("dense") for r in searches for h in r.artifact.get("hits") or []]
    return any(isinstance(s, int | float) and s >= NEAR for s in scores)


def _shares_a_word(question: str, hits: list[Hit]) -> bool:
    wanted = terms(question)
    absent = {t for word in absent_words(question, hits) for t in terms(word)}
    return not wanted or bool(set(wanted) - absent)


def missing_source(answer: str, turn: Turn) -> str:
    """What to add to an answer made from a search: its passage when it cites none, or that no passage supports it.

    Small models forget the numbers; an answer without its source must not stand.
    """
    hits = {h.number: h for r in turn.results if r.name == "search_materials" for h in read_hits(r.artifact)}
    if not answer.strip() or not hits or _NOTHING.search(answer):
        return ""
    cited = [hits[int(n)] for n in _CITED.findall(answer) if int(n) in hits]
    said = set(terms(_CITED.sub(" ", answer)))
    best = max(cited or hits.values(), key=lambda h: _share(said, h))
    if _share(said, best) < (CITED_SUPPORTING if cited else SUPPORTING):
        return "\n\n_I could not match this answer to a passage of your material, so do not rely on it._"
    if cited:
        return ""
    return f"\n\nSource: *{best.title}*, {best.label} [{best.number}]"


def _share(said: set[str], hit: Hit) -> float:
    return len(said & set(terms(hit.text))) / max(1, len(said))
