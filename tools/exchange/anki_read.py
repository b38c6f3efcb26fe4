"""Reads a package with Anki's own library. Runs in the process of `anki_child`."""

import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from anki.collection import Collection
from anki.decks import DeckId
from anki.models import NotetypeDict

from storage.errors import InvalidInput
from tools.exchange.from_html import from_html
from tools.exchange.note_shapes import Shape, shape_of
from tools.exchange.note_types import database
from tools.exchange.packed import (
    LONGEST_TEXT,
    MOST_CARDS_A_NOTE,
    MOST_REVIEWS_A_CARD,
    MOST_TAGS,
    PackedCard,
    PackedDeck,
    PackedNote,
    Review,
    Schedule,
)
from tools.exchange.study_days import StudyDays
from tools.scheduling.faces import checked_gaps, hidden
from tools.study.keys import Choice

STATES = {0: "new", 1: "learning", 2: "review", 3: "relearning"}
SUSPENDED, DAY_LEARNING = -1, 3
BURIED = (-2, -3)
MANUAL = 4
"""Kind of review log entries from here on: no reviews, but days set by hand."""
NOTES = "select id, guid, mid, mod, tags, flds from notes"
A_TIME = 1_000_000_000
"""Due numbers from here on are seconds since 1970, smaller ones days."""
NOT_FOR_US = {
    "image_occlusion": "image occlusion notes, which need Anki",
    "empty": "cards with an empty side",
}
_HR = re.compile(r"<hr\s+id=[\"']?answer[\"']?\s*/?>", re.I)
_STYLE = re.compile(r"<style.*?</style>|<script.*?</script>", re.S | re.I)
_CHOICE = re.compile(r'<li data-id="([^"]*)">(.*?)</li>', re.S)
_ADDRESS = re.compile(r'<a href="([^"]*)"')


class Left(Exception):
    """This note is not taken; the message is the reason, as counted."""


@dataclass(frozen=True, slots=True)
class CardRow:
    id: int
    ord: int
    deck: int
    schedule: Schedule


class PackageReader:
    """Over a collection that a package was imported into."""

    def __init__(self, col: Collection, days: StudyDays) -> None:
        self._col = col
        self._db = database(col)
        self._days = days
        self._models: dict[int, tuple[NotetypeDict, Shape]] = {
            model["id"]: (model, shape_of(model)) for model in col.models.all()
        }
        self._deck_ids: list[int] = []
        self.media: set[str] = set()
        self.skipped: dict[str, int] = {}

    def decks(self) -> list[PackedDeck]:
        """Those with cards of their own."""
        used = set(self._db.list("select distinct case when odid then odid else did end from cards"))
        found = []
        for deck in sorted(self._col.decks.all(), key=lambda deck: deck["name"]):
            if deck["id"] in used and not deck.get("dyn"):
                self._deck_ids.append(deck["id"])
                config = self._col.decks.config_dict_for_deck_id(deck["id"])
                found.append(
                    PackedDeck(
                        name=deck["name"][:2000] or "Deck",
                        anki_id=deck["id"],
                        description=from_html(deck.get("desc") or "")[:LONGEST_TEXT] or None,
                        new_cards_per_day=_unless(config.get("new", {}).get("perDay"), 20),
                        reviews_per_day=_unless(config.get("rev", {}).get("perDay"), 200),
                    )
                )
        return found

    def notes(self) -> Iterator[PackedNote]:
        reviews, cards = self._reviews(), self._cards()
        # Lists and not a cursor: other statements of this connection come between.
        ids = self._db.list("select id from notes order by id")
        for start in range(0, len(ids), 500):
            numbers = ",".join(map(str, ids[start : start + 500]))
            rows = self._db.all(f"{NOTES} where id in ({numbers}) order by id")
            for row in rows:
                yield from self._note(row, cards.get(row[0], []), reviews)

    def _note(self, row: Any, cards: list[CardRow], reviews: dict[int, list[Review]]) -> Iterator[PackedNote]:
        if not cards:
            return
        try:
            yield from self._converted(row, cards, reviews)
        except Left as left:
            self.skip(str(left), len(cards))
        except ValueError:  # pydantic: something longer or larger than any honest card
            self.skip("cards with a text that is too long", len(cards))

    def skip(self, reason: str, count: int) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + count

    def _converted(
        self, row: Any, cards: list[CardRow], reviews: dict[int, list[Review]]
    ) -> Iterator[PackedNote]:
        _, guid, model_id, modified, tags, fields = row
        model, shape = self._models[model_id]
        if shape.kind == "image_occlusion":
            raise Left(NOT_FOR_US["image_occlusion"])
        names = [field["name"] for field in model["flds"]]
        values = dict(zip(names, fields.split("\x1f"), strict=False))
        words = [tag for tag in tags.split() if tag.lower() != "leech"]
        about = {
            "guid": guid,
            "modified": modified,
            "tags": [tag[:200] for tag in words[:MOST_TAGS]],
            "is_leech": len(words) != len(tags.split()),
        }
        made = self._by_shape(shape, values, cards) or self._rendered(cards)
        for type, sides, more in made:
            packed = [
                PackedCard(ord=card.ord, front=front, back=back, schedule=card.schedule, reviews=reviews.get(card.id, [])[:MOST_REVIEWS_A_CARD])
                for card, front, back in sides
            ]  # fmt: skip
            # A note whose cards were flattened becomes several; each is known by the note and the card.
            own = about if len(made) == 1 else {**about, "guid": f"{guid}#{packed[0].ord}"}
            yield PackedNote.model_validate(
                {**own, **more, "type": type, "deck": self._deck_of(sides), "cards": packed}
            )

    def _deck_of(self, sides: list[tuple[CardRow, str, str]]) -> int:
        return self._deck_ids.index(sides[0][0].deck)

    def _text(self, field: str) -> str:
        return from_html(field, self.media)

    # --- by the note type

    def _by_shape(self, shape: Shape, values: dict[str, str], cards: list[CardRow]) -> list[Any] | None:
        """(type, [(card, front, back)], other columns) of each note; None when it has to be rendered."""
        more = self._ours(shape, values)
        if shape.kind == "cloze":
            return self._cloze(shape, values, cards, more)
        if shape.kind not in ("basic", "reversed"):
            return None
        front, back = self._text(values.get(shape.front, "")), self._text(values.get(shape.back, ""))
        if not front or not back:
            raise Left(NOT_FOR_US["empty"])
        kept = [card for card in cards if card.ord in (0, 1)]
        if len(kept) == 1 and kept[0].ord == 0 and shape.optional:
            return [("basic", [(kept[0], front, back)], more)]
        sides = [(card, front, back) if card.ord == 0 else (card, back, front) for card in kept]
        if "options" in more:
            return [("multiple_choice", sides, more)]
        return [(shape.kind, sides, more)]

    def _cloze(
        self, shape: Shape, values: dict[str, str], cards: list[CardRow], more: dict[str, Any]
    ) -> list[Any] | None:
        text = self._text("<br>".join(values.get(name, "") for name in shape.cloze if values.get(name)))
        try:
            gaps = checked_gaps(text)
        except InvalidInput:
            return None
        numbers = {gap.number for gap in gaps}
        sides = [(card, text, hidden(gaps, card.ord + 1)) for card in cards if card.ord + 1 in numbers][
            :MOST_CARDS_A_NOTE
        ]
        if not sides:
            raise Left(NOT_FOR_US["empty"])
        if not shape.is_ours:
            more["extra"] = (
                self._text("<br>".join(values[name] for name in shape.beside if values.get(name))) or None
            )
        return [("cloze", sides, more)]

    def _ours(self, shape: Shape, values: dict[str, str]) -> dict[str, Any]:
        """What our own note types hold beside the sides."""
        if not shape.is_ours:
            return {}
        more: dict[str, Any] = {
            "extra": self._text(values.get("Extra", "")) or None,
            "quote": _plain(values.get("Quote", "")) or None,
            "source_label": _plain(values.get("Source", ""))[:2000] or None,
        }
        address = _ADDRESS.search(values.get("Source", ""))
        if address:
            more["source_url"] = _plain(address.group(1))[:4000]
        if "Choices" in values:
            more["options"] = [
                Choice(id=_plain(key), text=self._text(inner))
                for key, inner in _CHOICE.findall(values["Choices"])
            ]
        return more

    # --- by what Anki shows

    def _rendered(self, cards: list[CardRow]) -> list[Any]:
        made: list[Any] = []
        for card in cards:
            shown = self._col._backend.render_existing_card(
                card_id=card.id, browser=False, partial_render=False
            )
            question = "".join(node.text for node in shown.question_nodes)
            answer = "".join(node.text for node in shown.answer_nodes)
            behind = _HR.split(answer, maxsplit=1)
            front, back = self._text(_STYLE.sub("", question)), self._text(_STYLE.sub("", behind[-1]))
            if front and back:
                made.append(("basic", [(card, front, back)], {}))
        if not made:
            raise Left(NOT_FOR_US["empty"])
        if len(made) < len(cards):
            self.skip(NOT_FOR_US["empty"], len(cards) - len(made))
        return made

    # --- where they stand

    def _cards(self) -> dict[int, list[CardRow]]:
        rows = self._db.all(
            "select id, nid, ord, did, odid, type, queue, due, odue, ivl, factor, reps, lapses, left, data from cards order by nid, ord"
        )
        steps = {deck_id: self._steps(deck_id) for deck_id in self._deck_ids}
        newest = self._db.all(
            "select cid, max(id) from revlog where ease > 0 and type < ? group by cid", MANUAL
        )
        last = {row[0]: row[1] for row in newest}
        found: dict[int, list[CardRow]] = defaultdict(list)
        for row in rows:
            deck = row[4] or row[3]
            found[row[1]].append(
                CardRow(row[0], row[2], deck, self._schedule(row, steps[deck], last.get(row[0])))
            )
        return found

    def _steps(self, deck_id: int) -> tuple[int, int]:
        """How many steps a new and a forgotten card of the deck has."""
        config = self._col.decks.config_dict_for_deck_id(DeckId(deck_id))
        return len(config.get("new", {}).get("delays", ())), len(config.get("lapse", {}).get("delays", ()))

    def _schedule(self, row: Any, steps: tuple[int, int], last: int | None) -> Schedule:
        _, _, _, _, odid, kind, queue, due, odue, ivl, factor, reps, lapses, left, data = row
        state: Any = STATES.get(kind, "new")
        known = _loaded(data)
        due = odue if odid and odue else due
        step = None
        if state in ("learning", "relearning"):
            step = max(0, steps[state == "relearning"] - left % 1000)
        last_review = last / 1000 if last else known.get("lrt")
        has_memory = isinstance(known.get("s"), int | float) and isinstance(known.get("d"), int | float)
        return Schedule(
            state=state,
            due=None if state == "new" else self._moment(due),
            interval_days=float(max(0, ivl)),
            ease=factor / 1000 if factor else None,
            stability=float(known["s"]) if has_memory else None,
            difficulty=float(known["d"]) if has_memory else None,
            step=min(step, 100) if step is not None else None,
            reps=max(0, reps),
            lapses=max(0, lapses),
            last_review=float(last_review) if isinstance(last_review, int | float) else None,
            suspended=queue == SUSPENDED,
            buried=queue in BURIED,
        )

    def _moment(self, due: int) -> float:
        return float(min(due, 1 << 36)) if due >= A_TIME else self._days.begins(due)

    def _reviews(self) -> dict[int, list[Review]]:
        found: dict[int, list[Review]] = defaultdict(list)
        for row in self._db.all(
            "select cid, id, ease, ivl, lastIvl, factor, time, type from revlog order by id"
        ):
            card, id, rating, interval, last_interval, factor, duration, kind = row
            if not 1 <= rating <= 4 or not 0 <= kind < MANUAL:
                self.skip("entries of the review log that are no reviews, but days set by hand", 1)
                continue
            try:
                review = Review(
                    id=id, rating=rating, kind=kind, interval=interval, last_interval=last_interval,
                    factor=factor, duration_ms=max(0, duration),
                )  # fmt: skip
            except ValueError:
                self.skip("damaged entries of the review log", 1)
                continue
            found[card].append(review)
        return found


def _loaded(data: str) -> dict[str, Any]:
    try:
        known = json.loads(data) if data else {}
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _unless(value: Any, usual: int) -> int | None:
    """A limit that somebody has set; Anki's own defaults are nobody's wish."""
    return min(value, 9999) if isinstance(value, int) and value != usual and value >= 0 else None


def _plain(field: str) -> str:
    return html.unescape(re.sub(r"<br\s*/?>", "\n", re.sub(r"<(?!br)[^>]*>", "", field))).strip()
