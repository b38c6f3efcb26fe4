"""The second step of a turn: an answer in Markdown from what the tools returned. Nothing is added to it."""

import re

from assistant.models.embeds import Embeds
from assistant.models.quotes import Hit, Quote, absent_words, choose_quotes, read_hits
from assistant.models.render import render_result
from assistant.models.turns import ToolResult, Turn

NOT_FOUND = "I did not find that in your material."
_MARKS = re.compile(r"[\[\]<`]")


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
        question = query if several or turn.previous_questions else _fuller(query, turn.question)
        block = _answer_one(question, query, result, embedder, most=2 if several else 3)
        blocks.append(f"**{_capital(query)}**\n\n{block}" if several else block)
    return "\n\n".join(blocks)


def _fuller(query: str, question: str) -> str:
    """The person's own words when they fit a sentence: the form of a question helps to choose its answer."""
    return question if len(question) <= 300 else query


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
    quotes = choose_quotes(question, hits, embedder, most=most)
    if not quotes:
        return " ".join(filter(None, [NOT_FOUND, _searched(query, question, hits), notice]))
    lines = [_lead(quotes), *(_quoted(q) for q in quotes)]
    missing = absent_words(query, hits)
    if missing:
        lines.append(f"The passages I found do not mention {_listed(missing)}.")
    if notice:
        lines.append(f"_{notice}_")
    return "\n\n".join(lines)


def _lead(quotes: list[Quote]) -> str:
    titles = list(dict.fromkeys(q.hit.title for q in quotes))
    if len(titles) == 1:
        return f"This is what *{_plain(titles[0])}* says:"
    return "This is what your material says:"


def _quoted(quote: Quote) -> str:
    """One quote as a Markdown block. Brackets in it are escaped, so a "[3]" of the source is not read as a citation of
    ours, and neither links nor HTML of a document come alive in the chat."""
    text = _MARKS.sub(lambda m: "\\" + m[0], quote.text)
    place = f"*{_plain(quote.hit.title)}*" + (f", {_plain(quote.hit.label)}" if quote.hit.label else "")
    return f'> "{text}" [{quote.hit.number}] — {place}'


def _searched(query: str, question: str, hits: list[Hit]) -> str:
    missing = absent_words(question, hits)
    words = f" The nearest passages do not mention {_listed(missing)}." if hits and missing else ""
    return f"I searched for “{_plain(query)}”.{words}"


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


def _plain(text: str) -> str:
    return re.sub(r"([\[\]<`*])", r"\\\1", " ".join(text.split()))


def _capital(text: str) -> str:
    plain = _plain(text)
    return plain[:1].upper() + plain[1:]


def _sentence(text: str) -> str:
    text = " ".join(re.sub(r"^Error(?: executing tool \w+)?:\s*", "", text.strip()).split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
