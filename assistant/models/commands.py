"""Commands to the platform: "list my classes", "delete the class X", "show page 57 of the decay book".

Every rule must match the whole request, so that a study question ("which class of methods is stable?") is never taken
for a command. A rule applies only when its tool is offered. Verb and noun rules read the names of the offered tools, so
`list_decks` or `delete_test` work as soon as they exist.
"""

import re
from collections.abc import Callable

from assistant.models import practice_commands, retrieval_commands, study_commands
from assistant.models.arguments import Slots
from assistant.models.items import Item, bare_name, nouns, read_item
from assistant.models.offered import OfferedTool
from assistant.models.words import one_line

Tools = dict[str, OfferedTool]

_POLITE = re.compile(
    r"^(?:(?:please|hey|hi|hello|ok(?:ay)?|so|now|then|and|also)\b[,!.]?\s+|(?:can|could|would|will) you\s+(?:please\s+)?"
    r"|i(?:'d| would)? (?:want|like|need)(?: you)? to\s+|let'?s\s+)+",
    re.IGNORECASE,
)
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_I = re.IGNORECASE


def read_command(text: str, tools: Tools) -> Slots | None:
    """The command in `text` with what it names, or None when it is a question."""
    kept = add_text(_POLITE.sub("", text.strip()), tools)
    if kept is not None and kept.tool in tools:
        return kept
    request = re.sub(r"[\s,]*(?:\bplease\b)?[\s.!?]*$", "", _POLITE.sub("", one_line(text)), flags=_I)
    for rule in RULES:
        slots = rule(request, tools)
        if slots is not None and slots.tool in tools:
            return slots
    return None


_PAGE = r"(?P<unit>pages?|pp?\.|slides?)\s*(?P<n>\d{1,5})(?:\s*(?:-|–|to|through|until)\s*(?P<m>\d{1,5}))?"
_READ = r"(?:show(?: me)?|open|read(?: me)?|display|go to|see|view|give me|get|print|quote|summari[sz]e|what(?:'s| is)(?: written)? on|what does it say on)"
_PAGES = (
    re.compile(
        rf"(?:{_READ}\s+)?(?:the\s+)?(?:text (?:of|on)\s+)?{_PAGE}\s*,?\s*(?:of|in|from)\s+(?P<item>.+)", _I
    ),
    re.compile(rf"what does\s+{_PAGE}\s+(?:of|in|from)\s+(?P<item>.+?)\s+say", _I),
    re.compile(rf"{_READ}\s+(?P<item>.+?)[\s,]+(?:(?:on|at)\s+)?{_PAGE}", _I),
)
_ABOUT = re.compile(r"\b(?:about|say|mean|why|how)\b", _I)


def read_pages(text: str, tools: Tools) -> Slots | None:
    """Pages or slides of a named material."""
    match = next((m for p in _PAGES if (m := p.fullmatch(text))), None)
    if not match or _ABOUT.search(match["item"]):
        return None
    name = _material_name(match["item"])
    if name is None:
        return None
    unit = "slide" if match["unit"].lower().startswith("s") else "page"
    values: dict[str, object] = {"material_id": name, unit: int(match["n"])}
    if match["m"]:
        values["last_page"] = int(match["m"])
    places = {"page", "slide", "start_page", "first_page", "from_page", "page_from", "start", "first"}
    readers = [t for t in ("read_material", "open_passage") if t in tools]
    tool = next(
        (t for t in readers if places & set(tools[t].properties) and "material_id" in tools[t].properties),
        None,
    )
    return Slots(tool, "material", values=values) if tool else None


_SECTION = re.compile(
    rf"{_READ}\s+(?:the\s+)?(?:section|chapter|§)\s*(?P<number>\d{{1,3}}(?:\.\d{{1,3}}){{0,4}})\s*,?\s*(?:of|in|from)\s+(?P<item>.+)",
    _I,
)


def read_section(text: str, tools: Tools) -> Slots | None:
    """A section of a named material: "read section 3.2 of the decay book"."""
    match, reader = _SECTION.fullmatch(text), tools.get("read_material")
    name = _material_name(match["item"]) if match else None
    if match is None or name is None or reader is None or "heading" not in reader.properties:
        return None
    return Slots("read_material", "material", values={"material_id": name, "heading": match["number"]})


def _material_name(text: str) -> str | None:
    item = read_item(
        text, {"material": nouns({"list_materials": OfferedTool("list_materials", "")})["material"]}
    )
    return item.name if item else bare_name(text)


_WHOLE = re.compile(r"(?:read|open)\s+(?P<item>.+)", _I)


def read_whole(text: str, tools: Tools) -> Slots | None:
    """A material from its beginning: "read the decay book", "open 'Decay book'"."""
    match = _WHOLE.fullmatch(text)
    item = read_item(match["item"], nouns(tools)) if match else None
    if not item or item.noun not in ("", "material") or not item.name:
        return None
    return Slots("read_material", "material", values={"material_id": item.name})


_JOBS = re.compile(
    r"(?:how(?:'s| is| are| far (?:is|are|along is|along are))|what(?:'s| is) (?:the )?(?:status|progress|state) of|status of|progress of|(?:show|check)(?: me)?(?: the)?(?: status of| progress of)?)\s+"
    r"(?:the |my |our )?(?:\w+ ){0,2}?(?:uploads?|upload status|indexing|processing|ingestion|import|jobs?)(?: (?:doing|going|coming along|getting on|progressing|status|progress))?(?: (?:so far|now|today))?"
    r"|(?:upload|indexing|processing|import|job) (?:status|progress)"
    r"|(?:is|are|was) (?:it|my \w+|the \w+|the \w+ \w+|anything|everything|something|there anything)(?: still| already)? (?:done|ready|finished|processed|indexed|processing|indexing|uploading|uploaded|being (?:processed|indexed|uploaded)|running|working)(?: yet| now)?"
    r"|(?:is|are) (?:my |the )?(?:uploads?|jobs?|files?)(?: still| already)? (?:done|ready|finished|running|processed|indexed)(?: yet| now)?"
    r"|(?:did|has|have) (?:my|the) (?:\w+ ){0,2}?(?:upload|indexing|import|processing|job)s? (?:work|worked|finish|finished|fail|failed|complete|completed)(?: yet)?"
    r"|(?:any|what) (?:running|failed|open|pending) (?:jobs|uploads)",
    _I,
)
_JOB_ACTION = re.compile(
    r"(?P<verb>cancel|stop|abort|retry|rerun|restart|try again)\s+(?:the |my )?(?:last |failed |running )?(?:job|upload|indexing|processing|import|task)?\b.*",
    _I,
)


def jobs(text: str, tools: Tools) -> Slots | None:
    """State of uploads; cancel and retry by id, and without one the list to choose from."""
    action = _JOB_ACTION.fullmatch(text)
    found = _ID.search(text)
    if action and re.search(r"\b(?:job|upload|indexing|processing|import|task)s?\b", text, _I):
        verb = "cancel" if action["verb"].lower() in ("cancel", "stop", "abort") else "retry"
        return (
            Slots(f"{verb}_job", "job", values={"job_id": found[0]}) if found else Slots("list_jobs", "job")
        )
    if found and re.search(r"\bjob\b", text, _I):
        return Slots("get_job", "job", values={"job_id": found[0]})
    return Slots("list_jobs", "job") if _JOBS.fullmatch(text) else None


_PROFILE = re.compile(
    r"who am i|(?:show(?: me)?|what(?:'s| is)|get|view|see|open)?\s*my (?:user )?(?:profile|account(?: details)?|e-?mail(?: address)?|user ?name|name|plan)|am i (?:signed|logged) in",
    _I,
)


def profile(text: str, tools: Tools) -> Slots | None:
    """The person's own account."""
    return Slots("get_profile", "account") if _PROFILE.fullmatch(text) else None


_COLLECTION_NAME = re.compile(
    r"[\"“'](?P<q>[^\"”']+)[\"”']|\b(?P<id>[A-Za-z0-9]+_[\w-]+)\b|\bcollection (?:called |named )?(?P<after>[\w-]+)$",
    _I,
)
_COLLECTIONS = (
    (
        re.compile(
            r"(?:list|show(?: me)?|what(?: are)?|which)?\s*(?:all )?(?:the |my )?(?:vector |chroma )*collections(?: (?:do i have|are there|exist))?",
            _I,
        ),
        "chroma_list_collections",
    ),
    (re.compile(r"(?:how many|count)\b.*\bin\b.+|count .*collection.*", _I), "chroma_count_documents"),
    (re.compile(r"(?:peek|look|sample)\b.*", _I), "chroma_peek_documents"),
    (
        re.compile(r"(?:diagnose|check|what(?:'s| is) wrong with|health of)\b.*", _I),
        "chroma_diagnose_collection",
    ),
    (
        re.compile(r"(?:info|information|details|describe|show|get|what is in)\b.*", _I),
        "chroma_get_collection_info",
    ),
)


def collections(text: str, tools: Tools) -> Slots | None:
    """Vector collections, by their names."""
    if not re.search(r"\bcollections?\b", text, _I):
        return None
    tool = next((t for pattern, t in _COLLECTIONS if pattern.fullmatch(text)), None)
    if tool in (None, "chroma_list_collections"):
        return Slots(tool, "collection") if tool else None
    name = _COLLECTION_NAME.search(text)
    value = next((v for v in name.groups() if v), None) if name else None
    return Slots(str(tool), "collection", values={"collection": value} if value else {})


_CREATE = re.compile(r"(?:create|make|add|start|set up|new)\s+(?P<rest>.+)", _I)
_DESCRIBED = re.compile(r"[\s,]+(?:with|and)\s+(?:the |a )?description\s*:?\s+(?P<text>.+)$", _I)


def create(text: str, tools: Tools) -> Slots | None:
    """A new item with its name, and its description when one is given."""
    match = _CREATE.fullmatch(text)
    if not match:
        return None
    described = _DESCRIBED.search(match["rest"])
    rest = _DESCRIBED.sub("", match["rest"])
    creatable = {n: p for n, p in nouns(tools).items() if f"create_{n}" in tools}
    item = read_item(rest, creatable)
    if not item or not item.noun:
        return None
    name = re.sub(r"^for\s+(?:my\s+|the\s+)?", "", item.name or "", flags=_I)
    values: dict[str, object] = {"name": name} if name else {}
    if described:
        values["description"] = described["text"].strip("\"'“”. ")
    return Slots(f"create_{item.noun}", item.noun, creates=True, values=values)


_ADD_TEXT = re.compile(
    r"(?P<verb>add|save|store|keep|remember|note down|note|write|create|make)\s+(?:(?:the|this|these|following|my|a|as)\s+)*(?P<noun>text|notes?|snippet|definition)?(?:\s+(?:to|in)\s+(?:my\s+|the\s+)?(?P<class>[^:]{1,60}?)(?:\s+(?:class|course))?)?"
    r"(?:\s+(?:called|titled|named)\s+(?P<title>[^:]{1,120}?))?\s*:\s*(?P<text>.+)",
    _I | re.DOTALL,
)


def add_text(text: str, tools: Tools) -> Slots | None:
    """What is typed in the chat to be kept: "add this note to Physics: …" is a note, any other text a material."""
    match = _ADD_TEXT.fullmatch(text)
    if not match:
        return None
    noun = (match["noun"] or match["verb"]).lower()
    if noun in ("write", "create", "make"):
        return None
    body = match["text"].strip()
    title = (match["title"] or " ".join(body.split()[:8])).strip("\"'“” ")
    values: dict[str, object] = {"title": title, "text": body}
    if match["class"]:
        values["class_id"] = match["class"].strip("\"'“” ")
    tool = "create_note" if noun.startswith("note") and "create_note" in tools else "add_text"
    return Slots(tool, "text", values=values)


_RENAME = re.compile(
    r"(?:rename|retitle|change the (?:name|title) of)\s+(?P<item>.+?)\s+(?:to|as|into)\s+(?P<name>.+)", _I
)
_DESCRIBE = re.compile(
    r"(?:change|set|update|edit)\s+the description of\s+(?P<item>.+?)\s+to\s+(?P<description>.+)", _I
)


def update(text: str, tools: Tools) -> Slots | None:
    """A new name or description for an item."""
    match = _RENAME.fullmatch(text) or _DESCRIBE.fullmatch(text)
    if not match:
        return None
    item = _item_for("update", match["item"], tools)
    if item is None:
        return None
    field = "name" if "name" in match.groupdict() else "description"
    values: dict[str, object] = {field: match[field].strip("\"'“” ")}
    if item.name:
        values[f"{item.noun}_id"] = item.name
    return Slots(f"update_{item.noun}", item.noun, values=values)


def _item_for(verb: str, text: str, tools: Tools) -> Item | None:
    """The item for `verb`_NOUN; without a noun in the text, a material if that tool exists, else a class."""
    item = read_item(text, {n: p for n, p in nouns(tools).items() if f"{verb}_{n}" in tools})
    if item and item.noun:
        return item
    noun = next((n for n in ("material", "class") if f"{verb}_{n}" in tools), None)
    return Item(noun, item.name if item else bare_name(text)) if noun else None


_REMOVE = re.compile(r"(?:delete|remove|drop|throw away|get rid of|trash|erase)\s+(?P<item>.+)", _I)
_RESTORE = re.compile(r"(?:restore|undelete|bring back|recover)\s+(?P<item>.+)", _I)


def delete_or_restore(text: str, tools: Tools) -> Slots | None:
    """Take an item away, or bring it back. Approval of a deletion is the loop's matter."""
    for verb, pattern in (("delete", _REMOVE), ("restore", _RESTORE)):
        match = pattern.fullmatch(text)
        item = _item_for(verb, match["item"], tools) if match else None
        if item:
            values: dict[str, object] = {f"{item.noun}_id": item.name} if item.name else {}
            return Slots(f"{verb}_{item.noun}", item.noun, values=values)
    return None


_HAVE = r"(?:do i have|have i|have i got|did i (?:upload|add|create|make)|i have|are there|am i (?:taking|in)|i (?:uploaded|added)|have i (?:uploaded|added))"
_IN_CLASS = (
    r"(?:\s+(?:in|for|of)\s+(?:(?:my|the)\s+)?(?:class\s+)?(?P<class>.+?)(?:\s+(?:class|course|subject))?)?"
)
_WHAT_IS_IN = re.compile(
    r"(?:what(?:'s| is)(?: there)?|show(?: me)?(?: what is)?)\s+(?:in|inside)\s+(?:my\s+|the\s+)?(?P<item>.+)",
    _I,
)


def list_items(text: str, tools: Tools) -> Slots | None:
    """ "list my classes", "what materials do I have in Physics", "what's in my Physics class"."""
    for noun, pattern in nouns(tools).items():
        tool = next(
            (
                t
                for t in tools
                if t.startswith("list_") and re.fullmatch(f"list_{noun}(?:e?s)?|list_{noun[:-1]}ies", t)
            ),
            None,
        )
        if tool is None:
            continue
        order = rf"(?:(?:list|show(?: me)?|see|view|display|get|give me|print|what are|which are|tell me)\s+)?(?:all\s+)?(?:of\s+)?(?:my|the|our|all|available)?\s*(?:{pattern})(?:\s+{_HAVE})?{_IN_CLASS}"
        asked = rf"(?:what|which|how many|do i have(?: any)?|have i(?: any)?|list(?: the)?)\s*(?:other\s+)?(?:kinds? of\s+)?(?:{pattern})(?:\s+{_HAVE})(?:\s+(?:so far|here|now|already|uploaded))*{_IN_CLASS}"
        any_of = rf"(?:do i have|have i got|are there)(?: any)?\s+(?:{pattern}){_IN_CLASS}"
        match = next((m for p in (order, asked, any_of) if (m := re.fullmatch(p, text, _I))), None)
        if match and not (match["class"] and "class_id" not in tools[tool].properties):
            name = bare_name(match["class"]) if match["class"] else None
            return Slots(tool, noun, values={"class_id": name} if name else {})
    inside = _WHAT_IS_IN.fullmatch(text)
    item = (
        read_item(inside["item"], {n: p for n, p in nouns(tools).items() if n == "class"}) if inside else None
    )
    if item and item.noun and item.name:
        return Slots("list_materials", "material", values={"class_id": item.name})
    return None


_ABOUT_MATERIAL = re.compile(
    r"how (?:many pages does|long is|many pages are in|many slides are in|many slides does|big is)\s+(?P<a>.+?)(?:\s+(?:have|contain))?"
    r"|(?:what(?:'s| is) the )?(?:status|state) of\s+(?P<b>.+)|(?:is|was)\s+(?P<c>.+?)\s+(?:ready|processed|indexed|searchable|done)(?: yet| already)?"
    r"|(?:show(?: me)?|get|give me)?\s*(?:the )?(?:details|info|information|metadata) (?:of|about|on|for)\s+(?P<d>.+)",
    _I,
)
_SHOW = re.compile(r"(?:show(?: me)?|open|get|display|view)\s+(?P<item>.+)", _I)


def get_item(text: str, tools: Tools) -> Slots | None:
    """One item by name: details of a material, a conversation, a job."""
    about = _ABOUT_MATERIAL.fullmatch(text)
    shown = _SHOW.fullmatch(text)
    if not about and not shown:
        return None
    wanted = next((v for v in about.groups() if v), "") if about else str(shown and shown["item"])
    gettable = {n: p for n, p in nouns(tools).items() if f"get_{n}" in tools and n != "profile"}
    item = read_item(wanted, gettable)
    if not item or not item.name or (not item.noun and shown):
        return None
    noun = item.noun or "material"
    return Slots(f"get_{noun}", noun, values={f"{noun}_id": item.name})


RULES: tuple[Callable[[str, Tools], Slots | None], ...] = (
    *retrieval_commands.RULES,
    *study_commands.RULES,
    *practice_commands.RULES,
    read_pages,
    read_section,
    jobs,
    profile,
    collections,
    create,
    update,
    delete_or_restore,
    list_items,
    get_item,
    read_whole,
)
