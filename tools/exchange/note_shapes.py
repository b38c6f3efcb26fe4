"""What the cards of a note type of Anki are to us, by its templates: question and answer in a field each, both ways, gaps, or
something that only Anki can render."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from tools.exchange.note_types import type_of

Kind = Literal["basic", "reversed", "cloze", "image_occlusion", "other"]
_IMAGE_OCCLUSION = 6
"""Number of the stock note type (proto/anki/notetypes.proto)."""
_CONDITION = re.compile(r"\{\{[#^/][^}]*\}\}")
_FIELD = re.compile(r"\{\{([^}]+)\}\}")
_CLOZE = re.compile(r"\{\{(?:[\w-]+:)*cloze:(?:[\w-]+:)*([^}]+)\}\}")
_ONLY_FIELD = re.compile(r"\{\{(?:type:)?([^{}:#^/]+)\}\}")
_ANSWER = re.compile(
    r"\{\{([^{}:#^/]+)\}\}\s*<hr id=[\"']?answer[\"']?\s*/?>\s*\{\{(?:type:)?([^{}:#^/]+)\}\}"
)
_TYPED = re.compile(r"\{\{type:[^}]+\}\}")


@dataclass(frozen=True, slots=True)
class Shape:
    kind: Kind
    front: str = ""
    back: str = ""
    cloze: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    """Fields that the answer of a cloze shows as well."""
    optional: bool = False
    """The second direction is made only where a field says so."""
    is_ours: bool = False


def shape_of(model: dict[str, Any]) -> Shape:
    ours = type_of(model["name"])
    fields = {field["name"] for field in model["flds"]}
    if ours is not None and {"Extra", "Quote", "Source"} <= fields:
        if ours == "cloze":
            return Shape("cloze", cloze=("Text",), is_ours=True)
        return Shape("reversed" if ours == "reversed" else "basic", "Front", "Back", is_ours=True)
    if model.get("originalStockKind") == _IMAGE_OCCLUSION:
        return Shape("image_occlusion")
    if model["type"] == 1:
        return _cloze(model, fields)
    return _sides(model)


def _cloze(model: dict[str, Any], fields: set[str]) -> Shape:
    template = model["tmpls"][0]
    gaps = tuple(dict.fromkeys(name for name in _CLOZE.findall(template["qfmt"]) if name in fields))
    if not gaps:
        return Shape("other")
    seen = (name.rpartition(":")[2] for name in _FIELD.findall(_CONDITION.sub("", template["afmt"])))
    return Shape(
        "cloze", cloze=gaps, beside=tuple(dict.fromkeys(n for n in seen if n in fields and n not in gaps))
    )


def _sides(model: dict[str, Any]) -> Shape:
    found = [_template(template) for template in model["tmpls"]]
    if len(found) == 1 and found[0] is not None:
        return Shape("basic", *found[0])
    if len(found) == 2 and found[0] is not None and found[1] == found[0][::-1]:
        optional = bool(_CONDITION.search(model["tmpls"][1]["qfmt"]))
        return Shape("reversed", *found[0], optional=optional)
    return Shape("other")


def _template(template: dict[str, Any]) -> tuple[str, str] | None:
    """The fields of question and answer, when the card shows nothing else."""
    question = _CONDITION.sub("", template["qfmt"]).strip()
    typed = _TYPED.search(question)
    asked = _ONLY_FIELD.fullmatch(_TYPED.sub("", question).strip())
    answer = _ANSWER.fullmatch(_CONDITION.sub("", template["afmt"]).strip())
    if asked is None or answer is None or (typed is None and "type:" in question):
        return None
    if answer.group(1) not in ("FrontSide", asked.group(1)) or answer.group(2) in (
        "FrontSide",
        asked.group(1),
    ):
        return None
    return asked.group(1), answer.group(2)
