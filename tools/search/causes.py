"""Why an expected passage is not among the results: the first cause that the facts of a search show, and what mends it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

CauseCode = Literal[
    "found",
    "in_bin",
    "not_ingested",
    "still_reading",
    "no_text_there",
    "phrase_not_in_text",
    "outside_scope",
    "answered_from_place",
    "vector_missing",
    "wrong_model",
    "index_missed",
    "words_absent",
    "below_the_cut",
    "outranked",
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the expected passage that came nearest to being found. Ranks count from 1; None: not among them."""

    what: str
    """The expectation in words, e.g. `page 57 of "Numerics"`."""
    deleted: bool = False
    status: str = "ready"
    error: str | None = None
    notice: str | None = None
    """What the reader said of the page, when no text was read from it."""
    has_text: bool = True
    phrase_stands: bool = True
    in_scope: bool = True
    place: str | None = None
    """The place that the query itself names, when it was answered from there and the passage stands elsewhere."""
    in_index: bool = True
    same_model: bool = True
    words: int = 0
    """Words of the query that search knows."""
    words_held: int = 0
    """Those of them that stand in the passage."""
    similarity: float | None = None
    weakest: float = 0.0
    """Similarity below which a passage without any of the words is left out."""
    last_dense: float | None = None
    """Similarity of the last passage that meaning let through, when it let through all that it may."""
    words_rank: int | None = None
    meaning_rank: int | None = None
    candidates: int = 50
    fused_rank: int | None = None
    result_rank: int | None = None
    limit: int = 6


@dataclass(frozen=True, slots=True)
class Cause:
    code: CauseCode
    why: str
    mend: str | None


def cause_of(facts: Facts) -> Cause:
    """The first cause that holds, from the file to the last cut."""
    cause = next(cause for rule in RULES if (cause := rule(facts)) is not None)
    return replace(cause, why=cause.why[0].upper() + cause.why[1:])


def _found(f: Facts) -> Cause | None:
    if f.result_rank is None:
        return None
    return Cause("found", f"It is found: {f.what} is result {f.result_rank}.", None)


def _deleted(f: Facts) -> Cause | None:
    if not f.deleted:
        return None
    return Cause(
        "in_bin", f"{f.what} was deleted and lies in the bin.", "Bring it back with restore_material."
    )


def _status(f: Facts) -> Cause | None:
    if f.status == "failed":
        why = f"{f.what} could not be read in: {f.error or 'reading it failed.'}"
        return Cause("not_ingested", why, "Run reprocess_material; if it fails again, upload a better copy.")
    if f.status in ("queued", "processing") and not f.has_text:
        why = f"{f.what} is still being read in."
        return Cause("still_reading", why, "Wait for its job (get_job), then search again.")
    return None


def _text(f: Facts) -> Cause | None:
    if not f.has_text:
        said = f" {f.notice}" if f.notice else ""
        mend = "Look at it with open_passage. If words are on the picture, run reprocess_material or upload a clearer copy."
        return Cause("no_text_there", f"No text was read from {f.what}.{said}", mend)
    if not f.phrase_stands:
        why = f"The phrase does not stand word for word in {f.what}."
        mend = (
            "Search for it in other words; a scan or a recording may have been read or heard differently: read_material "
            "shows what was."
        )
        return Cause("phrase_not_in_text", why, mend)
    return None


def _scope(f: Facts) -> Cause | None:
    if not f.in_scope:
        why = f"{f.what} lies outside the class or material that was searched."
        return Cause("outside_scope", why, "Search without class_id and material_id, or with the right ones.")
    if f.place is not None:
        why = f"The query names a place ({f.place}) and was answered from there; {f.what} stands elsewhere."
        return Cause("answered_from_place", why, "Leave the place out of the query, or name the right one.")
    return None


def _index(f: Facts) -> Cause | None:
    if not f.in_index:
        if f.status == "searchable":
            why = f"{f.what} has no vector yet: its material is being indexed. Until then only words find it."
            return Cause("still_reading", why, "Wait for its job (get_job), then search again.")
        why = f"{f.what} has no vector in its collection, so meaning cannot find it."
        return Cause(
            "vector_missing",
            why,
            "chroma_diagnose_collection shows how many are missing; reprocess_material makes them anew.",
        )
    if not f.same_model:
        why = f"The vector of {f.what} was made by another embedding model, so its similarity means nothing."
        return Cause("wrong_model", why, "Run reprocess_material for its material.")
    if (
        f.meaning_rank is None
        and f.similarity is not None
        and f.last_dense is not None
        and f.similarity > f.last_dense + 0.001
    ):
        why = f"The vector index passed {f.what} over: it is nearer ({f.similarity:.2f}) than others it returned."
        return Cause(
            "index_missed",
            why,
            "Ask with a word that stands in the passage; reprocess_material rebuilds its entries.",
        )
    return None


def _cuts(f: Facts) -> Cause | None:
    similar = "unknown" if f.similarity is None else f"{f.similarity:.2f}"
    if f.words_held == 0 and (f.similarity is None or f.similarity < f.weakest):
        why = (
            f"None of the query's words stands in {f.what}, and by meaning it is too far away (similarity {similar}; "
            f"without a common word {f.weakest:.2f} is needed)."
        )
        return Cause("words_absent", why, "Ask with words that the text itself uses.")
    ranks = f"{_rank('by words', f.words_rank)}, {_rank('by meaning', f.meaning_rank)}"
    if f.fused_rank is None:
        why = f"{f.what} is {ranks}; only the first {f.candidates} of each go on. It holds {_share(f)}."
        mend = "Ask with rarer words of the passage, in quotation marks if they stand there, or search in its material alone."
        return Cause("below_the_cut", why, mend)
    return None


def _outranked(f: Facts) -> Cause:
    why = (
        f"{f.what} is {_rank('by words', f.words_rank)}, {_rank('by meaning', f.meaning_rank)} and number {f.fused_rank} by "
        f"both together, but only {f.limit} passages are returned. It holds {_share(f)}."
    )
    mend = "Raise the limit, search in its material alone, or use words that stand only there."
    return Cause("outranked", why, mend)


def _rank(stage: str, rank: int | None) -> str:
    return f"not found {stage}" if rank is None else f"number {rank} {stage}"


def _share(f: Facts) -> str:
    return f"{f.words_held} of the query's {f.words} word{'' if f.words == 1 else 's'}"


RULES: tuple[Callable[[Facts], Cause | None], ...] = (
    _found,
    _deleted,
    _status,
    _text,
    _scope,
    _index,
    _cuts,
    _outranked,
)
