"""Search by words: BM25 over the lexemes that PostgreSQL makes of the text, exact phrases, and places by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select, text
from sqlalchemy import false as sql_false
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text, Uuid

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

BM25 = text(
    f"""
    WITH scope AS MATERIALIZED ({SCOPE}),
    size AS (
        SELECT greatest(sum(m.chunk_count), 1)::float8 AS n,
               greatest(sum(coalesce(m.word_count, 0))::float8 / greatest(sum(m.chunk_count), 1), 1) AS average
        FROM materials m WHERE m.id IN (SELECT id FROM scope)
    ),
    posting AS MATERIALIZED (
        SELECT p.* FROM chunk_postings p
        WHERE p.lexeme = ANY(:lexemes) AND p.material_id IN (SELECT id FROM scope)
    ),
    rarity AS (
        SELECT lexeme, ln(1 + (max(n) - sum(cardinality(ordinals)) + 0.5) / (sum(cardinality(ordinals)) + 0.5)) AS idf
        FROM posting, size GROUP BY lexeme
    ),
    scored AS (
        SELECT p.material_id, u.ordinal,
               sum(r.idf * u.tf * ({BM25_K1} + 1)
                   / (u.tf + {BM25_K1} * (1 - {BM25_B} + {BM25_B} * u.length / s.average))) AS score
        FROM posting p JOIN rarity r USING (lexeme) CROSS JOIN size s
        CROSS JOIN LATERAL unnest(p.ordinals, p.frequencies, p.lengths) AS u(ordinal, tf, length)
        GROUP BY p.material_id, u.ordinal
        ORDER BY score DESC, p.material_id, u.ordinal LIMIT :limit
    )
    SELECT k.id, scored.score FROM scored
    JOIN chunks k ON k.material_id = scored.material_id AND k.ordinal = scored.ordinal
    ORDER BY scored.score DESC, k.id
    """  # noqa: S608 - constants only
).bindparams(bindparam("lexemes", type_=ARRAY(Text())), *IN_SCOPE)

VISIBLE = text(
    f"SELECT k.id FROM chunks k WHERE k.id = ANY(:ids) AND k.user_id = :user AND k.material_id IN ({SCOPE})"  # noqa: S608 - constants only
).bindparams(bindparam("ids", type_=ARRAY(Uuid())), *IN_SCOPE)

LEXEMES = text("SELECT tsvector_to_array(to_tsvector(CAST(:config AS regconfig), :query)) AS lexemes")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search looks at: everything of the user, one class, or one material."""

    class_id: UUID | None = None
    material_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a search in a scope can find by meaning: vector collections by name, and whether they are still being filled."""

    collections: list[str]
    is_indexing: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A page or slide by number (a range, both ends included) or by the label printed on it."""

    kind: str
    first: int | None
    last: int | None
    label: str | None = None


class LexicalRepository(Repository):
    async def lexemes(self, query: str, config: str = "english") -> list[str]:
        """The lexemes of a query, without stop words."""
        found: list[str] | None = await self.session.scalar(LEXEMES, {"config": config, "query": query})
        return list(found or ())

    async def bm25(self, lexemes: Sequence[str], scope: Scope, limit: int) -> list[tuple[UUID, float]]:
        """(chunk id, BM25 score), best first. Any of the lexemes may match; the score says how well."""
        if not lexemes:
            return []
        rows = await self.session.execute(
            BM25, {"lexemes": list(lexemes), "limit": limit, **self._inside(scope)}
        )
        return [(row.id, float(row.score)) for row in rows]

    async def with_phrases(
        self, phrases: Sequence[str], scope: Scope, limit: int, config: str = "english"
    ) -> list[UUID]:
        """Chunks in which every phrase stands word for word (by lexemes, in order)."""
        found = self._in_scope(scope)
        for phrase in phrases:
            query = text("phraseto_tsquery(CAST(:config AS regconfig), :phrase)").bindparams(
                config=config, phrase=phrase
            )
            found = found.where(Chunk.lexemes.op("@@")(query))
        return list((await self.session.scalars(found.order_by(Chunk.id).limit(limit))).all())

    async def at_place(self, place: Place, scope: Scope, limit: int) -> list[UUID]:
        """Chunks that stand on a page or slide, by its number, else by the number printed on it; in reading order."""
        numbered = MaterialSegment.number.between(place.first, place.last) if place.first else sql_false()
        label = place.label or (str(place.first) if place.first == place.last else None)
        labelled = MaterialSegment.label == label if label else sql_false()
        for condition in (numbered, labelled):
            found = self._in_scope(scope).join(
                MaterialSegment,
                (MaterialSegment.material_id == Chunk.material_id)
                & (MaterialSegment.ordinal == Chunk.segment),
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
        return Reach(list(names), any(row.is_waiting for row in rows))

    async def in_section(self, number: str, scope: Scope, limit: int) -> list[UUID]:
        """Chunks under a heading that begins with a section number such as "3.2"."""
        pattern = rf"(^|\n)(chapter |section |§ ?)?{number.replace('.', chr(92) + '.')}\M(?!\.\d)"
        headings = text("array_to_string(chunks.heading_path, E'\\n') ~* :pattern").bindparams(
            pattern=pattern
        )
        found = self._in_scope(scope).where(headings)
        return list((await self.session.scalars(found.order_by(Chunk.ordinal).limit(limit))).all())

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
