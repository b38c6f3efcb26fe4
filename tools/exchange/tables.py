"""Cards as tables: CSV and TSV with quotes, and the text that Quizlet imports and exports."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from storage.errors import InvalidInput
from tools.exchange.from_html import from_html
from tools.exchange.packed import LONGEST_TEXT, MOST_NOTES, MOST_TAGS, PackedCard, PackedNote
from tools.exchange.separators import CANDIDATES, likeliest, separator_of
from tools.ingest.sniff import delimiter_of
from tools.scheduling.faces import faces_of, gaps_of, shown
from tools.study.keys import CardType, Choice

COLUMNS = ("type", "front", "back", "extra", "options", "tags", "source", "link", "quote")
"""Of a table that we write."""
HEADERS: Mapping[str, str] = {
    **{name: name for name in COLUMNS},
    **dict.fromkeys(("term", "question", "word", "prompt", "text", "vorderseite", "frage", "recto"), "front"),
    **dict.fromkeys(
        ("definition", "answer", "meaning", "translation", "rückseite", "antwort", "verso"), "back"
    ),
    **dict.fromkeys(("hint", "remark", "notes", "back extra"), "extra"),
    "tag": "tags",
    "url": "link",
}
BETWEEN_OPTIONS = "\n"
NO_SEPARATOR = "lines without a separator between term and definition"
NO_SIDE = "rows with an empty front or back"
TOO_LONG = "cards with a text that is too long"
_DIRECTIVE = re.compile(
    r"#(separator|html|columns|tags column|deck|deck column|notetype|notetype column|guid column):(.*)", re.I
)
_BREAKS = re.compile(r"\r\n?")


@dataclass(slots=True)
class Table:
    """What was read: notes without a number of their own, and what was left out."""

    notes: list[PackedNote] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def add(self, row: Mapping[str, str]) -> None:
        """A row by our names of columns. Raises InvalidInput when there are more than can be imported at once."""
        if len(self.notes) >= MOST_NOTES:
            raise InvalidInput(
                f"At most {MOST_NOTES:,} cards can be imported at once.", code="too_many_cards"
            )
        front, back, extra = (row.get(name, "").strip() for name in ("front", "back", "extra"))
        if max(map(len, (front, back, extra))) > LONGEST_TEXT:
            return self.skip(TOO_LONG)
        type = _type_of(row.get("type", ""), front)
        if type == "cloze":
            extra = extra or back
        if not front or not (back or type == "cloze"):
            return self.skip(NO_SIDE)
        tags = [tag for tag in row.get("tags", "").replace(",", " ").split() if len(tag) <= 50]
        options = _options(row.get("options", ""), back) if type == "multiple_choice" else []
        try:
            faces = faces_of("basic" if type == "multiple_choice" and not options else type, front, back)
        except InvalidInput:
            return self.skip("clozes whose gaps are not well written")
        cards = [PackedCard(ord=(one.gap or 1) - 1, front=one.front, back=one.back) for one in faces]
        self.notes.append(
            PackedNote(
                guid=f"row {len(self.notes)}",
                type="basic" if type == "multiple_choice" and not options else type,
                deck=0,
                tags=tags[:MOST_TAGS],
                extra=extra or None,
                options=options,
                quote=row.get("quote", "").strip()[:LONGEST_TEXT] or None,
                source_label=row.get("source", "").strip()[:2000] or None,
                source_url=_web(row.get("link", "")),
                cards=cards,
            )
        )
        return None


def _type_of(said: str, front: str) -> CardType:
    said = said.strip().lower().replace(" ", "_")
    if said in ("reversed", "multiple_choice"):
        return "reversed" if said == "reversed" else "multiple_choice"
    return "cloze" if said == "cloze" or (not said and gaps_of(front)) else "basic"


def _web(address: str) -> str | None:
    address = address.strip()
    return address[:4000] if address.startswith(("https://", "http://", "/api/")) else None


def _options(cell: str, back: str) -> list[Choice]:
    texts = [text.strip() for text in cell.split(BETWEEN_OPTIONS) if text.strip()][:26]
    return (
        [Choice(id=chr(97 + n), text=text) for n, text in enumerate(texts)]
        if back in texts and len(texts) > 1
        else []
    )


# --- CSV


def read_csv(text: str, separator: str | None = None) -> Table:
    """A table with or without a first row of names. Raises InvalidInput: no_separator, too_many_cards, damaged_table."""
    text = _BREAKS.sub("\n", text.lstrip("\ufeff"))
    says, text = _directives(text)
    separator = separator or says.get("separator") or delimiter_of(text, named=True)
    if separator is None or len(separator) != 1:
        raise InvalidInput(
            "It is not clear what separates the columns. Say it with `separator`: comma, semicolon, tab.",
            code="no_separator",
        )
    table, names = Table(), None
    convert = from_html if says.get("html") == "true" else str.strip
    before = csv.field_size_limit(10 * LONGEST_TEXT)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator)):
            if not any(cell.strip() for cell in row):
                continue
            if number == 0 and (found := _names(row)):
                names = found
                continue
            cells = [convert(cell) for cell in row]
            table.add(dict(zip(names or ("front", "back", "extra", "tags"), cells, strict=False)))
    except csv.Error as error:
        raise InvalidInput(
            f"This table is damaged near card {len(table.notes) + 1}: {error}.", code="damaged_table"
        ) from error
    finally:
        csv.field_size_limit(before)
    return table


def _names(row: Sequence[str]) -> list[str] | None:
    """Our names of the columns, when the first row is one of names."""
    names = [HEADERS.get(cell.strip().lower(), "") for cell in row]
    is_header = "front" in names and ("back" in names or "type" in names)
    return names if is_header else None


def _directives(text: str) -> tuple[dict[str, str], str]:
    """Lines such as `#separator:tab` at the beginning, as Anki writes them (docs.ankiweb.net, Text Files)."""
    says: dict[str, str] = {}
    while found := _DIRECTIVE.match(text):
        name, value = found.group(1).lower(), found.group(2).strip()
        says[name] = separator_of(value.lower()) if name == "separator" else value.lower()
        text = text[found.end() :].lstrip("\n")
    return says, text


def write_csv(notes: Iterable[PackedNote]) -> str:
    """A row a note, quoted as RFC 4180 says, so that any text comes back as it was."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for note in notes:
        first = note.cards[0]
        front, back = (
            (first.back, first.front)
            if note.type == "reversed" and first.ord == 1
            else (first.front, first.back)
        )
        writer.writerow([
            note.type, front, "" if note.type == "cloze" else back, note.extra or "",
            BETWEEN_OPTIONS.join(" ".join(choice.text.split("\n")) for choice in note.options), " ".join(note.tags),
            note.source_label or "", note.source_url or "", note.quote or "",
        ])  # fmt: skip
    return out.getvalue()


# --- Quizlet


def read_quizlet(text: str, separator: str | None = None, card_separator: str | None = None) -> Table:
    """Term, separator, definition; then the next card. A line without a tab goes on with the definition before it, as in
    Quizlet's export. Raises InvalidInput: no_separator, too_many_cards."""
    text = _BREAKS.sub("\n", text.lstrip("\ufeff"))
    card_separator = card_separator or "\n"
    cards = [card for card in text.split(card_separator) if card.strip()]
    separator = separator or ("\t" if any("\t" in card for card in cards) else likeliest(cards))
    if separator is None:
        known = ", ".join(repr(one) for one in CANDIDATES[1:4])
        raise InvalidInput(
            f"It is not clear what separates term and definition ({known}, a tab?). Say it with `separator`.",
            code="no_separator",
        )
    table, pairs = Table(), []
    for card in cards:
        term, found, definition = card.partition(separator)
        if found:
            pairs.append([term, definition])
        elif pairs and separator == "\t" and card_separator == "\n":
            pairs[-1][1] += "\n" + card
        else:
            table.skip(NO_SEPARATOR)
    for term, definition in pairs:
        table.add({"front": term, "back": definition})
    return table


def write_quizlet(notes: Iterable[PackedNote]) -> str:
    """A line a card; of a cloze the text with a gap open. Tabs become spaces, and lines of a term one line."""
    lines = []
    for note in notes:
        cards = note.cards[:1] if note.type == "reversed" else note.cards
        for card in cards:
            term = " ".join(question_of(note, card).split())
            definition = "\n".join(" ".join(line.split()) for line in card.back.split("\n") if line.strip())
            lines.append(f"{term}\t{definition}\n")
    return "".join(lines)


def question_of(note: PackedNote, card: PackedCard) -> str:
    """What is asked, without a scheduler's marks."""
    if note.type == "multiple_choice":
        return "\n".join([card.front, *(f"({choice.id}) {choice.text}" for choice in note.options)])
    return (
        shown(note.type, card.front, card.back, card.ord + 1).question if note.type == "cloze" else card.front
    )
