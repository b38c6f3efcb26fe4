"""Results as a small model reads them, and the source of an answer that cites none."""

import re

from assistant.models.quotes import Hit, absent_words, read_hits
from assistant.models.render import render_result
from assistant.models.turns import ToolResult, Turn
from assistant.models.words import one_line, terms, words
from tools.ingest.sentences import sentence_spans

HITS_SHOWN = 5
HIT_CHARACTERS = 700
"""Reading a passage costs a small model on two cores about 2 s for this much."""
SUPPORTING = 0.5
"""Least share of an answer's content words that a passage must hold to be named as its source."""

CITED_SUPPORTING = 0.2
"""The same for a passage that the answer cites itself: other words are allowed, other facts are not."""
NEAR = 0.4
"""Cosine from which a passage may answer a question without sharing a word with it (another language, a paraphrase)."""

UNSUPPORTED = "\n\n_I could not match this answer to a passage of your material, so do not rely on it._"
"""Added to an answer that no passage supports."""

_CITED = re.compile(r"\[(\d+)\]")
_NOTHING = re.compile(
    r"\b(?:did not|didn't|could not|couldn't|cannot|can't|no) (?:find|passage|information)|not in your material",
    re.IGNORECASE,
)


def readable(result: ToolResult, question: str = "") -> str:
    """Hits as numbered passages, best first, the part of each that bears on the question; other results as Markdown."""
    if result.failed or not result.artifact:
        return result.text
    if result.name != "search_materials":
        return render_result(result)
    hits = read_hits(result.artifact)
    if not hits:
        return f"No passage was found. {result.artifact.get('notice') or ''}".strip()
    wanted = set(terms(f"{result.args.get('query') or ''} {question}"))
    return "\n".join(
        f"[{h.number}] ({h.title}, {h.label}) {_without_marks(excerpt(h.text, wanted))}"
        for h in hits[:HITS_SHOWN]
    )


def excerpt(text: str, wanted: set[str], most: int = HIT_CHARACTERS) -> str:
    """The run of whole sentences of at most `most` characters that holds most of the wanted terms."""
    if len(text) <= most:
        return text
    spans = list(sentence_spans(text))
    held = [set(terms(text[a:b])) & wanted for a, b in spans]
    best, best_score = (0, most), -1.0
    for first, (start, _) in enumerate(spans):
        end, covered, count = start, set[str](), 0
        for (_, stop), found in zip(spans[first:], held[first:], strict=True):
            if stop - start > most and end > start:
                break
            end, covered, count = min(stop, start + most), covered | found, count + len(found)
        if len(covered) + 0.1 * count > best_score:
            best, best_score = (start, end), len(covered) + 0.1 * count
    start, end = best
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


def _without_marks(text: str) -> str:
    """A passage on one line; its own "[3]" made "(ref. 3)", else the model repeats it as a citation of ours."""
    return _CITED.sub(r"(ref. \1)", one_line(text))


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
    # Words of another language cannot be held against the passage.
    comparable = _is_english(answer) or not _is_english(best.text)
    if comparable and _share(said, best) < (CITED_SUPPORTING if cited else SUPPORTING):
        return UNSUPPORTED
    if cited:
        return ""
    return f"\n\nSource: *{best.title}*, {best.label} [{best.number}]"


_ENGLISH = frozenset("the a an of and to in is are that it for with as be by this which or not".split())


def _is_english(text: str) -> bool:
    found = words(text)
    return sum(w in _ENGLISH for w in found) >= 0.12 * len(found)


def _share(said: set[str], hit: Hit) -> float:
    return len(said & set(terms(hit.text))) / max(1, len(said))
