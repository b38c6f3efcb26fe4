"""The second step of a turn: an answer in Markdown from what the tools returned. Nothing is added to it."""

import re

from assistant.models.embeds import Embeds
from assistant.models.prose import leads_on
from assistant.models.quotes import Hit, absent_words, choose_quotes, read_hits
from assistant.models.render import render_result
from assistant.models.turns import ToolResult, Turn
from assistant.models.words import one_line, terms, without_greek
from assistant.models.words import words as tokens
from tools.ingest.passages import page_of_reference
from tools.ingest.sentences import sentence_spans
from tools.markdown import escaped

NOT_FOUND = "I did not find that in your material."
OTHER_LANGUAGE = "If your material is in another language, please ask in that one: I cannot translate."
FOREIGN = frozenset(
    "ist sind der das und wie warum wer wann wo welche welcher welches eine einer est sont les une quel quelle pourquoi comment que"
    " los las del una como por cual perche cosa sono wat hoe waarom het een zijn".split()
)
"""Function words of languages other than English, folded; none is an English word."""
PLACE_HITS, PLACE_CHARACTERS = 3, 600
"""How much of a page or section is shown when only the place was asked for."""


def compose(turn: Turn, embedder: Embeds) -> str:
    """The answer of the turn. Searches are answered by quotes, everything else by its rendering."""
    searches = [r for r in turn.results if r.name == "search_materials" and not r.failed]
    failed = [r for r in turn.results if r.failed]
    others = [r for r in turn.results if r.name != "search_materials" and not r.failed]
    blocks = [render_result(r, turn.question) for r in others]
    if searches:
        blocks.append(_answer_from(searches, turn, embedder))
    elif failed:
        blocks.extend(f"That did not work: {_sentence(r.text)}" for r in failed[-1:])
    return "\n\n".join(b for b in blocks if b)


def _answer_from(searches: list[ToolResult], turn: Turn, embedder: Embeds) -> str:
    searches = _own_numbers(searches)
    several = len(searches) > 1
    blocks = []
    for result in searches:
        query = str(result.args.get("query") or result.artifact.get("query") or turn.question)
        question = query if several else _fuller(query, turn.question)
        block = _answer_one(question, query, result, embedder, most=2 if several else 3)
        blocks.append(f"**{_capital(without_greek(query))}**\n\n{block}" if several else block)
    return "\n\n".join(blocks)


def _fuller(query: str, question: str) -> str:
    """The person's own words when they fit a sentence: the form of a question helps to choose its answer. What a query
    took from the question before is put behind them."""
    if len(question) > 300:
        return query
    carried = set(terms(query)) - set(terms(question))
    bare = question.rstrip("?!. ")
    return (
        question
        if not carried
        else f"{bare} {' '.join(w for w in tokens(query) if terms(w) and terms(w)[0] in carried)}"
    )


def _own_numbers(searches: list[ToolResult]) -> list[ToolResult]:
    """Drop hits whose number another passage of the turn already has: a citation must open one place."""
    owner: dict[int, str] = {}
    kept = []
    for result in searches:
        hits = [
            hit
            for index, hit in enumerate(result.artifact.get("hits") or [], 1)
            if owner.setdefault(int(hit.get("number") or index), str(hit.get("passage_id")))
            == str(hit.get("passage_id"))
        ]
        artifact = {**result.artifact, "hits": hits}
        kept.append(ToolResult(result.name, result.args, result.text, artifact, result.failed))
    return kept


def _answer_one(question: str, query: str, result: ToolResult, embedder: Embeds, *, most: int) -> str:
    hits = read_hits(result.artifact)
    notice = _notice(result)
    place = page_of_reference(query)
    if hits and place is not None and not terms(place.rest):
        return "\n\n".join([_lead(hits), *(_quoted(_beginning(h), h, hits) for h in hits[:PLACE_HITS])])
    quotes = choose_quotes(question, hits, embedder, most=most)
    if not quotes:
        return " ".join(filter(None, [NOT_FOUND, _searched(query, question, hits), notice]))
    used = [q.hit for q in quotes]
    lines = [_lead(used), *(_quoted(_open_ended(q.text), q.hit, used) for q in quotes)]
    missing = absent_words(query, hits)
    if missing:
        lines.append(f"The passages I found do not mention {_listed(missing)}.")
    if notice:
        lines.append(f"_{notice}_")
    return "\n\n".join(lines)


def quotes_for(turn: Turn, embedder: Embeds) -> str:
    """The quotes that the searches of a turn support, with a line that leads to them; empty when there are none."""
    searches = [r for r in turn.results if r.name == "search_materials" and not r.failed]
    hits = [hit for r in _own_numbers(searches) for hit in read_hits(r.artifact)]
    quotes = choose_quotes(turn.question, hits, embedder, most=2)
    used = [q.hit for q in quotes]
    return (
        "\n\n".join([_lead(used), *(_quoted(_open_ended(q.text), q.hit, used) for q in quotes)])
        if quotes
        else ""
    )


def _lead(hits: list[Hit]) -> str:
    """The material is named once: here when it is one, else beside each quote."""
    titles = {hit.title for hit in hits}
    return (
        f"According to *{escaped(one_line(hits[0].title))}*:"
        if len(titles) == 1
        else "According to your material:"
    )


def _quoted(text: str, hit: Hit, beside: list[Hit]) -> str:
    """One quote as a Markdown block with its number and place. What is markup in a document stays plain text."""
    several = len({other.title for other in beside}) > 1
    place = ", ".join(
        filter(None, [f"*{escaped(one_line(hit.title))}*" if several else "", escaped(hit.label)])
    )
    return f'> "{escaped(text)}" [{hit.number}]' + (f" — {place}" if place else "")


def _open_ended(sentence: str) -> str:
    """A sentence that leads on to a formula says so."""
    return f"{sentence} …" if leads_on(sentence) else sentence


def _beginning(hit: Hit) -> str:
    """The first whole sentences of a passage."""
    end = 0
    for _, stop in sentence_spans(hit.text):
        if stop > PLACE_CHARACTERS and end:
            break
        end = min(stop, PLACE_CHARACTERS)
    return one_line(hit.text[:end]) + (" …" if end < len(hit.text.rstrip()) else "")


def _searched(query: str, question: str, hits: list[Hit]) -> str:
    missing = absent_words(question, hits)
    words = f" The nearest passages do not mention {_listed(missing)}." if hits and missing else ""
    language = f" {OTHER_LANGUAGE}" if FOREIGN & set(tokens(question)) else ""
    return f"I searched for “{escaped(without_greek(query))}”.{words}{language}"


def _notice(result: ToolResult) -> str:
    notice = result.artifact.get("notice")
    if notice:
        return _sentence(str(notice))
    if result.artifact.get("indexing"):
        return "Some of your material is still being indexed, so this may change in a moment."
    return ""


def _listed(names: list[str]) -> str:
    quoted = [f"“{n}”" for n in names[:4]]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _capital(text: str) -> str:
    plain = escaped(one_line(text))
    return plain[:1].upper() + plain[1:]


def _sentence(text: str) -> str:
    text = " ".join(re.sub(r"^Error(?: executing tool \w+)?:\s*", "", text.strip()).split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
