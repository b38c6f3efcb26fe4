"""Results of tools other than search as readable Markdown."""

import re
from typing import Any

from assistant.models import render_practice, render_retrieval, render_study
from assistant.models.turns import ToolResult
from storage.locators import clock
from tools.markdown import escaped, escaped_block

MOST_CHARACTERS = 6000
MOST_OF_A_NOTE = 20_000
MOST_ITEMS = 50
RENDERERS = {**render_study.RENDERERS, **render_practice.RENDERERS, **render_retrieval.RENDERERS}
_HIDDEN = re.compile(r"(?:^|_)id$|cursor$|_at$|checksum|sha256|hash|^kind$|embedding")
_DONE = {
    "create": "Created",
    "update": "Updated",
    "delete": "Deleted",
    "restore": "Restored",
    "cancel": "Cancelled",
    "retry": "Started again",
    "add": "Added",
    "upload": "Uploaded",
}


def render_result(result: ToolResult, question: str = "") -> str:
    """Markdown of one successful result. Without an artifact, its text as it is."""
    artifact = result.artifact
    if not artifact:
        return clip(result.text)
    if result.name in RENDERERS:
        return clip(RENDERERS[result.name](artifact), MOST_OF_A_NOTE)
    verb, _, noun = result.name.partition("_")
    if "items" in artifact and isinstance(artifact["items"], list):
        return clip(_list(noun.removeprefix("list_"), artifact, question))
    if result.name in ("read_material", "open_passage"):
        return clip(_passage(artifact))
    if verb in _DONE:
        return _done(verb, noun, artifact, result)
    return clip(_details(artifact))


def clip(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text, cut at a line end with a note when it is longer than `most` characters."""
    if len(text) <= most:
        return text
    cut = text.rfind("\n", most // 2, most)
    return text[: cut if cut > 0 else most].rstrip() + "\n\n… (shortened here; ask for a page to read on)"


def _list(noun: str, artifact: dict[str, Any], question: str) -> str:
    items = artifact["items"]
    total = artifact.get("total") or len(items)
    noun = noun.replace("_", " ")
    if not items:
        return (
            f"You have no {noun} yet." if noun != "jobs" else "Nothing is being processed, and nothing waits."
        )
    shown = items[:MOST_ITEMS]
    head = f"You have {total} {_counted(noun, total)}:"
    lines = [f"- {_item_line(i)}" for i in shown if isinstance(i, dict)]
    more = [f"\n… and {total - len(shown)} more."] if total > len(shown) else []
    hint = []
    if noun == "jobs" and re.match(
        r"\W*(?:cancel|stop|abort|retry|rerun|restart)\b", question, re.IGNORECASE
    ):
        lines = [f"- {_item_line(i)}, id `{i.get('id')}`" for i in shown if isinstance(i, dict)]
        hint = ["\nName the one you mean by its id, for example: cancel job ID."]
    return "\n".join([head, "", *lines, *more, *hint])


def _counted(noun: str, total: int) -> str:
    if total != 1:
        return noun
    return re.sub(r"ies$", "y", noun) if noun.endswith("ies") else re.sub(r"(?<=ss)es$|(?<!s)s$", "", noun)


def _item_line(item: dict[str, Any]) -> str:
    name = item.get("title") or item.get("name") or item.get("kind") or item.get("id") or "item"
    parts = [f"**{_flat(name)}**"]
    if item.get("class_name"):
        parts.append(f"in {_flat(item['class_name'])}")
    for key, unit in (
        ("page_count", "page"),
        ("material_count", "material"),
        ("count", "document"),
        ("message_count", "message"),
    ):
        if isinstance(item.get(key), int):
            parts.append(f"{item[key]} {unit}{'' if item[key] == 1 else 's'}")
    parts.extend(
        _flat(item[k]) for k in ("kind", "status", "state", "message") if item.get(k) and item[k] != name
    )
    progress = _progress(item)
    if progress:
        parts.append(progress)
    if isinstance(item.get("document"), str):
        parts.append(f"“{_flat(item['document'])[:160]}”")
    line = ", ".join(parts)
    return f"{line}: {_flat(item['error'])}" if item.get("error") else line


def _progress(item: dict[str, Any]) -> str:
    progress = item.get("progress")
    done, total = item.get("done"), item.get("total")
    if isinstance(progress, dict):
        done, total = progress.get("done"), progress.get("total")
    if isinstance(done, int) and isinstance(total, int) and total:
        return f"{done} of {total}"
    if isinstance(progress, int | float) and not isinstance(progress, bool):
        return f"{round(progress * 100 if progress <= 1 else progress)} %"
    return ""


def _passage(artifact: dict[str, Any]) -> str:
    """Text of pages or of a passage, as quotes under their places."""
    segments = artifact.get("segments")
    blocks = []
    for piece in segments if isinstance(segments, list) else [artifact]:
        locator = piece.get("locator") or {}
        title = artifact.get("title") or locator.get("material_title")
        head = ", ".join(filter(None, [f"*{_flat(title)}*" if title else "", _label(piece, artifact)]))
        text = str(piece.get("text") or "").strip()
        body = (
            "\n".join(f"> {line}" for line in escaped_block(text).splitlines())
            if text
            else "There is no text here."
        )
        blocks.append(f"{head}\n\n{body}" if head else body)
    if not blocks:
        return "There is no text there."
    more = artifact.get("next_first")
    return "\n\n".join(
        [*blocks, *([f"It goes on at {artifact.get('unit') or 'page'} {more}."] if more else [])]
    )


def _label(piece: dict[str, Any], artifact: dict[str, Any]) -> str:
    """The place in words; a segment has a number in the units of its material, and perhaps a printed one."""
    number, printed = piece.get("number"), piece.get("label")
    if isinstance(piece.get("t_start"), int | float):
        return f"{clock(piece['t_start'])} to {clock(piece.get('t_end') or piece['t_start'])}"
    if piece is not artifact and isinstance(number, int):
        extra = f" (printed {_flat(printed)})" if printed and str(printed) != str(number) else ""
        return f"{artifact.get('unit') or 'page'} {number}{extra}"
    return _flat(printed) if printed else _place(piece) or _place(piece.get("locator") or {})


def _place(where: dict[str, Any]) -> str:
    for unit in ("page", "slide"):
        if isinstance(where.get(unit), int):
            return f"{unit} {where[unit]}"
    path = where.get("heading_path")
    return " › ".join(map(str, path)) if path else ""


def _done(verb: str, noun: str, artifact: dict[str, Any], result: ToolResult) -> str:
    inner = next((artifact[k] for k in (noun, "material") if isinstance(artifact.get(k), dict)), artifact)
    name = inner.get("name") or inner.get("title") or result.args.get("name") or result.args.get("title")
    noun = "text" if result.name == "add_text" else noun.replace("_", " ")
    named = f" **{_flat(name)}**" if name else ""
    said = artifact.get("message") or artifact.get("notice")
    if artifact.get("duplicate"):
        return f"The {noun}{named} is in this class already; nothing was added."
    if verb == "retry" or verb == "cancel":
        return f"{_DONE[verb]}: the {noun}{named}." + (f" {_flat(said)}" if said else "")
    return f"{_DONE[verb]} the {noun}{named}." + (f" {_flat(said)}" if said else "")


def _details(artifact: dict[str, Any]) -> str:
    lines = []
    for key, value in artifact.items():
        if _HIDDEN.search(key) or value in (None, "", [], {}):
            continue
        label = key.replace("_", " ")
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"- {label}:")
            lines.extend(
                f"  - {_item_line(v) if set(v) & {'title', 'name'} else _pairs(v)}"
                for v in value[:MOST_ITEMS]
            )
        elif isinstance(value, dict):
            lines.append(f"- {label}: {_pairs(value)}")
        else:
            lines.append(
                f"- {label}: {_flat(', '.join(map(str, value)) if isinstance(value, list) else value)}"
            )
    return "\n".join(lines) or "Done."


def _pairs(value: dict[str, Any]) -> str:
    return "; ".join(
        f"{k.replace('_', ' ')} {_flat(v)}" for k, v in value.items() if v not in (None, "", [], {})
    )[:400]


def _flat(value: object) -> str:
    return _safe(" ".join(str(value).split()))


def _safe(text: str) -> str:
    """Links, images and HTML of foreign text must not come alive in the chat."""
    return escaped(text)
