"""Reads what somebody answered, in any of the ways people and programs write it, and puts it into one form. Pure.

The form is what `answer_question` takes with the ids shown: an id; a sorted list of ids; true or false; a text; a list with
a text for each gap; right id by left id; a list of all ids in order.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from storage.errors import InvalidInput
from tools.grading.asked import Asked, Response
from tools.grading.wording import forms
from tools.study.keys import Choice, ChoiceKey, ChoicesKey, ClozeKey, Key, MatchingKey, OrderingKey, TruthKey

LONGEST_TEXT = 5000
LONGEST_GAP = 500
TRUE = frozenset("true t yes y wahr richtig ja w vrai v oui correct right 1".split())
FALSE = frozenset("false f no n falsch nein faux non incorrect wrong 0".split())

_DECORATION = re.compile(r"^(?:option|choice|answer|antwort|réponse)\s+|^[(\[]|[)\].:]+$", re.IGNORECASE)
_LABELLED = re.compile(r"^\(?([A-Za-z]{1,2}|\d{1,3})[).:]\s+(?=\S)")
_LIST = re.compile(r"\s*(?:[,;\n|>→]|->|=>|\band\b|\bund\b|\bet\b|&)\s*")
_PAIR = re.compile(r"\s*(?:=>|->|→|=|:|-|–)\s*")


def bad(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, code="bad_response")


def read_response(asked: Asked, raw: Response) -> Response | None:
    """The response in its one form; None for an empty one. Raises InvalidInput that says what is wanted."""
    if raw in ("", [], {}) or (isinstance(raw, str) and not raw.strip()):
        return None
    return READERS[asked.type](asked, raw)


def _choice(asked: Asked, raw: Response) -> Response:
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    if isinstance(raw, (list, dict)):
        raise bad(f"Question {asked.number} has one right choice: name one of {offered(asked.options)}.")
    return pick(asked.options, raw, f"Question {asked.number}")


def _choices(asked: Asked, raw: Response) -> Response:
    if isinstance(raw, dict):
        raise bad(f"Question {asked.number} wants a list of choices out of {offered(asked.options)}.")
    found = {pick(asked.options, one, f"Question {asked.number}") for one in _listed(asked.options, raw)}
    return [one.id for one in asked.options if one.id in found]


def _truth(asked: Asked, raw: Response) -> Response:
    word = _DECORATION.sub("", str(raw).strip()).casefold().removesuffix(".0")
    if word in TRUE | FALSE:
        return word in TRUE
    raise bad(f"Question {asked.number} is answered by true or false, not by {str(raw)[:60]!r}.")


def _gaps(asked: Asked, raw: Response) -> Response | None:
    count = max(asked.gaps, 1)
    if isinstance(raw, dict):
        texts = _by_number(asked, raw, count)
    elif isinstance(raw, list):
        texts = [str(one).strip() for one in raw]
    elif count == 1:
        texts = [str(raw).strip()]
    else:
        texts = next(
            (parts for sign in ("|", ";", "\n", ",") if len(parts := _split(str(raw), sign)) == count),
            [str(raw).strip()],
        )
        if len(texts) != count:
            raise bad(f"Question {asked.number} has {count} gaps: answer with a list of {count} texts.")
    if len(texts) > count:
        raise bad(
            f"Question {asked.number} has {count} gap{'s' * (count > 1)}, but {len(texts)} texts were given."
        )
    if any(len(text) > LONGEST_GAP for text in texts):
        raise bad(f"A gap takes up to {LONGEST_GAP} characters.")
    texts += [""] * (count - len(texts))
    return [*texts] if any(texts) else None


def _split(text: str, sign: str) -> list[str]:
    return [part.strip() for part in text.split(sign)]


def _by_number(asked: Asked, raw: Mapping[str, str], count: int) -> list[str]:
    texts = [""] * count
    for name, text in raw.items():
        number = name.strip(" {}")
        if not number.isdecimal() or not 1 <= int(number) <= count:
            raise bad(f"Question {asked.number} has the gaps 1 to {count}, none called {name!r}.")
        texts[int(number) - 1] = text.strip()
    return texts


def _text(asked: Asked, raw: Response) -> Response:
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    if isinstance(raw, (list, dict, bool)):
        raise bad(f"Question {asked.number} is answered by a text.")
    text = str(raw).strip()
    if len(text) > LONGEST_TEXT:
        raise bad(f"An answer takes up to {LONGEST_TEXT} characters.")
    return text


def _pairs(asked: Asked, raw: Response) -> Response:
    if isinstance(raw, str):
        raw = _written_pairs(raw)
    if isinstance(raw, list) and len(raw) == len(asked.options):
        raw = {one.id: str(given) for one, given in zip(asked.options, raw, strict=True)}
    if not isinstance(raw, dict):
        raise bad(
            f'Question {asked.number} wants pairs such as {{"1": "b"}} out of {offered(asked.options)}.'
        )
    where = f"Question {asked.number}"
    found: dict[str, str] = {}
    for left, right in raw.items():
        name = pick(asked.options, left, where)
        if name in found:
            raise bad(f"{where}: {left!r} is named twice.")
        if str(right).strip():
            found[name] = pick(asked.right, right, where)
    return {one.id: found[one.id] for one in asked.options if one.id in found}


def _written_pairs(text: str) -> dict[str, str]:
    """ "1-b, 2-a"."""
    pairs = [_PAIR.split(part, maxsplit=1) for part in re.split(r"[,;\n]", text) if part.strip()]
    if not all(len(pair) == 2 for pair in pairs):
        raise bad('Write the pairs as "1-b, 2-a".')
    return {left.strip(): right.strip() for left, right in pairs}


def _order(asked: Asked, raw: Response) -> Response:
    if isinstance(raw, dict):
        raise bad(f"Question {asked.number} wants a list in order: {offered(asked.options)}.")
    found = [pick(asked.options, one, f"Question {asked.number}") for one in _listed(asked.options, raw)]
    if sorted(found) != sorted(one.id for one in asked.options):
        raise bad(f"Question {asked.number} wants each of {offered(asked.options)} once, first to last.")
    return [*found]


READERS = {
    "multiple_choice": _choice,
    "multiple_answer": _choices,
    "true_false": _truth,
    "cloze": _gaps,
    "short_answer": _text,
    "matching": _pairs,
    "ordering": _order,
}


def _listed(options: Sequence[Choice], raw: Any) -> list[Any]:
    """The parts of a list, or of a text such as "A, C" or "BD"."""
    if isinstance(raw, list):
        return raw
    text = str(raw).strip()
    if found_id(options, text) is not None:
        return [text]
    parts = [part for part in _LIST.split(text) if part]
    letters = {one.id.casefold() for one in options}
    if len(parts) == 1 and len(text) > 1 and set(text.casefold()) <= letters:
        return list(text)
    return parts


def pick(options: Sequence[Choice], raw: Any, where: str) -> str:
    """The id of the choice that is meant. Raises InvalidInput."""
    found = found_id(options, _as_text(raw))
    if found is None:
        raise bad(f"{where} offers {offered(options)}; {str(raw)[:60]!r} is none of them.")
    return found


def _as_text(raw: Any) -> str:
    return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw).strip()


def found_id(options: Sequence[Choice], text: str) -> str | None:
    """By id as it is written, by text, by letter in either case, by number of its place, by text in other spelling."""
    ids = {one.id: one.id for one in options}
    plain = _DECORATION.sub("", _DECORATION.sub("", text)).strip()
    labelled = _LABELLED.match(text)
    for name in (text, plain):
        if name in ids:
            return name
        same = [one.id for one in options if one.text.strip() == name]
        if len(same) == 1:
            return same[0]
    if plain.casefold() in ids:
        return plain.casefold()
    alike = [one.id for one in options if forms(one.text) & forms(text)]
    if len(alike) == 1:
        return alike[0]
    if plain.isdecimal() and 1 <= int(plain) <= len(options):
        return options[int(plain) - 1].id
    return found_id(options, labelled[1]) if labelled else None


def offered(options: Sequence[Choice]) -> str:
    return ", ".join(f"{one.id}) {one.text[:60]}" for one in options)


# --- back into words


def right_response(key: Key) -> Response:
    """The response that earns all points."""
    if isinstance(key, ChoiceKey):
        return key.choice
    if isinstance(key, ChoicesKey):
        return [*sorted(key.choices)]
    if isinstance(key, TruthKey):
        return key.value
    if isinstance(key, ClozeKey):
        return [gap.text for gap in key.gaps]
    if isinstance(key, MatchingKey):
        return dict(key.pairs)
    if isinstance(key, OrderingKey):
        return [*key.order]
    return key.expected.text


def in_words(asked: Asked, response: Response) -> str:
    """A response as a person reads it."""
    texts = {one.id: one.text for one in asked.options}
    right = {one.id: one.text for one in asked.right}
    if isinstance(response, bool):
        return "true" if response else "false"
    if isinstance(response, dict):
        return "; ".join(f"{texts.get(a, a)} – {right.get(b, b)}" for a, b in response.items())
    if isinstance(response, list):
        sign = " → " if asked.type == "ordering" else "; "
        return sign.join(
            texts.get(str(one), str(one)) if asked.type != "cloze" else str(one) or "…" for one in response
        )
    return texts.get(str(response), str(response)) if asked.type == "multiple_choice" else str(response)
