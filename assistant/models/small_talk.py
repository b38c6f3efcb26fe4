"""Greetings, thanks and questions about the assistant itself: short honest answers without a tool."""

import re

from assistant.models.offered import OfferedTool

_GREETING = re.compile(
    r"(hi|hello|hey|good (morning|afternoon|evening)|greetings|howdy)( there| lyceum)?", re.IGNORECASE
)
_THANKS = re.compile(
    r"(ok(ay)?,? )?(many )?(thanks|thank you|thx|cheers|great|perfect|cool|nice|got it|ok(ay)?|bye|goodbye|see you)( so much| a lot| very much)?( lyceum)?",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"(please )?(help( me)?|what can (you|i) do( here)?|what do you do|who are you|what are you|how does this work|how do (i|you) (use|work)( this| with you)?"
    r"|are you (an? )?(ai|human|bot|robot|llm|chatgpt|language model|real person)|what model are you|which model are you|how are you( doing)?( today)?)",
    re.IGNORECASE,
)
_UPLOAD = re.compile(
    r"^(how (do|can) i |can i |i want to |i'd like to |please )?(upload|import)( a| my| some| the| new)* "
    r"(file|files|pdf|book|textbook|slides|document|documents|material|materials|lecture)( here)?$",
    re.IGNORECASE,
)

WHAT_I_AM = (
    "I am Lyceum's built-in answerer. I am not a language model: I find the passages of your own material that bear on a "
    "question and quote them with the page, and I run commands."
)


def reply_to(text: str, tools: dict[str, OfferedTool]) -> str | None:
    """The answer, or None when the text asks for something else."""
    bare = re.sub(r"[\s!.?,;:)(]+$", "", text.strip())
    if not bare:
        return "Please write a question about your material."
    if _GREETING.fullmatch(bare):
        return f"Hello. {WHAT_I_AM} {_examples(tools)}"
    if _THANKS.fullmatch(bare):
        return "You are welcome. Ask me anything that your material may answer."
    if _HELP.fullmatch(re.sub(rf"^{_GREETING.pattern}[,.!]*\s+", "", bare, flags=re.IGNORECASE)):
        return f"{WHAT_I_AM} {_examples(tools)} For explanations in new words, connect a language model (see the settings)."
    if _UPLOAD.match(bare):
        return "Drop the file on this page, or use the upload button; I read it as soon as it is here. You can also run `lyceum ingest FILE`."
    return None


def is_small_talk(text: str) -> bool:
    """Whether a text needs nothing from the material: a greeting, thanks, or a question about the assistant."""
    return reply_to(text, {}) is not None


def _examples(tools: dict[str, OfferedTool]) -> str:
    known = {
        "search_materials": "“What is unconditional stability?”",
        "list_classes": "“list my classes”",
        "create_class": "“create a class called Physics 101”",
        "list_materials": "“what materials do I have?”",
        "read_material": "“show page 57 of the decay book”",
        "make_notes": "“make notes from the recording”",
        "list_assignments": "“what is due this week?”",
        "list_jobs": "“how is my upload doing?”",
    }
    examples = [example for name, example in known.items() if name in tools]
    return f"Try: {', '.join(examples)}." if examples else ""
