"""The note types of cards that leave for Anki. Their numbers never change, so that every package meets the ones that an earlier
package brought, with whatever the person has changed about their looks."""

from typing import Any

from anki.collection import Collection
from anki.dbproxy import DBProxy
from anki.models import NotetypeDict

from tools.study.keys import CardType

NAMES: dict[CardType, str] = {
    "basic": "Lyceum Basic",
    "reversed": "Lyceum Basic (and reversed card)",
    "cloze": "Lyceum Cloze",
    "multiple_choice": "Lyceum Multiple Choice",
}
IDS: dict[CardType, int] = {
    "basic": 1762000000001,
    "reversed": 1762000000002,
    "cloze": 1762000000003,
    "multiple_choice": 1762000000004,
}
FIELDS: dict[CardType, tuple[str, ...]] = {
    "basic": ("Front", "Back", "Extra", "Quote", "Source"),
    "reversed": ("Front", "Back", "Extra", "Quote", "Source"),
    "cloze": ("Text", "Extra", "Quote", "Source"),
    "multiple_choice": ("Front", "Choices", "Back", "Extra", "Quote", "Source"),
}
RENUMBER = (
    "update notetypes set id = ? where id = ?",
    "update fields set ntid = ? where ntid = ?",
    "update templates set ntid = ? where ntid = ?",
)
_BELOW = (
    '{{#Extra}}<div class="extra">{{Extra}}</div>{{/Extra}}\n'
    '{{#Quote}}<blockquote class="quote">{{Quote}}</blockquote>{{/Quote}}\n'
    '{{#Source}}<div class="source">{{Source}}</div>{{/Source}}'
)
_ANSWER = "{{FrontSide}}\n\n<hr id=answer>\n\n"
_TEMPLATES: dict[CardType, tuple[tuple[str, str, str], ...]] = {
    "basic": (("Card 1", "{{Front}}", f"{_ANSWER}{{{{Back}}}}\n{_BELOW}"),),
    "reversed": (
        ("Card 1", "{{Front}}", f"{_ANSWER}{{{{Back}}}}\n{_BELOW}"),
        ("Card 2", "{{Back}}", f"{_ANSWER}{{{{Front}}}}\n{_BELOW}"),
    ),
    "cloze": (("Cloze", "{{cloze:Text}}", "{{cloze:Text}}\n" + _BELOW),),
    "multiple_choice": (("Card 1", "{{Front}}\n\n{{Choices}}", f"{_ANSWER}{{{{Back}}}}\n{_BELOW}"),),
}
_CSS = """.card { font-family: arial; font-size: 20px; line-height: 1.5; text-align: center; color: black; background-color: white; }
.card ol, .card ul, .card pre, .card table { display: inline-block; text-align: left; }
.cloze { font-weight: bold; color: blue; }
.nightMode .cloze { color: lightblue; }
.extra { margin-top: 1em; font-size: 85%; }
.quote { margin: 1em auto; max-width: 40em; font-size: 80%; font-style: italic; text-align: left; border-left: 3px solid gray; padding-left: 1em; }
.source { margin-top: 1em; font-size: 75%; }
"""


def make_note_types(col: Collection) -> None:
    """All four, each with its number, in a fresh collection."""
    for type in NAMES:
        model: NotetypeDict = col.models.new(NAMES[type])
        model["type"] = 1 if type == "cloze" else 0
        model["css"] = _CSS
        for name in FIELDS[type]:
            col.models.add_field(model, col.models.new_field(name))
        for name, question, answer in _TEMPLATES[type]:
            template: dict[str, Any] = col.models.new_template(name)
            template["qfmt"], template["afmt"] = question, answer
            col.models.add_template(model, template)
        col.models.add_dict(model)
        # Anki numbers note types by the clock; nothing refers to this one yet.
        made = col.models.by_name(NAMES[type])
        if made is None:
            raise RuntimeError(NAMES[type])
        for statement in RENUMBER:
            database(col).execute(statement, IDS[type], made["id"])
    col.models._clear_cache()


def database(col: Collection) -> DBProxy:
    """Of a collection that is open."""
    if col.db is None:
        raise RuntimeError("The collection is closed.")
    return col.db


def type_of(name: str) -> CardType | None:
    """Of a note type that may be ours: Anki adds to the name of one that it finds changed."""
    return next(
        (
            type
            for type, known in NAMES.items()
            if name == known or name.startswith((f"{known}-", f"{known}+"))
        ),
        None,
    )
