"""Search by words: BM25 over the lexemes that PostgreSQL makes of the text, exact phrases, and places by number."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, cast, func, or_, select, text
from sqlalchemy import false as sql_false
from sqlalchemy.dialects.postgresql import ARRAY, REGCONFIG
from sqlalchemy.types import Integer, Text, Uuid

from storage.models import Chunk, Class, Material, MaterialSegment
from storage.repositories.base import Repository
from storage.vectors.names import collection_name

# Okapi BM25 (Robertson, Walker 1994) with Lucene's idf, ln(1 + (N - df + 0.5) / (df + 0.5)), which is never negative.
BM25_K1 = 1.2
BM25_B = 0.75

SCOPE = """
    SELECT m.id FROM materials m JOIN classes c ON c.id = m.class_id
    WHERE m.user_id = :user AND m.deleted_at IS NULL AND c.deleted_at IS NULL AND m.chunk_count > 0
      AND (CAST(:class AS uuid) IS NULL OR m.class_id = :class)
      AND (CAST(:material AS uuid) IS NULL OR m.id = :material)
"""

IN_SCOPE = [bindparam(name, type_=Uuid()) for name in ("user", "class", "material")]

# A query word is one term however many stems it has: its document frequency counts the chunks of all languages. A chunk has
# one language, so next to none holds two stems of a word; such a one is counted twice.
BM25 = text(
    f"""
    WITH scope AS MATERIALIZED ({SCOPE}),
    size AS (
        SELECT greatest(sum(m.chunk_count), 1)::float8 AS n,
               greatest(sum(coalesce(m.word_count, 0))::float8 / greatest(sum(m.chunk_count), 1), 1) AS average
        FROM materials m WHERE m.id IN (SELECT id FROM scope)
    ),
    posting AS MATERIALIZED (
        SELECT p.*, (:terms)[array_position(:lexemes, p.lexeme)] AS term FROM chunk_postings p
        WHERE p.lexeme = ANY(:lexemes) AND p.material_id IN (SELECT id FROM scope)
    ),
    frequency AS (
        SELECT term, least(sum(cardinality(ordinals)), max(n)) AS df, max(n) AS n FROM posting, size GROUP BY term
    ),
    rarity AS (SELECT term, ln(1 + (n - df + 0.5) / (df + 0.5)) AS idf FROM frequency),
    scored AS (
        SELECT p.material_id, u.ordinal,
               sum(r.idf * u.tf * ({BM25_K1} + 1)
                   / (u.tf + {BM25_K1} * (1 - {BM25_B} + {BM25_B} * u.length / s.average))) AS score
        FROM posting p JOIN rarity r USING (term) CROSS JOIN size s
        CROSS JOIN LATERAL unnest(p.ordinals, p.frequencies, p.lengths) AS u(ordinal, tf, length)
        GROUP BY p.material_id, u.ordinal
        ORDER BY score DESC, p.material_id, u.ordinal LIMIT :limit
    )
    SELECT k.id, scored.score FROM scored
    JOIN chunks k ON k.material_id = scored.material_id AND k.ordinal = scored.ordinal
    ORDER BY scored.score DESC, k.id
    """  # noqa: S608 - constants only
).bindparams(bindparam("lexemes", type_=ARRAY(Text())), bindparam("terms", type_=ARRAY(Integer())), *IN_SCOPE)

VISIBLE = text(
    f"SELECT k.id FROM chunks k WHERE k.id = ANY(:ids) AND k.user_id = :user AND k.material_id IN ({SCOPE})"  # noqa: S608 - constants only
).bindparams(bindparam("ids", type_=ARRAY(Uuid())), *IN_SCOPE)

# The parser is the same in every configuration, so a position names the same word of the query in all of them.
LEXEMES = text(
    """
    SELECT c.config, l.lexeme, l.positions FROM unnest(:configs) AS c(config)
    CROSS JOIN LATERAL unnest(lyceum_lexemes(c.config, '{}', :query)) AS l(lexeme, positions, weights)
    """
).bindparams(bindparam("configs", type_=ARRAY(Text())))

HEARD = text(
    """
    EXISTS (SELECT FROM jsonb_array_elements(material_segments.words) AS word
            WHERE CAST(word->>2 AS float8) < :last AND CAST(word->>3 AS float8) > :first
              AND CAST(word->>0 AS int) >= chunks.char_start AND CAST(word->>0 AS int) < chunks.char_end)
    """
)

# How many chunks of the scope hold a lexeme, and whether one of them is the chunk that was asked for.
HOLDERS = text(
    f"""
    SELECT p.lexeme, sum(cardinality(p.ordinals)) AS chunks,
           bool_or(p.material_id = :held_material AND :held_ordinal = ANY(p.ordinals)) AS is_held
    FROM chunk_postings p WHERE p.lexeme = ANY(:lexemes) AND p.material_id IN ({SCOPE}) GROUP BY p.lexeme
    """  # noqa: S608 - constants only
).bindparams(
    bindparam("lexemes", type_=ARRAY(Text())),
    bindparam("held_material", type_=Uuid()),
    bindparam("held_ordinal", type_=Integer()),
    *IN_SCOPE,
)

DEFAULT_CONFIGS = ("english",)
UNSEGMENTED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
"""Thai, Japanese, Chinese, Korean: lyceum_lexemes() makes pairs of these characters, which have no order."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search looks at: everything of the user, one class, or one material."""

    class_id: UUID | None = None
    material_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a search in a scope can find: by meaning in vector collections, by words under text search configurations."""

    collections: list[str]
    is_indexing: bool
    """Whether some of its material is still being read or its collections filled."""
    configs: tuple[str, ...] = DEFAULT_CONFIGS


@dataclass(frozen=True, slots=True)
class Place:
    """A page or slide by number (a range, both ends included) or by the label printed on it; or seconds of a recording."""

    kind: str
    first: int | None = None
    last: int | None = None
    label: str | None = None
    t_start: float = 0.0
    t_end: float = 0.0


Term = tuple[str, ...]
"""A word of a query: its stem under each configuration in scope."""


@dataclass(frozen=True, slots=True)
class Lexeme:
    """What one configuration makes of a query: a stem, and which words of the query have it."""

    config: str
    text: str
    positions: tuple[int, ...]


def terms_of(lexemes: Iterable[Lexeme]) -> list[Term]:
    """The words of a query, each with all its stems; words that share a stem are one term.

    The configuration that leaves out the most stop words is the query's own language: what it leaves out is left out
    altogether, else the "the" of an English question would count as a rare word in German material.
    """
    known = list(lexemes)
    words = {
        config: {p for each in known if each.config == config for p in each.positions}
        for config in dict.fromkeys(each.config for each in known)
    }
    own = min(words.values(), key=len, default=set())
    terms: list[tuple[set[int], set[str]]] = []
    for each in known:
        positions, stems = own.intersection(each.positions), {each.text}
        if not positions:
            continue
        apart = []
        for others in terms:
            if positions & others[0] or stems & others[1]:
                positions |= others[0]
                stems |= others[1]
            else:
                apart.append(others)
        terms = [*apart, (positions, stems)]
    return [tuple(sorted(stems)) for positions, stems in sorted(terms, key=lambda term: min(term[0]))]


class LexicalRepository(Repository):
    async def terms(self, query: str, configs: Sequence[str] = DEFAULT_CONFIGS) -> list[Term]:
        """The words of a query without stop words, each with its stems under the configurations."""
        rows = await self.session.execute(LEXEMES, {"configs": list(configs), "query": query})
        return terms_of(Lexeme(row.config, row.lexeme, tuple(row.positions or ())) for row in rows)

    async def bm25(self, terms: Sequence[Term], scope: Scope, limit: int) -> list[tuple[UUID, float]]:
        """(chunk id, BM25 score), best first. Any of the terms may match; the score says how well."""
        numbered = {lexeme: number for number, term in enumerate(terms) for lexeme in term}
        if not numbered:
            return []
        asked = {"lexemes": list(numbered), "terms": list(numbered.values())}
        rows = await self.session.execute(BM25, {**asked, "limit": limit, **self._inside(scope)})
        return [(row.id, float(row.score)) for row in rows]

    async def holders(
        self, terms: Sequence[Term], scope: Scope, chunk: Chunk | None
    ) -> list[tuple[Term, int, bool]]:
        """For each term: how many chunks in scope hold it, and whether the given one does."""
        asked = {
            "lexemes": [lexeme for term in terms for lexeme in term],
            "held_material": chunk.material_id if chunk else None,
            "held_ordinal": chunk.ordinal if chunk else None,
        }
        rows = (await self.session.execute(HOLDERS, {**asked, **self._inside(scope)})).all()
        known = {row.lexeme: (int(row.chunks), bool(row.is_held)) for row in rows}
        found = [(term, [known[lexeme] for lexeme in term if lexeme in known]) for term in terms]
        return [(term, sum(n for n, _ in each), any(held for _, held in each)) for term, each in found]

    async def with_phrases(
        self, phrases: Sequence[str], scope: Scope, limit: int, configs: Sequence[str] = DEFAULT_CONFIGS
    ) -> list[UUID]:
        """Chunks in which every phrase stands word for word (by lexemes, in order)."""
        found = self._in_scope(scope)
        for phrase in phrases:
            if UNSEGMENTED.search(phrase):
                found = found.where(Chunk.text.icontains(phrase, autoescape=True))
                continue
            found = found.where(or_(*(_holds(phrase, config) for config in configs)))
        return list((await self.session.scalars(found.order_by(Chunk.id).limit(limit))).all())

    async def at_place(self, place: Place, scope: Scope, limit: int) -> list[UUID]:
        """Chunks that stand on a page or slide, by its number, else by the number printed on it, or that are heard in a span
        of time; in reading order."""
        for condition in _spoken(place) if place.kind == "span" else _numbered(place):
            found = self._in_scope(scope).join(
                MaterialSegment,
                (MaterialSegment.material_id == Chunk.material_id)
                & (MaterialSegment.ordinal == Chunk.segment)
                & ~MaterialSegment.staged,
            )
            found = found.where(MaterialSegment.kind == place.kind, condition)
            ids = (
                await self.session.scalars(found.order_by(Chunk.material_id, Chunk.ordinal).limit(limit))
            ).all()
            if ids:
                return list(ids)
        return []

    async def visible(self, ids: Sequence[UUID], scope: Scope) -> set[UUID]:
        """Those of the chunks that exist and lie in scope."""
        rows = await self.session.execute(VISIBLE, {"ids": list(ids), **self._inside(scope)})
        return {row.id for row in rows}

    async def reach(self, scope: Scope) -> Reach:
        """Where the vectors of a scope lie, and whether some of its material is still being read or indexed."""
        kinds = (
            select(
                Class.collection_prefix,
                Material.kind,
                func.bool_or(Material.status.in_(("queued", "processing", "searchable"))).label("is_waiting"),
                func.array_agg(func.array_to_string(Material.text_configs, " ").distinct()).label("configs"),
            )
            .join(Material, Material.class_id == Class.id)
            .where(Class.user_id == self.user_id, Material.user_id == self.user_id)
            .where(Class.deleted_at.is_(None), Material.deleted_at.is_(None))
            .group_by(Class.collection_prefix, Material.kind)
        )
        if scope.class_id:
            kinds = kinds.where(Class.id == scope.class_id)
        if scope.material_id:
            kinds = kinds.where(Material.id == scope.material_id)
        rows = (await self.session.execute(kinds)).all()
        names = dict.fromkeys(collection_name(row.collection_prefix, row.kind) for row in rows)
        configs = {config for row in rows for configs in row.configs for config in configs.split()}
        return Reach(
            list(names), any(row.is_waiting for row in rows), tuple(sorted(configs)) or DEFAULT_CONFIGS
        )

    async def in_section(self, number: str, scope: Scope, limit: int) -> list[UUID]:
        """Chunks under a heading that begins with a section number such as "3.2", or under one of its subsections; for a whole
        number also under an outermost heading that ends with it ("Models 4")."""
        exact = number.replace(".", r"\.")
        begins = rf"(^|\n)((chapter|section|part|lecture|kapitel|abschnitt|teil) |§ ?)?{exact}\M"
        ends = rf"^(?!(exercise|problem|question|example|figure|table|step|listing) )[^0-9\n]+ {exact}$"
        headings = text(
            "(array_to_string(chunks.heading_path, E'\\n') ~* :begins OR chunks.heading_path[1] ~* :ends)"
        ).bindparams(begins=begins, ends=ends if number.isdigit() else "(?!)")
        found = self._in_scope(scope).where(headings)
        return list(
            (await self.session.scalars(found.order_by(Chunk.material_id, Chunk.ordinal).limit(limit))).all()
        )

    def _inside(self, scope: Scope) -> dict[str, UUID | None]:
        return {"user": self.user_id, "class": scope.class_id, "material": scope.material_id}

    def _in_scope(self, scope: Scope) -> Select[UUID]:
        found = (
            select(Chunk.id)
            .join(Material, Material.id == Chunk.material_id)
            .join(Class, Class.id == Material.class_id)
            .where(Chunk.user_id == self.user_id, Material.deleted_at.is_(None), Class.deleted_at.is_(None))
        )
        if scope.class_id:
            found = found.where(Chunk.class_id == scope.class_id)
        if scope.material_id:
            found = found.where(Chunk.material_id == scope.material_id)
        return found


def _holds(phrase: str, config: str) -> ColumnElement[bool]:
    query = func.phraseto_tsquery(cast(config, REGCONFIG), phrase)
    return and_(Chunk.text_config == config, Chunk.lexemes.op("@@")(query))


def _numbered(place: Place) -> tuple[ColumnElement[bool], ...]:
    """By the number that a page has; where there is none, by the one printed on it."""
    label = place.label or (str(place.first) if place.first == place.last else None)
    return (
        MaterialSegment.number.between(place.first, place.last) if place.first else sql_false(),
        MaterialSegment.label == label if label else sql_false(),
    )


def _spoken(place: Place) -> tuple[ColumnElement[bool], ...]:
    """By the words heard in that time; where nothing is said then, by the whole minute."""
    minute = and_(MaterialSegment.t_start < place.t_end, MaterialSegment.t_end > place.t_start)
    heard = HEARD.bindparams(first=place.t_start, last=place.t_end)
    return (and_(minute, heard), minute)
